"""What the dialects tell of a story: nothing twice, nothing void, and every opening with its end."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.ids import new_id, show_id
from mainspring.orchestration.pipelines.dialects import AgUi, AiSdk, Conversation, translate
from mainspring.orchestration.pipelines.types import EventId, EventType, RunEvent, RunId

RUN = RunId(new_id())
NAME = show_id("run", RUN)
AT = datetime(2026, 3, 1, tzinfo=UTC)
STEPS = [{"name": "read", "title": "Read it"}, {"name": "write", "title": "Write it"}]


def event(kind: EventType, **facts: Any) -> RunEvent:
    """An event of the run."""
    return RunEvent(EventId(1, 1), kind, RUN, AT, facts)


def started() -> RunEvent:
    return event(EventType.RUN_STARTED, text="Started", pipeline="t.t", steps=STEPS)


def step(kind: EventType, name: str, **facts: Any) -> RunEvent:
    return event(kind, step=name, text="...", **facts)


def delta(text: str, *, message: str = "answer", name: str = "write", **facts: Any) -> RunEvent:
    return event(EventType.MESSAGE_DELTA, step=name, message=message, delta=text, **facts)


def finished(status: str = "succeeded", **facts: Any) -> RunEvent:
    return event(EventType.RUN_FINISHED, status=status, text="Over", **facts)


def snapshot(messages: Mapping[str, str], status: str = "running", **steps: str) -> RunEvent:
    shown = [
        {"name": each["name"], "title": each["title"], "status": steps.get(each["name"], "waiting")} for each in STEPS
    ]
    return event(EventType.SNAPSHOT, run={"pipeline": "t.t", "status": status, "steps": shown}, messages=messages)


def ag_ui(*events: RunEvent) -> list[dict[str, Any]]:
    """What AG-UI tells, without instants."""
    return [{name: value for name, value in each.items() if name != "timestamp"} for each in translate(events, AgUi())]


def ai_sdk(*events: RunEvent) -> list[dict[str, Any]]:
    return [dict(each) for each in translate(events, AiSdk())]


def texts_of_ag_ui(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """The messages as a client of AG-UI ends up with them."""
    texts: dict[str, str] = {}
    for each in told:
        match each["type"]:
            case "TEXT_MESSAGE_START":
                assert each["messageId"] not in texts
                texts[each["messageId"]] = ""
            case "TEXT_MESSAGE_CONTENT":
                texts[each["messageId"]] += each["delta"]
            case "MESSAGES_SNAPSHOT":
                texts = {message["id"]: message["content"] for message in each["messages"]}
            case _:
                pass
    return list(texts.values())


def texts_of_ai_sdk(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """The text parts that a frontend shows: all but the superseded."""
    texts, order = dict[str, str](), list[str]()
    for each in told:
        match each["type"]:
            case "text-start":
                texts[each["id"]] = ""
                order.append(each["id"])
            case "text-delta":
                texts[each["id"]] += each["delta"]
            case "text-end" if each.get("providerMetadata"):
                order.remove(each["id"])
            case _:
                pass
    return [texts[name] for name in order]


def types_of(told: Sequence[Mapping[str, Any]]) -> list[str]:
    return [each["type"] for each in told]


STORY = (
    started(),
    step(EventType.STEP_STARTED, "read", attempt=1),
    event(EventType.STEP_PROGRESS, step="read", text="1 of 2", done=1, total=2),
    step(EventType.STEP_FINISHED, "read"),
    step(EventType.STEP_STARTED, "write", attempt=1),
    delta("Thirty "),
    delta("days."),
    step(EventType.STEP_FINISHED, "write"),
    finished(),
)


def test_ag_ui_tells_a_story_in_order():
    told = ag_ui(*STORY)
    assert types_of(told) == [
        "RUN_STARTED",
        "STATE_SNAPSHOT",
        "STATE_DELTA",
        "STEP_STARTED",
        "CUSTOM",
        "STATE_DELTA",
        "STEP_FINISHED",
        "STATE_DELTA",
        "STEP_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_CONTENT",
        "STATE_DELTA",
        "TEXT_MESSAGE_END",
        "STEP_FINISHED",
        "STATE_DELTA",
        "RUN_FINISHED",
    ]
    assert told[0] == {"type": "RUN_STARTED", "threadId": NAME, "runId": NAME}
    assert told[9] == {"type": "TEXT_MESSAGE_START", "messageId": f"{NAME}/answer", "role": "assistant"}
    assert told[7]["delta"][0]["path"] == "/run/steps/1"


def test_the_ai_sdk_gets_one_message_with_the_steps_as_data():
    told = ai_sdk(*STORY)
    assert told[0] == {"type": "start", "messageId": NAME, "messageMetadata": {"run": NAME}}
    assert {"type": "text-delta", "id": "answer", "delta": "days."} in told
    assert [each["data"]["status"] for each in told if each["type"] == "data-step" and each["id"] == "read"] == [
        "waiting",
        "running",
        "succeeded",
    ]
    assert told[-1] == {"type": "finish", "finishReason": "stop"}


def test_a_step_that_is_attempted_again_takes_back_what_it_said():
    again = (
        *STORY[:6],
        step(EventType.STEP_RETRYING, "write", attempt=1, in_seconds=1),
        step(EventType.STEP_STARTED, "write", attempt=2),
        delta("Sixty "),
        delta("days."),
        step(EventType.STEP_FINISHED, "write"),
        finished(),
    )
    assert texts_of_ag_ui(ag_ui(*again)) == ["Sixty days."]
    assert texts_of_ai_sdk(ai_sdk(*again)) == ["Sixty days."]


def test_a_worker_that_died_takes_back_what_it_said_too():
    again = (*STORY[:6], step(EventType.STEP_STARTED, "write", attempt=2), delta("Sixty."), finished())
    assert texts_of_ag_ui(ag_ui(*again)) == ["Sixty."]
    told = ag_ui(*again)
    assert types_of(told).count("STEP_STARTED") == 2  # read, and write once
    assert types_of(told).count("STEP_FINISHED") == 2


def test_a_reset_that_continues_is_told_as_the_rest_and_another_as_anew():
    same = (*STORY[:6], delta("Thirty days in all.", reset=True), finished())
    assert [each["delta"] for each in ai_sdk(*same) if each["type"] == "text-delta"] == ["Thirty ", "days in all."]
    other = (*STORY[:6], delta("No term.", reset=True), finished())
    assert texts_of_ai_sdk(ai_sdk(*other)) == texts_of_ag_ui(ag_ui(*other)) == ["No term."]


def test_a_snapshot_brings_a_late_comer_up_to_date_and_repeats_nothing():
    late = (snapshot({"answer": "Thirty da"}, read="succeeded", write="running"), delta("ys."), finished())
    assert texts_of_ag_ui(ag_ui(*late)) == texts_of_ai_sdk(ai_sdk(*late)) == ["Thirty days."]
    assert "STEP_STARTED" in types_of(ag_ui(*late))
    middle = (
        *STORY[:6],
        snapshot({"answer": "Thirty da"}, read="succeeded", write="running"),
        delta("ys."),
        finished(),
    )
    assert [each["delta"] for each in ai_sdk(*middle) if each["type"] == "text-delta"] == ["Thirty ", "da", "ys."]


@pytest.mark.parametrize(("status", "last"), [("failed", "RUN_ERROR"), ("cancelled", "RUN_ERROR")])
def test_a_run_that_does_not_succeed_ends_in_an_error(status: str, last: str):
    error = {"code": "too_large", "detail": "It is."} if status == "failed" else None
    told = ag_ui(*STORY[:6], finished(status, error=error))
    assert told[-1]["type"] == last
    assert told[-1]["code"] == ("too_large" if error else "cancelled")
    ends = types_of(ai_sdk(*STORY[:6], finished(status, error=error)))
    assert ends[-2:] == (["error", "finish"] if error else ["data-run", "abort"])


def test_nothing_follows_the_end():
    assert ag_ui(*STORY, delta("more"), finished()) == ag_ui(*STORY)


def emitted(name: str, data: object) -> RunEvent:
    return event(EventType.STEP_EMITTED, step="write", name=name, data=data)


def test_what_an_agent_emits_becomes_messages_and_tool_calls():
    call = {"id": "call_1", "name": "search", "args": {"query": "term"}, "type": "tool_call"}
    story = (
        *STORY[:5],
        emitted("messages", [{"type": "AIMessageChunk", "id": "m1", "content": "Let me "}, {}]),
        emitted(
            "messages", [{"type": "AIMessageChunk", "id": "m1", "content": [{"type": "text", "text": "look."}]}, {}]
        ),
        emitted("messages", [{"type": "ai", "id": "m1", "content": "Let me look.", "tool_calls": [call]}, {}]),
        emitted("messages", [{"type": "tool", "id": "t1", "tool_call_id": "call_1", "content": "30 days"}, {}]),
        emitted("messages", [{"type": "tool", "id": "t1", "tool_call_id": "call_1", "content": "30 days"}, {}]),
        emitted("values", {"answer": 1}),
        finished(),
    )
    told = ag_ui(*story)
    assert texts_of_ag_ui(told) == ["Let me look."]
    tools = [each for each in told if each["type"].startswith("TOOL_CALL")]
    assert types_of(tools) == ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"]
    assert (tools[1]["delta"], tools[3]["content"]) == ('{"query":"term"}', "30 days")
    left = [each for each in told if each.get("name") == "mainspring.step.emitted"]
    assert [each["value"]["data"] for each in left] == [{"answer": 1}]
    parts = ai_sdk(*story)
    assert {"input": {"query": "term"}, "toolName": "search"}.items() <= next(
        each for each in parts if each["type"] == "tool-input-available"
    ).items()
    assert next(each["output"] for each in parts if each["type"] == "tool-output-available") == "30 days"


def test_a_tool_that_failed_is_told_as_failed():
    story = (
        *STORY[:5],
        emitted("tool_called", {"id": "c", "name": "search", "arguments": {}}),
        emitted("tool_answered", {"id": "c", "error": "It is away."}),
        emitted("tool_answered", {"id": "never called", "output": 1}),
    )
    told = [each for each in ai_sdk(*story) if each["type"].startswith("tool-")]
    assert types_of(told) == ["tool-input-available", "tool-output-error"]


def test_a_conversation_keeps_its_own_names_and_the_messages_before():
    before = {"id": "u1", "role": "user", "content": "How long?"}
    teller = AgUi(Conversation(thread="t-1", run="r-1", messages=(before,)))
    told = list(translate((*STORY[:6], step(EventType.STEP_STARTED, "write", attempt=2)), teller))
    assert (told[0]["threadId"], told[0]["runId"]) == ("t-1", "r-1")
    assert next(each["messages"] for each in told if each["type"] == "MESSAGES_SNAPSHOT") == [before]


NAMES = st.sampled_from(["read", "write"])
TEXTS = st.text(max_size=3)
ON_STEPS = (
    EventType.STEP_STARTED,
    EventType.STEP_RETRYING,
    EventType.STEP_SUSPENDED,
    EventType.STEP_RESUMED,
    EventType.STEP_FINISHED,
    EventType.STEP_FAILED,
)


@st.composite
def any_events(draw: st.DrawFn) -> RunEvent:
    """Something that may happen in a run, likely or not."""
    name, text = draw(NAMES), draw(TEXTS)
    match draw(st.sampled_from(["step", "delta", "reset", "snapshot", "emitted"])):
        case "step":
            return step(draw(st.sampled_from(ON_STEPS)), name, attempt=1, code="x")
        case "delta":
            return delta(text, message=name, name=name)
        case "reset":
            return delta(text, message=name, name=name, reset=True)
        case "snapshot":
            return snapshot({"read": text}, read="running")
        case _:
            return emitted("messages", [{"type": "ai", "id": "m", "content": text}, {}])


@given(st.lists(any_events(), max_size=30))
def test_whatever_happens_each_opening_has_one_end_and_nothing_is_said_outside(events: list[RunEvent]):
    open_steps, open_texts = set[str](), set[str]()
    told = ag_ui(started(), *events, finished())
    for each in told:
        match each["type"]:
            case "STEP_STARTED":
                assert each["stepName"] not in open_steps
                open_steps.add(each["stepName"])
            case "STEP_FINISHED":
                open_steps.remove(each["stepName"])
            case "TEXT_MESSAGE_START":
                assert each["messageId"] not in open_texts
                open_texts.add(each["messageId"])
            case "TEXT_MESSAGE_CONTENT":
                assert each["messageId"] in open_texts
                assert each["delta"]
            case "TEXT_MESSAGE_END":
                open_texts.remove(each["messageId"])
            case _:
                pass
    assert (open_steps, open_texts) == (set(), set())
    assert types_of(told)[0] == "RUN_STARTED"
    assert types_of(told)[-1] == "RUN_FINISHED"
    assert texts_of_ag_ui(told) == texts_of_ai_sdk(ai_sdk(started(), *events, finished()))
