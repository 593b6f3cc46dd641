"""The limits on a real Valkey and Postgres: nothing overshoots, nothing is charged twice, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.inference.gateway.limits import (
    BudgetExceeded,
    CallTooLarge,
    Checks,
    Hold,
    Kind,
    Limiter,
    LimitReached,
    PriceUnknown,
    Scopes,
    StoredSpend,
    spend_subjects,
    warning,
)
from mainspring.inference.gateway.policy import Limit, TenantPolicy

LEASE = timedelta(minutes=5)
PATIENT = timedelta(seconds=30)  # a shared machine: what is tested here is not speed


class Bench:
    """Limiters over connections of their own, on one clock that a test may move."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self._database = database
        self._wires: list[ValkeyWire] = []
        self.shift = timedelta()

    async def open(self) -> Limiter:
        wire = await ValkeyWire(self._url, reply_timeout=PATIENT).start()
        self._wires.append(wire)
        return Limiter(wire, StoredSpend(self._database), shift=lambda: self.shift)

    async def settled(self) -> None:
        """Every settlement sent so far has been executed."""
        for wire in self._wires:
            await wire.call(b"PING")

    def go_to(self, instant: datetime) -> None:
        self.shift = instant - datetime.now(UTC)

    async def close(self) -> None:
        for wire in self._wires:
            await wire.close()


@pytest.fixture
async def bench(engines: EngineUrls, database: Database) -> AsyncIterator[Bench]:
    opened = Bench(engines.valkey_url, database)
    yield opened
    await opened.close()


@pytest.fixture
async def limiter(bench: Bench) -> Limiter:
    return await bench.open()


def policy_of(*limits: Limit) -> TenantPolicy:
    return TenantPolicy(limits=limits)


async def reserve(limiter: Limiter, checks: Checks, *, tokens: int = 10, cost: int | None = 10) -> Hold:
    return await limiter.reserve(checks, new_id(), tokens=tokens, cost_micros=cost, lease=LEASE)


async def admitted(attempts: Sequence[Awaitable[Hold]]) -> tuple[list[Hold], list[LimitReached]]:
    results = await asyncio.gather(*attempts, return_exceptions=True)
    holds = [result for result in results if isinstance(result, Hold)]
    refused = [result for result in results if isinstance(result, LimitReached)]
    assert len(holds) + len(refused) == len(results), [r for r in results if not isinstance(r, Hold | LimitReached)]
    return holds, refused


async def book(database: Database, tenant: TenantId, scopes: Scopes, day: date, *, cost: int, calls: int = 1) -> None:
    async with database.tenant(tenant) as transaction:
        await transaction.many(
            """insert into gateway_spend (tenant_id, scope, value, spent_on, cost_micros, tokens, calls)
               values (%(tenant)s, %(scope)s, %(value)s, %(day)s, %(cost)s, 0, %(calls)s)""",
            [
                {"tenant": tenant, "scope": s.scope, "value": s.value, "day": day, "cost": cost, "calls": calls}
                for s in spend_subjects(scopes)
            ],
        )


KINDS: list[tuple[str, Limit, Kind]] = [
    ("requests", Limit(scope="tenant", requests_per_minute=50), Kind.REQUESTS_PER_MINUTE),
    ("tokens", Limit(scope="user", tokens_per_minute=500), Kind.TOKENS_PER_MINUTE),
    ("concurrency", Limit(scope="key", concurrency=50), Kind.CONCURRENCY),
    ("calls of a day", Limit(scope="model", calls_per_day=50), Kind.CALLS_PER_DAY),
    ("calls of a month", Limit(scope="feature", calls_per_month=50), Kind.CALLS_PER_MONTH),
    ("budget of a day", Limit(scope="tenant", budget_per_day_micros=509), Kind.BUDGET_PER_DAY),
    ("budget of a month", Limit(scope="tenant", budget_per_month_micros=509), Kind.BUDGET_PER_MONTH),
]


def scopes_of(tenant: TenantId) -> Scopes:
    return Scopes(tenant, user="ann", key="k1", model="fast", feature="chat")


@pytest.mark.parametrize(("name", "limit", "kind"), KINDS, ids=[name for name, _, _ in KINDS])
async def test_a_thousand_calls_at_once_on_several_gateways_overshoot_nothing(
    bench: Bench, tenant: TenantId, name: str, limit: Limit, kind: Kind
) -> None:
    limiters = [await bench.open() for _ in range(4)]
    checks = limiters[0].checks(policy_of(limit), scopes_of(tenant))
    started = asyncio.get_running_loop().time()
    holds, refused = await admitted([reserve(limiters[n % 4], checks) for n in range(1000)])
    drained = asyncio.get_running_loop().time() - started
    most = 50 + (int(drained * 50 / 60) if kind in (Kind.REQUESTS_PER_MINUTE, Kind.TOKENS_PER_MINUTE) else 0)
    assert 50 <= len(holds) <= most
    assert all(error.status == 429 for error in refused)


