"""Writers and readers go on while a tenant moves, and a move that was killed goes on where it was."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.knowledge.homes import SHARED, Homes, Mover, Pace, Place, Server, Tier
from mainspring.orchestration.knowledge.homes.session import Session

from .conftest import OWN, add_document, delete_document, index_document, names_of
from .moving import move_apart

PAUSE_SECONDS = 0.02  # of each writer: they share two cores with the move that they must not outrun


@dataclass(slots=True)
class Traffic:
    """Writers that keep a record of what was acknowledged, and readers that look for halves."""

    homes: Homes
    tenant: TenantId
    expected: dict[UUID, int] = field(default_factory=dict[UUID, int])
    writes: int = 0
    reads: int = 0
    halves: list[object] = field(default_factory=list[object])
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, seed: int) -> None:
        """Insert, change and delete documents of its own until it is over."""
        chance, mine = random.Random(seed), list[UUID]()
        while not self.is_over.is_set():
            act = chance.choice(("add", "change", "delete")) if mine else "add"
            words = chance.randint(1, 9)
            async with self.homes.writing(self.tenant) as transaction:
                if act == "add":
                    document = await add_document(transaction, str(new_id()), words)
                else:
                    document = chance.choice(mine)
                    if act == "change":
                        await index_document(transaction, document, words)
                    else:
                        await delete_document(transaction, document)
            self._acknowledge(act, document, words, mine)
            await asyncio.sleep(PAUSE_SECONDS)

    def _acknowledge(self, act: str, document: UUID, words: int, mine: list[UUID]) -> None:
        self.writes += 1
        if act == "add":
            mine.append(document)
        if act == "delete":
            mine.remove(document)
            del self.expected[document]
        else:
            self.expected[document] = words

    async def read(self) -> None:
        """Every document has as many chunks, vectors and terms as its index says, at any moment."""
        while not self.is_over.is_set():
            async with self.homes.reading(self.tenant) as transaction:
                rows = await transaction.all(_HALVES, tenant=self.tenant)
            self.reads += 1
            self.halves += rows
            await asyncio.sleep(PAUSE_SECONDS)


_HALVES = """
with held as (
    select document_id, count(*) filter (where part = 1) as chunks, count(*) filter (where part = 2) as vectors,
           count(*) filter (where part = 3) as terms
      from (select document_id, 1 as part from chunk where tenant_id = %(tenant)s
            union all select document_id, 2 from chunk_vector where tenant_id = %(tenant)s
            union all select document_id, 3 from chunk_terms where tenant_id = %(tenant)s) parts
     group by document_id)
select d.id, i.chunks, h.chunks as held_chunks, h.vectors, h.terms
  from (select id from document where tenant_id = %(tenant)s) d
  full join (select document_id, chunks from indexed_document where tenant_id = %(tenant)s) i on i.document_id = d.id
  full join held h on h.document_id = i.document_id
 where d.id is null or i.chunks is distinct from h.chunks or h.chunks <> h.vectors or h.chunks <> h.terms
