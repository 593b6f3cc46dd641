"""LangGraph's BaseStore over `agent_store_item`: each batch is one transaction of one tenant.

Search is by namespace and by fields. There is no search by meaning: a `query` is not understood and is refused,
so that nobody takes the newest items for the most fitting ones.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.errors import AgentInputInvalid, AgentInvalid

from . import store

_MOST_COMPARED = 1_000
"""Items under a namespace that a search by comparison (`$gt` and its kin) looks at."""


class TenantStore(BaseStore):
    """The items of one tenant."""

    supports_ttl = True

    def __init__(self, database: Database, tenant: TenantId) -> None:
        self._database = database
        self._tenant = tenant

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Not there: it would block the worker. Use the methods that begin with `a` in async nodes."""
        raise AgentInvalid("The store is asynchronous: use `await store.aget(...)` in an async node.")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do all of it in order, together or not at all."""
        async with self._database.tenant(self._tenant) as transaction:
            return [await self._do(transaction, op) for op in ops]

    async def _do(self, transaction: TenantTransaction, op: Op) -> Result:
        match op:
            case GetOp(namespace, key):
                row = await store.find_item(transaction, namespace, key)
                return None if row is None else Item(namespace=namespace, key=key, **row)
            case PutOp(namespace, key, None):
                await store.delete_item(transaction, namespace, key)
                return None
            case PutOp():
                value = msgspec.json.encode(op.value).decode()
                await store.put_item(transaction, op.namespace, op.key, value=value, ttl_minutes=op.ttl)
                return None
            case SearchOp():
                return await self._search(transaction, op)
            case ListNamespacesOp():
                rows = await store.list_namespaces(transaction)
                return _list(op, [tuple(row["namespace"]) for row in rows])

    async def _search(self, transaction: TenantTransaction, op: SearchOp) -> list[SearchItem]:
        if op.query:
            raise AgentInputInvalid("Items are found by namespace and fields; search by meaning is not there.")
        equal, compared = split_filter(op.filter or {})
        rows = await store.search_items(
            transaction,
            op.namespace_prefix,
            equal=msgspec.json.encode(equal).decode() if equal else None,
            limit=_MOST_COMPARED if compared else op.limit,
            offset=0 if compared else op.offset,
        )
        found = [row for row in rows if _fits(row["value"], compared)]
        if compared:
            found = found[op.offset : op.offset + op.limit]
        return [
            SearchItem(tuple(row["namespace"]), row["key"], row["value"], row["created_at"], row["updated_at"])
            for row in found
        ]


def split_filter(wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What an item's value must contain, and what has to be compared field by field."""
    equal: dict[str, Any] = {}
    compared: dict[str, dict[str, Any]] = {}
    for name, condition in wanted.items():
        if isinstance(condition, dict) and any(str(key).startswith("$") for key in condition):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
            compared[name] = condition
        else:
            equal[name] = condition
    return equal, compared


def _fits(value: Mapping[str, Any], compared: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(
        _compare(operator, value.get(name), limit)
        for name, condition in compared.items()
        for operator, limit in condition.items()
    )


def _compare(operator: str, value: Any, limit: Any) -> bool:
    match operator:
        case "$eq":
            return value == limit
        case "$ne":
            return value != limit
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _order(operator, value, limit)
        case _:
            raise AgentInputInvalid(f"The operator {operator!r} is not known; use $eq, $ne, $gt, $gte, $lt or $lte.")


def _order(operator: str, value: Any, limit: Any) -> bool:
    if not isinstance(value, int | float) or not isinstance(limit, int | float):
        return False
    match operator:
        case "$gt":
            return value > limit
        case "$gte":
            return value >= limit
        case "$lt":
            return value < limit
        case _:
            return value <= limit


def _list(op: ListNamespacesOp, namespaces: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    matched = [each for each in namespaces if all(_matches(each, one) for one in op.match_conditions or ())]
    cut = sorted({each[: op.max_depth] if op.max_depth is not None else each for each in matched})
    return cut[op.offset : op.offset + op.limit]


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", have) for wanted, have in zip(path, part, strict=True))
