"""The way of a document into an index: cut, embed, publish. Each may be repeated; only the last is seen.

Cutting leaves a blob, embedding leaves drafts, and neither touches what searches read. Publishing is one
transaction: record, chunks, vectors, terms and their counts change together or not at all.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import msgspec

from mainspring.foundation.db import TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.chunking import Chunking, cut
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.documents.blobs import cut_key, delete_blobs
from mainspring.orchestration.knowledge.errors import IndexReplaced, Superseded, VectorsMissing
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Embedder
from mainspring.orchestration.knowledge.setup import Setup, Setups, fingerprint
from mainspring.orchestration.knowledge.types import Document, IndexStatus, IndexVersion, Reader
from mainspring.orchestration.pipelines.types import StepRun

from . import store
from .terms import average_length, count_chunks, terms_of, terms_text
from .texts import content_hash, embedded_text
from .types import Cut
from .vectors import vector_text

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many chunks have their vectors, of how many."""

_CUT = msgspec.json.Decoder(Cut)
_TEXTS_A_CALL = 16
_TEXTS_ANALYSED_AT_ONCE = 200
_HEALINGS = 2


class Publishing:
    """Brings documents into indexes."""

    def __init__(
        self, homes: Homes, objects: ObjectStore, documents: Documents, setups: Setups, embedder: Embedder
    ) -> None:
        self._homes = homes
        self._objects = objects
        self._documents = documents
        self._setups = setups
        self._embedder = embedder

    async def cut(self, tenant: TenantId, document_id: UUID, index: IndexVersion, *, earlier: int | None = None) -> Cut:
        """The chunks of the newest revision by the index's setup; kept, so that a second call reads them.

        earlier  of this revision instead, which searches still find because the newest one cannot be indexed
        raises   NotFound, NotParsedYet
        """
        newest = await self._documents.get(Reader(tenant, None), document_id)
        document = replace(newest, revision=earlier) if earlier else newest
        setup = await self._setup(tenant, index)
        mark = fingerprint(setup, document.document_type)
        kept = await self.read_cut(tenant, document, mark)
        if kept is not None:
            return kept
        made = await self._cut(tenant, document, setup.chunking_of(document.document_type), mark)
        key = cut_key(document_id, document.revision, mark)
        await self._objects.put(tenant, key, msgspec.json.encode(made))
        if await self._documents.find(Reader(tenant, None), document_id) is None:  # deleted meanwhile
            await self._objects.delete(tenant, key)
            raise _not_found(document_id)
        return made

    async def _cut(self, tenant: TenantId, document: Document, chunking: Chunking, mark: str) -> Cut:
        reader = Reader(tenant, None)
        parsed = await self._documents.get_parsed(reader, document.id, revision=document.revision)
        chunks = await asyncio.to_thread(cut, parsed, chunking)
        return Cut(document.revision, chunks, mark, parsed.language)

    async def find_cut(self, tenant: TenantId, document: Document, index: IndexVersion) -> Cut | None:
        """The kept cut of the newest revision, None when there is none yet."""
        setup = await self._setup(tenant, index)
        return await self.read_cut(tenant, document, fingerprint(setup, document.document_type))

    async def read_cut(self, tenant: TenantId, document: Document, mark: str) -> Cut | None:
        """The kept cut of the newest revision with this fingerprint, None when there is none."""
        try:
            blob = await self._objects.get(tenant, cut_key(document.id, document.revision, mark))
        except NotFound:
            return None
        return await asyncio.to_thread(_CUT.decode, blob)

    async def _setup(self, tenant: TenantId, index: IndexVersion) -> Setup:
        return (await self._setups.get(tenant, index.settings_version)).value

    async def embed(
        self,
        tenant: TenantId,
        document_id: UUID,
        index: IndexVersion,
        *,
        earlier: int | None = None,
        progress: Progress | None = None,
        run: StepRun | None = None,
    ) -> int:
        """Make the vectors that are missing; how many texts were sent to the model.

        A text that any document of the tenant has a vector of the same model for is not sent, and none twice.
        Batches of 16 of about one length, each kept before the next is asked for, so that a repeated call goes
        on where the last one stopped.
        raises  Superseded, and what the embedder raises
        """
        made = await self.cut(tenant, document_id, index, earlier=earlier)
        texts = {content_hash(text): text for text in map(embedded_text, made.chunks)}
        async with self._homes.reading(tenant) as transaction:
            known = await store.known_hashes(transaction, index, list(texts))
        missing = sorted((each for each in texts if each not in known), key=lambda each: len(texts[each]))
        for start in range(0, len(missing), _TEXTS_A_CALL):
            if progress is not None:
                await progress(len(texts) - len(missing) + start, len(texts))
            batch = missing[start : start + _TEXTS_A_CALL]
            vectors = await self._embedder.embed(
                tenant, [texts[each] for each in batch], model=index.embedding_model, run=run
            )
            written = [vector_text(vector, index.dimensions) for vector in vectors]
            kept = dict(zip(batch, written, strict=True))
            await self._keep(tenant, document_id, None if earlier else made.revision, index, kept)
        if progress is not None:
            await progress(len(texts), len(texts))
        return len(missing)

    async def _keep(
        self, tenant: TenantId, document_id: UUID, revision: int | None, index: IndexVersion, vectors: dict[bytes, str]
    ) -> None:
        async with self._homes.writing(tenant) as transaction:
            newest = await store.hold_document(transaction, document_id)
            _check_revision(document_id, revision or newest, newest)
            await store.add_drafts(transaction, document_id, index.embedding_model, vectors)

    async def publish(self, tenant: TenantId, document_id: UUID, index: IndexVersion, *, revision: int) -> None:
        """Make the revision what the index holds of the document, in one transaction; older blobs go after it.

        Vectors that vanished since `embed`, with the document they were shared with, are made again.
        raises  NotFound, Superseded, IndexReplaced; NotParsedYet; VectorsMissing; what the embedder raises
        """
        made = await self.cut(tenant, document_id, index)
        _check_revision(document_id, revision, made.revision)
        content = await self._content(tenant, made, await self._average_length(tenant, document_id, index))
        for _ in range(_HEALINGS):
            try:
                return await self._publish_clean(tenant, document_id, index, revision, content)
            except VectorsMissing:
                await self.embed(tenant, document_id, index)
        return await self._publish_clean(tenant, document_id, index, revision, content)

    async def _publish_clean(
        self, tenant: TenantId, document_id: UUID, index: IndexVersion, revision: int, content: store.Content
    ) -> None:
        status = await self._publish(tenant, document_id, index, revision, content)
        if status is IndexStatus.ACTIVE:
            await delete_blobs(self._objects, tenant, document_id, is_old=lambda _, older: older < revision)

    async def carry(
        self, tenant: TenantId, document_id: UUID, index: IndexVersion, revision: int, *, run: StepRun | None
    ) -> tuple[int, int]:
        """Bring an earlier revision into an index that is being built: how many chunks, how many texts embedded.

        For documents whose newest revision cannot be indexed: what searches find of them is not lost by a switch.
        raises  NotFound, Superseded when the index holds a later one, IndexReplaced; VectorsMissing, retryable
        """
        embedded = await self.embed(tenant, document_id, index, earlier=revision, run=run)
        made = await self.cut(tenant, document_id, index, earlier=revision)
        content = await self._content(tenant, made, await self._average_length(tenant, document_id, index))
        async with self._homes.writing(tenant) as transaction:
            if await store.hold_for_writing(transaction, index.id) is not IndexStatus.BUILDING:
                raise _replaced()
            newest = await store.hold_document(transaction, document_id)
            _check_revision(document_id, newest, newest)
            held = await store.find_held(transaction, index.id, document_id)
            if held.revision >= revision:
                raise Superseded(f"The new index holds revision {held.revision} of {show_id('doc', document_id)}.")
            await _write(transaction, index, document_id, revision, content)
            await store.forget_drafts(transaction, document_id, index.embedding_model)
        return len(made.chunks), embedded

    async def _publish(
        self, tenant: TenantId, document_id: UUID, index: IndexVersion, revision: int, content: store.Content
    ) -> IndexStatus:
        async with self._homes.writing(tenant) as transaction:
            status = await store.hold_for_writing(transaction, index.id)
            if status is None or status is IndexStatus.RETIRED:
                raise _replaced()
            _check_revision(document_id, revision, await store.hold_document(transaction, document_id))
            await _write(transaction, index, document_id, revision, content)
            await store.forget_drafts(transaction, document_id, index.embedding_model)
            if status is IndexStatus.ACTIVE:
                await store.mark_indexed(transaction, document_id)
        return status

    async def _average_length(self, tenant: TenantId, document_id: UUID, index: IndexVersion) -> int:
        document = await self._documents.get(Reader(tenant, None), document_id)
        chunking = (await self._setup(tenant, index)).chunking_of(document.document_type)
        return average_length(str(chunking.__struct_config__.tag))

    async def _content(self, tenant: TenantId, made: Cut, average: int) -> store.Content:
        texts = [embedded_text(chunk) for chunk in made.chunks]
        terms: list[dict[int, float]] = []
        for start in range(0, len(texts), _TEXTS_ANALYSED_AT_ONCE):
            batch = texts[start : start + _TEXTS_ANALYSED_AT_ONCE]
            async with self._homes.reading(tenant) as transaction:
                terms += await terms_of(transaction, batch, language=made.language, average=average)
        return store.Content(
            made.chunks,
            [content_hash(text) for text in texts],
            [terms_text(each) for each in terms],
            count_chunks(terms),
        )


async def _write(
    transaction: TenantTransaction, index: IndexVersion, document_id: UUID, revision: int, content: store.Content
) -> None:
    """Rows and counts; hold the index and the document first."""
    before = await store.find_held(transaction, index.id, document_id)
    if not await store.write_content(transaction, index, document_id, revision, content):
        raise VectorsMissing(f"Chunks of {show_id('doc', document_id)} have no vectors; embed it again.")
    delta = Counter(content.term_counts)
    delta.subtract(before.term_counts)
    await store.add_to_counts(transaction, index.id, delta)


def _replaced() -> IndexReplaced:
    return IndexReplaced("The index was replaced meanwhile; bring the document into the new one.")


def _check_revision(document_id: UUID, revision: int | None, newest: int | None) -> None:
    if newest is None:
        raise _not_found(document_id)
    if newest != revision:
        raise Superseded(f"{show_id('doc', document_id)} has revision {newest}; {revision} is not published any more.")


def _not_found(document_id: UUID) -> NotFound:
    return NotFound(f"There is no document {show_id('doc', document_id)}.")
