"""All SQL of assistants and their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.agents.types import Assistant, AssistantId, JsonObject


@dataclass(frozen=True, slots=True)
class Standard:
    """The assistant that every graph has from the start."""

    id: AssistantId
    graph: str
    description: str | None


@dataclass(frozen=True, slots=True)
class Description:
    """What a version of an assistant holds."""

    graph: str
    name: str
    description: str | None
    config: JsonObject
    context: JsonObject
    metadata: JsonObject


@dataclass(frozen=True, slots=True)
class AssistantFilter:
    """Which assistants, in which order. None: any."""

    metadata: JsonObject | None = None
    graph: str | None = None
    name: str | None = None
    sort_by: str = "created_at"
    is_descending: bool = True
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class AssistantVersion:
    """An assistant as it was at a version."""

    assistant: AssistantId
    version: int
    description: Description
    created_at: datetime


async def ensure_standard(transaction: TenantTransaction, standard: Sequence[Standard]) -> None:
    """Give the tenant the assistants that every graph has; those that are there stay as they are."""
    await transaction.run(
        "with missing as ("
        "  insert into agent_assistant (tenant_id, id, graph, name, metadata)"
        '  select %(tenant)s, s.id, s.graph, s.graph, \'{"created_by": "system"}\''
        "    from unnest(%(ids)s::uuid[], %(graphs)s::text[]) as s (id, graph)"
        "   where not exists (select from agent_assistant a where a.tenant_id = %(tenant)s and a.id = s.id)"
        "  on conflict do nothing returning *)"
        " insert into agent_assistant_version"
        " (tenant_id, assistant_id, version, graph, name, description, metadata, created_at)"
        " select tenant_id, id, version, graph, name, description, metadata, created_at from missing"
        " on conflict do nothing",
        tenant=transaction.tenant,
        ids=[each.id for each in standard],
        graphs=[each.graph for each in standard],
        descriptions=[each.description for each in standard],
    )


async def insert_assistant(
    transaction: TenantTransaction, assistant: AssistantId, description: Description
) -> Assistant | None:
    """The new assistant at version 1, or None when the tenant has one of that id."""
    row = await transaction.first(
        "insert into agent_assistant (tenant_id, id, graph, name, description, config, context, metadata)"
        " values (%(tenant)s, %(id)s, %(graph)s, %(name)s, %(description)s,"
        " %(config)s::jsonb, %(context)s::jsonb, %(metadata)s::jsonb)"
        " on conflict do nothing returning *",
        tenant=transaction.tenant,
        id=assistant,
        **_values(description),
    )
    return read_assistant(row) if row else None


async def find_assistant(
    transaction: TenantTransaction, assistant: AssistantId, *, lock: bool = False
) -> Assistant | None:
    """The assistant; `lock` keeps others from changing it meanwhile."""
    query: LiteralString = (
        "select * from agent_assistant where tenant_id = %(tenant)s and id = %(id)s for update"
        if lock
        else "select * from agent_assistant where tenant_id = %(tenant)s and id = %(id)s"
    )
    row = await transaction.first(query, tenant=transaction.tenant, id=assistant)
    return read_assistant(row) if row else None


async def update_assistant(
    transaction: TenantTransaction, assistant: AssistantId, version: int, description: Description
) -> Assistant:
    """Put a version in force."""
    row = await transaction.one(
        "update agent_assistant set version = %(version)s, graph = %(graph)s, name = %(name)s,"
        " description = %(description)s, config = %(config)s::jsonb, context = %(context)s::jsonb,"
        " metadata = %(metadata)s::jsonb, updated_at = now()"
        " where tenant_id = %(tenant)s and id = %(id)s returning *",
        tenant=transaction.tenant,
        id=assistant,
        version=version,
        **_values(description),
    )
    return read_assistant(row)


async def delete_assistant(transaction: TenantTransaction, assistant: AssistantId) -> bool:
    """Whether there was one; its versions and crons go with it."""
    await transaction.run(
        "delete from agent_cron where tenant_id = %(tenant)s and assistant_id = %(id)s",
        tenant=transaction.tenant,
        id=assistant,
    )
    deleted = await transaction.run(
        "delete from agent_assistant where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=assistant,
    )
    return deleted == 1


async def delete_threads_of(transaction: TenantTransaction, assistant: AssistantId) -> list[UUID]:
    """Delete the threads whose last run was the assistant's; those with an unfinished run stay."""
    rows = await transaction.all(
        "delete from agent_thread t where t.tenant_id = %(tenant)s"
        " and t.metadata ->> 'assistant_id' = %(id)s::text"
        " and not exists (select from agent_run r where r.tenant_id = t.tenant_id and r.thread_id = t.id"
        "                 and r.status in ('pending', 'running')) returning t.id",
        tenant=transaction.tenant,
        id=str(assistant),
    )
    return [row["id"] for row in rows]


