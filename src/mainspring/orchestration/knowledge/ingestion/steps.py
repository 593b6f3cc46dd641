"""The four steps that make a revision of a document searchable, for any pipeline.

Each may be repeated at any time: what an earlier attempt finished is found (the parsed document, the cut, vectors by
content hash), and publishing is one transaction. A revision that is no longer the newest, or whose document is gone,
ends quietly. What cannot be mended by repeating is noted on the document at once, by code.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.errors import Superseded
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.types import Failure, Reader
from mainspring.orchestration.pipelines.types import StepRun

from .types import Chunked, DocumentRef, Embedded, Indexed, Parsed

Found = TypeVar("Found")


class IngestSteps:
    """Steps from a stored revision to one that searches find.

    Each raises what the rooms below raise: errors of reading (never retryable), of models (retryable where the
    provider says so).
    """

    def __init__(self, documents: Documents, indexes: Indexes) -> None:
        self._documents = documents
        self._indexes = indexes

    async def parse(self, given: DocumentRef, run: StepRun) -> Parsed:
        """Read the revision in a bounded process."""

        async def work() -> Parsed:
            parsed = await self._documents.parse(run.tenant, given.document)
            pages = len(parsed.pages)
            read = f"{pages} pages" if pages else f"{len(parsed.text):,} characters"
            await run.say(f"Read {read}" + "".join(f". {warning}" for warning in parsed.warnings[:3]))
            return Parsed(True, pages or None, len(parsed.text), parsed.language)

        return await self._attempt(given, run, work) or Parsed(is_current=False)

    async def chunk(self, given: DocumentRef, run: StepRun) -> Chunked:
        """Cut the revision, for each index that takes it in."""

        async def work() -> Chunked:
            active, *others = await self._indexes.targets(run.tenant)
            cut = await self._indexes.cut(run.tenant, given.document, active)
            if cut.revision != given.revision:
                raise Superseded("A newer revision took its place.")
            for index in others:
                await _try(self._indexes.cut(run.tenant, given.document, index))
            await run.say(f"Cut into {len(cut.chunks)} passages")
            return Chunked(True, len(cut.chunks))

        return await self._attempt(given, run, work) or Chunked(is_current=False)

    async def embed(self, given: DocumentRef, run: StepRun) -> Embedded:
        """Make the vectors that are missing; those that an attempt before this one made are there."""

        async def work() -> Embedded:
            active, *others = await self._indexes.targets(run.tenant)
            seen = [0]

            async def progress(done: int, total: int) -> None:
                seen[0] = total
                await run.progress(done, total, f"Embedded {done} of {total} passages")

            computed = await self._indexes.embed(run.tenant, given.document, active, progress=progress, run=run)
            for index in others:
                await _try(self._indexes.embed(run.tenant, given.document, index, run=run))
            await run.say(f"Embedded {computed} passages" if computed else "Every passage was known already")
            return Embedded(True, seen[0], computed)

        return await self._attempt(given, run, work) or Embedded(is_current=False)

    async def index(self, given: DocumentRef, run: StepRun) -> Indexed:
        """Make the revision what searches find, in one transaction for each index."""

        async def work() -> Indexed:
            active, *others = await self._indexes.targets(run.tenant)
            await self._indexes.publish(run.tenant, given.document, active, revision=given.revision)
            published = 1
            for index in others:
                published += await _try(
                    self._indexes.publish(run.tenant, given.document, index, revision=given.revision)
                )
            await run.say("Ready to be searched")
            return Indexed(True, published)

        return await self._attempt(given, run, work) or Indexed(is_current=False)

    async def _attempt(self, given: DocumentRef, run: StepRun, work: Callable[[], Awaitable[Found]]) -> Found | None:
        """What `work` found; None when the revision is no longer the document's."""
        if await self._is_current(run.tenant, given):
            try:
                return await work()
            except MainspringError as error:
                # Whatever went wrong, it concerns nobody when the revision was replaced or deleted meanwhile.
                if not isinstance(error, Superseded) and await self._is_current(run.tenant, given):
                    await self._note(run.tenant, given, error)
                    raise
        await run.say("Nothing to do: the document was changed or deleted meanwhile")
        return None

    async def _note(self, tenant: TenantId, given: DocumentRef, error: MainspringError) -> None:
        if not error.retryable:
            failure = Failure(error.code, error.detail)
            await self._documents.fail(tenant, given.document, given.revision, failure)

    async def _is_current(self, tenant: TenantId, given: DocumentRef) -> bool:
        document = await self._documents.find(Reader(tenant, None), given.document)
        return document is not None and document.revision == given.revision


async def _try(work: Awaitable[object]) -> bool:
    """Work for an index that is being built: what fails there is the rebuild's to report, and no document's."""
    try:
        await work
    except Superseded:
        raise
    except MainspringError:
        return False
    return True
