"""Replies held against a JSON schema: what fits, what is said of what does not, and how it is mended."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.inference.gateway.errors import InvalidOutput, InvalidRequest, Overloaded
from mainspring.inference.gateway.structured import (
    Fit,
    Misfit,
    Outcome,
    SchemaCache,
    UnfitReply,
    Violation,
    Watcher,
    check,
    obtain,
    repair_turn,
    watch,
)
from mainspring.inference.messages import (
    Completion,
    Delta,
    Finished,
    FinishReason,
    InferenceRequest,
    ResponseFormat,
    Role,
    TextDelta,
    ToolCallDelta,
    Usage,
    assistant,
    user,
)

CLAUSE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["cap", "term"]},
        "months": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        "parties/roles": {"type": "array", "items": {"$ref": "#/$defs/party"}, "maxItems": 2},
    },
    "required": ["kind", "months"],
    "additionalProperties": False,
    "$defs": {"party": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}
GOOD = '{"kind": "cap", "months": 12}'
ASKED = InferenceRequest((user("Which clause?"),), response_format=ResponseFormat("clause", CLAUSE))


def reply(text: str, reason: FinishReason = FinishReason.STOP) -> Completion:
    return Completion(assistant(text), reason, Usage(7, 5), "scripted", "r1")


class Model:
    """Says what it was told to, in order; notes what it was asked."""

    def __init__(self, *says: Completion | Exception) -> None:
        self._says = list(says)
        self.asked: list[InferenceRequest] = []

    async def __call__(self, request: InferenceRequest) -> Completion:
        self.asked.append(request)
        said = self._says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def violations(text: str, schema: dict[str, Any] = CLAUSE) -> list[str]:
    verdict = check(schema, text)
    assert isinstance(verdict, Misfit)
    return list(verdict.lines)


@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```", '{"kind":"term","months":null}'])
def test_a_reply_that_fits_is_a_value(text: str) -> None:
    verdict = check(CLAUSE, text)
    assert isinstance(verdict, Fit)
    assert verdict.value["kind"] in ("cap", "term")


def test_violations_name_the_place_and_the_fault() -> None:
    text = '{"kind": "fee", "months": "x", "parties/roles": [{}], "note": 1}'
    assert sorted(violations(text)) == [
        '/kind: "fee" is not one of "cap", "term"',
        '/months: "x" is not of type integer or null',
        '/parties~1roles/0: the property "name" is missing',
        'the reply: the property "note" is not allowed',
    ]


def test_at_most_five_violations_are_named_and_all_are_counted() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    verdict = check(schema, json.dumps(["x"] * 9))
    assert isinstance(verdict, Misfit)
    assert (len(verdict.violations), verdict.count) == (5, 9)


@pytest.mark.parametrize("text", ["", "Here it is: {}", '{"kind": "cap"', "[" * 100_000, "\ud800", "NaN"])
def test_what_is_not_json_is_a_misfit_without_a_schema_violation(text: str) -> None:
    verdict = check(CLAUSE, text)
    assert isinstance(verdict, Misfit)
    assert not verdict.is_json


def doubling(levels: int) -> dict[str, Any]:
    steps: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**steps, f"d{levels}": {"type": "integer"}}, "$ref": "#/$defs/d0"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "remote": ({"$ref": "https://example.com/schema"}, "only local ones"),
    "file": ({"$ref": "file:///etc/passwd"}, "only local ones"),
    "dangling": ({"$ref": "#/$defs/nowhere"}, "only local ones"),
    "nested id": ({"properties": {"a": {"$id": "http://x/y"}}}, "nested $id"),
    "type": ({"type": "strin"}, "/type"),
    "pattern": ({"pattern": "("}, "regex"),
    "large pattern": ({"pattern": "(a{1000}){1000}"}, "regex"),
    "doubling": (doubling(25), "multiply"),
    "deep": (nested(100), "64 levels"),
    "very deep": (nested(100_000), "64 levels"),
    "large": ({"enum": ["x" * 70_000]}, "65,536"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_schema_that_would_hurt_is_refused_with_a_reason(name: str) -> None:
    schema, reason = HOSTILE[name]
    with pytest.raises(InvalidRequest, match="cannot be used") as raised:
        check(schema, "1")
    assert reason in raised.value.detail


def test_a_catastrophic_pattern_ends_in_a_violation() -> None:
    schema = {"type": "string", "pattern": "^(a|aa)+(?<!b)\\1$"}
    assert "takes too long" in violations(json.dumps("a" * 60 + "b"), schema)[0]


def test_a_recursive_schema_that_branches_is_not_tried_on_a_deep_reply() -> None:
    branch = {"properties": {"c": {"$ref": "#/$defs/n"}}}
    schema = {"$defs": {"n": {"anyOf": [branch, branch]}}, "$ref": "#/$defs/n"}
    assert isinstance(check(schema, '{"c":' * 8 + "1" + "}" * 8), Fit)
    assert "too deep" in violations('{"c":' * 60 + "1" + "}" * 60, schema)[0]


def test_a_tree_may_be_deep_when_its_schema_does_not_branch() -> None:
    schema = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    text = '{"right":{},"left":' * 60 + "{}" + "}" * 60
    assert isinstance(check(schema, text), Fit)


def test_compiled_schemas_are_remembered_within_a_budget() -> None:
    cache = SchemaCache(budget_bytes=200)
    first = cache.compile({"const": "x" * 50})
    assert cache.compile({"const": "x" * 50}) is first
    for number in range(20):
        cache.compile({"const": "y" * 50 + str(number)})
    assert len(cache) <= 3
    assert cache.compile({"const": "x" * 50}) is not first


async def test_a_reply_that_fits_at_once_is_valid() -> None:
    model = Model(reply(GOOD))
    got = await obtain(ASKED, model)
    assert (got.outcome, got.value["months"], len(model.asked)) == (Outcome.VALID, 12, 1)


async def test_a_repair_turn_names_the_violations() -> None:
    model = Model(reply('{"kind": "fee", "months": 1}'), reply(GOOD))
    got = await obtain(ASKED, model)
    assert got.outcome is Outcome.REPAIRED
    assert [attempt.outcome for attempt in got.attempts] == [Outcome.INVALID, Outcome.VALID]
    said, asked = model.asked[1].messages[-2:]
    assert (said.role, said.text) == (Role.ASSISTANT, '{"kind": "fee", "months": 1}')
    assert '- /kind: "fee" is not one of "cap", "term"' in asked.text
    assert model.asked[1].response_format == ASKED.response_format


async def test_a_better_model_is_asked_afresh_after_the_repair_failed() -> None:
    model, better = Model(reply("no"), reply("still no")), Model(reply(GOOD))
    got = await obtain(ASKED, model, better=[better])
    assert (got.outcome, len(got.attempts), better.asked) == (Outcome.REPAIRED, 3, [ASKED])


async def test_the_error_at_the_end_shows_the_best_attempt() -> None:
    near = '{"kind": "cap"}'
    model, better = Model(reply("no"), reply(near)), Model(reply('{"months": "x", "z": 1}'))
    with pytest.raises(UnfitReply) as raised:
        await obtain(ASKED, model, better=[better])
    assert isinstance(raised.value, InvalidOutput)
    assert raised.value.best_attempt == near
    assert raised.value.places == (("", 'the property "months" is missing'),)
    assert "after 3 attempts" in raised.value.detail
    assert len(raised.value.attempts) == 3


async def test_a_failing_repair_ends_only_its_step() -> None:
    model, better = Model(reply("no"), Overloaded("busy")), Model(reply(GOOD))
    assert (await obtain(ASKED, model, better=[better])).value["kind"] == "cap"
    with pytest.raises(Overloaded):
        await obtain(ASKED, Model(Overloaded("busy")), better=[better])


async def test_a_reply_that_was_cut_off_is_not_sent_to_repair() -> None:
    model = Model(reply('{"kind": "c', FinishReason.LENGTH))
    with pytest.raises(UnfitReply, match="cut off at the limit of tokens"):
        await obtain(ASKED, model)
    assert len(model.asked) == 1


async def test_a_refusal_is_handed_on_unchecked() -> None:
    got = await obtain(ASKED, Model(reply("I will not.", FinishReason.REFUSED)))
    assert (got.outcome, got.completion.text) == (None, "I will not.")


async def test_a_schema_that_cannot_be_used_costs_no_call() -> None:
    model = Model(reply(GOOD))
    with pytest.raises(InvalidRequest):
        await obtain(InferenceRequest((user("?"),), response_format=ResponseFormat("x", {"type": "no"})), model)
    assert not model.asked


def test_a_repair_turn_after_silence_still_has_a_turn_of_the_model() -> None:
    asked = repair_turn(ASKED, reply(""), Misfit((Violation("", "it is empty"),), is_json=False))
    assert [message.role for message in asked.messages] == [Role.USER, Role.ASSISTANT, Role.USER]


def first_alarm(schema: dict[str, Any], text: str, size: int = 1) -> tuple[int, str] | None:
    """How many characters had come at the first alarm, and what it said."""
    watcher = Watcher(schema)
    for start in range(0, len(text), size):
        if alarm := watcher.feed(text[start : start + size]):
            return start + size, alarm.lines[0]
    return None


@pytest.mark.parametrize(
    ("text", "seen", "said"),
    [
        ("Here is", 1, "the reply: 'H' is not JSON"),
        ('["a"]', 1, "the reply: a value of type array is not of type object"),
        ('{"kind": 1', 11, "/kind: '1' is not one of the allowed values"),
        ('{"kind": "fee", ', 14, "/kind: 'fee' is not one of the allowed values"),
        ('{"other": ', 8, "/other: the property is not allowed"),
        ('{"parties/roles": [{"name": 3', 29, "/parties~1roles/0/name: a value of type number is not of type string"),
        ('{"parties/roles": [{}, ', 21, "/parties~1roles/0: the property 'name' is missing"),
        ('{"kind": "cap", "months": 1} x', 30, "the reply: something follows the JSON value"),
        ('{"kind": "cap", "kind"', 22, "/kind: the name is given twice"),
        ('{"kind": "cap"} ', 15, "the reply: the property 'months' is missing"),
        ('{"months": tru3', 15, "/months: 'tru3' is not JSON"),
        ('{"months": 01 ', 13, "/months: '01' is not JSON"),
    ],
)
def test_a_stream_is_stopped_at_the_first_piece_that_cannot_be_mended(text: str, seen: int, said: str) -> None:
    alarm = first_alarm(CLAUSE, text.ljust(40) if text.endswith("1") else text)
    assert alarm is not None
    assert alarm[1].startswith(said)
    assert alarm[0] == seen


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_valid_reply_raises_no_alarm_however_it_is_cut(size: int) -> None:
    text = ' {"kind":"cap" , "months":-1.2e+3,"parties/roles":[{"name":"\\u00e9\\"\\\\ x"},{"name":""}]}\n'
    schema = {**CLAUSE, "properties": {**CLAUSE["properties"], "months": {"type": ["integer", "null"]}}}
    assert isinstance(check(schema, text), Fit)
    assert first_alarm(schema, text, size) is None


def test_a_code_fence_is_left_to_the_full_check() -> None:
    watcher = Watcher(CLAUSE)
    assert watcher.feed(f"```json\n{GOOD}\n```") is None
    assert isinstance(watcher.finish(), Fit)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["a", "b", 'q"\\', "é\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)
types = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
names = st.sampled_from(["a", "b", "c"])


def _schemas_over(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "enum": st.lists(json_values, min_size=1, max_size=4),
            "properties": st.dictionaries(names, inner, max_size=3),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "patternProperties": st.just({"^a": {}}),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "maxItems": st.integers(0, 3),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "$ref": st.just("#/$defs/shared"),
        },
    )


schemas = st.recursive(types.map(lambda kind: {"type": kind}), _schemas_over, max_leaves=5)


@settings(max_examples=400, deadline=None)
@given(schema=schemas, shared=types, value=json_values, cut=st.integers(1, 5), indent=st.sampled_from([None, 1]))
def test_the_watcher_never_raises_a_false_alarm(
    schema: dict[str, Any], shared: str, value: object, cut: int, indent: int | None
) -> None:
    whole = {**schema, "$defs": {"shared": {"type": shared}}}
    text = json.dumps(value, indent=indent)
    alarm = first_alarm(whole, text, cut)
    verdict = check(whole, text)
    assert alarm is None or isinstance(verdict, Misfit), alarm


@settings(max_examples=300, deadline=None)
@given(value=json_values, place=st.integers(0, 60), letter=st.sampled_from('{}[]",:0e.-\\tn '))
def test_a_damaged_text_is_never_called_broken_when_it_still_reads(value: object, place: int, letter: str) -> None:
    text = json.dumps(value)
    text = text[:place] + letter + text[place:]
    alarm = first_alarm({}, text)
    if alarm and "twice" not in alarm[1]:
        assert isinstance(check({}, text), Misfit)


async def stream_of(text: str, *others: Delta, reason: FinishReason = FinishReason.STOP) -> AsyncGenerator[Delta]:
    for letter in text:
        yield TextDelta(letter)
    for delta in others:
        yield delta
    yield Finished(reason)


async def drain(deltas: AsyncGenerator[Delta]) -> tuple[Sequence[Delta], UnfitReply | None]:
    came: list[Delta] = []
    try:
        async for delta in deltas:
            came.append(delta)  # noqa: PERF401 - what came before the error counts
    except UnfitReply as unfit:
        return came, unfit
    return came, None


async def test_a_watched_stream_that_fits_passes_whole() -> None:
    came, error = await drain(watch(stream_of(GOOD), CLAUSE))
    assert error is None
    assert came[-1] == Finished(FinishReason.STOP)


async def test_a_watched_stream_ends_at_the_alarm_or_at_its_end_as_asked() -> None:
    text = '{"kind": "fee", "months": 1}'
    came, error = await drain(watch(stream_of(text), CLAUSE, early=True))
    assert error is not None
    assert (len(came), error.best_attempt) == (13, text[:14])
    came, error = await drain(watch(stream_of(text), CLAUSE, early=False))
    assert error is not None
    assert (len(came), error.best_attempt) == (len(text), text)


async def test_refusals_and_tool_calls_are_not_watched() -> None:
    exempt: list[Callable[[], AsyncGenerator[Delta]]] = [
        lambda: stream_of("", ToolCallDelta(0, "c", "look", "{}"), reason=FinishReason.TOOL_CALLS),
        lambda: stream_of("", reason=FinishReason.REFUSED),
    ]
    for make in exempt:
        assert (await drain(watch(make(), CLAUSE)))[1] is None
