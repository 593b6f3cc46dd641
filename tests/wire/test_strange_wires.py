"""Whatever a stranger sends, a codec answers with a value or with an error of the closed set."""

import copy
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import to_json

from . import test_anthropic_dialect, test_openai_dialect

STRANGE: list[Any] = [None, True, 0, -1, 2**70, 1.5, "", "x", [], [None], {}, {"a": 1}, {"type": "text"}]
TALK = test_openai_dialect.TOOL_TALK
OPENAI_REQUEST = openai.encode_request(TALK, model="m", profile=test_openai_dialect.profile_of("compatible", "m"))
ANTHROPIC_REQUEST = anthropic.encode_request(
    test_anthropic_dialect.TALK, model="m", profile=test_anthropic_dialect.SONNET
)
OPENAI_REPLY = openai.encode_completion(test_openai_dialect.STREAMED, created=5)
ANTHROPIC_REPLY = anthropic.encode_completion(test_anthropic_dialect.STREAMED)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path to a value inside a JSON value."""
    match value:
        case dict():
            inner = [place for key, each in value.items() for place in places(each, (*path, key))]
        case list():
            inner = [place for key, each in enumerate(value) for place in places(each, (*path, key))]
        case _:
            inner = []
    return [path, *inner] if path else inner


def spoil(wire: Any, seed: int) -> Any:
    """The wire with one value replaced by something strange."""
    chance, spoiled = random.Random(seed), copy.deepcopy(wire)
    *way, last = chance.choice(places(wire))
    holder = spoiled
    for key in way:
        holder = holder[key]
    holder[last] = copy.deepcopy(chance.choice(STRANGE))
    return spoiled


def read_chunk(dialect: Any) -> Callable[[Any], object]:
    def read(wire: Any) -> object:
        reader = dialect.StreamReader()
        return [reader.feed(ServerEvent("message", to_json(event))) for event in wire]

    return read


def failure_of(dialect: Any) -> Callable[[Any], object]:
    return lambda wire: dialect.failure_of(400, {}, to_json(wire))


@pytest.mark.parametrize(
    ("decode", "wire"),
    [
        (openai.decode_request, OPENAI_REQUEST),
        (anthropic.decode_request, ANTHROPIC_REQUEST),
        (openai.decode_completion, OPENAI_REPLY),
        (anthropic.decode_completion, ANTHROPIC_REPLY),
        (read_chunk(openai), test_openai_dialect.CHUNKS),
        (read_chunk(anthropic), test_anthropic_dialect.EVENTS),
        (failure_of(openai), {"error": {"code": "x", "type": "y", "message": "z"}}),
        (failure_of(anthropic), {"error": {"type": "y", "message": "z"}}),
    ],
)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_one_strange_value_anywhere_is_read_or_refused(decode: Callable[[Any], object], wire: Any, seed: int) -> None:
    spoiled = spoil(wire, seed)
    with suppress(ModelError):
        assert decode(spoiled) is not None
