"""Threads: conversations and tasks whose state runs move on; made, found, copied, pruned and deleted."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.checkpoints import TenantSaver, prune_thread
from mainspring.orchestration.agents.errors import AgentRunNotCancellable, AgentUnknown
from mainspring.orchestration.agents.ownership import Ownership, owner_of, seeing_hands, thread_unknown
from mainspring.orchestration.agents.runs import AgentRuns
from mainspring.orchestration.agents.server.errors import ThreadExists
from mainspring.orchestration.agents.types import (
    AgentRunId,
    JsonObject,
    Thread,
    ThreadId,
    Ttl,
    TtlStrategy,
)

from . import store
from .states import Edit, States
from .store import ThreadFilter


@dataclass(frozen=True, slots=True)
class NewThread:
    """A thread to make. `supersteps` are its history, if it is to have one."""

    id: UUID | None = None
    metadata: JsonObject | None = None
    does_nothing_if_exists: bool = False
    ttl: Ttl | None = None
    supersteps: Sequence[Sequence[Edit]] = ()


class Threads:
    """The threads of every tenant. Whom `get` and its like are asked for was admitted before, see `doorkeeper`."""

    def __init__(self, database: Database, runs: AgentRuns, states: States, ownership: Ownership) -> None:
        self._database = database
        self._ownership = ownership
        self._runs = runs
        self._states = states

    async def create(self, principal: Principal, wanted: NewThread) -> Thread:
        """A new thread; ThreadExists for an id that is taken, unless that is to do nothing."""
        tenant, identifier = principal.tenant, ThreadId(wanted.id or new_id())
        metadata: JsonObject = {"created_by": principal.name, **(wanted.metadata or {})}
        graph = metadata.get("graph_id")
        async with self._database.tenant(tenant) as transaction:
            made = await store.insert_thread(
                transaction,
                identifier,
                metadata=metadata,
                graph=graph if isinstance(graph, str) else None,
                ttl=wanted.ttl,
                owner=owner_of(principal),
            )
            there = made or await store.find_thread(transaction, identifier)
        is_hidden = made is None and identifier in await self._ownership.hidden(principal, [identifier])
        if there is None or is_hidden or (made is None and not wanted.does_nothing_if_exists):
            raise ThreadExists(f"There is a thread {identifier} already; send another id, or if_exists: do_nothing.")
        if made is not None and wanted.supersteps:
            await self._states.edit(there, wanted.supersteps)
            return await self.get(tenant, identifier)
        return there

    async def get(self, tenant: TenantId, thread: ThreadId) -> Thread:
        """The thread; AgentUnknown."""
        found = await self.find(tenant, thread)
        if found is None:
            raise thread_unknown(thread)
        return found

    async def find(self, tenant: TenantId, thread: ThreadId) -> Thread | None:
        """The thread, or None."""
        async with self._database.tenant(tenant) as transaction:
            return await store.find_thread(transaction, thread)

    async def update(self, tenant: TenantId, thread: ThreadId, *, metadata: JsonObject, ttl: Ttl | None) -> Thread:
        """Merge metadata, set the time to live. AgentUnknown."""
        async with self._database.tenant(tenant) as transaction:
            updated = await store.update_thread(transaction, thread, metadata=metadata, ttl=ttl)
        if updated is None:
            raise thread_unknown(thread)
        return updated

    async def delete(self, tenant: TenantId, thread: ThreadId) -> None:
        """Stop what runs on the thread and delete it, with its runs, crons and states. AgentUnknown."""
        async with self._database.tenant(tenant) as transaction:
            unfinished = await store.list_unfinished(transaction, thread)
        for run in unfinished:
            await self._stop(tenant, AgentRunId(run))
        async with self._database.tenant(tenant) as transaction:
            is_there = await store.delete_thread(transaction, thread)
        if not is_there:
            raise thread_unknown(thread)
        await TenantSaver(self._database, tenant).adelete_thread(str(thread))

    async def search(self, principal: Principal, wanted: ThreadFilter) -> list[Thread]:
        """Threads that fit and are for the caller, one page. Those of stateless runs are not listed."""
        async with self._database.tenant(principal.tenant) as transaction:
            return await store.search_threads(transaction, _for_caller(wanted, principal))

    async def count(self, principal: Principal, wanted: ThreadFilter) -> int:
        """How many fit and are for the caller, up to 10,000."""
        async with self._database.tenant(principal.tenant) as transaction:
            return await store.count_threads(transaction, _for_caller(wanted, principal))

    async def copy(self, principal: Principal, thread: ThreadId) -> Thread:
        """A second thread with the same state and history, the caller's, without its runs. AgentUnknown."""
        tenant, copy = principal.tenant, ThreadId(new_id())
        async with self._database.tenant(tenant) as transaction:
            copied = await store.copy_thread(transaction, thread, copy, owner=owner_of(principal))
        if copied is None:
            raise thread_unknown(thread)
        await TenantSaver(self._database, tenant).acopy_thread(str(thread), str(copy))
        return copied

    async def prune(self, principal: Principal, threads: Sequence[ThreadId], strategy: TtlStrategy) -> int:
        """Delete the threads, or all but their latest state; how many there were. Unknown ones are passed over."""
        pruned, hidden = 0, await self._ownership.hidden(principal, threads)
        for thread in threads:
            if thread in hidden:
                continue
            try:
                await self._prune_one(principal.tenant, thread, strategy)
            except AgentUnknown:
                continue
            pruned += 1
        return pruned

    async def _prune_one(self, tenant: TenantId, thread: ThreadId, strategy: TtlStrategy) -> None:
        if strategy is TtlStrategy.DELETE:
            await self.delete(tenant, thread)
            return
        await self.get(tenant, thread)
        await prune_thread(self._database, tenant, str(thread), history=1)

    async def _stop(self, tenant: TenantId, run: AgentRunId) -> None:
        with suppress(AgentUnknown, AgentRunNotCancellable):  # it ended by itself meanwhile
            await self._runs.cancel(tenant, run)


def _for_caller(wanted: ThreadFilter, principal: Principal) -> ThreadFilter:
    hands = seeing_hands(principal)
    return replace(wanted, hands=None if hands is None else tuple(hands))
