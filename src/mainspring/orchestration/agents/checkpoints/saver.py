"""LangGraph's checkpointer over our own doors: each call is one short transaction of one tenant.

Only the asynchronous half is there; a graph that calls the other one from a thread would block the worker.
Where a guard is given, a write happens only while the guard holds (see `fence`); without one the saver is for
whoever owns the thread's checkpoints by other means, such as tests.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from psycopg.types.json import Jsonb

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.errors import AgentFenced

from . import store
from .fence import Fence, Guard
from .pruning import prune_in

MAX_LISTED = 1_000
"""Checkpoints that one `alist` without a limit answers."""


class TenantSaver(BaseCheckpointSaver[str]):
    """Checkpoints of one tenant.

    guard       who may write; None for everyone
    on_refused  called when the guard refused a write: LangGraph stores in the background and hears of it late
    """

    def __init__(
        self,
        database: Database,
        tenant: TenantId,
        *,
        guard: Guard | None = None,
        on_refused: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_refused = on_refused
        self._database = database
        self._tenant = tenant
        self._guard = guard

    def get_next_version(self, current: str | None, channel: None) -> str:
        """One more, with a random tail: two branches from one checkpoint must not share a value."""
        count = int(str(current).partition(".")[0]) if current is not None else 0
        return f"{count + 1:032}.{secrets.token_hex(8)}"

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that the config names, or the latest of its thread and namespace."""
        configurable = _configurable(config)
        async with self._database.tenant(self._tenant) as transaction:
            rows = await store.select_checkpoints(
                transaction,
                thread=str(configurable["thread_id"]),
                namespace=configurable.get("checkpoint_ns", ""),
                checkpoint=get_checkpoint_id(config),
                limit=1,
            )
        return await asyncio.to_thread(self._read, rows[0]) if rows else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Checkpoints, newest first; at most MAX_LISTED at once."""
        configurable = _configurable(config) if config else {}
        thread = configurable.get("thread_id")
        async with self._database.tenant(self._tenant) as transaction:
            rows = await store.select_checkpoints(
                transaction,
                thread=None if thread is None else str(thread),
                namespace=configurable.get("checkpoint_ns"),
                checkpoint=get_checkpoint_id(config) if config else None,
                before=get_checkpoint_id(before) if before else None,
                metadata=msgspec.json.encode(filter).decode() if filter else None,
                limit=MAX_LISTED if limit is None else min(limit, MAX_LISTED),
            )
        for row in rows:
            yield await asyncio.to_thread(self._read, row)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and the values that are new in it, in one transaction."""
        configurable = _configurable(config)
        where = self._where(configurable)
        inline, apart = _split(checkpoint["channel_values"])
        versions = {name: version for name, version in new_versions.items() if name not in inline}
        blobs = await asyncio.to_thread(self._dump_values, where, apart, versions)
        known = get_serializable_checkpoint_metadata(config, metadata)
        row = {
            **where,
            "checkpoint": checkpoint["id"],
            "parent": configurable.get("checkpoint_id"),
            "value": Jsonb({**checkpoint, "channel_values": inline}),
            "metadata": Jsonb(known),
            **self._writer(cast("Mapping[str, object]", known)),
        }
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            if blobs:
                await store.insert_blobs(transaction, blobs)
            await store.upsert_checkpoint(transaction, row)
        return {
            "configurable": {
                "thread_id": configurable["thread_id"],
                "checkpoint_ns": where["namespace"],
                "checkpoint_id": checkpoint["id"],
            }
        }

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote before its checkpoint is there; the same writes again change nothing."""
        configurable = _configurable(config)
        where = {
            **self._where(configurable),
            "checkpoint": configurable["checkpoint_id"],
            "task": task_id,
            "path": task_path,
            **self._writer(config.get("metadata") or {}),
        }
        rows = await asyncio.to_thread(self._dump_writes, where, writes)
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            await store.put_writes(transaction, rows, replaces=all(name in WRITES_IDX_MAP for name, _ in writes))

    async def adelete_thread(self, thread_id: str) -> None:
        """Everything of the thread."""
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            await store.delete_threads(transaction, [str(thread_id)])

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """What these runs wrote."""
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            for thread in await store.delete_runs(transaction, [str(run) for run in run_ids]):
                await store.delete_unused_blobs(transaction, thread)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """All checkpoints of a thread, under the other's name."""
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            await store.copy_thread(transaction, str(source_thread_id), str(target_thread_id))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the latest checkpoint of each namespace, or (`delete`) none."""
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"strategy is {strategy!r}; use 'keep_latest' or 'delete'")
        async with self._database.tenant(self._tenant) as transaction:
            await self._check(transaction)
            if strategy == "delete":
                await store.delete_threads(transaction, [str(thread) for thread in thread_ids])
                return
            for thread in thread_ids:
                await prune_in(transaction, str(thread), history=1, branches=False)

    async def _check(self, transaction: TenantTransaction) -> None:
        if self._guard is None:
            return
        try:
            await self._guard.check(transaction)
        except AgentFenced:
            if self._on_refused is not None:
                self._on_refused()
            raise

    def _where(self, configurable: Mapping[str, Any]) -> dict[str, object]:
        return {
            "tenant": self._tenant,
            "thread": str(configurable["thread_id"]),
            "namespace": configurable.get("checkpoint_ns", ""),
        }

    def _writer(self, metadata: Mapping[str, object]) -> dict[str, object]:
        if isinstance(self._guard, Fence):
            return {"run": str(self._guard.run), "attempt": self._guard.attempt}
        run = metadata.get("run_id")
        return {"run": None if run is None else str(run), "attempt": None}

    def _dump_values(
        self, where: Mapping[str, object], values: Mapping[str, Any], versions: ChannelVersions
    ) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for name, version in versions.items():
            kind, blob = self.serde.dumps_typed(values[name]) if name in values else ("empty", None)
            rows.append({**where, "channel": name, "version": str(version), "kind": kind, "blob": blob})
        return rows

    def _dump_writes(self, where: Mapping[str, object], writes: Sequence[tuple[str, Any]]) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for index, (name, value) in enumerate(writes):
            kind, blob = self.serde.dumps_typed(value)
            place = WRITES_IDX_MAP.get(name, index)
            rows.append({**where, "channel": name, "index": place, "kind": kind, "blob": blob})
        return rows

    def _read(self, row: Row) -> CheckpointTuple:
        values = {
            name: self.serde.loads_typed((kind, blob))
            for name, kind, blob in zip(row["channels"] or (), row["kinds"] or (), row["blobs"] or (), strict=True)
            if kind != "empty"
        }
        checkpoint = row["checkpoint"]
        checkpoint["channel_values"] = {**checkpoint.get("channel_values", {}), **values}
        written = zip(
            row["task_ids"] or (),
            row["written"] or (),
            row["write_kinds"] or (),
            row["write_blobs"] or (),
            strict=True,
        )
        return CheckpointTuple(
            config=_config(row, row["checkpoint_id"]),
            checkpoint=checkpoint,
            metadata=row["metadata"],
            parent_config=_config(row, row["parent_checkpoint_id"]) if row["parent_checkpoint_id"] else None,
            pending_writes=[(task, name, self.serde.loads_typed((kind, blob))) for task, name, kind, blob in written],
        )


def _configurable(config: RunnableConfig) -> dict[str, Any]:
    return config.get("configurable", {})


def _config(row: Row, checkpoint: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": row["thread_id"],
            "checkpoint_ns": row["checkpoint_ns"],
            "checkpoint_id": checkpoint,
        }
    }


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What JSONB keeps exactly, and the rest. Text with NUL and floats without a number are not JSON to Postgres."""
    inline = {name: value for name, value in values.items() if _is_plain(value)}
    return inline, {name: value for name, value in values.items() if name not in inline}


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 500 and "\0" not in value and value.isascii()
    return value is None or type(value) in (bool, int)