async def test_all_scopes_hold_or_none_does(limiter: Limiter, bench: Bench, tenant: TenantId) -> None:
    policy = policy_of(Limit(scope="tenant", concurrency=10), Limit(scope="user", concurrency=1))
    ann, bob = (limiter.checks(policy, Scopes(tenant, user=name)) for name in ("ann", "bob"))
    held = await reserve(limiter, ann)
    with pytest.raises(LimitReached, match="1 calls at the same time for user 'ann'"):
        await reserve(limiter, ann)
    await reserve(limiter, bob)
    open_to_all = limiter.checks(policy_of(Limit(scope="tenant", concurrency=3)), Scopes(tenant))
    await reserve(limiter, open_to_all)  # the refused one held nothing of the tenant's three
    with pytest.raises(LimitReached):
        await reserve(limiter, open_to_all)
    limiter.settle(held, tokens=1, cost_micros=1)
    await reserve(limiter, open_to_all)


async def test_a_settlement_counts_once_however_often_it_comes(
    limiter: Limiter, bench: Bench, tenant: TenantId
) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", budget_per_month_micros=1000)), Scopes(tenant))
    hold = await reserve(limiter, checks, cost=500)
    other = await bench.open()
    for _ in range(20):
        limiter.settle(hold, tokens=5, cost_micros=300)
        other.settle(hold, tokens=5, cost_micros=300)
    await bench.settled()
    assert await other.settle_orphan(hold.text, tokens=5, cost_micros=300) is False
    assert await _left(limiter, checks, 1000) == 700


