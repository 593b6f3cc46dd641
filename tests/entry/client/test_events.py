"""Live events: parsed from any pieces, resumed after a lost connection, each once."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from mainspring.entry.client import ApiError, MainspringClient
from mainspring.entry.client.sse import Frame, read_frames

from .conftest import WrittenApi


def event(identifier: str, kind: str, **data: object) -> bytes:
    body = json.dumps({"id": identifier, "type": kind, "run": "run_1", **data}, ensure_ascii=False)
    return f"id: {identifier}\nevent: {kind}\ndata: {body}\n\n".encode()


STORY = [event("1-1", "run.started"), event("1-2", "step.started", text="Reading"), event("1-3", "run.finished")]


def ids(client: MainspringClient, *, after: str | None = None) -> list[str]:
    return [each.id for each in client.events("run_1", after=after)]


def test_events_come_in_order_until_the_run_is_finished(api: WrittenApi, client: MainspringClient):
    api.stream(b"retry: 1000\n\n: hello\n\n", *STORY, event("1-4", "too.late"))
    events = list(client.events("run_1"))
    assert [(each.id, each.type) for each in events] == [
        ("1-1", "run.started"),
        ("1-2", "step.started"),
        ("1-3", "run.finished"),
    ]
    assert events[1].data["text"] == "Reading"
    assert api.seen[0].headers["accept"] == "text/event-stream"
    assert "last-event-id" not in api.seen[0].headers


def test_a_lost_connection_is_resumed_after_the_last_event(
    api: WrittenApi, client: MainspringClient, waits: list[float]
):
    api.stream(STORY[0], b"id: 1-2\nevent: step.star", breaks=True)
    api.refuse("unavailable", 503, retry_after="1")
    api.stream(STORY[1])
    api.stream(STORY[2])
    assert ids(client) == ["1-1", "1-2", "1-3"]
    assert [seen.headers.get("last-event-id") for seen in api.seen] == [None, "1-1", "1-1", "1-2"]
    assert waits[1] == 1.0
    assert len(waits) == 3


def test_a_server_that_repeats_the_last_event_is_forgiven(api: WrittenApi, client: MainspringClient):
    api.stream(STORY[0], STORY[1], breaks=True)
    api.stream(STORY[1], STORY[2])
    assert ids(client) == ["1-1", "1-2", "1-3"]


def test_one_may_go_on_after_a_known_event(api: WrittenApi, client: MainspringClient):
    api.stream(STORY[2])
    assert ids(client, after="1-2") == ["1-3"]
    assert api.seen[0].headers["last-event-id"] == "1-2"


def test_after_the_last_event_there_is_nothing_and_no_error(api: WrittenApi, client: MainspringClient):
    api.answers.append(Response(status_code=204))
    assert ids(client, after="1-3") == []
    assert len(api.seen) == 1


def test_a_stream_that_never_gets_anywhere_is_given_up(api: WrittenApi, client: MainspringClient):
    api.stream()
    with pytest.raises(ApiError) as refused:
        ids(client)
    assert (refused.value.code, len(api.seen)) == ("unreachable", 3)


def test_an_unknown_run_is_an_error_at_once(api: WrittenApi, client: MainspringClient):
    api.refuse("not_found", 404)
    with pytest.raises(ApiError) as refused:
        ids(client)
    assert (refused.value.code, len(api.seen)) == ("not_found", 1)


def test_a_reader_who_stops_early_leaves_the_client_usable(api: WrittenApi, client: MainspringClient):
    api.stream(*STORY)
    api.stream(*STORY)
    events = client.events("run_1")
    next(events)
    events.close()
    assert ids(client) == ["1-1", "1-2", "1-3"]


def test_text_with_unicode_line_separators_stays_whole(api: WrittenApi, client: MainspringClient):
    api.stream(event("1-1", "message.delta", delta="a\u2028b\x85c\x0cd \u00e9"), STORY[2])
    assert next(iter(client.events("run_1"))).data["delta"] == "a\u2028b\x85c\x0cd \u00e9"


FRAMES = [
    (b"data: a\n\n", [Frame("message", "a", "")]),
    (b"data:a\r\ndata: b\r\n\r\n", [Frame("message", "a\nb", "")]),
    (b"event: x\rdata\rid: 7\r\r", [Frame("x", "", "7")]),
    (b"id: 1\ndata: a\n\ndata: b\n\n", [Frame("message", "a", "1"), Frame("message", "b", "1")]),
    (b"id: 1\x002\ndata: a\n\n", [Frame("message", "a", "")]),
    (b"event: x\n\ndata: a\n\n", [Frame("message", "a", "")]),
    (b": comment\nunknown: 1\nretry: 5\ndata:  two\n\n", [Frame("message", " two", "")]),
    (b"data: unfinished\n", []),
    ("data: \u2028é\n\n".encode(), [Frame("message", "\u2028é", "")]),
    (b"data: \xff\n\n", [Frame("message", "\ufffd", "")]),
    (b"", []),
]


@pytest.mark.parametrize(("stream", "frames"), FRAMES)
def test_frames_are_read_as_the_standard_says(stream: bytes, frames: list[Frame]):
    assert list(read_frames([stream])) == frames


@given(stream=st.sampled_from([stream for stream, _ in FRAMES]), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_frames_do_not_depend_on_how_the_bytes_were_cut(stream: bytes, cuts: list[int]):
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert list(read_frames(pieces)) == list(read_frames([stream]))
