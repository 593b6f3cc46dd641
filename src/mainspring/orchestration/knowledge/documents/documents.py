"""`Documents`: from bytes to a row, and from a row to nothing. Each use case may be repeated.

Bytes live in the object store, rows in the tenant's home; bytes are written before the row that points
to them and removed after it, so a row never points at nothing. No transaction is open while bytes move
or a document is parsed.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from mainspring.foundation.clock import now
from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import MainspringError, NotFound, Unavailable
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.pagination import Page, PageRequest
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.errors import NotParsedYet
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.parsing import PARSER_VERSION, ParseLimits, inspect, parse_bounded, shown
from mainspring.orchestration.knowledge.ports import Caches
from mainspring.orchestration.knowledge.types import (
    Document,
    DocumentStatus,
    Failure,
    Label,
    ParsedDocument,
    Reader,
)

from . import store
from .blobs import delete_blobs, find_parsed, made_at, original_key, parsed_key
from .incoming import as_changed, as_new, name_of
from .types import Change, NewDocument, Stored

log = get_logger(__name__)

_DEFAULT_LIMITS = ParseLimits()
_PARSED = msgspec.json.Decoder(ParsedDocument)
_PUTS = 50
_MAY_BE_COMING_IN = timedelta(hours=1)
_IDS_AT_ONCE = 1_000


class Documents:
    """What is known of a tenant's documents before they are searched.

    recognise_scans  read pages without a text layer with tesseract (extra `mainspring[ocr]`)
    """

    def __init__(
        self,
        homes: Homes,
        objects: ObjectStore,
        caches: Caches,
        *,
        limits: ParseLimits = _DEFAULT_LIMITS,
        recognise_scans: bool = False,
    ) -> None:
        self._homes = homes
        self._objects = objects
        self._caches = caches
        self._limits = limits
        self._recognise_scans = recognise_scans

    async def put(self, tenant: TenantId, new: NewDocument) -> Stored:
        """Take bytes in under their name in a source; the same bytes again change nothing and cost nothing.

        Changed bytes are the next revision, pending; what was indexed of the one before stays searchable. Readers
        that are given with an external id hold from then on, also where the bytes are the same.

        raises  EmptyFile, FileTooLarge, UnsupportedType, BinaryContent, EncryptedDocument, ...: what can be
                told from a look at the bytes. That they can be read is known after `parse`.
        """
        media_type = await asyncio.to_thread(inspect, new.content, filename=new.name, limits=self._limits)
        digest = (await asyncio.to_thread(sha256, new.content)).hexdigest()
        is_named = new.external_id is not None
        new = replace(new, name=shown(new.name), external_id=name_of(new, digest))
        for _ in range(_PUTS):  # each round that leads to nothing was won by another put or a deletion
            stored = await self._try_to_put(tenant, new, digest, media_type.value)
            if stored is not None:
                return await self._follow_readers(tenant, stored, new.readers) if is_named else stored
        raise Unavailable("The document is being changed by many at once; try again.", retry_after_seconds=1)

    async def _try_to_put(self, tenant: TenantId, new: NewDocument, digest: str, media_type: str) -> Stored | None:
        known = await self._find_named(tenant, new)
        if known is not None and known.document.sha256 == digest:
            return Stored(known.document, Change.UNCHANGED)
        if known is None:
            document = as_new(new_id(), new, digest, media_type)
        else:
            document = as_changed(known.document, new, digest, media_type)
        key = original_key(document.id, document.revision, digest)
        record = store.Record(document, key)
        await self._objects.put(tenant, key, new.content)
        async with self._homes.writing(tenant) as transaction:
            written = await (store.change(transaction, record) if known else store.add(transaction, record))
        if written is not None:
            return Stored(written.document, Change.CHANGED if known else Change.NEW)
        winner = await self._find_named(tenant, new)
        if winner is None or winner.original_key != key:
            await self._objects.delete(tenant, key)
        return None

    async def _follow_readers(self, tenant: TenantId, stored: Stored, readers: Sequence[str] | None) -> Stored:
        """Who puts a document under its name says who reads it, whether its bytes changed or not."""
        known = stored.document.readers
        if readers is None or (known is not None and set(readers) == set(known)):
            return stored
        return replace(stored, document=await self.set_readers(tenant, stored.document.id, readers))

    async def _find_named(self, tenant: TenantId, new: NewDocument) -> store.Record | None:
        async with self._homes.reading(tenant) as transaction:
            return await store.find_named(transaction, new.source, new.external_id or "")

    async def find(self, reader: Reader, document_id: UUID) -> Document | None:
        """The document, None when there is none that the reader may see."""
        record = await self._find(reader, document_id)
        return record.document if record else None

    async def get(self, reader: Reader, document_id: UUID) -> Document:
        """The document; NotFound when there is none that the reader may see."""
        return (await self._get(reader, document_id)).document

    async def closed_to(self, reader: Reader, documents: Collection[UUID]) -> frozenset[UUID]:
        """Those of the ids that are documents which the reader may not see."""
        if reader.subjects is None or not documents:
            return frozenset()
        async with self._homes.reading(reader.tenant) as transaction:
            return frozenset(await store.which_are_closed(transaction, list(documents), _subjects(reader)))

    async def list_page(
        self,
        tenant: TenantId,
        paging: PageRequest,
        *,
        source: str | None = None,
        status: DocumentStatus | None = None,
        name: str | None = None,
        reader: Reader | None = None,
    ) -> Page[Document]:
        """Newest first; `name` is a part of the name or title.

        reader  list what this reader may see only; None lists everybody's, for who manages them
        """
        filters = {"source": source, "status": status.value if status else None, "name": name}
        async with self._homes.reading(tenant) as transaction:
            return await store.list_page(transaction, paging, filters, _subjects(reader) if reader else None)

    async def counts_by_status(self, tenant: TenantId) -> Mapping[DocumentStatus, int]:
        """How many documents stand how; a status without documents is 0."""
        async with self._homes.reading(tenant) as transaction:
            return await store.counts_by_status(transaction)

    async def read_original(self, reader: Reader, document_id: UUID) -> bytes:
        """The newest bytes as they came in; NotFound."""
        record = await self._get(reader, document_id)
        return await self._objects.get(reader.tenant, record.original_key)

    async def parse(self, tenant: TenantId, document_id: UUID) -> ParsedDocument:
        """Parse the newest revision in a bounded process and keep the result; one that is kept is read again.

        raises  NotFound, and what `parse_bounded` raises
        """
        while True:
            record = await self._get(Reader(tenant, None), document_id)
            if record.parsed_key is not None and record.document.parser_version == PARSER_VERSION:
                return await self._read_parsed(tenant, record.parsed_key)
            parsed = await self._parse(tenant, record)
            if parsed is not None:
                return parsed

    async def _parse(self, tenant: TenantId, record: store.Record) -> ParsedDocument | None:
        """None when the revision was replaced meanwhile."""
        document = record.document
        content = await self._objects.get(tenant, record.original_key)
        parsed = await parse_bounded(
            content, filename=document.name, limits=self._limits, recognise_scans=self._recognise_scans
        )
        key = parsed_key(document.id, document.revision, PARSER_VERSION)
        described = replace(
            document,
            pages=len(parsed.pages) or None,
            language=parsed.language,
            title=parsed.title,
            parser_version=PARSER_VERSION,
        )
        await self._objects.put(tenant, key, msgspec.json.encode(parsed))
        async with self._homes.writing(tenant) as transaction:
            is_newest = await store.describe(transaction, described, parsed_key=key)
        if not is_newest:
            await self._objects.delete(tenant, key)
            return None
        if record.parsed_key not in (None, key):
            await self._objects.delete(tenant, record.parsed_key)
        return parsed

    async def get_parsed(self, reader: Reader, document_id: UUID, *, revision: int | None = None) -> ParsedDocument:
        """What parsing found in the newest revision.

        revision  an earlier one, which is kept as long as it is the one that searches find
        raises    NotFound, also for a revision that is gone; NotParsedYet
        """
        record = await self._get(reader, document_id)
        key = record.parsed_key
        if revision is not None and revision != record.document.revision:
            key = await find_parsed(self._objects, reader.tenant, document_id, revision)
            if key is None:
                raise NotFound(f"Revision {revision} of {show_id('doc', document_id)} is gone; read the newest one.")
        if key is None:
            raise NotParsedYet("The document has not been parsed yet; wait for its parse step, or run it again.")
        return await self._read_parsed(reader.tenant, key)

    async def note_run(self, tenant: TenantId, document_id: UUID, run_id: UUID) -> None:
        """The newest run that is about the document; one that is gone is fine."""
        async with self._homes.writing(tenant) as transaction:
            await store.point_at_run(transaction, document_id, run_id)

    async def fail(self, tenant: TenantId, document_id: UUID, revision: int, failure: Failure) -> None:
        """The revision cannot be indexed; nothing happens when it is no longer the newest, or was indexed meanwhile."""
        async with self._homes.writing(tenant) as transaction:
            await store.mark_failed(transaction, document_id, revision, failure)

    async def set_readers(self, tenant: TenantId, document_id: UUID, readers: Sequence[str] | None) -> Document:
        """Open the document to these subjects only, from the next query on; None is everybody in the tenant.

        raises  NotFound
        """
        chosen = sorted(set(readers)) if readers is not None else None
        async with self._homes.writing(tenant) as transaction:
            record = await store.set_readers(transaction, document_id, chosen)
        if record is None:
            raise _not_found(document_id)
        await self._caches.forget(tenant)  # what was answered to who may no longer read it
        return record.document

    async def set_labels(self, tenant: TenantId, document_id: UUID, labels: Sequence[Label]) -> None:
        """Make these the document's labels; NotFound."""
        async with self._homes.writing(tenant) as transaction:
            if not await store.hold(transaction, document_id):
                raise _not_found(document_id)
            await store.replace_labels(transaction, document_id, labels)

    async def delete(self, tenant: TenantId, document_id: UUID) -> None:
        """Remove the document everywhere: rows, vectors, counts of words, bytes, kept replies.

        One that is not there is fine. After the transaction nobody finds it; what remains of its bytes and in caches
        when this is cut off, or a store is away, is removed by `sweep`.
        """
        async with self._homes.writing(tenant) as transaction:
            if await store.hold(transaction, document_id):
                await store.release_terms(transaction, document_id)
                await store.bury(transaction, document_id)
            elif not await store.has_tombstone(transaction, document_id):
                return
        try:
            await self._remove_rest(tenant, document_id)
        except (MainspringError, *DatabaseGone) as failure:
            log.warning("deletion_left_over", tenant=str(tenant), error=type(failure).__name__)

    async def _remove_rest(self, tenant: TenantId, document_id: UUID) -> None:
        await delete_blobs(self._objects, tenant, document_id)
        await self._caches.forget(tenant)
        async with self._homes.writing(tenant) as transaction:
            await store.forget_failures(transaction, document_id)
            await store.remove_tombstone(transaction, document_id)

    async def sweep(self) -> int:
        """Finish deletions that were cut off, of all tenants; how many were finished."""
        tenants = await self._homes.everywhere(store.tenants_with_tombstones, tenant_of=lambda tenant: tenant)
        finished = 0
        for tenant in sorted(tenants):
            try:
                finished += await self._sweep(tenant)
            except (MainspringError, *DatabaseGone) as failure:  # another tenant's home may be there
                log.warning("deletions_left_over", tenant=str(tenant), error=type(failure).__name__)
        return finished

    async def _sweep(self, tenant: TenantId) -> int:
        async with self._homes.reading(tenant) as transaction:
            left = await store.list_tombstones(transaction)
        for document_id in left:
            await self._remove_rest(tenant, document_id)
        return len(left)

    async def sweep_strays(self, tenant: TenantId) -> int:
        """Remove blobs of documents that are not there, which a process left that was killed; how many documents.

        Ids tell when they were made: what is younger than an hour may be on its way in. Every key of the tenant's
        documents is listed, so do it rarely.
        """
        found: set[UUID] = set()
        async for key in self._objects.iter_keys(tenant, "documents/"):
            with suppress(ValueError):  # not one of ours
                found.add(UUID(key.split("/")[1]))
        settled = [each for each in found if made_at(each) < now() - _MAY_BE_COMING_IN]
        strays: list[UUID] = []
        for start in range(0, len(settled), _IDS_AT_ONCE):
            batch = settled[start : start + _IDS_AT_ONCE]
            async with self._homes.reading(tenant) as transaction:
                strays += set(batch) - await store.which_exist(transaction, batch)
        for document_id in strays:
            await delete_blobs(self._objects, tenant, document_id)
        return len(strays)

    async def _find(self, reader: Reader, document_id: UUID) -> store.Record | None:
        async with self._homes.reading(reader.tenant) as transaction:
            return await store.find(transaction, document_id, _subjects(reader))

    async def _get(self, reader: Reader, document_id: UUID) -> store.Record:
        record = await self._find(reader, document_id)
        if record is None:
            raise _not_found(document_id)
        return record

    async def _read_parsed(self, tenant: TenantId, key: str) -> ParsedDocument:
        return await asyncio.to_thread(_PARSED.decode, await self._objects.get(tenant, key))


def _subjects(reader: Reader) -> list[str] | None:
    return sorted(reader.subjects) if reader.subjects is not None else None


def _not_found(document_id: UUID) -> NotFound:
    return NotFound(f"There is no document {show_id('doc', document_id)}.")
