"""The gateway as a process while its providers fail: the fast forms; the long ones are in `tests/chaos`.

Every fault is met in both of a caller's dialects, passed on and translated, streamed and not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import product

import pytest

from mainspring.application.identity import operator
from mainspring.foundation.db import Row
from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import Limit, RoutingPolicy, TenantPolicy
from tests.upstream import Fault, Reply
from tests.upstream.script import STATUSES

from .asking import Ask, Told, ask, asking, hang_up
from .running import LARGE, Case, Dialect, House, Member, open_house, until

BUDGET = (Limit(scope="tenant", budget_per_month_micros=10**12, concurrency=100_000),)
BOTH = TenantPolicy(limits=BUDGET, retry_share=1.0)
ALONE = TenantPolicy(limits=BUDGET, retry_share=1.0, residency="eu")
TIMEOUT = 2.0
PATIENCE = 8.0
"""Seconds beyond the timeout: a hundred calls at once take their time on a busy machine."""

DIALECTS: tuple[Dialect, ...] = ("openai", "anthropic")
WAYS = tuple(product(DIALECTS, DIALECTS, (False, True)))
"""Caller's dialect, provider's, and whether the reply is streamed."""

ANSWERS_NOTHING = (
    *(Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.OVERLOADED, Fault.UNAUTHORIZED),
    *(Fault.HANG, Fault.RESET, Fault.GARBAGE, Fault.GARBAGE_BODY, Fault.HTML, Fault.ENDLESS_HEADER),
)
BREAKS = (Fault.RESET_MIDWAY, Fault.CUT, Fault.ERROR_IN_STREAM, Fault.TRUNCATED_JSON, Fault.LENGTH_TOO_LONG)
LOST = (Fault.HANG, Fault.RESET, Fault.RESET_MIDWAY, Fault.CUT, Fault.LENGTH_TOO_LONG)
"""The provider had the call, and nobody knows what it did with it."""
FALLS_SILENT = (Fault.HANG_AFTER_HEADERS, Fault.STALL, Fault.DRIP)


@dataclass(frozen=True, slots=True)
class Met:
    """One call under one fault."""

    fault: Fault
    way: tuple[Dialect, Dialect, bool]
    case: Case
    told: Told
    seconds: float

    @property
    def label(self) -> str:
        """For failures."""
        asked, served, stream = self.way
        how = "streamed" if stream else "whole"
        return f"{self.fault} in {asked} over {served}, {how}: {self.told} after {self.seconds:.1f} s {self.case.asked}"


@pytest.fixture(scope="module")
async def house(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines, tmp_path_factory.mktemp("house")) as opened:
        yield opened
        assert opened.gateway.complaints() == []


async def meet(
    house: House, member: Member, faults: Iterable[tuple[Fault, int, tuple[Dialect, Dialect, bool]]]
) -> list[Met]:
    """Call under each fault, all at once; the US endpoint is sound."""

    async def one(fault: Fault, after: int, way: tuple[Dialect, Dialect, bool]) -> Met:
        asked, served, stream = way
        case = house.case(served)
        pause = 0.2 if fault is Fault.DRIP else 0.03 if after else 0  # so that each piece is read on its own
        line = Reply(text="one two three four", fault=fault, fault_after=after, pause=pause)
        case.always(eu=line, us=Reply(text="all is well"))
        began = time.monotonic()
        async with asyncio.timeout(TIMEOUT + PATIENCE):
            told = await ask(house, member, case, Ask(asked, stream, TIMEOUT))
        return Met(fault, way, case, told, time.monotonic() - began)

    return await asyncio.gather(*[one(*each) for each in faults])


def by_model(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["model_asked"]: row for row in rows}


def asked_for(met: Met, attempts: int) -> tuple[bool, int]:
    """Whether the EU endpoint got so many calls, and how many the US endpoint got.

    A kept connection that is reset before a byte of the answer is one attempt with a fresh one, at each attempt.
    """
    eu, us = met.case.asked
    return attempts <= eu <= attempts * (1 + (met.fault is Fault.RESET)), us


async def test_a_call_is_answered_recorded_and_booked_once(house: House) -> None:
    member = await house.member(BOTH)
    cases = [(house.case(served), Ask(asked, stream)) for asked, served, stream in WAYS]
    for told in await asyncio.gather(*[ask(house, member, case, how) for case, how in cases]):
        assert (told.status, told.text, told.is_whole) == (200, "This is a scripted reply.", True)
    for record in await house.books_agree(member, len(cases)):
        assert (record["status"], record["attempts"], record["cost_micros"]) == ("ok", 1, 12 * 2 + 7 * 10)
    assert [case.asked for case, _ in cases] == [(1, 0)] * len(cases)


async def fails_over(house: House, faults: list[tuple[Fault, int, tuple[Dialect, Dialect, bool]]]) -> None:
    member = await house.member(BOTH)
    found = await meet(house, member, faults)
    records = by_model(await house.books_agree(member, len(found)))
    for met in found:
        record = records[met.case.name]
        assert (met.told.status, met.told.text, met.told.is_whole) == (200, "all is well", True), met.label
        assert (record["status"], record["attempts"], record["region"]) == ("ok", 2, "us-east-1"), met.label
        assert asked_for(met, 1) == (True, 1), met.label
        assert met.seconds < TIMEOUT + PATIENCE, met.label
        assert met.told.id, met.label


async def test_what_fails_before_the_first_token_fails_over_unseen(house: House) -> None:
    await fails_over(house, [(fault, 0, way) for fault, way in product(ANSWERS_NOTHING, WAYS)])


async def test_what_breaks_before_the_first_token_fails_over_unseen(house: House) -> None:
    ways = [(fault, 0, way) for fault, way in product(BREAKS, WAYS)]
    # Anthropic's block begins before its first token; and its errors in a whole answer: see the test below.
    await fails_over(house, [each for each in ways if each[0] is not Fault.ERROR_IN_STREAM or each[2][2]])


async def test_an_error_in_place_of_a_whole_answer_fails_over(house: House) -> None:
    await fails_over(house, [(Fault.ERROR_IN_STREAM, 0, way) for way in WAYS if not way[2]])


async def test_what_falls_silent_after_its_headers_fails_over_in_time(house: House) -> None:
    await fails_over(house, [(fault, 0, way) for fault, way in product(FALLS_SILENT, WAYS)])


async def breaks_honestly(house: House, ways: Iterable[tuple[Dialect, Dialect, bool]]) -> None:
    member = await house.member(BOTH)
    found = await meet(house, member, [(fault, 3, way) for fault, way in product(BREAKS, ways)])
    records = by_model(await house.books_agree(member, len(found)))
    for met in found:
        told, record = met.told, records[met.case.name]
        assert told.error, met.label
        assert (told.status, told.is_whole, told.is_cut) == (200, False, False), met.label
        assert told.text in ("one two ", "one two three "), met.label
        assert (record["status"], record["error_code"], record["attempts"]) == ("broken", "model_stream_broken", 1)
        assert record["output_tokens"] == len(told.text.split()), met.label
        assert record["usage_source"] == "counted", met.label
        assert met.case.asked == (1, 0), met.label


async def test_a_stream_that_breaks_says_so_and_is_counted_as_far_as_it_was_passed_on(house: House) -> None:
    await breaks_honestly(house, [("openai", "openai", True)])


async def test_a_translated_stream_that_breaks_is_counted_as_far_as_it_was_passed_on(house: House) -> None:
    await breaks_honestly(house, [("anthropic", "openai", True)])


async def test_a_stream_that_breaks_is_counted_though_its_first_event_tells_a_count(house: House) -> None:
    await breaks_honestly(house, [("anthropic", "anthropic", True)])


async def test_a_stream_without_its_last_event_is_given_one(house: House) -> None:
    member = await house.member(BOTH)
    found = await meet(house, member, [(Fault.NO_END, 0, way) for way in WAYS if way[2]])
    for met in found:
        assert (met.told.text, met.told.is_whole, met.told.error) == ("one two three four", True, None), met.label
    assert {row["status"] for row in await house.books_agree(member, len(found))} == {"ok"}


async def test_a_stream_without_content_is_no_reply_or_an_empty_one_but_ends_once(house: House) -> None:
    member = await house.member(BOTH)
    found = await meet(house, member, [(Fault.EMPTY_CHOICES, 0, way) for way in WAYS])
    for met in found:  # an empty choice list is no reply; a message without content is one, as Anthropic ends turns so
        text = "all is well" if met.way[1] == "openai" else ""
        assert (met.told.status, met.told.text or "", met.told.is_whole) == (200, text, True), met.label
    await house.books_agree(member, len(found))


async def test_with_one_provider_a_failure_is_an_honest_error_in_time(house: House) -> None:
    member = await house.member(ALONE)
    faults = [*ANSWERS_NOTHING, Fault.RESET_MIDWAY, Fault.CUT, Fault.LENGTH_TOO_LONG, Fault.CONTEXT_TOO_LONG]
    found = await meet(house, member, [(fault, 0, way) for fault, way in product(faults, WAYS)])
    records = by_model(await house.books_agree(member, len(found)))
    for met in found:
        record, told = records[met.case.name], met.told
        assert told.error, met.label
        assert told.status in (400, 429, 502, 503, 504, 529), met.label
        assert {"message"} <= told.error.keys(), met.label
        assert b"Traceback" not in told.body, met.label
        assert b"scripted failure" not in told.body, met.label
        assert record["status"] in ("error", "broken"), met.label
        if met.fault in STATUSES:
            assert (record["cost_micros"], record["input_tokens"]) == (0, 0), met.label
        elif met.fault in LOST:
            assert record["usage_source"] == "estimated", met.label
            assert record["cost_micros"] == 2 * record["input_tokens"] > 0, met.label
        assert asked_for(met, record["attempts"])[0], met.label
        assert met.case.asked[1] == 0, met.label
        assert met.seconds < TIMEOUT + PATIENCE, met.label


async def test_an_error_names_its_call(house: House) -> None:
    member, case = await house.member(ALONE), house.case()
    case.always(eu=Fault.UNAUTHORIZED)
    told = await ask(house, member, case)
    (record,) = await house.records(member, 1)
    assert told.status == 502
    assert told.id
    assert (await house.record(member, told.id))["id"] == record["id"]


@pytest.mark.parametrize("served", DIALECTS)
@pytest.mark.parametrize("asked", DIALECTS)
async def test_a_caller_that_hangs_up_pays_for_what_it_was_sent(house: House, asked: Dialect, served: Dialect) -> None:
    member, case = await house.member(BOTH), house.case(served)
    case.always(eu=Reply(text="word", chunks=10, pause=0.01, fault=Fault.STALL, fault_after=7))
    words = 0
    async with asking(house, member, case, Ask(asked, stream=True)) as response:
        pieces = response.aiter_raw()
        sent = b""
        while words < (7 if served == "openai" else 6):  # Anthropic's first piece only begins the text
            sent += await anext(pieces)
            words = sent.count(b"word ")
        hang_up(response)
    await case.eu.upstream.until(lambda upstream: case.eu.received(case.wire)[0].left_early)
    (record,) = await house.books_agree(member, 1)
    assert (record["status"], record["error_code"], record["usage_source"]) == ("cancelled", "cancelled", "counted")
    assert record["output_tokens"] == words


async def test_a_caller_that_closes_its_side_in_mid_stream_is_soon_found_gone(house: House) -> None:
    member, case = await house.member(BOTH), house.case()
    case.always(eu=Reply(chunks=1000, pause=0.02))
    async with asking(house, member, case, Ask(stream=True)) as response:
        pieces = response.aiter_raw()
        for _ in range(5):
            await anext(pieces)
    await case.eu.upstream.until(lambda _: case.eu.received(case.wire)[0].left_early)
    (record,) = await house.books_agree(member, 1)
    (received,) = case.eu.received(case.wire)
    assert (record["status"], record["usage_source"]) == ("cancelled", "counted")
    assert received.pieces_sent - 2 <= record["output_tokens"] <= received.pieces_sent < 50


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_that_hangs_up_before_the_answer_pays_for_what_was_sent_and_holds_nothing(
    house: House, stream: bool
) -> None:
    member, case = await house.member(BOTH), house.case()
    case.always(eu=Fault.HANG)
    calling = asyncio.create_task(ask(house, member, case, Ask(stream=stream)))
    await case.eu.upstream.until(lambda _: case.asked == (1, 0))
    assert (await house.counted(member.tenant)).live == 1
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await case.eu.upstream.until(lambda _: case.eu.received(case.wire)[0].left_early)
    (record,) = await house.books_agree(member, 1)
    assert (record["status"], record["usage_source"], case.asked) == ("cancelled", "estimated", (1, 0))
    assert record["output_tokens"] == 0
    assert record["cost_micros"] == 2 * record["input_tokens"] > 0


async def test_a_provider_that_keeps_failing_is_left_alone_then_tried_with_one_call(house: House) -> None:
    member, case = await house.member(BOTH), house.case()
    case.always(eu=Fault.SERVER_ERROR)
    for _ in range(5):
        assert (await ask(house, member, case)).text == "This is a scripted reply."
    assert case.asked == (5, 5)
    for told in await asyncio.gather(*[ask(house, member, case) for _ in range(20)]):
        assert told.is_whole
    assert case.asked == (5, 25), "an open circuit was tried"
    opened_at = time.monotonic()
    case.always(eu=Reply(delay=0.3))

    async def is_tried() -> bool:
        return all(told.is_whole for told in await asyncio.gather(*[ask(house, member, case) for _ in range(4)])) and (
            case.asked[0] > 5
        )

    await until(is_tried)
    assert 1 < time.monotonic() - opened_at < 4
    assert case.asked[0] == 6, "a half-open circuit was tried by more than one call"
    assert [(await ask(house, member, case)).is_whole for _ in range(3)] == [True] * 3
    assert case.asked[0] == 9, "the circuit is not closed"


async def test_a_crowd_that_fails_at_once_rests_a_provider_no_longer_than_one_failure(house: House) -> None:
    member, case = await house.member(BOTH), house.case()
    case.always(eu=Reply(delay=0.2, fault=Fault.SERVER_ERROR))
    await asyncio.gather(*[ask(house, member, case) for _ in range(40)])
    case.always(eu=Reply())
    failed_at, before = time.monotonic(), case.asked[0]

    async def is_back() -> bool:
        await ask(house, member, case)
        return case.asked[0] > before

    await until(is_back, 5)
    assert time.monotonic() - failed_at < 3


async def test_a_429_rests_its_deployment_for_as_long_as_it_says_and_no_other(house: House) -> None:
    member, case, other = await house.member(BOTH), house.case(), house.case()
    case.script(Reply(delay=0.2), Reply(fault=Fault.RATE_LIMITED, retry_after=2))
    early = asyncio.create_task(ask(house, member, case))  # ends well after the 429, and must not end the rest
    await case.eu.upstream.until(lambda _: case.asked[0] == 1)
    assert (await ask(house, member, case)).is_whole
    rested_at = time.monotonic()
    await early
    assert (await ask(house, member, case)).is_whole
    assert case.asked == (2, 2)
    assert (await ask(house, member, other)).is_whole
    assert other.asked == (1, 0), "another model of the endpoint rests too"

    async def is_back() -> bool:
        await ask(house, member, case)
        return case.asked[0] > 2

    await until(is_back)
    assert 1.7 < time.monotonic() - rested_at < 3


async def test_retry_after_is_waited_for_or_passed_on(house: House) -> None:
    member, case, slow = await house.member(ALONE), house.case(), house.case()
    case.script(Reply(fault=Fault.RATE_LIMITED, retry_after=1))
    slow.always(eu=Reply(fault=Fault.RATE_LIMITED, retry_after=30))
    began = time.monotonic()
    assert (await ask(house, member, case)).is_whole
    assert time.monotonic() - began > 1
    began = time.monotonic()
    told = await ask(house, member, slow, Ask(timeout=TIMEOUT))
    assert (told.status, int(told.headers["retry-after"])) == (429, 30)
    assert time.monotonic() - began < 1, "there was no use in waiting"


async def test_a_call_that_is_too_long_goes_to_a_larger_model_where_the_policy_allows(house: House) -> None:
    strict, case = await house.member(BOTH), house.case()
    bold = await house.member(TenantPolicy(limits=BUDGET, larger_on_long_context=True, residency="eu"))
    case.always(eu=Fault.CONTEXT_TOO_LONG, us=Fault.CONTEXT_TOO_LONG)
    for stream in (False, True):
        told = await ask(house, bold, case, Ask(stream=stream))
        assert (told.is_whole, told.headers["x-mainspring-model"].removeprefix("acme/")) == (True, "large")
        assert (await ask(house, strict, case, Ask(stream=stream))).status == 400
    records = await house.books_agree(bold, 2)
    assert {(row["status"], row["route_reason"], row["region"]) for row in records} == {
        ("ok", "larger", "eu-central-1")
    }
    assert house.us.received(LARGE.partition("/")[2]) == []


async def test_a_larger_model_is_held_before_it_is_asked_and_refused_by_its_own_limit(house: House) -> None:
    limits = (*BUDGET, Limit(scope="model", match=LARGE, calls_per_day=1))
    member = await house.member(TenantPolicy(limits=limits, larger_on_long_context=True, residency="eu"))
    case = house.case()
    case.always(eu=Fault.CONTEXT_TOO_LONG)
    asked_before = len(house.eu.received(LARGE.partition("/")[2]))
    assert (await ask(house, member, case)).is_whole
    assert (await ask(house, member, case)).status == 429
    assert len(house.eu.received(LARGE.partition("/")[2])) == asked_before + 1


async def test_a_hedge_is_won_by_the_faster_and_recorded_as_such(house: House) -> None:
    policy = TenantPolicy(limits=BUDGET, hedge_ms=100)
    member, slow, quick, tardy = await house.member(policy), house.case(), house.case(), house.case()
    slow.always(eu=Reply(delay=5), us=Reply(text="the second"))
    tardy.always(eu=Reply(delay=0.4, text="the first"), us=Reply(delay=5))
    for stream in (False, True):
        began = time.monotonic()
        assert (await ask(house, member, slow, Ask(stream=stream))).text == "the second"
        assert time.monotonic() - began < 1
        await slow.eu.upstream.until(lambda _: slow.eu.received(slow.wire)[-1].left_early)
        assert (await ask(house, member, quick, Ask(stream=stream))).is_whole
        told = await ask(house, member, tardy, Ask(stream=stream))
        assert (told.text, told.headers["x-mainspring-region"]) == ("the first", "eu-central-1")
    assert (slow.asked, quick.asked, tardy.asked) == ((2, 2), (2, 0), (2, 2))
    records = await house.books_agree(member, 6)
    regions = [(row["region"], row["attempts"]) for row in records]
    assert regions == [("us-east-1", 2), ("eu-central-1", 1), ("eu-central-1", 2)] * 2


async def test_retries_have_a_budget(house: House) -> None:
    member, case = await house.member(TenantPolicy(limits=BUDGET, retry_share=0.0)), house.case()
    case.always(eu=Reply(fault=Fault.UNAUTHORIZED))  # a failure that opens no circuit
    found = await asyncio.gather(*[ask(house, member, case) for _ in range(40)])
    assert case.asked == (40, 10), "more than the ten retries that are always allowed"
    assert sorted({told.status for told in found}) == [200, 502]
    rows = await house.books_agree(member, 40)
    assert sum(row["attempts"] for row in rows) == 50


async def test_switch_key_and_policy_take_hold_within_a_second(house: House) -> None:
    member, case = await house.member(BOTH), house.case()
    owner = operator(member.tenant)

    async def answers(code: str | None) -> float:
        began = time.monotonic()

        async def is_so() -> bool:
            told = await ask(house, member, case)
            return (told.error or {}).get("code") == code

        await until(is_so)
        return time.monotonic() - began

    await house.identity.set_ai_enabled(owner, False)
    assert await answers("ai_disabled") < 1
    await house.identity.set_ai_enabled(owner, True)
    assert await answers(None) < 1
    await house.write_policy(member.tenant, TenantPolicy(allow=("clau/*",)))
    assert await answers("no_permitted_route") < 1
    await house.write_policy(member.tenant, TenantPolicy(limits=(Limit(scope="tenant", calls_per_day=0),)))
    assert await answers("rate_limit_exceeded") < 1
    await house.write_policy(member.tenant, BOTH)
    assert await answers(None) < 1
    await house.identity.keys.revoke(owner, member.key_id)
    assert await answers("invalid_api_key") < 1


@pytest.mark.parametrize("asked", DIALECTS)
async def test_a_call_without_a_permitted_route_is_forbidden_and_no_failure_of_ours(
    house: House, asked: Dialect
) -> None:
    member, case = await house.member(TenantPolicy(residency="jp")), house.case()
    told = await ask(house, member, case, Ask(asked))
    assert (told.status, case.asked) == (403, (0, 0))
    assert told.error
    assert "is not known to lie in jp" in told.error["message"]


async def test_nothing_of_a_tenant_confined_to_the_eu_goes_elsewhere(house: House) -> None:
    elsewhere = {"acme-us": 100.0, "clau-us": 100.0}
    routing = RoutingPolicy(prefer=("acme-us", "clau-us"), weights=elsewhere)
    confined = await house.member(TenantPolicy(limits=BUDGET, residency="eu", routing=routing, hedge_ms=50))
    free = await house.member(TenantPolicy(limits=BUDGET, retry_share=1.0))
    faults = [*ANSWERS_NOTHING, *BREAKS, Fault.NO_END, Fault.EMPTY_CHOICES, Fault.CONTEXT_TOO_LONG]
    ways = [(fault, 0, way) for fault, way in product(faults, WAYS)]
    before = house.us.upstream.bytes_received, house.us.upstream.connections
    found = await meet(house, confined, ways)
    assert (house.us.upstream.bytes_received, house.us.upstream.connections) == before
    for met in found:
        assert met.case.asked[1] == 0, met.label
        assert met.told.error or met.told.is_whole, met.label
    rows = await house.books_agree(confined, len(found))
    assert {row["region"] for row in rows} <= {"eu-central-1", None}
    assert {row["residency"] for row in rows} == {"eu"}
    assert (await ask(house, free, found[0].case)).text == "all is well"
