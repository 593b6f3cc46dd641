"""A product for the browser: orders with items that may fail, a person who decides, a signal, and what undoes.

Every word of an order chooses what happens to it, so that a test makes the run that it wants to look at.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from mainspring.orchestration.approvals import Approvals, Decision, Proposal, Verdict
from mainspring.orchestration.pipelines import Abandon, Gathered, Pipeline, StepRun, Undo, Wait, for_signal
from mainspring.orchestration.products import Brought, Product, Services

NAME = "rehearsal.order"
MARKDOWN = """## Ship the order

**{count} parcels** go out to `{address}`.

- paid in advance
- insured

<script>alert("never run")</script> [a place](https://example.com/elsewhere)
"""


class Order(msgspec.Struct, frozen=True):
    """What is ordered. An item named "broken" fails; `wants` is approval, signal, failure or nothing."""

    items: list[str]
    wants: str = "nothing"
    address: str = "12 High Street"


class Picked(msgspec.Struct, frozen=True):
    """What lies ready."""

    items: list[str]
    wants: str
    address: str


class Packed(msgspec.Struct, frozen=True):
    """One parcel."""

    item: str


@dataclass(frozen=True, slots=True)
class Packing:
    """The order, and what became of its items."""

    pick: Picked
    pack: Gathered[Packed]


class Shipment(msgspec.Struct, frozen=True):
    """What is to go out."""

    parcels: int
    wants: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about."""

    pick: Picked
    count: Shipment


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the carrier is told."""

    count: Shipment
    agree: Decision


class Paper(msgspec.Struct, frozen=True):
    """What a carrier says."""

    number: str


def build(services: Services) -> Brought:
    """One pipeline, which callers may start."""
    return Brought(pipelines=(build_pipeline(services.approvals),), startable=frozenset({NAME}))


def build_pipeline(approvals: Approvals) -> Pipeline:
    """Pick, pack each item, ask a person, wait for the carrier."""
    order = Pipeline(NAME, version=1)
    _declare_packing(order)
    _declare_shipping(order, approvals)
    return order


def _declare_packing(order: Pipeline) -> None:
    @order.step("pick", title="Pick what was ordered")
    async def pick(given: Order, run: StepRun) -> Picked:
        await run.say(f"Picking {len(given.items)} items")
        return Picked(given.items, given.wants, given.address)

    @order.compensation("pick")
    async def put_back(undo: Undo[Order, Picked], run: StepRun) -> None:
        await run.say("Putting everything back")

    @order.step("pack", title="Pack each item", after=("pick",), each="pick.items", tolerance=0.5, retries=0)
    async def pack(item: str, run: StepRun) -> Packed:
        if item == "broken":
            raise Abandon("The item is broken; order another one.", code="item_broken")
        return Packed(item)

    @order.step("count", title="Count the parcels", after=("pick", "pack"), retries=0)
    async def count(given: Packing, run: StepRun) -> Shipment:
        if given.pick.wants == "failure":
            raise Abandon(f"No carrier goes to {given.pick.address}; give another address.", code="no_carrier")
        return Shipment(len(given.pack.outputs), given.pick.wants)


def _declare_shipping(order: Pipeline, approvals: Approvals) -> None:
    @order.step("agree", title="Have a person agree", after=("pick", "count"))
    async def agree(given: Question, run: StepRun) -> Wait[Decision] | Decision:
        if given.count.wants != "approval":
            return Decision("", Verdict.APPROVE, {}, None, datetime.now(UTC), "")
        return await approvals.ask_step(run, _proposal(given.pick, given.count))

    @order.step("ship", title="Wait for the carrier", after=("count", "agree"))
    async def ship(given: Agreed, run: StepRun) -> Wait[Paper] | Paper:
        if not given.agree.is_approved:
            raise Abandon("Nobody agreed to ship it; order again.", code="not_agreed")
        if given.count.wants == "signal":
            return for_signal("collected", expires=timedelta(days=3))
        return Paper("none")


def _proposal(pick: Picked, count: Shipment) -> Proposal:
    return Proposal(
        action="carrier.ship",
        arguments={"address": pick.address, "parcels": count.parcels},
        output={"label": f"{count.parcels} parcels to {pick.address}"},
        title=f"Ship {count.parcels} parcels to {pick.address}",
        shown=MARKDOWN.format(count=count.parcels, address=pick.address),
        roles=("role:reviewer", "role:admin"),
        expires=timedelta(days=14),
        escalate_after=timedelta(days=7),
        escalate_to=("role:owner",),
    )


product = Product("rehearsal", title="Rehearsal", build=build)
