"""`Promotions`: the duty that builds, checks, watches and drops approximate indexes. Every worker may run it each hour.

A search compares all vectors of its tenant until `knowledge_index.promoted_at` says that a graph may be asked. That
is set only after the graph has found what comparing finds, and cleared before the graph goes. Between the two any
kill is harmless: the next round finds a graph that nobody uses, and checks or drops it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import psycopg
from psycopg import AsyncConnection

from mainspring.foundation.db import Database, Row, SystemTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.homes import Homes, Tier
from mainspring.orchestration.knowledge.types import IndexStatus

from . import store
from .planning import choose
from .recall import measure_recall
from .types import Built, Held, Kept, Policy, Recall

log = get_logger(__name__)

_PATIENCE = timedelta(days=1)  # before a graph that answered badly is built anew
_CUT_OFF_SECONDS = 5.0  # for Postgres to give up a build
_REMEMBERED = timedelta(days=30)
_BYTES_PER_LINK = 10  # of the graph in memory, over the vector's own


class Promotions:
    """Keeps approximate indexes for the largest tenants of the shared tables and of schemas of their own.

    Tenants with a database of their own are left to exact search: nobody may make indexes there from here.
    """

    def __init__(self, database: Database, homes: Homes, policy: Policy | None = None) -> None:
        self._database = database
        self._homes = homes
        self._policy = policy or Policy()

    async def keep(self) -> Kept:
        """One round: drop what is left over, build what is due, measure the rest. Nothing where another is at it."""
        async with self._database.keeper() as keeper:
            if not await store.try_lock(keeper):
                return Kept()
            return await _Round(keeper, self._homes, self._policy).run()

    async def keep_unless(self, stop: asyncio.Event) -> Kept:
        """One round that is given up when the process is to stop; the next round clears up behind a cut-off build."""
        keeping, stopping = asyncio.create_task(self.keep()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((keeping, stopping), return_when=asyncio.FIRST_COMPLETED)
            return keeping.result() if keeping.done() else Kept()
        finally:
            await stop_all((keeping, stopping), patience=_CUT_OFF_SECONDS)


class _Round:
    def __init__(self, keeper: AsyncConnection[Row], homes: Homes, policy: Policy) -> None:
        self._keeper = keeper
        self._homes = homes
        self._policy = policy
        self._kept = Kept()

    async def run(self) -> Kept:
        held = await self._list_held()
        wanted = choose(held, self._policy)
        for each in held:
            if each.is_promoted and each not in wanted:
                await self._demote(each)
        places = {home.tenant: home.place.schema or "public" for home in await self._homes.list_homes()}
        built: dict[object, Built] = {}
        due = {each.index: places.get(each.tenant, "public") for each in wanted}
        for each in await store.list_built(self._keeper):
            if each.is_valid and due.get(each.index) == each.schema:
                built[each.index] = each
            else:
                await self._drop(each)
        for each in wanted:
            await self._serve(each, built.get(each.index))
        return self._kept

    async def _list_held(self) -> list[Held]:
        async def find(transaction: SystemTransaction) -> Sequence[Held]:
            rows = await store.list_large(transaction, min(self._policy.promote_at, self._policy.demote_below))
            return [_held(row) for row in rows]

        away = {home.tenant for home in await self._homes.list_homes() if home.place.tier is Tier.DATABASE}
        held = await self._homes.everywhere(find, tenant_of=lambda each: each.tenant)
        return [each for each in held if each.tenant not in away]

    async def _serve(self, held: Held, built: Built | None) -> None:
        """Bring one index to where searches may use its graph, or see whether they still may."""
        try:
            if built is None:
                await self._promote(held)
            elif held.is_promoted:
                await self._watch(held, built)
            else:
                await self._check(held, built)
        except psycopg.OperationalError as failure:
            # A lock that was not to be had, a full disk: this index waits for the next round, the others do not.
            if self._keeper.closed:
                raise
            log.warning("promotion_failed", index=str(held.index), error=type(failure).__name__)

    async def _promote(self, held: Held) -> None:
        if held.is_promoted:  # the graph is gone: restored from a backup, or dropped by hand
            await self._mark(held, is_promoted=False)
        async with self._homes.reading(held.tenant) as transaction:
            table = await store.find_table(transaction, held.index)
            recent = await store.list_recalls(transaction, held.index, within=_PATIENCE, limit=1)
        if table is None or not table["is_ours"]:
            return
        if recent and recent[0]["recall"] < self._policy.least_recall:
            return
        built = await self._build(held, table)
        log.info("index_built", tenant=str(held.tenant), index=str(held.index), chunks=held.chunks)
        await self._check(held, built)

    async def _build(self, held: Held, table: Row) -> Built:
        needed = held.chunks * (2 * held.dimensions + 64 * _BYTES_PER_LINK) * 5 // 4
        megabytes = max(64, min(self._policy.build_megabytes, needed // 1_000_000))
        await store.build(self._keeper, held, schema=table["nspname"], table=table["relname"], megabytes=megabytes)
        (built,) = [each for each in await store.list_built(self._keeper) if each.index == held.index]
        return built

    async def _check(self, held: Held, built: Built) -> None:
        """Let searches use a new graph if it finds what it should."""
        recall = await self._measure(held)
        if recall.share >= self._policy.least_recall:
            await self._mark(held, is_promoted=True)
            self._kept = replace(self._kept, promoted=self._kept.promoted + 1)
            return
        log.warning("promotion_refused", tenant=str(held.tenant), index=str(held.index), recall=recall.share)
        self._kept = replace(self._kept, refused=self._kept.refused + 1)
        await self._drop(built)

    async def _watch(self, held: Held, built: Built) -> None:
        """Take the graph away from searches when it finds too little; a day later it is built anew."""
        recall = await self._measure(held)
        if recall.share < self._policy.least_recall:
            log.warning("recall_fell", tenant=str(held.tenant), index=str(held.index), recall=recall.share)
            await self._demote(held)
            await self._drop(built)

    async def _measure(self, held: Held) -> Recall:
        recall = await measure_recall(self._homes, held, self._policy.queries)
        async with self._homes.writing(held.tenant) as transaction:
            await store.note_recall(transaction, held.index, recall, keep=_REMEMBERED)
        self._kept = replace(self._kept, measured=self._kept.measured + 1)
        return recall

    async def _demote(self, held: Held) -> None:
        await self._mark(held, is_promoted=False)
        self._kept = replace(self._kept, demoted=self._kept.demoted + 1)
        log.info("index_demoted", tenant=str(held.tenant), index=str(held.index), chunks=held.chunks)

    async def _mark(self, held: Held, *, is_promoted: bool) -> None:
        async with self._homes.writing(held.tenant) as transaction:
            await store.mark(transaction, held.index, is_promoted=is_promoted)

    async def _drop(self, built: Built) -> None:
        await store.drop(self._keeper, built.schema, built.name)
        self._kept = replace(self._kept, dropped=self._kept.dropped + 1)


def _held(row: Row) -> Held:
    return Held(
        TenantId(row["tenant_id"]),
        row["id"],
        IndexStatus(row["status"]),
        row["dimensions"],
        row["chunks"],
        row["is_promoted"],
    )
