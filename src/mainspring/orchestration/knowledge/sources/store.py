"""All SQL of sources. A source's documents are told from others by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.types import DocumentStatus, Failure

from .types import Source, SourceConfig, SourceRef

VERSION_KEY = "source_version"
"""In a document's metadata: what its source calls the state that is stored."""

_CONFIG = msgspec.json.Decoder(SourceConfig)


@dataclass(frozen=True, slots=True)
class Record:
    """A source with what is not shown of it."""

    source: Source
    secret: bytes | None
    cursor: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a row is to hold. `keeps_secret` leaves the stored one as it is."""

    kind: str
    config: SourceConfig
    secret: bytes | None
    keeps_secret: bool
    document_type: str | None
    readers: Sequence[str] | None
    every_seconds: int | None
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A document of a source, as its synchronisation needs it."""

    document: UUID
    version: str | None
    readers: tuple[str, ...] | None
    status: DocumentStatus


@dataclass(frozen=True, slots=True)
class Due:
    """A source whose time has come."""

    tenant: TenantId
    name: str
    created_at: datetime
    due_at: datetime


async def insert(transaction: TenantTransaction, name: str, settings: Settings, *, by: str) -> Record | None:
    """The new row; None when there is a source of this name."""
    row = await transaction.first(
        """insert into knowledge_source (tenant_id, name, kind, config, secret, document_type, readers, is_paused,
                                         every_seconds, due_at, created_by)
           values (%(tenant)s, %(name)s, %(kind)s, %(config)s::jsonb, %(secret)s, %(document_type)s,
                   %(readers)s::text[], %(is_paused)s, %(every_seconds)s::integer,
                   case when %(every_seconds)s::integer is not null and not %(is_paused)s then now() end, %(by)s)
           on conflict (tenant_id, name) do nothing returning *""",
        tenant=transaction.tenant,
        name=name,
        by=by,
        **_written(settings),
    )
    return _record(row) if row else None


async def update(transaction: TenantTransaction, name: str, settings: Settings) -> Record | None:
    """The row as it is now; None when there is no such source. Another place to read from begins anew."""
    row = await transaction.first(
        """update knowledge_source set config = %(config)s::jsonb, document_type = %(document_type)s,
                  secret = case when %(keeps_secret)s then secret else %(secret)s end,
                  cursor = case when config = %(config)s::jsonb then cursor end,
                  readers = %(readers)s::text[], is_paused = %(is_paused)s, every_seconds = %(every_seconds)s::integer,
                  due_at = case when %(every_seconds)s::integer is not null and not %(is_paused)s then
                           least(coalesce(due_at, now()), now() + make_interval(secs => %(every_seconds)s::integer)) end
            where tenant_id = %(tenant)s and name = %(name)s and kind = %(kind)s returning *""",
        tenant=transaction.tenant,
        name=name,
        **_written(settings),
    )
    return _record(row) if row else None


async def find(transaction: TenantTransaction, name: str) -> Record | None:
    """The source of this name."""
    row = await transaction.first(
        "select * from knowledge_source where tenant_id = %(tenant)s and name = %(name)s",
        tenant=transaction.tenant,
        name=name,
    )
    return _record(row) if row else None


async def list_all(transaction: TenantTransaction) -> list[Record]:
    """Every source of the tenant, by name."""
    rows = await transaction.all(
        "select * from knowledge_source where tenant_id = %(tenant)s order by name", tenant=transaction.tenant
    )
    return [_record(row) for row in rows]


async def point_at_run(
    transaction: TenantTransaction, ref: SourceRef, run: UUID, *, seen: UUID | None, pauses: bool = False
) -> bool:
    """Make `run` the source's newest, unless another than `seen` has become it; it is its own already is fine.

    pauses  for good: nothing is due any more
    """
    touched = await transaction.run(
        """update knowledge_source set run_id = %(run)s, is_paused = is_paused or %(pauses)s,
                  due_at = case when %(pauses)s then null else due_at end
            where tenant_id = %(tenant)s and name = %(name)s and created_at = %(created_at)s
              and (run_id is not distinct from %(seen)s::uuid or run_id = %(run)s)""",
        tenant=transaction.tenant,
        name=ref.name,
        created_at=ref.created_at,
        run=run,
        seen=seen,
        pauses=pauses,
    )
    return touched == 1


async def note_error(transaction: TenantTransaction, ref: SourceRef, failure: Failure) -> None:
    """What was wrong the last time."""
    await transaction.run(
        """update knowledge_source set error_code = %(code)s, error_detail = %(detail)s
            where tenant_id = %(tenant)s and name = %(name)s and created_at = %(created_at)s""",
        tenant=transaction.tenant,
        name=ref.name,
        created_at=ref.created_at,
        code=failure.code,
        detail=failure.detail,
    )


