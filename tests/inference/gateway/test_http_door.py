"""The gateway's door for programs, over real sockets and with a handle that echoes."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mainspring.inference.gateway.server.http import MAX_WAITING
from mainspring.inference.gateway.server.request import Patience
from tests.certificates import Authority
from tests.raw_door import GET, Answer, Caller, Door, open_door, until


async def test_a_call_is_answered_and_the_connection_is_kept():
    async with open_door() as door, door.caller() as caller:
        for body in (b"abc", b""):
            caller.send(b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            answer = await caller.answer()
            assert (answer.status, json.loads(answer.body)) == (
                200,
                {"method": "POST", "target": "/a?b=1", "body": len(body)},
            )
            assert "connection" not in answer.headers
        assert len(door.server.connections) == 1


async def test_the_answer_to_head_has_no_body_that_could_be_read_as_the_next_answer():
    async with open_door() as door, door.caller() as caller:
        caller.send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await caller.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"content-length: 45" in head
        caller.send(GET)
        assert (await caller.answer()).target == "/"


async def test_http_1_0_is_answered_without_chunks_and_closed():
    async with open_door() as door:
        door.echo.go.set()
        answer, rest = await door.ask(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (answer.status, answer.headers["connection"], rest) == (200, "close", b"")
        answer, rest = await door.ask(b"GET /stream HTTP/1.0\r\n\r\n")
        assert (answer.body, answer.headers["connection"], rest) == (b"firstsecondthird", "close", b"")
        assert "transfer-encoding" not in answer.headers


async def test_a_stream_is_sent_in_chunks_and_the_connection_is_kept():
    async with open_door() as door, door.caller() as caller:
        door.echo.go.set()
        caller.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        assert (await caller.answer()).body == b"firstsecondthird"
        assert (await caller.answer()).target == "/"


async def test_an_address_in_absolute_form_is_its_path():
    async with open_door() as door, door.caller() as caller:
        for target, path in ((b"http://x/v1?a", "/v1?a"), (b"HTTPS://x:9/", "/"), (b"http://x", "/"), (b"*", "*")):
            caller.send(b"OPTIONS %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
            assert (await caller.answer()).target == path


async def test_a_wish_for_http_2_is_passed_over_and_the_body_is_kept():
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    async with open_door() as door, door.caller() as caller:
        for _ in range(2):
            caller.send(b"POST /a HTTP/1.1\r\nHost: x\r\n" + wish + b"Content-Length: 3\r\n\r\na")
            caller.send(b"bc" + b"GET /b HTTP/1.1\r\nHost: x\r\n" + wish + b"\r\n")
            assert json.loads((await caller.answer()).body) == {"method": "POST", "target": "/a", "body": 3}
            assert (await caller.answer()).target == "/b"
        assert [request.body for request in door.echo.seen] == [b"abc", b"", b"abc", b""]
        assert b"upgrade" not in door.echo.seen[0].headers


async def test_a_body_is_asked_for_only_when_its_turn_has_come():
    expecting = b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
    async with open_door() as door, door.caller() as caller:
        caller.send(expecting)
        assert (await caller.answer()).status == 100
        caller.send(b"abcGET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + expecting)
        assert (await caller.answer()).target == "/a"
        await until(lambda: len(door.echo.seen) == 2)
        door.echo.go.set()
        assert (await caller.answer()).target == "/slow"
        assert (await caller.answer()).status == 100
        caller.send(b"abc")
        assert (await caller.answer()).target == "/a"


async def test_answers_keep_the_order_of_requests_and_few_are_read_ahead():
    async with open_door() as door, door.caller() as caller:
        caller.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        count = 20_000
        writing = asyncio.create_task(_write(caller, count))
        await until(lambda: len(door.echo.seen) == 1)
        connection = next(iter(door.server.connections))
        await until(lambda: connection.is_held)
        assert MAX_WAITING <= connection.waiting < MAX_WAITING + 200
        assert not writing.done()  # reading stands still, so writing does
        door.echo.go.set()
        assert (await caller.answer()).target == "/slow"
        assert [(await caller.answer()).target for _ in range(count)] == [f"/{number}" for number in range(count)]
        await writing


async def _write(caller: Caller, count: int) -> None:
    padding = b"X: " + b"x" * 300 + b"\r\n"
    for number in range(count):
        caller.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n%b\r\n" % (number, padding))
        await caller.writer.drain()


async def test_a_refused_request_behind_good_ones_is_answered_in_its_place():
    async with open_door() as door:
        requests = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"BAD\r\n\r\n" + GET
        async with door.caller() as caller:
            caller.send(requests)
            await until(lambda: len(door.echo.seen) == 1)
            door.echo.go.set()
            assert [(await caller.answer()).status for _ in range(3)] == [200, 200, 400]
            assert await caller.rest() == b""


async def test_nothing_is_answered_after_the_answer_that_closes():
    async with open_door() as door:
        answer, rest = await door.ask(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + GET)
        assert (answer.status, answer.headers["connection"], rest) == (200, "close", b"")
        assert len(door.echo.seen) == 1


async def test_a_handle_that_answers_nothing_half_or_twice_costs_its_connection():
    async with open_door() as door:
        for target in (b"nothing", b"half", b"twice"):
            async with door.caller() as caller:
                caller.send(b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % target + GET)
                assert (await caller.rest()).count(b"HTTP/1.1") <= 1
        assert len(door.echo.seen) == 3


async def test_a_caller_that_leaves_in_the_middle_gives_its_calls_up():
    async with open_door(patience=Patience(half_closed=0.05, sweep=0.02)) as door:
        async with door.caller() as caller:
            caller.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + GET * 3)
            await until(lambda: len(door.echo.seen) == 1)
        await until(lambda: door.echo.cancelled == 1 and not door.server.connections)
        assert len(door.echo.seen) == 1


def _half_close(caller: Caller) -> None:
    caller.writer.write_eof()


async def test_a_caller_that_has_shut_down_its_side_still_reads_its_answers():
    async with open_door() as door, door.caller() as caller:
        caller.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        _half_close(caller)
        assert (await caller.answer()).target == "/a"
        assert await caller.reader.readuntil(b"first\r\n")
        door.echo.go.set()
        assert (await caller.rest()).endswith(b"5\r\nthird\r\n0\r\n\r\n")


async def test_a_call_of_nobody_is_given_up_after_a_moment():
    async with open_door(patience=Patience(half_closed=0.05, sweep=0.02)) as door, door.caller() as caller:
        caller.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        _half_close(caller)
        assert await caller.rest() == b""
        assert door.echo.cancelled == 1


async def test_slow_heads_and_bodies_are_ended_and_idle_connections_closed():
    patience = Patience(head=0.1, body_idle=0.1, request=0.3, keep_alive=0.1, sweep=0.02)
    async with open_door(patience=patience) as door:
        body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"
        for start, piece in ((b"GET / HTTP/1.1\r\n", b"x: y\r\n"), (body, b""), (body, b"x"), (b"\r\n", b"")):
            answer = await _dribble(door, start, piece)
            assert (answer.status, answer.error["code"]) == (408, "bad_http"), start
        async with door.caller() as caller:
            caller.send(GET)
            assert (await caller.answer()).status == 200
            assert await caller.rest() == b""
        async with door.caller() as silent:
            assert await silent.rest() == b""
        assert len(door.echo.seen) == 1


async def _dribble(door: Door, start: bytes, piece: bytes) -> Answer:
    async with door.caller() as caller:
        caller.send(start)
        reading = asyncio.create_task(caller.answer())
        while not reading.done():
            caller.send(piece)
            await asyncio.wait({reading}, timeout=0.03)
        return await reading


async def test_a_caller_that_never_reads_holds_the_answer_back_and_is_cut():
    async with open_door(patience=Patience(write_idle=0.3, sweep=0.02)) as door, _deaf(door, b"/flood"):
        await until(lambda: door.echo.pauses == [True])
        assert door.echo.sent < 12_000_000  # what the system's buffers hold, and no more
        await until(lambda: door.echo.cancelled == 1 and not door.server.connections)
        assert door.echo.pauses == [True, False]  # nothing stays held back


async def test_a_caller_that_never_reads_is_cut_after_a_whole_answer_too_and_gets_no_second():
    async with open_door(patience=Patience(write_idle=0.3, sweep=0.02)) as door, _deaf(door, b"/big", 3):
        await until(lambda: len(door.echo.seen) == 1)
        await until(lambda: not door.server.connections)
        assert len(door.echo.seen) == 1


async def test_a_caller_that_reads_on_gets_all():
    async with open_door() as door, _deaf(door, b"/flood") as deaf:
        await until(lambda: door.echo.pauses == [True])
        read, loop = 0, asyncio.get_running_loop()
        while read < 20_000_000:
            read += len(await loop.sock_recv(deaf, 1_000_000))
        await until(lambda: door.echo.sent == 20_000_000)
        assert door.echo.pauses[-1] is False


@asynccontextmanager
async def _deaf(door: Door, target: bytes, times: int = 1) -> AsyncGenerator[socket.socket]:
    """A caller that asks and does not read."""
    loop = asyncio.get_running_loop()
    with socket.socket() as deaf:
        deaf.setblocking(False)
        await loop.sock_connect(deaf, (door.host, door.port))
        await loop.sock_sendall(deaf, b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target * times)
        yield deaf


async def test_draining_finishes_what_was_begun_and_lets_nobody_in():
    async with open_door() as door:
        async with door.caller() as slow, door.caller() as stream, door.caller() as idle, door.caller() as partial:
            slow.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
            stream.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.reader.readuntil(b"first\r\n")
            idle.send(GET)
            await idle.answer()
            partial.send(b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
            await until(lambda: sum(not connection.is_idle for connection in door.server.connections) == 3)
            draining = asyncio.create_task(door.server.drain(10))
            assert await idle.rest() == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(door.host, door.port)
            partial.send(b"bc")
            late = await partial.answer()
            assert (late.target, late.headers["connection"]) == ("/late", "close")
            assert not draining.done()
            door.echo.go.set()
            answer = await slow.answer()
            assert (answer.target, answer.headers["connection"]) == ("/slow", "close")
            assert await slow.rest() == b""
            assert (await stream.rest()).endswith(b"5\r\nthird\r\n0\r\n\r\n")
            await draining
        assert door.echo.cancelled == 0


async def test_draining_gives_up_what_is_not_finished_in_time():
    async with open_door() as door, door.caller() as slow, door.caller() as stream:
        slow.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        stream.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.reader.readuntil(b"first\r\n")
        await until(lambda: len(door.echo.seen) == 2)
        began = asyncio.get_running_loop().time()
        await door.server.drain(0.1)
        assert 0.09 <= asyncio.get_running_loop().time() - began < 2
        assert door.echo.cancelled == 2  # and had ended before the drain did
        assert [await slow.rest(), await stream.rest()] == [b"", b""]


async def test_callers_speak_tls_and_half_of_it_is_none(tmp_path: Path):
    authority = Authority(tmp_path)
    tls = authority.make("localhost").serving()
    async with open_door(tls=tls, patience=Patience(keep_alive=0.3, sweep=0.05)) as door:
        async with door.caller(authority.trusting()) as caller:
            for body in (b"", b"x" * 90_000):
                caller.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                assert json.loads((await caller.answer()).body)["body"] == len(body)
            caller.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
            assert len((await caller.answer()).body) == 8_000_000
            assert (await caller.answer()).target == "/"
            assert await caller.rest() == b""
        async with door.caller(authority.trusting()) as caller:
            caller.send(b"BAD\r\n\r\n" + GET)
            assert (await caller.answer()).status == 400
            caller.writer.close()
            await until(lambda: not door.server.connections)
        with pytest.raises(ssl.SSLCertVerificationError):
            async with door.caller(ssl.create_default_context()):
                pass
        async with door.caller() as plain:
            plain.send(GET)
            assert (await plain.rest())[:5] != b"HTTP/"


async def test_callers_come_over_ipv6():
    async with open_door(host="::1") as door, door.caller() as caller:
        caller.send(GET)
        assert (await caller.answer()).status == 200
