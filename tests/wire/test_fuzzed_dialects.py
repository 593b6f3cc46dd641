"""Codecs under values nobody chose: strangers' JSON, any request, any stream, cut anywhere."""

import copy
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.sse import ServerEvent, SseParser
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    FilePart,
    Finished,
    FinishReason,
    ImagePart,
    InferenceRequest,
    Inline,
    Link,
    Message,
    Part,
    ReasoningDelta,
    ReasoningPart,
    ResponseFormat,
    Role,
    Sampling,
    Started,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    Usage,
    UsageUpdate,
)

from .rooms import Room, find_rooms, fits, gather


@dataclass(frozen=True, slots=True)
class Says:
    """What a dialect can say.

    seals      the signatures that thoughts may bear, with None for unsigned ones
    ids        replies have an id and a model, kept as they are
    declares   calls are understood beside declared tools only, and tools cannot be forbidden
    joins      instructions are one text
    """

    seals: tuple[str | None, ...] = ()
    ids: bool = True
    declares: bool = False
    joins: bool = False
    images: bool = True
    seed: bool = True
    stop: bool = True
    errors: bool = True
    parallel: bool = True
    links: bool = True
    files: bool = True


ROOMS = find_rooms()
SAYS = {
    "openai": Says(seals=(None,), errors=False, files=False),
    "anthropic": Says(seals=("c2VhbA==",), seed=False),
    "gemini": Says(seals=(None, "gemini:c2VhbA=="), parallel=False),
    "bedrock": Says(
        seals=("c2VhbA==",), ids=False, declares=True, seed=False, parallel=False, links=False, files=False
    ),
    "responses": Says(
        ids=False, joins=True, images=False, seed=False, stop=False, errors=False, links=False, files=False
    ),
}
PROFILE = Profile(
    json_schema=True, tools=True, images=True, max_tokens_field="max_completion_tokens", accepts_reasoning=True
)
rooms = pytest.mark.parametrize("room", ROOMS, ids=[room.name for room in ROOMS])
proven_rooms = pytest.mark.parametrize(
    "room", [room for room in ROOMS if room.name in SAYS], ids=[room.name for room in ROOMS if room.name in SAYS]
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
NAMES = st.from_regex(r"[a-z_][a-zA-Z0-9_-]{0,8}", fullmatch=True)
MODES: tuple[Literal["auto", "required", "none"], ...] = ("auto", "required", "none")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
SCHEMAS = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(NAMES, OBJECTS, max_size=2)})
STRANGE = [None, True, 0, -1, 2**70, 1.5, "", "x", [], [None], [[]], {}, {"a": 1}, [{"type": "text"}], {"text": 1}]


@st.composite
def requests(draw: st.DrawFn, says: Says) -> InferenceRequest:
    """A request in the shape that decoders give: one system message, turns that alternate, results after calls."""
    messages = [
        Message(Role.SYSTEM, tuple(map(TextPart, draw(st.lists(TEXTS, min_size=1, max_size=1 if says.joins else 2)))))
    ]
    messages = messages if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 3))):
        messages += [Message(Role.USER, draw(shown_parts(says))), *draw(answers(says, turn))]
    tools = tuple(draw(st.lists(st.builds(Tool, NAMES, TEXTS, SCHEMAS), min_size=says.declares, max_size=2)))
    return InferenceRequest(
        tuple(messages),
        tools=tools,
        tool_choice=draw(choices(says, tools)) if tools else None,
        sampling=Sampling(
            draw(st.none() | st.floats(0, 2)),
            draw(st.none() | st.floats(0.1, 1)),
            draw(st.none() | st.integers(0, 2**31)) if says.seed else None,
            tuple(draw(st.lists(TEXTS, max_size=2))) if says.stop else (),
        ),
        max_tokens=draw(st.integers(1, 2**20)),
        response_format=draw(st.none() | st.builds(ResponseFormat, st.just("reply"), SCHEMAS)),
    )


@st.composite
def answers(draw: st.DrawFn, says: Says, turn: int) -> list[Message]:
    """An assistant's turn and, if it calls tools, their results."""
    thoughts: list[Part] = []
    if says.seals and draw(st.booleans()):
        thoughts = [ReasoningPart(draw(TEXTS), draw(st.sampled_from(says.seals)))]
    texts = [TextPart(text) for text in draw(st.lists(TEXTS, max_size=2))]
    calls = [
        ToolCallPart(f"call_{turn}_{place}", draw(NAMES), to_json(draw(OBJECTS)).decode())
        for place in range(draw(st.integers(0 if texts else 1, 3)))
    ]
    results = [
        ToolResultPart(call.id, draw(result_parts()), is_error=says.errors and draw(st.booleans())) for call in calls
    ]
    answer = Message(Role.ASSISTANT, (*thoughts, *texts, *calls))
    return [answer, Message(Role.TOOL, tuple(results))] if results else [answer]