"""


async def _with_traffic(traffic: Traffic, servers: Mapping[str | None, Server], targets: list[Place]) -> list[float]:
    """How long writers were locked out by each of these moves, made while four of them write."""
    tasks = [asyncio.create_task(traffic.write(seed)) for seed in range(4)]
    tasks += [asyncio.create_task(traffic.read()) for _ in range(2)]
    locked: list[float] = []
    try:
        for target in targets:
            await _until_written(traffic, traffic.writes + 40)
            seconds = await move_apart(servers, traffic.tenant, target)
            assert seconds is not None
            locked.append(seconds)
        await _until_written(traffic, traffic.writes + 40)
    finally:
        traffic.is_over.set()
        await asyncio.gather(*tasks)
    return locked


async def _until_written(traffic: Traffic, writes: int) -> None:
    async with asyncio.timeout(30):
        while traffic.writes < writes:  # noqa: ASYNC110 - four writers count
            await asyncio.sleep(0.01)


async def _found(homes: Homes, tenant: TenantId) -> dict[UUID, int]:
    async with homes.reading(tenant) as transaction:
        rows = await transaction.all(
            """select d.id, count(c.ordinal) as chunks
                 from document d left join chunk c on c.tenant_id = d.tenant_id and c.document_id = d.id
                where d.tenant_id = %(tenant)s group by d.id""",
            tenant=tenant,
        )
    return {row["id"]: row["chunks"] for row in rows}


async def test_writers_and_readers_notice_nothing_of_two_moves(
    homes: Homes, servers: Mapping[str | None, Server], tenant: TenantId
):
    traffic = Traffic(homes, tenant)
    targets = [Place.of_tenant(tenant, Tier.SCHEMA), Place.of_tenant(tenant, Tier.DATABASE, OWN)]
    locked = await _with_traffic(traffic, servers, targets)
    assert await _found(homes, tenant) == traffic.expected
    assert traffic.halves == []
    assert traffic.writes >= 120
    assert traffic.reads > 30
    assert max(locked) < 1.0


@pytest.mark.parametrize("tier", [Tier.SCHEMA, Tier.DATABASE])
async def test_a_move_killed_at_any_step_goes_on_when_run_again(
    homes: Homes, servers: Mapping[str | None, Server], tenant: TenantId, tier: Tier
):
    target, names = Place.of_tenant(tenant, tier, OWN), set[str]()
    for step in range(8):
        async with homes.writing(tenant) as transaction:
            for number in range(3):
                await add_document(transaction, f"{step}-{number}")
        names |= {f"{step}-{number}" for number in range(3)}
        await move_apart(servers, tenant, target, documents=4, kill_at=lambda at, _, step=step: at == step)
        place = {home.tenant: home.place for home in await homes.list_homes()}.get(tenant, SHARED)
        assert place in (SHARED, target)
        assert await names_of(homes, tenant) == names
        if place == target:
            break
    assert await move_apart(servers, tenant, target) is not None
    assert await names_of(homes, tenant) == names
    assert await _triggers(servers, tenant) == 0


async def _triggers(servers: Mapping[str | None, Server], tenant: TenantId) -> int:
    found = 0
    for server in servers.values():
        async with await psycopg.AsyncConnection.connect(server.admin_url) as connection:
            cursor = await connection.execute(
                "select count(*) from pg_trigger where starts_with(tgname, %s)", (f"knowledge_move_{tenant.hex}",)
            )
            row = await cursor.fetchone()
            assert row is not None
            found += row[0]
    return found


async def test_only_one_move_of_a_tenant_runs_at_a_time(servers: Mapping[str | None, Server], tenant: TenantId):
    refused: list[str] = []

    def meet(_: str) -> None:
        if not refused:
            refused.append("")
            with pytest.raises(Conflict, match="Another move"):
                Mover(servers).move(tenant, SHARED)
            refused.append("refused")

    mover = Mover(servers, tell=meet)
    assert await asyncio.to_thread(mover.move, tenant, Place.of_tenant(tenant, Tier.SCHEMA)) is not None
    assert refused == ["", "refused"]


async def test_a_writer_that_holds_its_transaction_makes_the_cut_over_wait_and_is_not_lost(
    homes: Homes, servers: Mapping[str | None, Server], tenant: TenantId
):
    """Other writers get in between the attempts: nobody waits for the one that holds longer than the patience."""
    told: list[str] = []
    is_waiting = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(sentence: str) -> None:
        told.append(sentence)
        if "trying again" in sentence:
            loop.call_soon_threadsafe(is_waiting.set)

    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "first")
    begun = asyncio.Event()

    async def hold() -> None:
        async with homes.writing(tenant) as transaction:
            begun.set()
            await asyncio.wait_for(is_waiting.wait(), 20)
            await add_document(transaction, "held")

    def at_copy(sentence: str) -> None:
        tell(sentence)
        if sentence.startswith("Copied") and not begun.is_set():
            asyncio.run_coroutine_threadsafe(_start(), loop).result(10)

    tasks: list[asyncio.Task[None]] = []

    async def _start() -> None:
        tasks.append(asyncio.create_task(hold()))
        await begun.wait()

    mover = Mover(servers, pace=Pace(patience=timedelta(milliseconds=50)), tell=at_copy)
    assert await asyncio.to_thread(mover.move, tenant, Place.of_tenant(tenant, Tier.SCHEMA)) is not None
    await asyncio.gather(*tasks)
    assert await names_of(homes, tenant) == {"first", "held"}


async def test_the_tenants_session_carries_no_other_tenants_rows(
    database: Database, homes: Homes, servers: Mapping[str | None, Server], tenant: TenantId, other_tenant: TenantId
):
    async with homes.writing(other_tenant) as transaction:
        await add_document(transaction, "theirs")
    with Session.open(servers[None].url, tenant, SHARED) as session, session.transaction():
        assert session.all("select id from document") == []
        assert session.run("delete from document where tenant_id = %(other)s", other=other_tenant) == 0
