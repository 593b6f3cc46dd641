"""One walk through a source: what it tells, compared with what is stored, in batches.

Nothing is remembered outside of the documents' own rows: a walk that is cut off is walked again, and what it had
stored is found unchanged, by version where the source tells one, else by the hash of the bytes. A document is taken
to be gone only when a complete listing did not tell it, and it was there before the listing began.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from uuid import UUID

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.errors import InvalidSource
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ingestion import Ingestion
from mainspring.orchestration.knowledge.types import Failure
from mainspring.orchestration.pipelines.types import StepRun

from . import store
from .items import Content, EndOfListing, Gone, Item, Listing, Removed, Unchanged
from .store import VERSION_KEY, Known
from .types import MAX_EXTERNAL_ID_BYTES, ItemFailure, Source, Taken

_BATCH = 32
_AT_ONCE = 4
_TOLD_FAILURES = 20
_MAX_GONE = 10_000
_MAX_VERSION = 500
_PAGE = 1_000
_MAX_URI = 2_000
_MAX_METADATA = 50
_MAX_VALUE = 2_000


@dataclass(slots=True)
class _Tally:
    """What a walk has done so far."""

    listed: int = 0
    stored: int = 0
    failed: int = 0
    failures: list[ItemFailure] = field(default_factory=list[ItemFailure])
    seen: set[str] = field(default_factory=set[str])

    def sort_out(self, batch: Sequence[Item]) -> dict[str, Item]:
        """The items by external id, without those that cannot be stored as they describe themselves."""
        once: dict[str, Item] = {}
        for item in batch:
            try:
                _check(item)
            except InvalidSource as error:
                self.fail(item, error)
            else:
                once[item.external_id] = item
        return once

    def fail(self, item: Item, error: MainspringError) -> None:
        self.failed += 1
        if len(self.failures) < _TOLD_FAILURES:
            self.failures.append(ItemFailure(_shown(item.name), error.code, error.detail[:500]))


class Walk:
    """Takes in what sources tell."""

    def __init__(self, homes: Homes, documents: Documents, ingestion: Ingestion) -> None:
        self._homes = homes
        self._documents = documents
        self._ingestion = ingestion

    async def take(self, tenant: TenantId, source: Source, listing: Listing, run: StepRun) -> Taken:
        """Everything that is new or changed stored and on its way into the index; what is gone is named.

        raises   what listing the source raises; an item that cannot be had is counted instead
        """
        async with self._homes.reading(tenant) as transaction:
            began_at = await store.clock(transaction)
        tally, end, batch = _Tally(), EndOfListing(is_complete=False), list[Item]()
        async for told in listing:
            match told:
                case Item():
                    batch.append(told)
                case Removed():
                    await self._remove(tenant, source, told.external_id)
                case EndOfListing():
                    end = told
            if len(batch) >= _BATCH:
                await self._take_batch(tenant, source, batch, tally)
                batch = []
                await run.progress(tally.listed, tally.listed, f"Looked at {tally.listed} items, {tally.stored} new")
        await self._take_batch(tenant, source, batch, tally)
        gone: Sequence[UUID] = ()
        if end.is_complete:
            gone = await self._find_gone(tenant, source.name, tally.seen, began_at)
        await run.say(_summary(tally, len(gone)))
        return Taken(True, tally.listed, tally.stored, tuple(gone), tally.failed, tuple(tally.failures), end.cursor)

    async def _take_batch(self, tenant: TenantId, source: Source, batch: Sequence[Item], tally: _Tally) -> None:
        if not batch:
            return
        tally.listed += len(batch)
        once = tally.sort_out(batch)
        tally.seen.update(once)
        async with self._homes.reading(tenant) as transaction:
            known = await store.find_known(transaction, source.name, list(once))
        places = asyncio.Semaphore(_AT_ONCE)

        async def take(item: Item) -> None:
            async with places:
                await self._take_item(tenant, source, item, known.get(item.external_id), tally)

        ended = await asyncio.gather(*(take(item) for item in once.values()), return_exceptions=True)
        for each in ended:
            if isinstance(each, BaseException):
                raise each

    async def _take_item(
        self, tenant: TenantId, source: Source, item: Item, known: Known | None, tally: _Tally
    ) -> None:
        try:
            if known is not None:
                await self._follow_readers(tenant, source, item, known)
            if known is not None and item.version is not None and item.version == known.version:
                return
            fetched = await item.fetch(known.version if known else None)
        except MainspringError as error:
            tally.fail(item, error)
            return
        match fetched:
            case Unchanged():
                return
            case Gone():
                tally.seen.discard(item.external_id)
                if known is not None:
                    await self._ingestion.remove(tenant, known.document)
            case Content():
                tally.stored += await self._store(tenant, source, item, fetched, known, tally)

    async def _store(
        self, tenant: TenantId, source: Source, item: Item, content: Content, known: Known | None, tally: _Tally
    ) -> bool:
        """Whether something new was stored."""
        version = content.version or item.version
        version = version if version is None or len(version) <= _MAX_VERSION else None
        new = NewDocument(
            source=source.name,
            external_id=item.external_id,
            name=content.name or item.name,
            content=content.body,
            document_type=item.document_type or source.document_type,
            uri=item.uri,
            metadata={**item.metadata, **({VERSION_KEY: version} if version else {})},
            readers=item.readers if item.readers is not None else source.readers,
        )
        try:
            submission = await self._ingestion.put(tenant, new, retries_failed=False)
        except MainspringError as error:
            if error.retryable:
                raise
            tally.fail(item, error)
            return False
        document = submission.document
        if document.metadata.get(VERSION_KEY) != version:
            async with self._homes.writing(tenant) as transaction:
                await store.note_version(transaction, document.id, version)
        return submission.run is not None

    async def _follow_readers(self, tenant: TenantId, source: Source, item: Item, known: Known) -> None:
        """Who may read it follows the source at once, also where the bytes have not changed."""
        readers = item.readers if item.readers is not None else source.readers
        if readers is not None and (known.readers is None or set(readers) != set(known.readers)):
            await self._documents.set_readers(tenant, known.document, readers)

    async def _remove(self, tenant: TenantId, source: Source, external_id: str) -> None:
        if "\0" in external_id:  # nothing is stored under such a name
            return
        async with self._homes.reading(tenant) as transaction:
            known = await store.find_known(transaction, source.name, [external_id])
        for each in known.values():
            await self._ingestion.remove(tenant, each.document)

    async def _find_gone(self, tenant: TenantId, source: str, seen: set[str], began_at: datetime) -> Sequence[UUID]:
        gone: list[UUID] = []
        after: UUID | None = None
        while len(gone) < _MAX_GONE:
            async with self._homes.reading(tenant) as transaction:
                rows = await store.list_names(transaction, source, after=after, before=began_at, limit=_PAGE)
            gone.extend(row["id"] for row in rows if row["external_id"] not in seen)
            if len(rows) < _PAGE:
                break
            after = rows[-1]["id"]
        return gone[:_MAX_GONE]


def failure_of(taken: Taken) -> Failure | None:
    """What to tell of a walk that went through but for some items."""
    if not taken.failed:
        return None
    told = "; ".join(f"{each.item}: {each.detail}" for each in taken.failures[:5])
    more = f" and {taken.failed - 5} more" if taken.failed > 5 else ""
    return Failure(
        "items_failed", f"{taken.failed} of {taken.listed} items could not be taken in: {told}{more}"[:2_000]
    )


def _check(item: Item) -> None:
    """InvalidSource unless all that the source says of the item can be stored."""
    texts = (item.external_id, item.name, item.uri or "", item.version or "", *chain(*item.metadata.items()))
    if not item.external_id or any("\0" in text or not _is_unicode(text) for text in texts):
        raise InvalidSource("The item has no external id, or text of it holds what is no text.")
    if len(item.external_id.encode()) > MAX_EXTERNAL_ID_BYTES or len(item.uri or "") > _MAX_URI:
        raise InvalidSource(f"The item's external id or URI is longer than {MAX_EXTERNAL_ID_BYTES:,} bytes.")
    if len(item.metadata) > _MAX_METADATA or any(len(text) > _MAX_VALUE for text in chain(*item.metadata.items())):
        raise InvalidSource(
            f"The item's metadata has more than {_MAX_METADATA} entries, or one of more than {_MAX_VALUE:,} characters."
        )


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: a lone surrogate cannot."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _shown(name: str) -> str:
    """A name from outside, as it can be stored."""
    return name.replace("\0", "").encode("utf-8", "replace").decode()[:200]


def _summary(tally: _Tally, gone: int) -> str:
    parts = [f"Looked at {tally.listed} items: {tally.stored} new or changed"]
    if gone:
        parts.append(f"{gone} gone")
    if tally.failed:
        parts.append(f"{tally.failed} could not be taken in")
    return ", ".join(parts)