async def insert_version(transaction: TenantTransaction, assistant: AssistantId, description: Description) -> int:
    """Append a version; its number."""
    row = await transaction.one(
        "insert into agent_assistant_version"
        " (tenant_id, assistant_id, version, graph, name, description, config, context, metadata)"
        " select %(tenant)s, %(id)s, coalesce(max(version), 0) + 1, %(graph)s, %(name)s, %(description)s::text,"
        " %(config)s::jsonb, %(context)s::jsonb, %(metadata)s::jsonb"
        " from agent_assistant_version where tenant_id = %(tenant)s and assistant_id = %(id)s returning version",
        tenant=transaction.tenant,
        id=assistant,
        **_values(description),
    )
    return row["version"]


async def find_version(transaction: TenantTransaction, assistant: AssistantId, version: int) -> AssistantVersion | None:
    """One version."""
    row = await transaction.first(
        "select assistant_id, version, graph, name, description, config, context, metadata, created_at"
        " from agent_assistant_version"
        " where tenant_id = %(tenant)s and assistant_id = %(id)s and version = %(version)s",
        tenant=transaction.tenant,
        id=assistant,
        version=version,
    )
    return _read_version(row) if row else None


async def list_versions(
    transaction: TenantTransaction, assistant: AssistantId, *, metadata: JsonObject | None, limit: int, offset: int
) -> list[AssistantVersion]:
    """Versions, newest first."""
    rows = await transaction.all(
        "select assistant_id, version, graph, name, description, config, context, metadata, created_at"
        " from agent_assistant_version where tenant_id = %(tenant)s and assistant_id = %(id)s"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        " order by version desc limit %(limit)s offset %(offset)s",
        tenant=transaction.tenant,
        id=assistant,
        metadata=_json(metadata),
        limit=limit,
        offset=offset,
    )
    return [_read_version(row) for row in rows]


async def search_assistants(transaction: TenantTransaction, wanted: AssistantFilter) -> list[Assistant]:
    """Assistants, one page by number: the protocol has no other."""
    rows = await transaction.all(
        "select * from (select *, case %(sort_by)s"
        " when 'assistant_id' then id::text when 'graph_id' then graph when 'name' then name"
        " when 'updated_at' then to_char(updated_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " else to_char(created_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') end as place"
        " from agent_assistant where tenant_id = %(tenant)s"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        " and (%(graph)s::text is null or graph = %(graph)s)"
        " and (%(name)s::text is null or position(lower(%(name)s) in lower(name)) > 0)) as found"
        " order by case when %(descending)s then null else place end,"
        " case when %(descending)s then place end desc, id limit %(limit)s offset %(offset)s",
        tenant=transaction.tenant,
        metadata=_json(wanted.metadata),
        graph=wanted.graph,
        name=wanted.name,
        sort_by=wanted.sort_by,
        descending=wanted.is_descending,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [read_assistant(row) for row in rows]


async def count_assistants(transaction: TenantTransaction, wanted: AssistantFilter) -> int:
    """How many fit, counted up to 10,000."""
    row = await transaction.one(
        "select count(*) as found from (select from agent_assistant where tenant_id = %(tenant)s"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        " and (%(graph)s::text is null or graph = %(graph)s)"
        " and (%(name)s::text is null or position(lower(%(name)s) in lower(name)) > 0) limit 10000) as fitting",
        tenant=transaction.tenant,
        metadata=_json(wanted.metadata),
        graph=wanted.graph,
        name=wanted.name,
    )
    return row["found"]


def read_assistant(row: Row) -> Assistant:
    """The assistant in a row."""
    return Assistant(
        id=row["id"],
        tenant=row["tenant_id"],
        graph=row["graph"],
        name=row["name"],
        version=row["version"],
        config=row["config"],
        context=row["context"],
        metadata=row["metadata"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        description=row["description"],
    )


def _read_version(row: Row) -> AssistantVersion:
    return AssistantVersion(
        assistant=row["assistant_id"],
        version=row["version"],
        description=Description(
            row["graph"], row["name"], row["description"], row["config"], row["context"], row["metadata"]
        ),
        created_at=row["created_at"],
    )


def _values(description: Description) -> dict[str, object]:
    return {
        "graph": description.graph,
        "name": description.name,
        "description": description.description,
        "config": _json(description.config),
        "context": _json(description.context),
        "metadata": _json(description.metadata),
    }


def _json(value: JsonObject | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
