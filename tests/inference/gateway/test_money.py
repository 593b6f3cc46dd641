"""What a call is held for, counts as and costs: never less than was written, never under another's name."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway import CallContext
from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.draft import Draft
from mainspring.inference.gateway.engine import bookings
from mainspring.inference.gateway.engine.orders import WireOrder
from mainspring.inference.gateway.engine.replies import read_reply
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.limits import ChecksMemo, Scopes
from mainspring.inference.gateway.models.prices import PriceTag, Rates
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from mainspring.inference.gateway.providers import anthropic, openai, responses
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.server.reading import read_call, read_cap, read_choices
from mainspring.inference.gateway.types import Operation
from mainspring.inference.messages import Started, TextDelta
from tests.upstream import Fault, Reply

from .doors import EITHER, FIRST, SECOND, Place, ask, open_place

ONE_A_DAY = 1


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("money")) as opened:
        yield opened


def _order(inbound: Inbound, body: bytes) -> WireOrder:
    return WireOrder.read(inbound, body)


def test_a_limit_of_output_is_read_in_the_names_of_its_dialect_and_the_largest_counts() -> None:
    body = b'{"model":"m","max_tokens":5,"max_completion_tokens":900,"max_output_tokens":7000}'
    assert read_cap(_order(openai.INBOUND, body)) == 900
    assert read_cap(_order(anthropic.INBOUND, body)) == 5
    assert read_cap(_order(responses.INBOUND, body)) == 7000
    assert read_cap(_order(openai.INBOUND, b'{"model":"m","max_output_tokens":1}')) is None


def test_every_reply_that_is_asked_for_counts() -> None:
    order = _order(openai.INBOUND, b'{"model":"m","max_tokens":5,"n":8,"best_of":3}')
    assert read_call(order, CallContext(TenantId(new_id()))).choices == 8
    assert read_choices(_order(anthropic.INBOUND, b'{"model":"m","n":8}')) == 1
    with pytest.raises(InvalidRequest, match="n is 0"):
        read_choices(_order(openai.INBOUND, b'{"model":"m","n":0}'))


@pytest.mark.parametrize(
    ("pieces", "tokens"),
    [
        (["The", " notice", " period", " is", " three", " months", "."], 7),
        (["internationalization", " \n", "Überprüfung", "通知"], 4),
        (["The notice period is three months."], 7),
        (["The notice", " period is", ""], 4),
    ],
)
def test_a_stream_without_counts_is_worth_its_pieces_or_the_words_in_them(pieces: list[str], tokens: int) -> None:
    collector = Collector()
    collector.add(Started("x", "m"))
    for piece in pieces:
        collector.add(TextDelta(piece))
    assert collector.is_estimate
    assert collector.usage.output_tokens == tokens


def test_checks_are_not_made_anew_for_what_no_limit_looks_at() -> None:
    memo, tenant = ChecksMemo(), TenantId(new_id())
    policy = TenantPolicy(limits=(Limit(scope="model", match="*", concurrency=5),))
    first = memo.checks(policy, Scopes(tenant, "ann", "key", "m", "search"))
    assert memo.checks(policy, Scopes(tenant, "bob", "other", "m", "chat")) is first
    assert memo.checks(policy, Scopes(tenant, "ann", "key", "n", "search")) is not first


def test_names_that_callers_invent_fill_no_memory() -> None:
    context = CallContext(TenantId(new_id()))
    for number in range(5_000):
        bookings.scopes_of(context, f"acme/invented-{number}")
    assert len(bookings._kept) <= 2_000  # pyright: ignore[reportPrivateUsage] - its bound is the claim


def test_a_process_that_dies_books_nothing_for_a_call_with_the_tenants_own_key() -> None:
    draft = Draft(new_id(), 0.0, CallContext(TenantId(new_id())), Operation.CHAT, model_asked="m")
    ours = draft.died_line(10, 5).split(b"\t")
    draft.own_key = True
    own = draft.died_line(10, 0).split(b"\t")
    assert [(before, now) for before, now in zip(ours, own, strict=True) if before != now] == [
        (b"5", b"0"),
        (b"f", b"t"),
    ]


async def test_a_limit_of_a_model_holds_however_the_model_is_called(place: Place) -> None:
    limits = (Limit(scope="model", match=FIRST, calls_per_day=ONE_A_DAY),)
    member = await place.member(TenantPolicy(limits=limits))
    assert (await place.chat(member, ask(FIRST))).status_code == 200
    assert (await place.chat(member, ask(EITHER))).status_code == 429


async def test_a_call_is_booked_and_counted_under_the_model_that_served(place: Place) -> None:
    limits = tuple(Limit(scope="model", match=name, calls_per_day=ONE_A_DAY) for name in (FIRST, SECOND))
    member = await place.member(TenantPolicy(limits=limits, retry_share=1.0))
    place.script(FIRST, Fault.UNAVAILABLE)
    answer = await place.chat(member, ask(EITHER))
    assert answer.headers["x-mainspring-provider"] == "clau"
    assert (await place.record(member, answer))["attempts"] == 2
    assert await _booked(place, member.tenant) == {SECOND}
    assert (await place.chat(member, ask(SECOND))).status_code == 429
    assert (await place.chat(member, ask(FIRST))).status_code == 200


def test_a_tier_of_service_is_held_and_priced_at_its_own_rates() -> None:
    plain, dear = Rates(2_000_000, 10_000_000, 0, 0, 0), Rates(4_000_000, 20_000_000, 0, 0, 20_000_000)
    price = PriceTag("made", ((-1, plain),), variants={"priority": ((-1, dear),)})
    assert (price.estimate(10, 1), price.estimate(10, 1, variant="priority")) == (30, 60)
    assert price.estimate(10, 1, variant="default") == 30
    order = _order(openai.INBOUND, b'{"model":"m","service_tier":"priority"}')
    assert read_call(order, CallContext(TenantId(new_id()))).tier == "priority"
    reply = b'{"choices":[{"finish_reason":"stop"}],"service_tier":"default"}'
    assert read_reply("openai", reply).tier == "default"


async def test_the_tier_of_service_sets_no_price_where_there_is_none_for_it(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply())
    answer = await place.chat(member, ask(model, service_tier="priority"))
    record = await place.record(member, answer)
    assert record["cost_micros"] == 2 * record["input_tokens"] + 10 * record["output_tokens"]


async def test_a_call_that_timed_out_pays_for_what_it_sent(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, *[Fault.HANG] * 9)
    await place.chat(member, ask(model), x_mainspring_timeout="0.3")
    (record,) = await place.records(member, 1)
    assert (record["error_code"], record["usage_source"]) == ("model_timed_out", "estimated")
    assert record["cost_micros"] == 2 * record["input_tokens"] > 0


async def test_a_caller_that_goes_while_its_call_is_held_leaves_nothing_held(place: Place) -> None:
    policy = TenantPolicy(limits=(Limit(scope="tenant", concurrency=1),))
    limiter, tenant = place.gateway.engine.limiter, (await place.member()).tenant
    assert limiter is not None
    checks = limiter.checks(policy, Scopes(tenant))

    async def reserve(identifier: UUID) -> None:
        await limiter.reserve(checks, identifier, tokens=1, cost_micros=0, lease=timedelta(hours=1))

    going = asyncio.create_task(reserve(new_id()))
    await asyncio.sleep(0)  # it is sent, and not answered yet
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await asyncio.sleep(0.2)
    await reserve(new_id())


async def _booked(place: Place, tenant: TenantId) -> set[str]:
    async with place.database.tenant(tenant) as transaction:
        rows = await transaction.all("select value from gateway_spend where scope = 'model'")
    return {row["value"] for row in rows}