@st.composite
def shown_parts(draw: st.DrawFn, says: Says) -> tuple[Part, ...]:
    """What a user says and shows."""
    kinds: list[st.SearchStrategy[Part]] = [st.builds(TextPart, TEXTS)]
    if says.images:
        kinds.append(st.just(ImagePart(Inline("aGk=", "image/png"))))
    if says.links:
        kinds.append(st.just(ImagePart(Link("https://example.com/a.png"))))
    if says.files:
        kinds.append(st.just(FilePart(Inline("aGk=", "application/pdf"))))
    return tuple(draw(st.lists(st.one_of(kinds), min_size=1, max_size=3)))


def result_parts() -> st.SearchStrategy[tuple[TextPart, ...]]:
    """What a tool answers: nothing or one text, which all dialects can say."""
    return st.just(()) | st.tuples(st.builds(TextPart, TEXTS))


@st.composite
def choices(draw: st.DrawFn, says: Says, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """Whether tools may be used."""
    choice = draw(st.sampled_from([None, *map(ToolChoice, MODES), ToolChoice("named", tools[0].name)]))
    if choice is None or (choice.mode == "none" and says.declares):
        return None
    if choice.mode == "none" or not says.parallel:
        return choice
    return replace(choice, parallel=draw(st.sampled_from([None, True, False])))


@st.composite
def streams(draw: st.DrawFn, says: Says) -> list[Delta]:
    """The deltas of a reply, its texts and arguments in pieces, parallel calls interleaved."""
    deltas: list[Delta] = [Started("id_1", "m-1")]
    calls = 0
    for kind in draw(st.lists(st.sampled_from(["text", "thought", "calls"]), max_size=5)):
        if kind == "text":
            deltas += map(TextDelta, draw(st.lists(TEXTS, min_size=1, max_size=3)))
        elif kind == "thought" and says.seals:
            deltas += map(ReasoningDelta, draw(st.lists(TEXTS, min_size=1, max_size=2)))
            seal = draw(st.sampled_from(says.seals))
            deltas += [ReasoningDelta("", seal)] if seal else []
        elif kind == "calls":
            found = draw(st.lists(st.tuples(NAMES, OBJECTS), min_size=1, max_size=2))
            deltas += call_deltas(draw, found, calls)
            calls += len(found)
    reason = FinishReason.TOOL_CALLS if calls else draw(st.sampled_from([FinishReason.STOP, FinishReason.LENGTH]))
    usage = Usage(draw(st.integers(10, 99)), draw(st.integers(1, 99)), draw(st.integers(0, 10)))
    return [*deltas, UsageUpdate(usage), Finished(reason)]


def call_deltas(draw: st.DrawFn, calls: list[tuple[str, dict[str, Any]]], first: int) -> list[Delta]:
    deltas: list[Delta] = [
        ToolCallDelta(index, f"call_{index}", name) for index, (name, _) in enumerate(calls, start=first)
    ]
    for index, (_, arguments) in enumerate(calls, start=first):
        text = to_json(arguments).decode()
        cut = draw(st.integers(0, len(text)))
        deltas += [ToolCallDelta(index, arguments=piece) for piece in (text[:cut], text[cut:]) if piece]
    return deltas


@st.composite
def spoiled(draw: st.DrawFn, wire: Any) -> Any:
    """A wire value with up to three of its places replaced by something strange."""
    wire = copy.deepcopy(wire)
    for _ in range(draw(st.integers(1, 3))):
        if not isinstance(wire, dict | list) or not wire:
            return wire
        holder, key = wire, draw(st.sampled_from(places(wire)))
        while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 4)):
            holder = holder[key]
            key = draw(st.sampled_from(places(holder)))
        holder[key] = copy.deepcopy(draw(st.sampled_from(STRANGE) | JSON))
    return wire


def says_of(room: Room) -> Says:
    return SAYS.get(room.name, Says(links=False, files=False))


