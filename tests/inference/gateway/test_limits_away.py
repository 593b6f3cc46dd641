"""The limits when Valkey is wiped, killed and started again in mid-run, on a Valkey of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from mainspring.foundation.engines.process import ChildProcess, find_free_port
from mainspring.foundation.engines.valkey import child_spec
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.inference.gateway.limits import Checks, Hold, Limiter, LimitReached, LimitsAway, Scopes, Spent, Subject
from mainspring.inference.gateway.policy import Limit, TenantPolicy

LEASE = timedelta(minutes=5)
BUDGET = (Limit(scope="tenant", budget_per_month_micros=1000),)


@dataclass
class Books:
    """What Postgres would have booked: the sums of calls that were shipped."""

    micros: int = 0
    calls: int = 0
    is_away: bool = False
    reads: int = 0

    async def read(self, tenant: TenantId, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
        self.reads += 1
        if self.is_away:
            raise Unavailable("no database")
        await asyncio.sleep(0)
        return {subject: Spent(self.calls, self.calls, self.micros, self.micros) for subject in subjects}


@dataclass
class House:
    """A Valkey that can be killed, and gateways on it."""

    server: ChildProcess
    url: str
    books: Books
    wires: list[ValkeyWire]

    async def open(self) -> Limiter:
        wire = await ValkeyWire(self.url, reply_timeout=timedelta(seconds=30)).start()
        self.wires.append(wire)
        return Limiter(wire, self.books)

    async def restart(self) -> None:
        await self.is_gone()
        self.server.start()
        await self.is_back()

    async def is_back(self) -> None:
        async with asyncio.timeout(20):
            while not all(wire.is_connected for wire in self.wires):  # noqa: ASYNC110 - about another process
                await asyncio.sleep(0.01)
        for wire in self.wires:
            await wire.call(b"PING")

    async def is_gone(self) -> None:
        self.server.kill()
        async with asyncio.timeout(20):
            while any(wire.is_connected for wire in self.wires):  # noqa: ASYNC110 - about another process
                await asyncio.sleep(0.01)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    port = find_free_port()
    server = ChildProcess(child_spec(tmp_path / "valkey", tmp_path / "log", port, "secret"))
    server.start()
    opened = House(server, f"redis://:secret@127.0.0.1:{port}", Books(), [])
    yield opened
    for wire in opened.wires:
        await wire.close()
    server.stop()


def checks_of(limits: tuple[Limit, ...] = BUDGET, *, closed: bool = True, tenant: TenantId | None = None) -> Checks:
    policy = TenantPolicy(limits=limits, when_limits_away="closed" if closed else "open")
    return Limiter(ValkeyWire("redis://nowhere"), Books()).checks(policy, Scopes(tenant or TenantId(new_id())))


async def reserve(limiter: Limiter, checks: Checks, cost: int) -> Hold:
    return await limiter.reserve(checks, new_id(), tokens=10, cost_micros=cost, lease=LEASE)


async def left(limiter: Limiter, checks: Checks) -> int:
    """The largest cost that is admitted."""
    low, high = 0, 1000
    while low < high:
        middle = (low + high + 1) // 2
        try:
            limiter.release(await reserve(limiter, checks, middle))
            low = middle
        except LimitReached:
            high = middle - 1
    return low


async def test_a_killed_valkey_refuses_or_lets_pass_by_policy_and_is_used_again(house: House) -> None:
    limiter = await house.open()
    closed = checks_of()
    opened = checks_of(closed=False)
    await reserve(limiter, closed, 1)
    await house.is_gone()
    with pytest.raises(LimitsAway, match="admits no unchecked calls") as refused:
        await reserve(limiter, closed, 1)
    assert (refused.value.status, refused.value.retryable) == (503, True)
    hold = await reserve(limiter, opened, 5000)
    assert (hold.is_unlimited, hold.is_away) == (True, True)
    house.server.start()
    await house.is_back()
    assert not (await reserve(limiter, closed, 1)).is_unlimited
    assert not (await reserve(limiter, opened, 1)).is_unlimited


async def test_after_a_crash_the_budget_is_what_was_booked_and_what_is_settled_since(house: House) -> None:
    limiter, other = await house.open(), await house.open()
    checks = checks_of()
    limiter.settle(await reserve(limiter, checks, 300), tokens=1, cost_micros=300)
    running = await reserve(limiter, checks, 200)
    house.books.micros = 300
    await house.restart()
    assert await left(other, checks) == 700
    limiter.settle(running, tokens=1, cost_micros=150)
    limiter.settle(running, tokens=1, cost_micros=150)
    assert await left(limiter, checks) == 550


async def test_a_call_let_pass_while_valkey_was_away_counts_once_when_it_ends(house: House) -> None:
    limiter = await house.open()
    checks = checks_of(closed=False)
    await house.is_gone()
    hold = await reserve(limiter, checks, 400)
    early = await reserve(limiter, checks, 50)
    limiter.settle(early, tokens=1, cost_micros=50)  # closed while away, and booked before the counters are seeded
    house.books.micros = 50
    house.server.start()
    await house.is_back()
    assert await left(limiter, checks) == 950
    limiter.settle(hold, tokens=1, cost_micros=400)
    assert await limiter.settle_orphan(hold.text, tokens=1, cost_micros=400) is False
    assert await left(limiter, checks) == 550


async def test_a_settlement_lost_on_the_way_is_sent_again(house: House) -> None:
    limiter = await house.open()
    checks = checks_of()
    hold = await reserve(limiter, checks, 400)
    (wire,) = house.wires
    second = await house.open()
    await house.wires[1].call(b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
    async with asyncio.timeout(20):
        while wire.is_connected:  # noqa: ASYNC110 - about another process
            await asyncio.sleep(0)
    limiter.settle(hold, tokens=1, cost_micros=100)
    await house.is_back()
    assert await left(second, checks) == 900


async def test_a_wipe_under_load_on_several_gateways_never_overspends_by_more_than_was_under_way(house: House) -> None:
    limiters = [await house.open() for _ in range(3)]
    checks = checks_of()
    spent: list[int] = []

    async def call(number: int) -> None:
        limiter = limiters[number % 3]
        try:
            hold = await reserve(limiter, checks, 5)
        except LimitReached:
            return
        house.books.micros += 5  # shipped before the settlement: so a wipe can lose nothing
        house.books.calls += 1
        limiter.settle(hold, tokens=1, cost_micros=5)
        spent.append(5)
        if len(spent) in (40, 90, 150):
            await house.wires[0].call(b"FLUSHALL")
        if len(spent) == 120:
            await house.wires[0].call(b"SCRIPT", b"FLUSH")

    waiting = asyncio.Semaphore(30)

    async def bounded(number: int) -> None:
        async with waiting:
            await call(number)

    await asyncio.gather(*[bounded(number) for number in range(600)])
    under_way = 30 * 5 * 3
    assert 1000 - under_way <= sum(spent) <= 1000 + under_way
    assert await left(limiters[1], checks) <= under_way


async def test_counters_that_cannot_be_seeded_are_limits_that_are_away(house: House) -> None:
    limiter = await house.open()
    house.books.is_away = True
    tenant = TenantId(new_id())
    with pytest.raises(LimitsAway):
        await reserve(limiter, checks_of(tenant=tenant), 1)
    assert (await reserve(limiter, checks_of(tenant=tenant, closed=False), 1)).is_away
    rates = checks_of((Limit(scope="tenant", requests_per_minute=5, concurrency=5),), tenant=tenant)
    assert not (await reserve(limiter, rates, 1)).is_away  # needs no sums
    house.books.is_away = False
    assert await left(limiter, checks_of(tenant=tenant)) == 999  # what was held before the budget applied is held


async def test_a_thousand_calls_at_once_read_the_sums_once(house: House) -> None:
    limiter = await house.open()
    checks = checks_of((Limit(scope="tenant", calls_per_month=2000),))
    await asyncio.gather(*[reserve(limiter, checks, 1) for _ in range(1000)])
    assert house.books.reads == 1


async def test_an_absent_server_takes_no_time(house: House) -> None:
    limiter = await house.open()
    await house.is_gone()
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*[reserve(limiter, checks_of(closed=False), 1) for _ in range(1000)])
    assert asyncio.get_running_loop().time() - started < 5
