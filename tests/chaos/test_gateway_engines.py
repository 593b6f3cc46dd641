"""Postgres or Valkey away, wiped or full while calls go on: each policy's promise is kept, and the books are right.

`make test-chaos` runs the long forms too: Postgres away for some seconds and for half a minute.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import psycopg
import pytest

from mainspring.application.identity import operator
from mainspring.foundation.engines import ChildProcess, EmbeddedEngines, EngineUrls
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from mainspring.migrations import migrate
from tests.inference.gateway.asking import Ask, Told, ask
from tests.inference.gateway.running import Case, House, Member, open_house, until
from tests.upstream import Reply

MONEY = (Limit(scope="tenant", budget_per_month_micros=10**12, concurrency=10**6),)
SPOOLED = TenantPolicy(limits=MONEY)
COMMITTED = TenantPolicy(limits=MONEY, durability="committed")
COST = 12 * 2 + 7 * 10
"""Of a scripted reply."""


@dataclass(frozen=True, slots=True)
class Site:
    """A house with engines of its own."""

    house: House
    urls: EngineUrls
    postgres: ChildProcess
    valkey: ChildProcess

    async def call(self, member: Member, case: Case, count: int) -> list[Told]:
        """So many calls at once, streamed and not."""
        return await asyncio.gather(
            *[ask(self.house, member, case, Ask(stream=bool(n % 2), timeout=5)) for n in range(count)]
        )


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    embedded = EmbeddedEngines(folder / "engines", is_durable=False)
    async with AsyncExitStack() as opened:
        opened.callback(embedded.stop)
        urls = embedded.start()
        migrate(urls.database_admin_url, login=urls.login)
        postgres, valkey = embedded.children
        house = await opened.enter_async_context(open_house(urls, folder))
        yield Site(house, urls, postgres, valkey)
        # The limits' reading of sums that fails after its callers gave up is known to be logged so.
        assert [line for line in house.gateway.complaints() if "What was spent so far" not in line] == []


@asynccontextmanager
async def without_postgres(site: Site) -> AsyncGenerator[None]:
    """Postgres is away inside the block."""
    await asyncio.to_thread(site.postgres.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(site.postgres.start)


@pytest.fixture(params=[2.0, 30.0])
def seconds(request: pytest.FixtureRequest) -> float:
    return request.param


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_with_postgres_away_spooled_calls_go_on_and_committed_ones_are_refused(
    site: Site, seconds: float
) -> None:
    house, case = site.house, site.house.case()
    spooled, committed = await house.member(SPOOLED), await house.member(COMMITTED)
    for member in (spooled, committed):
        assert [told.is_whole for told in await site.call(member, case, 2)] == [True, True]
    kept, asked, calls, refused = house.case(), case.asked[0], 2, 0
    async with without_postgres(site):
        back_at = time.monotonic() + seconds
        while time.monotonic() < back_at or refused < 2:
            found = await site.call(spooled, case, 10)
            assert [told.is_whole for told in found] == [True] * 10, found
            calls, asked = calls + 10, asked + 10
            before = kept.asked
            found = await site.call(committed, kept, 2)
            for told in found:
                assert told.error
                assert "cannot be committed" in told.error["message"]
                assert not told.is_whole, "it ended well, and is not in Postgres"
            is_refused = {told.status for told in found} == {503}
            if is_refused and before == kept.asked:
                refused += 1
            else:
                assert refused == 0, "a call went to the provider, though others were refused before"
    assert case.asked == (asked, 0)
    assert len(await house.books_agree(spooled, calls, seconds=30)) == calls
    await until(lambda: _is_whole(site, committed, case))
    assert {row["status"] for row in await house.all_settled(committed)} == {"ok"}


async def _is_whole(site: Site, member: Member, case: Case) -> bool:
    return (await ask(site.house, member, case)).is_whole


@pytest.mark.slow
async def test_with_postgres_away_who_was_known_stays_known_and_revocation_takes_hold_afterwards(site: Site) -> None:
    house, case = site.house, site.house.case()
    member = await house.member(SPOOLED)
    async with without_postgres(site):
        assert (await ask(house, member, case)).is_whole
        stranger = Member(member.tenant, "ms_aaaaaaaa_" + "b" * 43, member.key_id)
        told = await ask(house, stranger, case)
        assert (told.status, bool(told.error)) == (503, True), "nobody can tell whether that key is good"
    await until(lambda: _is_fresh(site), 20)
    await house.identity.keys.revoke(operator(member.tenant), member.key_id)
    revoked_at = time.monotonic()

    async def is_refused() -> bool:
        return (await ask(house, member, case)).status == 401

    await until(is_refused)
    assert time.monotonic() - revoked_at < 1


async def _is_fresh(site: Site) -> bool:
    """Whether the gateway has caught up with what it missed."""
    answer = await site.house.client.get(f"{site.house.gateway.url}/healthz")
    return answer.json()["snapshot_stale_since"] is None


async def test_with_every_connection_taken_spooled_calls_go_on_and_are_shipped_afterwards(site: Site) -> None:
    house, case = site.house, site.house.case()
    member = await house.member(SPOOLED)
    assert (await ask(house, member, case)).is_whole  # its counters are there now
    taken: list[psycopg.Connection] = []
    try:
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(site.urls.database_admin_url, autocommit=True))
        taken[0].execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'mainspring_login'")
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(site.urls.database_admin_url, autocommit=True))
        for _ in range(5):
            assert [told.is_whole for told in await site.call(member, case, 8)] == [True] * 8
    finally:
        for connection in taken:
            connection.close()
    await house.books_agree(member, 41, seconds=30)


async def test_a_gateway_that_starts_while_postgres_is_away_waits_and_then_serves(site: Site) -> None:
    house, case = site.house, site.house.case()
    member = await house.member(SPOOLED)
    await house.gateway.stop()
    async with without_postgres(site):
        house.gateway.process.launch()
        for _ in range(10):
            await asyncio.sleep(0.1)
            assert house.gateway.process.is_running, house.gateway.log.read_text()
            assert (await ask(house, member, case)).status == 0, "it serves, and knows nobody"
    await asyncio.to_thread(house.gateway.process.await_ready)
    assert (await ask(house, member, case)).is_whole
    await house.books_agree(member, 1)


async def test_with_valkey_away_calls_pass_or_are_refused_by_policy_and_are_counted_afterwards(site: Site) -> None:
    house, case, money = site.house, site.house.case(), (Limit(scope="tenant", budget_per_month_micros=10_000),)
    probe, free = await house.member(SPOOLED), await house.member(TenantPolicy(limits=money, when_limits_away="open"))
    strict = await house.member(TenantPolicy(limits=money, when_limits_away="closed"))
    for member in (free, strict):
        assert all(told.is_whole for told in await site.call(member, case, 3))
        await house.books_agree(member, 3)
    site.valkey.kill()
    for _ in range(5):
        for told in await site.call(free, case, 3):
            assert told.is_whole
            assert "could not be checked" in told.headers["x-mainspring-limit-warning"]
        for told in await site.call(strict, case, 2):
            assert (told.status, bool(told.error)) == (503, True)
    assert case.asked == (21, 0)
    await house.records(free, 18)
    await asyncio.to_thread(site.valkey.start)  # it comes back empty
    await until(lambda: _is_checked(site, probe, case))
    for member, count in ((free, 19), (strict, 4)):
        assert (await ask(house, member, case)).is_whole
        await house.books_agree(member, count)


async def _is_checked(site: Site, member: Member, case: Case) -> bool:
    told = await ask(site.house, member, case)
    return told.is_whole and "x-mainspring-limit-warning" not in told.headers


async def test_a_wiped_valkey_learns_from_postgres_what_was_spent(site: Site) -> None:
    house, case, calls = site.house, site.house.case(), 8
    most = 10_000  # of which the calls leave no more than one call may hold
    member = await house.member(TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=most),)))
    assert all([(await ask(house, member, case)).is_whole for _ in range(calls)])
    await house.books_agree(member, calls)
    await house.valkey.execute_command("FLUSHALL")
    large = Ask(max_tokens=(most - calls * COST) // 10)  # with its input it holds more than is left
    told = await ask(house, member, case, large)
    assert told.status == 429
    assert (await house.counted(member.tenant)).spent == calls * COST
    assert (await ask(house, member, case)).is_whole
    await house.books_agree(member, calls + 1)


async def test_a_gateway_starts_and_ships_while_valkey_is_away(site: Site) -> None:
    house, case = site.house, site.house.case()
    early, late, probe = [await house.member(SPOOLED) for _ in range(3)]
    case.script(*[Reply(chunks=1000, pause=0.05)] * 5)
    cut = [asyncio.create_task(ask(house, early, case, Ask(stream=True))) for _ in range(5)]
    await case.eu.upstream.until(lambda _: case.asked == (5, 0))
    house.gateway.kill()  # what it left is adopted, and cannot be settled while Valkey is away
    site.valkey.kill()
    await asyncio.gather(*cut)
    await house.gateway.start()
    assert [told.is_whole for told in await site.call(late, case, 5)] == [True] * 5
    await house.records(late, 5)
    await asyncio.to_thread(site.valkey.start)
    await until(lambda: _is_checked(site, probe, case))
    await house.records(early, 5, seconds=30)
    for member in (early, late):
        assert (await ask(house, member, case)).is_whole
        await house.books_agree(member, 6)