async def _left(limiter: Limiter, checks: Checks, limit: int) -> int:
    """The largest cost that is still admitted, found by asking; everything is given back."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        try:
            hold = await reserve(limiter, checks, cost=middle)
        except LimitReached:
            high = middle - 1
        else:
            low = middle
            limiter.release(hold)
    return low


async def test_what_a_dead_process_held_expires_and_a_late_settlement_counts_once(
    bench: Bench, limiter: Limiter, tenant: TenantId
) -> None:
    limits = Limit(scope="user", concurrency=1, budget_per_day_micros=1000, calls_per_day=10)
    checks = limiter.checks(policy_of(limits), Scopes(tenant, user="ann"))
    bench.go_to(datetime(2031, 5, 10, 12, tzinfo=UTC))
    lost = await reserve(limiter, checks, cost=800)
    with pytest.raises(LimitReached):
        await reserve(limiter, checks, cost=800)
    bench.shift += LEASE + timedelta(seconds=1)
    hold = await reserve(limiter, checks, cost=1000)
    limiter.release(hold)
    assert await limiter.settle_orphan(lost.text, tokens=9, cost_micros=600) is True
    assert await limiter.settle_orphan(lost.text, tokens=9, cost_micros=600) is False
    assert await _left(limiter, checks, 1000) == 400


async def test_tokens_are_held_by_estimate_and_counted_by_use(bench: Bench, limiter: Limiter, tenant: TenantId) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", tokens_per_minute=1000)), Scopes(tenant))
    first = await reserve(limiter, checks, tokens=900)
    with pytest.raises(LimitReached) as refused:
        await reserve(limiter, checks, tokens=200)
    assert refused.value.retry_after_seconds is not None
    assert 5 <= refused.value.retry_after_seconds <= 6
    limiter.settle(first, tokens=100, cost_micros=0)
    second = await reserve(limiter, checks, tokens=890)
    limiter.settle(second, tokens=2000, cost_micros=0)  # more than was held is charged all the same
    with pytest.raises(LimitReached) as refused:
        await reserve(limiter, checks, tokens=100)
    assert 70 <= (refused.value.retry_after_seconds or 0) <= 72
    bench.shift += timedelta(seconds=72)
    await reserve(limiter, checks, tokens=100)


async def test_a_long_call_is_not_refunded_what_the_minute_gave_back_already(
    bench: Bench, limiter: Limiter, tenant: TenantId
) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", tokens_per_minute=1000)), Scopes(tenant))
    long = await reserve(limiter, checks, tokens=900)
    bench.shift += timedelta(seconds=61)
    await reserve(limiter, checks, tokens=900)
    limiter.settle(long, tokens=0, cost_micros=0)
    with pytest.raises(LimitReached):
        await reserve(limiter, checks, tokens=200)


async def test_requests_come_back_evenly(bench: Bench, limiter: Limiter, tenant: TenantId) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", requests_per_minute=6)), Scopes(tenant))
    holds, refused = await admitted([reserve(limiter, checks) for _ in range(7)])
    assert (len(holds), len(refused)) == (6, 1)
    assert refused[0].retry_after_seconds == 10
    bench.shift += timedelta(seconds=10)
    hold = await reserve(limiter, checks)
    assert hold.text == b""  # nothing to settle, so nothing is leased
    with pytest.raises(LimitReached):
        await reserve(limiter, checks)


@pytest.mark.parametrize("window", ["day", "month"])
async def test_a_budget_begins_anew_with_its_calendar_window(
    bench: Bench, limiter: Limiter, tenant: TenantId, window: str
) -> None:
    limit = (
        Limit(scope="tenant", budget_per_day_micros=100)
        if window == "day"
        else Limit(scope="tenant", budget_per_month_micros=100)
    )
    checks = limiter.checks(policy_of(limit), Scopes(tenant))
    bench.go_to(datetime(2032, 2, 29, 23, 59, 30, tzinfo=UTC))
    over = await reserve(limiter, checks, cost=60)
    limiter.settle(await reserve(limiter, checks, cost=40), tokens=1, cost_micros=40)
    with pytest.raises(BudgetExceeded) as refused:
        await reserve(limiter, checks, cost=61)
    assert refused.value.retry_after_seconds is not None
    assert refused.value.retry_after_seconds <= 30
    bench.go_to(datetime(2032, 3, 1, 0, 0, 1, tzinfo=UTC))
    await reserve(limiter, checks, cost=99)
    limiter.settle(over, tokens=1, cost_micros=60)  # of yesterday: it was held there, and counts there
    await reserve(limiter, checks, cost=1)
    assert over.day == date(2032, 2, 29)


async def test_counters_begin_at_what_postgres_has_booked(
    bench: Bench, database: Database, limiter: Limiter, tenant: TenantId
) -> None:
    scopes = scopes_of(tenant)
    await book(database, tenant, scopes, date(2033, 7, 1), cost=300)
    await book(database, tenant, scopes, date(2033, 7, 20), cost=200, calls=4)
    await book(database, tenant, scopes, date(2033, 6, 30), cost=5000)
    bench.go_to(datetime(2033, 7, 20, 9, tzinfo=UTC))
    checks = [
        limiter.checks(policy_of(limit), scopes)
        for limit in (
            Limit(scope="tenant", budget_per_month_micros=1000),
            Limit(scope="user", budget_per_day_micros=1000),
            Limit(scope="model", calls_per_month=6),
        )
    ]
    assert await _left(limiter, checks[0], 1000) == 500
    assert await _left(limiter, checks[1], 1000) == 800
    await reserve(limiter, checks[2])
    with pytest.raises(LimitReached, match="6 are used or held"):
        await reserve(limiter, checks[2])


async def test_seeding_by_several_gateways_at_once_counts_once(
    bench: Bench, database: Database, tenant: TenantId
) -> None:
    scopes = Scopes(tenant)
    await book(database, tenant, scopes, datetime.now(UTC).date(), cost=400)
    limiters = [await bench.open() for _ in range(5)]
    checks = limiters[0].checks(policy_of(Limit(scope="tenant", budget_per_month_micros=1000)), scopes)
    holds, _ = await admitted([reserve(limiters[n % 5], checks, cost=10) for n in range(200)])
    assert len(holds) == 60


async def test_a_wipe_in_mid_run_neither_forgets_nor_doubles(
    bench: Bench, database: Database, limiter: Limiter, valkey: Valkey, tenant: TenantId
) -> None:
    scopes = Scopes(tenant)
    checks = limiter.checks(policy_of(Limit(scope="tenant", budget_per_month_micros=1000)), scopes)
    limiter.settle(await reserve(limiter, checks, cost=100), tokens=1, cost_micros=100)
    running = await reserve(limiter, checks, cost=200)
    await bench.settled()
    await book(database, tenant, scopes, datetime.now(UTC).date(), cost=100)
    await forget(valkey, tenant)
    assert await _left(limiter, checks, 1000) == 900
    for _ in range(3):
        limiter.settle(running, tokens=1, cost_micros=150)
    assert await _left(limiter, checks, 1000) == 750


async def forget(valkey: Valkey, tenant: TenantId) -> None:
    """What a wipe does to one tenant: other tests go on beside."""
    async for key in valkey.scan_iter(f"limit:{{{tenant.hex}}}:*"):
        await valkey.delete(key)


async def test_scripts_that_the_server_forgot_are_loaded_again(
    limiter: Limiter, valkey: Valkey, tenant: TenantId
) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", concurrency=100)), Scopes(tenant))
    await reserve(limiter, checks)
    await valkey.script_flush()
    holds, _ = await admitted([reserve(limiter, checks) for _ in range(150)])
    assert len(holds) == 99
    await valkey.script_flush()
    limiter.settle(holds[0], tokens=1, cost_micros=1)
    await reserve(limiter, checks)


async def test_a_changed_plan_acts_at_once(limiter: Limiter, tenant: TenantId) -> None:
    def checks(requests: int, budget: int) -> Checks:
        limit = Limit(scope="tenant", requests_per_minute=requests, budget_per_day_micros=budget)
        return limiter.checks(policy_of(limit), Scopes(tenant))

    small = checks(5, 100)
    for _ in range(5):
        await reserve(limiter, small, cost=20)
    with pytest.raises(LimitReached):
        await reserve(limiter, small, cost=0)
    for _ in range(15):
        await reserve(limiter, checks(20, 500), cost=20)
    with pytest.raises(LimitReached, match="limit of 20 requests"):
        await reserve(limiter, checks(20, 500), cost=20)
    with pytest.raises(BudgetExceeded, match=r"budget of 0\.0004 USD"):
        await reserve(limiter, checks(1000, 400), cost=20)
    with pytest.raises(LimitReached) as refused:
        await reserve(limiter, checks(2, 500), cost=20)
    assert (refused.value.retry_after_seconds or 0) <= 30  # a lowered rate is not held against the past


async def test_soft_limits_warn_before_hard_ones_stop(limiter: Limiter, tenant: TenantId) -> None:
    limit = Limit(scope="user", budget_per_day_micros=10_000_000, soft_percent=75)
    checks = limiter.checks(policy_of(limit), Scopes(tenant, user="ann"))
    first = await reserve(limiter, checks, cost=7_000_000)
    assert first.warnings == ()
    second = await reserve(limiter, checks, cost=1_000_000)
    (passed,) = second.warnings
    assert (passed.kind, passed.limit, passed.used) == (Kind.BUDGET_PER_DAY, 10_000_000, 8_000_000)
    assert warning(passed) == "80% of the budget of 10.00 USD per day for user 'ann' is used"


async def test_replies_can_say_what_remains(limiter: Limiter, tenant: TenantId) -> None:
    policy = policy_of(
        Limit(scope="tenant", requests_per_minute=600, tokens_per_minute=60_000),
        Limit(scope="user", requests_per_minute=10),
    )
    hold = await reserve(limiter, limiter.checks(policy, Scopes(tenant, user="ann")), tokens=30_000)
    headers = dict(line.split(": ") for line in hold.rate_lines().splitlines())
    assert headers.pop("x-ratelimit-reset-tokens") == "30s"
    assert headers == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "6s",
        "x-ratelimit-limit-tokens": "60000",
        "x-ratelimit-remaining-tokens": "30000",
    }


async def test_a_refusal_says_which_limit_what_is_used_and_when_to_come_back(
    bench: Bench, limiter: Limiter, tenant: TenantId
) -> None:
    bench.go_to(datetime(2031, 3, 31, 22, 0, 0, tzinfo=UTC))
    limit = Limit(scope="model", match="fast", budget_per_month_micros=20_000_000)
    checks = limiter.checks(policy_of(limit), scopes_of(tenant))
    limiter.settle(await reserve(limiter, checks, cost=19_500_000), tokens=1, cost_micros=19_500_000)
    with pytest.raises(BudgetExceeded) as refused:
        await reserve(limiter, checks, cost=750_000)
    assert refused.value.detail == (
        "The budget of 20.00 USD per month for model 'fast' is reached: 19.50 USD are used or held by calls "
        "under way, and this call may use up to 0.75 USD. Try again after 2031-04-01 00:00:00 UTC, "
        "or have the limit raised."
    )
    assert 7195 <= (refused.value.retry_after_seconds or 0) <= 7201  # a clock a millisecond early rounds up
    assert refused.value.code == "budget_exceeded"


async def test_a_call_that_never_fits_is_told_not_to_wait(limiter: Limiter, tenant: TenantId) -> None:
    checks = limiter.checks(policy_of(Limit(scope="key", tokens_per_minute=1000)), scopes_of(tenant))
    with pytest.raises(CallTooLarge) as refused:
        await reserve(limiter, checks, tokens=4096)
    assert refused.value.retry_after_seconds is None
    assert refused.value.detail == (
        "The limit of 1,000 tokens per minute for this API key is less than this call alone may use, "
        "up to 4,096 tokens. Waiting does not help: ask for fewer output tokens (max_tokens), send less, "
        "or have the limit raised."
    )


async def test_what_only_calls_under_way_hold_may_be_free_soon(limiter: Limiter, tenant: TenantId) -> None:
    checks = limiter.checks(policy_of(Limit(scope="tenant", budget_per_month_micros=100)), Scopes(tenant))
    await reserve(limiter, checks, cost=80)
    with pytest.raises(BudgetExceeded, match=r"Try again in 1 s") as refused:
        await reserve(limiter, checks, cost=80)
    assert refused.value.retry_after_seconds == 1


async def test_a_budget_needs_a_price(limiter: Limiter, tenant: TenantId) -> None:
    scopes = scopes_of(tenant)
    budget = limiter.checks(policy_of(Limit(scope="tenant", budget_per_month_micros=100)), scopes)
    with pytest.raises(PriceUnknown, match="no price of this model is known"):
        await reserve(limiter, budget, cost=None)
    await reserve(limiter, limiter.checks(policy_of(Limit(scope="tenant", concurrency=1)), scopes), cost=None)


async def test_where_no_limit_applies_valkey_is_not_asked(tenant: TenantId, database: Database) -> None:
    limiter = Limiter(ValkeyWire("redis://127.0.0.1:1"), StoredSpend(database))  # never started
    checks = limiter.checks(policy_of(Limit(scope="user", concurrency=1)), Scopes(tenant))
    hold = await reserve(limiter, checks)
    assert hold.is_unlimited
    assert not hold.is_away
    limiter.settle(hold, tokens=1, cost_micros=1)


async def test_two_tenants_share_nothing(
    limiter: Limiter, valkey: Valkey, tenant: TenantId, other_tenant: TenantId
) -> None:
    policy = policy_of(Limit(scope="tenant", concurrency=1), Limit(scope="user", calls_per_day=1))
    ours, theirs = (limiter.checks(policy, Scopes(name, user="ann")) for name in (tenant, other_tenant))
    await reserve(limiter, ours)
    before = [(key, await valkey.dump(key)) async for key in valkey.scan_iter(f"limit:{{{tenant.hex}}}:*")]
    assert len(before) == 3
    hold = await reserve(limiter, theirs)
    limiter.settle(hold, tokens=5, cost_micros=5)
    await limiter.settle_orphan(hold.text, tokens=5, cost_micros=5)
    assert [(key, await valkey.dump(key)) for key, _ in before] == before


async def test_every_key_expires(bench: Bench, limiter: Limiter, valkey: Valkey, tenant: TenantId) -> None:
    every = Limit(scope="user", requests_per_minute=99, tokens_per_minute=9999, concurrency=9, budget_per_day_micros=99)
    policy = policy_of(every, Limit(scope="tenant", requests_per_minute=100), Limit(scope="feature", calls_per_month=9))
    checks = limiter.checks(policy, scopes_of(tenant))
    held = [await reserve(limiter, checks) for _ in range(3)]
    limiter.settle(held[0], tokens=1, cost_micros=1)
    bench.shift += 2 * LEASE
    with pytest.raises(LimitReached):  # what expired is looked for before a call is refused
        await reserve(limiter, checks, cost=99)
    await reserve(limiter, checks)
    await forget_states(valkey, tenant)
    await reserve(limiter, checks)
    await limiter.settle_orphan(held[1].text, tokens=1, cost_micros=1)
    endless = [
        key async for key in valkey.scan_iter(f"limit:{{{tenant.hex}}}:*", count=1000) if await valkey.pttl(key) < 0
    ]
    assert endless == []
    assert {key async for key in valkey.scan_iter(f"limit:{{{tenant.hex}}}:x")} != set()


async def forget_states(valkey: Valkey, tenant: TenantId) -> None:
    async for key in valkey.scan_iter(f"limit:{{{tenant.hex}}}:?:*"):
        await valkey.delete(key)


async def test_limits_that_meet_in_one_value_all_hold(limiter: Limiter, tenant: TenantId) -> None:
    policy = policy_of(
        Limit(scope="model", concurrency=5), Limit(scope="model", match="fast", concurrency=2, calls_per_day=9)
    )
    fast, slow = (limiter.checks(policy, Scopes(tenant, model=name)) for name in ("fast", "slow"))
    assert len((await admitted([reserve(limiter, fast) for _ in range(9)]))[0]) == 2
    assert len((await admitted([reserve(limiter, slow) for _ in range(9)]))[0]) == 5
