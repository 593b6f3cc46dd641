"""One call through the gateway: what comes back, what is tried again, and what is recorded."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway import CallContext, CallKind, Gateway, GatewaySettings
from mainspring.inference.gateway.build import build_engine
from mainspring.inference.gateway.errors import (
    AiDisabled,
    ContentRefused,
    ContextTooLong,
    InvalidOutput,
    Overloaded,
    RateLimited,
    StreamBroken,
    TimedOut,
    UnknownModel,
)
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, SwitchBoard, scripted_gateway
from mainspring.inference.messages import (
    Finished,
    FinishReason,
    InferenceRequest,
    TextDelta,
    ToolCallPart,
    user,
)

from .conftest import OpenGateway, Records, wait_until

COMMITTING = SwitchBoard(TenantPolicy(durability="committed"))
HELLO = InferenceRequest((user("Hello?"),))
BUSY = ScriptedReply(status=503, error={"type": "server_error", "message": "vendor words"})


@dataclass(frozen=True, slots=True)
class Verdict:
    category: str
    confident: bool = False


async def test_a_reply_is_returned_and_recorded(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([ScriptedReply("All is well.")])
    run = new_id()
    completion = await gateway.complete(HELLO, context=replace(context, run=run, trace_id="t1"))
    assert completion.text == "All is well."
    assert provider.requests[0]["model"] == "scripted"
    (record,) = await records(1)
    shown = {name: record[name] for name in ("run_id", "step", "feature", "principal", "trace_id", "prompt_name")}
    assert shown == {
        "run_id": run,
        "step": "speak",
        "feature": "tests",
        "principal": "tester",
        "trace_id": "t1",
        "prompt_name": "p",
    }
    assert (record["model_asked"], record["model_served"]) == ("openai/scripted", "scripted")
    assert (record["status"], record["finish_reason"], record["attempts"]) == ("ok", "stop", 1)
    assert (record["input_tokens"], record["output_tokens"]) == (7, 5)
    assert record["latency_ms"] >= record["ttft_ms"] >= 0
    assert (record["cost_micros"], record["price_version"], record["stream"]) == (None, None, False)
    assert json.loads(record["input"])["messages"][0]["parts"][0]["text"] == "Hello?"
    assert json.loads(record["output"])["message"]["parts"][0] == {
        "type": "text",
        "text": "All is well.",
        "extra": None,
    }


async def test_a_stream_comes_word_by_word_and_ends_with_finished(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, _ = await open_gateway([ScriptedReply("one two three")])
    deltas = [delta async for delta in gateway.stream(HELLO, context=context)]
    assert [delta.text for delta in deltas if isinstance(delta, TextDelta)] == ["one ", "two ", "three"]
    assert deltas[-1] == Finished(FinishReason.STOP)
    (record,) = await records(1)
    assert record["stream"] is True


async def test_tool_calls_come_back_whole(open_gateway: OpenGateway, context: CallContext) -> None:
    calls = (ToolCallPart("1", "look", '{"a":1}'), ToolCallPart("2", "look", '{"a":2}'))
    gateway, _ = await open_gateway([ScriptedReply("Let me see.", tool_calls=calls)])
    completion = await gateway.complete(HELLO, context=context)
    assert completion.tool_calls == calls
    assert completion.finish_reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        ScriptedReply(status=429, error={"code": "rate_limit_exceeded"}, headers={"retry-after": "0"}),
        ScriptedReply(status=504),
        ScriptedReply("lost", break_after=0),
        ScriptedReply("lost", error_after=0, error={"type": "overloaded_error"}),
    ],
)
async def test_what_may_pass_is_tried_again_before_the_first_token(
    trouble: ScriptedReply, open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([trouble, trouble, ScriptedReply("At last.")])
    assert (await gateway.complete(HELLO, context=context)).text == "At last."
    assert len(provider.requests) == 3
    (record,) = await records(1)
    assert (record["status"], record["attempts"]) == ("ok", 3)


async def test_attempts_have_an_end_and_the_vendors_words_stay_inside(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([BUSY])
    with pytest.raises(Overloaded) as raised:
        await gateway.complete(HELLO, context=context)
    assert len(provider.requests) == 3
    assert "vendor" not in raised.value.detail
    (record,) = await records(1)
    assert (record["status"], record["error_code"], record["attempts"]) == ("error", "model_overloaded", 3)
    assert json.loads(record["output"])["vendor_text"] == "vendor words"


async def test_what_cannot_pass_is_not_tried_again(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, provider = await open_gateway([ScriptedReply(status=400, error={"code": "context_length_exceeded"})])
    with pytest.raises(ContextTooLong):
        await gateway.complete(HELLO, context=context)
    assert len(provider.requests) == 1


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    open_gateway: OpenGateway, context: CallContext
) -> None:
    gateway, provider = await open_gateway([ScriptedReply(status=429, headers={"retry-after": "3600"})])
    with pytest.raises(RateLimited) as raised:
        await gateway.complete(HELLO, context=context)
    assert raised.value.retry_after_seconds == 3600
    assert len(provider.requests) == 1


async def test_a_provider_that_says_nothing_is_given_up_at_the_deadline(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([ScriptedReply("too late", delay=60)])
    with pytest.raises(TimedOut):
        await gateway.complete(HELLO, context=replace(context, timeout=timedelta(milliseconds=80)))
    (record,) = await records(1)
    assert (record["status"], record["error_code"]) == ("error", "model_timed_out")
    assert provider.hang_ups == 1


@pytest.mark.parametrize("cut", [{"break_after": 2}, {"error_after": 2, "error": {"type": "server_error"}}])
async def test_a_stream_that_breaks_says_so_and_so_does_its_record(
    cut: dict[str, int], open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([ScriptedReply("one two three", **cut)])  # pyright: ignore[reportArgumentType] - the keys are fields
    words: list[str] = []

    async def listen() -> None:
        async for delta in gateway.stream(HELLO, context=context):
            words.extend([delta.text] if isinstance(delta, TextDelta) else [])

    with pytest.raises(StreamBroken):
        await listen()
    assert words == ["one ", "two "]
    assert len(provider.requests) == 1
    (record,) = await records(1)
    assert (record["status"], record["error_code"]) == ("broken", "model_stream_broken")
    assert record["output_tokens"] == 2
    assert json.loads(record["output"])["message"]["parts"][0]["text"] == "one two "


async def test_a_stream_closed_early_stops_the_provider_and_is_recorded_as_cancelled(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([ScriptedReply("one two three", pause=0.05)])
    async with aclosing(gateway.stream(HELLO, context=context)) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                break
    (record,) = await records(1)
    assert (record["status"], record["error_code"], record["output_tokens"]) == ("cancelled", "cancelled", 1)
    await wait_until(provider.was_left)


async def test_a_cancelled_task_stops_the_provider_and_is_recorded_as_cancelled(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([ScriptedReply("never", delay=60)])
    task = asyncio.create_task(gateway.complete(HELLO, context=context))
    await wait_until(provider.was_asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (record,) = await records(1)
    assert record["status"] == "cancelled"


async def test_a_reply_becomes_a_value(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, provider = await open_gateway([ScriptedReply('{"category": "cap", "confident": true}')])
    assert await gateway.complete_as(Verdict, HELLO, context=context) == Verdict("cap", True)
    assert provider.requests[0]["response_format"]["json_schema"]["schema"]["$defs"]["Verdict"] == {
        "title": "Verdict",
        "type": "object",
        "properties": {"category": {"type": "string"}, "confident": {"type": "boolean"}},
        "required": ["category", "confident"],
        "additionalProperties": False,
    }


async def test_a_reply_that_does_not_fit_is_repaired_once(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway(
        [ScriptedReply('{"category": 7}'), ScriptedReply('```json\n{"category": "cap"}\n```')]
    )
    assert await gateway.complete_as(Verdict, HELLO, context=context) == Verdict("cap")
    assert "category" in provider.requests[1]["messages"][-1]["content"]
    assert len(await records(2)) == 2


async def test_a_reply_that_still_does_not_fit_is_invalid(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, provider = await open_gateway([ScriptedReply("I would say: cap.")])
    with pytest.raises(InvalidOutput, match="Verdict"):
        await gateway.complete_as(Verdict, HELLO, context=context)
    assert len(provider.requests) == 2


async def test_a_refusal_is_not_taken_for_a_bad_value(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, provider = await open_gateway([ScriptedReply("I can't.", finish_reason=FinishReason.FILTERED)])
    with pytest.raises(ContentRefused):
        await gateway.complete_as(Verdict, HELLO, context=context)
    assert len(provider.requests) == 1


async def test_embeddings_come_in_order_and_are_recorded_without_their_texts(
    open_gateway: OpenGateway, context: CallContext, records: Records
) -> None:
    gateway, provider = await open_gateway([])
    texts = [f"clause {number}" for number in range(300)]
    embeddings = await gateway.embed(texts, context=context)
    alone = await gateway.embed(texts[299:], context=context)
    assert embeddings.vectors.shape == (300, 384)
    assert np.allclose(embeddings.vectors[299], alone.vectors[0])
    assert [len(request["input"]) for request in provider.requests] == [256, 44, 1]
    record = (await records(2))[0]
    assert (record["operation"], record["provider"], record["input_tokens"]) == ("embeddings", "local", 600)
    assert (record["cost_micros"], record["currency"]) == (0, "USD")
    assert record["input"] is None


async def test_no_texts_need_no_call(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, provider = await open_gateway([])
    assert len((await gateway.embed([], context=context)).vectors) == 0
    assert provider.requests == []


async def test_a_tenant_without_ai_reaches_no_model_but_local_embeddings(
    open_gateway: OpenGateway, context: CallContext
) -> None:
    switch = SwitchBoard()
    gateway, provider = await open_gateway([ScriptedReply("Hi.")], switch)
    switch.off.add(context.tenant)
    processing = replace(context, kind=CallKind.PROCESSING)
    for refused in (context, processing):
        with pytest.raises(AiDisabled) as raised:
            await gateway.complete(HELLO, context=refused)
    assert (raised.value.status, raised.value.code) == (403, "ai_disabled")
    with pytest.raises(AiDisabled):
        await gateway.embed(["x"], context=context)
    with pytest.raises(AiDisabled):
        await gateway.embed(["x"], model="openai/text-embedding-3-small", context=processing)
    assert provider.requests == []
    assert len((await gateway.embed(["x"], context=processing)).vectors) == 1


async def test_an_unknown_model_is_named(open_gateway: OpenGateway, context: CallContext) -> None:
    gateway, _ = await open_gateway([])
    for name in ("anthropic/claude", "scripted", "openai/"):
        with pytest.raises(UnknownModel, match=r"local/\.\.\., openai/"):
            await gateway.complete(replace(HELLO, model=name), context=context)


async def test_no_model_is_called_inside_a_transaction(
    open_gateway: OpenGateway, context: CallContext, database: Database
) -> None:
    gateway, provider = await open_gateway([])
    async with database.tenant(context.tenant):
        with pytest.raises(RuntimeError, match="transaction is open"):
            await gateway.complete(HELLO, context=context)
        with pytest.raises(RuntimeError, match="transaction is open"):
            await gateway.embed(["x"], context=context)
    assert provider.requests == []


async def test_the_models_follow_from_the_settings(database: Database, tmp_path: Path) -> None:
    bare = Gateway(build_engine(GatewaySettings(tmp_path, models_url="http://127.0.0.1:1/v1"), database, SwitchBoard()))
    assert (bare.default_chat_model(), bare.capable_model()) == ("local/smollm2-135m-instruct", None)
    assert bare.embedding_model() == "local/minilm-l6-v2"
    await bare.close()
    with pytest.raises(InvalidInput, match="anthropic"):
        build_engine(GatewaySettings(tmp_path, capable_model="anthropic/claude-sonnet-4-5"), database, SwitchBoard())


async def test_committed_records_are_in_postgres_before_the_result(
    database: Database, tmp_path: Path, context: CallContext
) -> None:
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, database, tmp_path, switch=COMMITTING)
        await gateway.complete(HELLO, context=context)
        async with database.tenant(context.tenant) as transaction:
            assert len(await transaction.all("select 1 from inference_record where status = 'ok'")) == 1
        await gateway.close()


async def test_committed_calls_are_refused_while_postgres_is_away(tmp_path: Path) -> None:
    away = await Database.open("postgresql://127.0.0.1:1/none?connect_timeout=1")
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, away, tmp_path, switch=COMMITTING)
        with pytest.raises(Unavailable):
            await gateway.complete(HELLO, context=CallContext(TenantId(new_id())))
        assert provider.requests == []
        await gateway.close()
    await away.close()
