"""Pipelines to operate: one that goes well, one that fails until it is mended, and one whose input is another's."""

from dataclasses import dataclass, field

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Abandon, Pipeline, StepRun


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered; a negative amount is refused by the second step."""

    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Priced:
    """An order with its price."""

    amount: int
    price: int


@dataclass(slots=True)
class Counter:
    """How often steps ran for a tenant, and whether the shop is mended."""

    tenant: TenantId | None = None
    priced: int = 0
    shipped: int = 0
    is_mended: bool = False
    seen: list[int] = field(default_factory=list[int])


STARTABLE = frozenset({"tests.shop"})


def shop(counter: Counter, *, version: int = 1) -> Pipeline:
    """price -> ship, which fails on negative amounts until it is mended."""
    pipeline = Pipeline("tests.shop", version=version)

    @pipeline.step("price", title="Look up the price")
    async def price(order: Order, run: StepRun) -> Priced:
        counter.priced += run.tenant == counter.tenant
        return Priced(order.amount, abs(order.amount) * (100 if version == 1 else 200))

    @pipeline.step("ship", title="Ship it", after=("price",), retries=0)
    async def ship(priced: Priced, run: StepRun) -> Priced:
        if priced.amount < 0 and not counter.is_mended:
            raise Abandon(f"The amount {priced.amount} cannot be shipped.", code="amount_refused")
        if run.tenant == counter.tenant:  # a worker also runs what other tests left
            counter.shipped += 1
            counter.seen.append(priced.price)
        return priced

    return pipeline


def inner(counter: Counter) -> Pipeline:
    """A pipeline of the platform: callers may not choose what it is given."""
    pipeline = Pipeline("tests.inner", version=1)

    @pipeline.step("read", title="Read what the key names")
    async def read(order: Order, run: StepRun) -> Order:
        counter.priced += run.tenant == counter.tenant
        return order

    return pipeline


def every_pipeline(counter: Counter | None = None) -> tuple[Pipeline, ...]:
    """All of them, the shop in two versions."""
    counting = counter or Counter()
    return (shop(counting), shop(counting, version=2), inner(counting))
