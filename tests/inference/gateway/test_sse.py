"""Server-sent events are read right wherever the network cuts them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.sse import MAX_EVENT_BYTES, ServerEvent, SseParser

STREAM = (
    "\ufeff: a comment\r\n"
    'data: {"text":"naïve – 契約 🖋"}\r\n\r\n'
    "event: message_delta\rdata:first\rdata: second\r\r"
    "id: 7\nretry: 10\ndata\ndata:\n\n"
    "event: empty\n\n"
    "data: [DONE]\n\n"
    "data: cut off"
).encode()
EVENTS = [
    ServerEvent("message", '{"text":"naïve – 契約 🖋"}'.encode()),
    ServerEvent("message_delta", b"first\nsecond"),
    ServerEvent("message", b"\n"),
    ServerEvent("message", b"[DONE]"),
]


def feed(*pieces: bytes) -> list[ServerEvent]:
    parser = SseParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_a_stream_in_one_piece_is_read() -> None:
    assert feed(STREAM) == EVENTS


def test_a_stream_cut_at_any_byte_is_read_the_same() -> None:
    for cut in range(len(STREAM) + 1):
        assert feed(STREAM[:cut], STREAM[cut:]) == EVENTS, f"cut at byte {cut}"


def test_a_stream_of_single_bytes_is_read_the_same() -> None:
    assert feed(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_cuts_give_the_same_events(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert feed(*(STREAM[a:b] for a, b in pairwise(places))) == EVENTS


def test_an_endless_event_is_refused() -> None:
    parser = SseParser()
    parser.feed(b"x" * MAX_EVENT_BYTES)
    with pytest.raises(StreamBroken):
        parser.feed(b"x")
