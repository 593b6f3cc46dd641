"""Bytes that no honest client sends to the gateway: one clear refusal, then nothing more on that connection."""

import asyncio
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainspring.inference.gateway.server.http import ClientConnection, Server
from mainspring.inference.gateway.server.request import MAX_HEAD_BYTES, MAX_HEADERS, MAX_TARGET_BYTES, Patience, Request
from tests.raw_door import GET, open_door, until

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

REFUSED: dict[str, tuple[int, bytes]] = {
    "length and chunks": (400, POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunks and length": (400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    "the same length twice": (400, POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "two lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc"),
    "a list of lengths": (400, POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "a negative length": (400, POST + b"Content-Length: -3\r\n\r\nabc"),
    "a length with a space": (400, POST + b"Content-Length: 3 0\r\n\r\nabc"),
    "a length in hex": (400, POST + b"Content-Length: 0x3\r\n\r\nabc"),
    "a length with an underscore": (400, POST + b"Content-Length: 1_0\r\n\r\nabc"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\nabc"),
    "a length beyond 64 bits": (400, POST + b"Content-Length: 99999999999999999999\r\n\r\nabc"),
    "a length over the limit": (413, POST + b"Content-Length: 100001\r\n\r\nabc"),
    "another coding": (400, POST + b"Transfer-Encoding: gzip\r\n\r\nabc"),
    "a coding before chunks": (400, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunks twice": (400, POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunks in a list twice": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "a coding like chunks": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "a coding after a tab of another kind": (400, POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "no coding after all": (400, POST + b"Transfer-Encoding: identity\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a folded line": (400, POST + b"A: b\r\n c\r\n\r\n"),
    "a folded coding": (400, POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "a space before the first header": (400, b"POST / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n"),
    "a space before the colon": (400, POST + b"Content-Length : 3\r\n\r\nabc"),
    "a bare LF in the first line": (400, b"POST / HTTP/1.1\nHost: x\r\n\r\n"),
    "a bare LF in a header": (400, POST + b"A: b\nC: d\r\n\r\n"),
    "a bare LF at the end": (400, POST + b"A: b\r\n\n"),
    "a bare CR": (400, POST + b"A: b\rContent-Length: 3\r\n\r\n"),
    "NUL in a value": (400, POST + b"A: b\0c\r\n\r\n"),
    "NUL in a name": (400, POST + b"A\0: b\r\n\r\n"),
    "a control character": (400, POST + b"A: b\x01\r\n\r\n"),
    "a line without a colon": (400, POST + b"abc\r\n\r\n"),
    "a header without a name": (400, POST + b": abc\r\n\r\n"),
    "no host": (400, b"POST / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, POST + b"Host: y\r\n\r\n"),
    "two credentials": (400, POST + b"Authorization: a\r\nauthorization: b\r\n\r\n"),
    "two keys": (400, POST + b"X-Api-Key: a\r\nX-Api-Key: b\r\n\r\n"),
    "a method in lower case": (400, b"post / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an unknown method": (400, b"SMUGGLE / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT": (400, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an asterisk for POST": (400, b"POST * HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an address of another kind": (400, b"POST ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/0.9 by name": (505, b"GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
    "HTTP/2 by name": (505, b"GET / HTTP/2.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS on a plain port": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a target too long": (414, b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * MAX_TARGET_BYTES)),
    "a target with a control character": (400, b"GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a head too long": (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: %b\r\n\r\n" % (b"a" * (MAX_HEAD_BYTES + 5000))),
    "a target that never ends": (431, b"GET /" + b"a" * (MAX_HEAD_BYTES + 5000)),
    "too many headers": (431, POST + b"".join(b"A%d: b\r\n" % number for number in range(MAX_HEADERS)) + b"\r\n"),
    "a header too often": (431, POST + b"A: b\r\n" * (MAX_HEADERS + 2) + b"\r\n"),
    "too much in chunks": (413, CHUNKED + b"c350\r\n%b\r\n" % (b"a" * 50_000) * 3),
    "an extension that never ends": (400, CHUNKED + b"1;" + b"a" * 200_000),
    "a trailer that never ends": (400, CHUNKED + b"0\r\nA: " + b"a" * 200_000),
    "too many trailers": (431, CHUNKED + b"0\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n"),
    "a length in a trailer": (400, CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n"),
    "a chunk of no size": (400, CHUNKED + b"\r\nabc\r\n"),
    "a chunk with a prefix": (400, CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk with a sign": (400, CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": (400, CHUNKED + b"1ffffffffffffffff\r\nabc"),
    "a chunk longer than it says": (400, CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n"),
    "a chunk ended by LF": (400, CHUNKED + b"3\nabc\n0\n\n"),
    "an extension with LF": (400, CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
    "an upgrade with two lengths": (
        400,
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
}


@pytest.mark.parametrize(("status", "wire"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_clear_request_is_refused_once_and_nothing_follows(status: int, wire: bytes):
    async with open_door() as door:
        answer, rest = await door.ask(wire + SMUGGLED)
        assert (answer.status, answer.headers["connection"], rest) == (status, "close", b"")
        assert answer.headers["content-type"] == "application/json"
        assert answer.error["type"] == "invalid_request_error"
        assert len(answer.error["message"]) > 20
        assert door.echo.seen == []


async def test_the_largest_request_that_is_allowed_passes():
    headers = b"".join(b"A%d: %b\r\n" % (number, b"b" * 400) for number in range(MAX_HEADERS - 2))
    body = b"Content-Length: 100000\r\n\r\n" + b"a" * 100_000
    target = b"/" + b"a" * (MAX_TARGET_BYTES - 1)
    async with open_door() as door, door.caller() as caller:
        caller.send(b"POST %b HTTP/1.1\r\nHost: x\r\n%b%b" % (target, headers, body) + GET)
        assert json.loads((await caller.answer()).body)["body"] == 100_000
        assert (await caller.answer()).target == "/"


async def test_a_body_longer_than_its_length_is_the_next_request_and_refused():
    async with open_door() as door:
        answer, rest = await door.ask(POST + b"Content-Length: 3\r\n\r\nabcdef\r\n\r\n")
        assert answer.status == 200
        assert rest.startswith(b"HTTP/1.1 400")
        assert rest.count(b"HTTP/1.1 ") == 1
        assert [request.body for request in door.echo.seen] == [b"abc"]


async def test_a_body_shorter_than_its_length_is_never_handed_on():
    async with open_door() as door:
        async with door.caller() as caller:
            caller.send(POST + b"Content-Length: 30\r\n\r\nabc")
            caller.writer.write_eof()
            assert await caller.rest() == b""
        assert door.echo.seen == []


async def test_chunks_are_read_in_any_split_and_their_trailers_say_nothing():
    chunked = CHUNKED + b'3;a=b;c="d;e"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nAuthorization: x\r\nHost: y\r\n\r\n'
    async with open_door() as door, door.caller() as caller:
        for cut in range(1, len(chunked)):
            caller.send(chunked[:cut])
            await asyncio.sleep(0)
            caller.send(chunked[cut:])
            assert json.loads((await caller.answer()).body)["body"] == 13
        assert {request.body for request in door.echo.seen} == {b"abc0123456789"}
        assert all(list(request.headers) == [b"host", b"transfer-encoding"] for request in door.echo.seen)
        assert {request.headers[b"host"] for request in door.echo.seen} == {b"x"}


async def test_a_refusal_reaches_a_caller_that_is_still_sending():
    async with open_door() as door, door.caller() as caller:
        caller.send(POST + b"Content-Length: 3000000\r\n\r\n")
        for _ in range(30):
            caller.send(b"a" * 100_000)
        assert (await caller.answer()).status == 413
        assert await caller.rest() == b""


async def test_a_refused_caller_that_stays_is_cut():
    async with open_door(patience=Patience(linger=0.05, sweep=0.02)) as door, door.caller() as caller:
        caller.send(b"BAD\r\n\r\n")
        await until(lambda: not door.server.connections)


async def test_a_thousand_idle_connections_cost_little():
    server = Server(_answer, max_body_bytes=1000)
    before = _resident_kilobytes()
    waiting = [_connected(server)[0] for _ in range(1000)]
    for connection in waiting:
        connection.data_received(GET)
    await until(lambda: all(connection.is_idle for connection in waiting))
    assert _resident_kilobytes() - before < 8_000  # of ours; the sockets are the system's
    for connection in waiting:
        connection.connection_lost(None)
    assert not server.connections


def _resident_kilobytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


class _Socket(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_over = self.is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_over
        self.written += data

    def close(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return self.is_over

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_over = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


async def _answer(request: Request, connection: ClientConnection) -> None:
    connection.reply(200, b"", b"%b %b %d" % (request.method, request.target, len(request.body)))


def _connected(server: Server) -> tuple[ClientConnection, _Socket]:
    connection, socket = ClientConnection(server), _Socket()
    connection.connection_made(socket)
    return connection, socket


ANSWER = re.compile(
    rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\ncontent-length: (\d+)\r\n(?:content-type: application/json\r\n)?"
    rb"(connection: close\r\n)?\r\n"
)
PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            *(GET, POST, CHUNKED, SMUGGLED, b"\r\n", b"\n", b"\r", b" ", b"\0", b"abc", b"0\r\n\r\n", b"3\r\nabc\r\n"),
            *(b"Content-Length: 3\r\n", b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n"),
            *(b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n"),
            *(b"GET / HTTP/1.0\r\n\r\n", b"Host: x\r\n", b"A: b\r\n c\r\n"),
            *(wire for _, wire in REFUSED.values() if len(wire) < 2000),
        ]
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(PIECES, max_size=8), cuts=st.lists(st.integers(0, 600), max_size=6))
def test_any_bytes_in_any_split_are_answered_well_or_cut(pieces: list[bytes], cuts: list[int]):
    wire = b"".join(pieces)
    outcomes = [asyncio.run(_outcome(wire, places)) for places in ([], sorted(cuts), list(range(0, len(wire), 7)))]
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def _outcome(wire: bytes, cuts: list[int]) -> list[bytes]:
    """The statuses, after a look at the form of each answer."""
    server = Server(_answer, max_body_bytes=1000)
    connection, socket = _connected(server)
    for start, end in pairwise([0, *cuts, len(wire)]):
        if (piece := wire[start:end]) and not socket.is_over:
            connection.data_received(piece)
            await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    assert socket.is_over or not socket.is_paused
    return _statuses(socket)


def _statuses(socket: _Socket) -> list[bytes]:
    written = socket.written.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    statuses: list[bytes] = []
    while written:
        head = ANSWER.match(written)
        assert head, written
        written = written[head.end() + int(head[2]) :]
        statuses.append(head[1])
        if head[3]:
            assert not written
            assert socket.is_over
    return statuses
