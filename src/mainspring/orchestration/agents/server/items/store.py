"""All SQL of remembered items as clients edit them. What is past its time is not there; the room's sweep deletes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.agents.types import Json, StoreItem


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a top-level field: `$eq $ne $gt $gte $lt $lte`."""

    field: str
    operator: str
    operand: Json


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """Which items below a namespace; with `words` the ones that hold them first."""

    prefix: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    words: str | None = None
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An item, and how well it fits the words: 0 to 1, None when there were none."""

    item: StoreItem
    score: float | None


@dataclass(frozen=True, slots=True)
class NamespaceSearch:
    """Which namespaces; `*` in prefix or suffix stands for any label."""

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


async def put_item(
    transaction: TenantTransaction,
    namespace: Sequence[str],
    key: str,
    value: dict[str, Json],
    ttl_minutes: float | None,
) -> None:
    """Store the value, in place of what was there."""
    await transaction.run(
        "insert into agent_store_item (tenant_id, namespace, key, value, ttl_minutes, expires_at)"
        " values (%(tenant)s, %(namespace)s::text[], %(key)s, %(value)s::jsonb, %(ttl)s::real,"
        " mainspring_now() + make_interval(secs => %(ttl)s::float * 60))"
        " on conflict (tenant_id, namespace, key) do update set value = excluded.value,"
        " ttl_minutes = excluded.ttl_minutes, expires_at = excluded.expires_at, updated_at = now(),"
        " created_at = case when agent_store_item.expires_at <= mainspring_now() then now()"
        "   else agent_store_item.created_at end",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
        value=msgspec.json.encode(value).decode(),
        ttl=ttl_minutes,
    )


async def find_item(
    transaction: TenantTransaction, namespace: Sequence[str], key: str, *, refresh: bool
) -> StoreItem | None:
    """The item; reading it puts its end off by its time to live, with `refresh`."""
    row = await transaction.first(
        "update agent_store_item set expires_at = mainspring_now() + make_interval(secs => ttl_minutes::float * 60)"
        " where tenant_id = %(tenant)s and namespace = %(namespace)s::text[] and key = %(key)s"
        " and (expires_at is null or expires_at > mainspring_now())"
        " returning namespace, key, value, created_at, updated_at"
        if refresh
        else "select namespace, key, value, created_at, updated_at from agent_store_item"
        " where tenant_id = %(tenant)s and namespace = %(namespace)s::text[] and key = %(key)s"
        " and (expires_at is null or expires_at > mainspring_now())",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
    )
    return _read_item(row) if row else None


async def delete_item(transaction: TenantTransaction, namespace: Sequence[str], key: str) -> None:
    """Forget the item, if it is there."""
    await transaction.run(
        "delete from agent_store_item"
        " where tenant_id = %(tenant)s and namespace = %(namespace)s::text[] and key = %(key)s",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
    )


async def search_items(transaction: TenantTransaction, wanted: ItemSearch) -> list[Found]:
    """Items below a namespace, newest first, or by how well they fit."""
    rows = await transaction.all(
        "select namespace, key, value, created_at, updated_at,"
        " ts_rank_cd(jsonb_to_tsvector('simple', value, '[\"string\"]'),"
        "   websearch_to_tsquery('simple', %(words)s::text), 32) as score"
        " from agent_store_item i where tenant_id = %(tenant)s"
        " and namespace[1:cardinality(%(prefix)s::text[])] = %(prefix)s::text[]"
        " and (expires_at is null or expires_at > mainspring_now())"
        " and not exists (select from unnest(%(fields)s::text[], %(operators)s::text[], %(operands)s::jsonb[])"
        "   as c (field, operator, operand) where not coalesce(case c.operator"
        "     when '$eq' then i.value -> c.field = c.operand when '$ne' then i.value -> c.field <> c.operand"
        "     when '$gt' then i.value -> c.field > c.operand when '$gte' then i.value -> c.field >= c.operand"
        "     when '$lt' then i.value -> c.field < c.operand when '$lte' then i.value -> c.field <= c.operand"
        "   end, c.operator = '$ne'))"
        " order by score desc nulls last, updated_at desc, namespace, key limit %(limit)s offset %(offset)s",
        tenant=transaction.tenant,
        prefix=list(wanted.prefix),
        words=wanted.words,
        fields=[each.field for each in wanted.conditions],
        operators=[each.operator for each in wanted.conditions],
        operands=[msgspec.json.encode(each.operand).decode() for each in wanted.conditions],
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [Found(_read_item(row), row["score"]) for row in rows]


async def refresh_items(transaction: TenantTransaction, items: Sequence[StoreItem]) -> None:
    """Put the end of these items off by their time to live."""
    await transaction.many(
        "update agent_store_item set expires_at = mainspring_now() + make_interval(secs => ttl_minutes::float * 60)"
        " where tenant_id = %(tenant)s and namespace = %(namespace)s::text[] and key = %(key)s"
        " and ttl_minutes is not null",
        [{"tenant": transaction.tenant, "namespace": list(each.namespace), "key": each.key} for each in items],
    )


async def list_namespaces(transaction: TenantTransaction, wanted: NamespaceSearch) -> list[list[str]]:
    """Namespaces that hold something, cut to `max_depth` labels."""
    rows = await transaction.all(
        "select distinct namespace[1:coalesce(%(depth)s::int, 1000)] as cut from agent_store_item n"
        " where tenant_id = %(tenant)s and (expires_at is null or expires_at > mainspring_now())"
        " and cardinality(namespace) >= greatest(cardinality(%(prefix)s::text[]), cardinality(%(suffix)s::text[]))"
        " and not exists (select from unnest(%(prefix)s::text[]) with ordinality as p (label, place)"
        "   where p.label <> '*' and n.namespace[p.place] is distinct from p.label)"
        " and not exists (select from unnest(%(suffix)s::text[]) with ordinality as s (label, place)"
        "   where s.label <> '*' and n.namespace["
        "     cardinality(n.namespace) - cardinality(%(suffix)s::text[]) + s.place] is distinct from s.label)"
        " order by cut limit %(limit)s offset %(offset)s",
        tenant=transaction.tenant,
        prefix=list(wanted.prefix),
        suffix=list(wanted.suffix),
        depth=wanted.max_depth,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [row["cut"] for row in rows]


def _read_item(row: Row) -> StoreItem:
    created_at: datetime = row["created_at"]
    return StoreItem(tuple(row["namespace"]), row["key"], row["value"], created_at, row["updated_at"])