async def note_synced(
    transaction: TenantTransaction, ref: SourceRef, cursor: Mapping[str, str] | None, failure: Failure | None
) -> None:
    """A synchronisation went through, perhaps without some items; a cursor of None keeps the one before."""
    await transaction.run(
        """update knowledge_source set synced_at = now(), error_code = %(code)s, error_detail = %(detail)s,
                  cursor = coalesce(%(cursor)s::jsonb, cursor)
            where tenant_id = %(tenant)s and name = %(name)s and created_at = %(created_at)s""",
        tenant=transaction.tenant,
        name=ref.name,
        created_at=ref.created_at,
        code=failure.code if failure else None,
        detail=failure.detail if failure else None,
        cursor=msgspec.json.encode(cursor).decode() if cursor is not None else None,
    )


async def delete(transaction: TenantTransaction, ref: SourceRef) -> None:
    """The row is gone."""
    await transaction.run(
        """delete from knowledge_source
            where tenant_id = %(tenant)s and name = %(name)s and created_at = %(created_at)s""",
        tenant=transaction.tenant,
        name=ref.name,
        created_at=ref.created_at,
    )


async def find_due(transaction: SystemTransaction, *, limit: int = 500) -> Sequence[Due]:
    """Sources whose time has come, the longest waiting first."""
    rows = await transaction.all(
        """select tenant_id, name, created_at, due_at from knowledge_source
            where due_at <= now() and not is_paused order by due_at limit %(limit)s""",
        limit=limit,
    )
    return [Due(TenantId(row["tenant_id"]), row["name"], row["created_at"], row["due_at"]) for row in rows]


async def advance(transaction: TenantTransaction, due: Due) -> bool:
    """Set the next time; ticks that were missed are not made up. False when another did."""
    touched = await transaction.run(
        """update knowledge_source set due_at = now() + make_interval(secs => every_seconds)
            where tenant_id = %(tenant)s and name = %(name)s and due_at = %(due_at)s""",
        tenant=transaction.tenant,
        name=due.name,
        due_at=due.due_at,
    )
    return touched == 1


async def find_known(transaction: TenantTransaction, source: str, external_ids: Sequence[str]) -> dict[str, Known]:
    """The source's documents of these names."""
    rows = await transaction.all(
        """select id, external_id, metadata->>%(key)s as version, readers, status from document
            where tenant_id = %(tenant)s and source = %(source)s and external_id = any(%(external_ids)s)""",
        tenant=transaction.tenant,
        key=VERSION_KEY,
        source=source,
        external_ids=list(external_ids),
    )
    return {row["external_id"]: _known(row) for row in rows}


async def list_names(
    transaction: TenantTransaction, source: str, *, after: UUID | None, before: datetime, limit: int
) -> list[Row]:
    """Id and name of the source's documents that were there before an instant, by id."""
    return await transaction.all(
        """select id, external_id from document
            where tenant_id = %(tenant)s and source = %(source)s and created_at < %(before)s
              and (%(after)s::uuid is null or id > %(after)s::uuid) order by id limit %(limit)s""",
        tenant=transaction.tenant,
        source=source,
        before=before,
        after=after,
        limit=limit,
    )


async def clock(transaction: TenantTransaction) -> datetime:
    """The database's time, by which rows are dated."""
    return (await transaction.one("select now() as at"))["at"]


async def note_version(transaction: TenantTransaction, document: UUID, version: str | None) -> None:
    """What the source calls the state that is stored."""
    await transaction.run(
        """update document set changed = default, metadata = case when %(version)s::text is null
                  then metadata - %(key)s else metadata || jsonb_build_object(%(key)s::text, %(version)s::text) end
            where tenant_id = %(tenant)s and id = %(document)s""",
        tenant=transaction.tenant,
        document=document,
        key=VERSION_KEY,
        version=version,
    )


async def set_readers(transaction: TenantTransaction, source: str, readers: Sequence[str] | None) -> int:
    """Open all documents of the source to these readers; how many were changed."""
    return await transaction.run(
        """update document set readers = %(readers)s::text[], updated_at = now(), changed = default
            where tenant_id = %(tenant)s and source = %(source)s and readers is distinct from %(readers)s::text[]""",
        tenant=transaction.tenant,
        source=source,
        readers=readers,
    )


def _written(settings: Settings) -> dict[str, object]:
    return {
        "kind": settings.kind,
        "config": msgspec.json.encode(settings.config).decode(),
        "secret": settings.secret,
        "keeps_secret": settings.keeps_secret,
        "document_type": settings.document_type,
        "readers": list(settings.readers) if settings.readers is not None else None,
        "every_seconds": settings.every_seconds,
        "is_paused": settings.is_paused,
    }


def _known(row: Row) -> Known:
    readers = tuple(row["readers"]) if row["readers"] is not None else None
    return Known(row["id"], row["version"], readers, DocumentStatus(row["status"]))


def _record(row: Row) -> Record:
    source = Source(
        name=row["name"],
        kind=row["kind"],
        config=_CONFIG.decode(msgspec.json.encode(row["config"])),
        has_secret=row["secret"] is not None,
        is_paused=row["is_paused"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        document_type=row["document_type"],
        readers=tuple(row["readers"]) if row["readers"] is not None else None,
        every_seconds=row["every_seconds"],
        due_at=row["due_at"],
        run_id=row["run_id"],
        synced_at=row["synced_at"],
        error=Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None,
    )
    return Record(source, row["secret"], row["cursor"])
