"""The limits against a model in plain Python, through any sequence of calls, settlements and lapses of time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.inference.gateway.limits import Checks, Hold, Limiter, LimitReached, Scopes, Spent, Subject
from mainspring.inference.gateway.policy import Limit, TenantPolicy

LEASE = timedelta(hours=5)
LIMITS = {
    "tenant": Limit(scope="tenant", concurrency=5, calls_per_month=12, budget_per_day_micros=100),
    "user": Limit(scope="user", concurrency=2, calls_per_day=4, budget_per_month_micros=90),
}
START = datetime(2040, 1, 30, 20, 10, tzinfo=UTC)  # a day and a month end soon


@dataclass
class Call:
    """A call as the model sees it; `used` is None until it is settled."""

    user: str
    began_at: datetime
    estimate: int
    is_held: bool = True
    used: int | None = None


@dataclass
class Model:
    """What the limits promise, said the slow and obvious way."""

    now: datetime = START
    calls: list[Call] = field(default_factory=list[Call])

    def admits(self, user: str, estimate: int) -> bool:
        if self._fits(user, estimate):
            return True
        for call in self.calls:
            if call.used is None and self.now >= call.began_at + LEASE:
                call.is_held = False
        return self._fits(user, estimate)

    def _fits(self, user: str, estimate: int) -> bool:
        every, own = self.calls, [call for call in self.calls if call.user == user]
        return (
            sum(call.is_held for call in every) < 5
            and sum(call.is_held for call in own) < 2
            and self._count(every, by_day=False) < 12
            and self._count(own, by_day=True) < 4
            and self._micros(every, by_day=True) + estimate <= 100
            and self._micros(own, by_day=False) + estimate <= 90
        )

    def _count(self, calls: Sequence[Call], *, by_day: bool) -> int:
        return sum(call.is_held or call.used is not None for call in calls if self._is_now(call, by_day))

    def _micros(self, calls: Sequence[Call], *, by_day: bool) -> int:
        within = [call for call in calls if self._is_now(call, by_day)]
        return sum(call.estimate if call.is_held else call.used or 0 for call in within)

    def _is_now(self, call: Call, by_day: bool) -> bool:
        if by_day:
            return call.began_at.date() == self.now.date()
        return (call.began_at.year, call.began_at.month) == (self.now.year, self.now.month)


class NothingBooked:
    """Totals of a new tenant."""

    async def read(self, tenant: TenantId, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
        return {}


reserves = st.tuples(st.just("reserve"), st.sampled_from(["ann", "bob", "eve"]), st.integers(0, 60))
settlements = st.tuples(st.just("settle"), st.integers(0, 30), st.integers(0, 70))
lapses = st.tuples(st.just("lapse"), st.sampled_from([20, 100, 301, 700, 1500]), st.just(0))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(reserves, reserves, settlements, lapses), min_size=5, max_size=60))
def test_the_script_admits_exactly_what_the_model_admits(
    engines: EngineUrls, steps: list[tuple[str, str | int, int]]
) -> None:
    asyncio.run(follow(engines.valkey_url, steps))


async def follow(url: str, steps: list[tuple[str, str | int, int]]) -> None:
    model, holds = Model(), list[Hold]()
    wire = await ValkeyWire(url, reply_timeout=timedelta(seconds=30)).start()
    limiter = Limiter(wire, NothingBooked(), shift=lambda: model.now - datetime.now(UTC))
    policy, tenant = TenantPolicy(limits=tuple(LIMITS.values())), TenantId(new_id())
    try:
        for verb, subject, number in steps:
            if verb == "lapse":
                model.now += timedelta(minutes=int(subject))
            elif verb == "settle" and holds:
                place = int(subject) % len(holds)
                limiter.settle(holds[place], tokens=0, cost_micros=number)
                call = model.calls[place]
                if call.used is None:
                    call.is_held, call.used = False, number
            elif verb == "reserve":
                checks = limiter.checks(policy, Scopes(tenant, user=str(subject)))
                hold = await attempt(limiter, checks, number)
                assert (hold is not None) is model.admits(str(subject), number)
                if hold is not None:
                    holds.append(hold)
                    model.calls.append(Call(str(subject), model.now, number))
    finally:
        await wire.close()


async def attempt(limiter: Limiter, checks: Checks, cost: int) -> Hold | None:
    try:
        return await limiter.reserve(checks, new_id(), tokens=0, cost_micros=cost, lease=LEASE)
    except LimitReached:
        return None