def places(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data, cut at each of these places."""
    at = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


def regrouped(request: InferenceRequest) -> InferenceRequest:
    """Results gathered into one message, and tools without what a dialect says of each by default."""
    messages: list[Message] = []
    for message in request.messages:
        if messages and message.role is Role.TOOL and messages[-1].role is Role.TOOL:
            messages[-1] = replace(message, parts=(*messages[-1].parts, *message.parts))
        else:
            messages.append(message)
    tools = tuple(replace(tool, extra=None) for tool in request.tools)
    return replace(request, messages=tuple(messages), tools=tools, model=None)


@rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_strangers_request_is_understood_or_refused(room: Room, data: st.DataObject) -> None:
    request = data.draw(requests(says_of(room)))
    wire = data.draw(JSON | spoiled(room.outbound.encode_request(request, model="m", profile=PROFILE, stream=True)))
    with suppress(ModelError, InvalidInput):
        understood = room.decode_request(wire)
        assert understood.messages
        assert fits(understood, InferenceRequest)


@rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_strangers_reply_is_understood_or_refused(room: Room, data: st.DataObject) -> None:
    reply = gather(data.draw(streams(Says(seals=(None, "seal")))))
    wire = data.draw(JSON | spoiled(room.encode_completion(reply)))
    with suppress(ModelError):
        assert fits(room.outbound.decode_completion(wire), Completion)


@rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_strangers_stream_is_understood_or_refused(room: Room, data: st.DataObject) -> None:
    writer, reader = room.writer(), room.outbound.reader()
    written = b"".join(writer.write(delta) for delta in data.draw(streams(Says(seals=(None, "seal")))))
    with suppress(ModelError):
        for event in room.outbound.framer().feed(written):
            changed = data.draw(JSON | spoiled(read_any(event.data)))
            for delta in reader.feed(ServerEvent(event.type, to_json(changed))):
                assert fits(delta, Delta)
        assert all(fits(delta, Delta) for delta in reader.end())


def read_any(data: bytes) -> Any:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(data)
    return None


@rooms
@given(data=st.binary(max_size=60), status=st.integers(400, 599))
@settings(max_examples=30, deadline=None)
def test_any_bytes_are_some_failure(room: Room, data: bytes, status: int) -> None:
    assert isinstance(room.outbound.failure_of(status, {}, data), ModelError)


@rooms
@given(wire=JSON | st.fixed_dictionaries({"error": JSON}), status=st.integers(400, 599))
@settings(max_examples=30, deadline=None)
def test_any_json_is_some_failure(room: Room, wire: Any, status: int) -> None:
    assert isinstance(room.outbound.failure_of(status, {}, to_json(wire)), ModelError)


@rooms
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"contents":[{"parts":['])
def test_bottomless_nesting_is_refused(room: Room, opening: bytes) -> None:
    assert isinstance(room.outbound.failure_of(400, {}, opening * 100_000), ModelError)
    with pytest.raises(ModelError):
        room.outbound.reader().feed(ServerEvent("message", opening * 100_000))


@proven_rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_request_is_written_and_read_again(room: Room, data: st.DataObject) -> None:
    request = data.draw(requests(SAYS[room.name]))
    wire = room.outbound.encode_request(request, model="m", profile=PROFILE, stream=False)
    again = regrouped(room.decode_request(read_any(to_json(wire))))
    assert again == request


@rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_stream_is_written_and_read_again_however_it_is_cut(room: Room, data: st.DataObject) -> None:
    deltas = data.draw(streams(says_of(room)))
    writer = room.writer()
    written = b"".join(writer.write(delta) for delta in deltas)
    cuts = data.draw(st.lists(st.integers(0, 2**16), max_size=6))
    again, before = gather(room.read(*pieces(written, cuts))), gather(deltas)
    assert again.message.parts == before.message.parts
    assert (again.usage, again.finish_reason) == (before.usage, before.finish_reason)


@proven_rooms
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_reply_is_written_and_read_again(room: Room, data: st.DataObject) -> None:
    reply = gather(data.draw(streams(SAYS[room.name])))
    again = room.outbound.decode_completion(read_any(to_json(room.encode_completion(reply))))
    assert again.usage == reply.usage
    if SAYS[room.name].ids:
        assert (again.id, again.model) == (reply.id, reply.model)
    assert again.finish_reason == reply.finish_reason
    assert (again.text, again.tool_calls) == (reply.text, reply.tool_calls)


LINES = st.lists(
    st.sampled_from([b"data: ", b"data:", b"data", b"event: x", b": hi", b"id: 1", b"\xef\xbb\xbf", "ü".encode()])
    | st.binary(max_size=4)
    | st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r"]),
    max_size=20,
).map(b"".join)


@given(stream=LINES, cuts=st.lists(st.integers(0, 200), max_size=8))
@settings(max_examples=200, deadline=None)
def test_events_are_the_same_however_their_bytes_are_cut(stream: bytes, cuts: list[int]) -> None:
    parser = SseParser()
    cut = [event for piece in pieces(stream, cuts) for event in parser.feed(piece)]
    assert cut == SseParser().feed(stream)
