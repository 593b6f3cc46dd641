"""The hot Valkey client against the real server, on both event loops, and against servers that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.engines.process import ChildProcess, find_free_port
from mainspring.foundation.engines.valkey import child_spec
from mainspring.foundation.valkey import ValkeyGone
from mainspring.foundation.valkey_wire import Script, ValkeyWire, encode, read_url

PATIENT = timedelta(seconds=30)
ECHO = Script("return {KEYS[1], ARGV[1]}")


@pytest.fixture
async def wire(engines: EngineUrls) -> AsyncIterator[ValkeyWire]:
    opened = await ValkeyWire(engines.valkey_url, reply_timeout=PATIENT).start()
    yield opened
    await opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[ChildProcess, str]]:
    """A Valkey of this test alone, and its address."""
    port = find_free_port()
    child = ChildProcess(child_spec(tmp_path / "valkey", tmp_path / "log", port, "p@ss"))
    child.start()
    yield child, f"redis://:p%40ss@127.0.0.1:{port}"
    child.stop()


async def connected(wire: ValkeyWire) -> None:
    async with asyncio.timeout(20):
        while not wire.is_connected:  # noqa: ASYNC110 - the claim is about another process
            await asyncio.sleep(0.01)


async def test_replies_come_in_the_order_of_the_calls(wire: ValkeyWire) -> None:
    replies = await asyncio.gather(*[wire.call(b"ECHO", b"%d" % number) for number in range(1000)])
    assert replies == [b"%d" % number for number in range(1000)]
    assert await wire.call(b"LRANGE", b"nothing-here", b"0", b"-1") == []
    assert await wire.call(b"GET", b"nothing-here") is None


async def test_the_calls_of_one_turn_leave_in_one_write() -> None:
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            received.append(data)
            writer.write(b"+OK\r\n" * data.count(b"PING"))
        writer.close()

    async with fake(serve) as url:
        wire = await ValkeyWire(url, reply_timeout=PATIENT).start()
        received.clear()
        await asyncio.gather(*[wire.call(b"PING") for _ in range(50)])
        assert received == [encode(b"PING") * 50]
        await wire.close()


async def test_an_error_reply_fails_its_own_call_only(wire: ValkeyWire) -> None:
    first, wrong, last = wire.call(b"PING"), wire.call(b"NOSUCHCOMMAND"), wire.call(b"PING")
    assert await first == b"PONG"
    with pytest.raises(ValkeyGone, match="unknown command"):
        await wrong
    assert await last == b"PONG"


async def test_a_call_given_up_does_not_shift_the_replies_of_others(wire: ValkeyWire) -> None:
    calls = [wire.call(b"ECHO", b"%d" % number) for number in range(10)]
    calls[3].cancel()
    assert await calls[4] == b"4"
    assert await calls[9] == b"9"


async def test_a_script_is_loaded_where_it_is_missing(wire: ValkeyWire) -> None:
    message = ECHO.prepare([b"a-key"], last_size=3) + b"abc\r\n"
    for _ in range(2):
        await wire.call(b"SCRIPT", b"FLUSH")
        replies = await asyncio.gather(*[wire.run(ECHO, message) for _ in range(20)])
        assert replies == [[b"a-key", b"abc"]] * 20


async def test_a_script_that_is_wrong_fails_and_is_not_asked_for_ever(wire: ValkeyWire) -> None:
    broken = Script("this is not Lua")
    with pytest.raises(ValkeyGone):
        await wire.run(broken, broken.prepare([], last_size=1) + b"x\r\n")
    assert await wire.call(b"PING") == b"PONG"


async def test_sent_calls_are_executed_though_nobody_waits(wire: ValkeyWire) -> None:
    wire.send(b"SET", b"wire-test", b"1", b"EX", b"60")
    assert await wire.call(b"GETDEL", b"wire-test") == b"1"


async def test_calls_fail_at_once_while_the_server_is_away_and_work_again_after(
    server: tuple[ChildProcess, str],
) -> None:
    child, url = server
    wire = await ValkeyWire(url, reply_timeout=PATIENT).start()
    assert await wire.call(b"PING") == b"PONG"
    lost: list[bytes] = []
    blocked = wire.call(b"BLPOP", b"never", b"0")
    wire.run_unheard(ECHO, b"never answered: it is behind what blocks", lost.append)
    child.kill()
    with pytest.raises(ValkeyGone):
        await asyncio.wait_for(blocked, 5)
    assert lost == [b"never answered: it is behind what blocks"]
    with pytest.raises(ValkeyGone):
        await asyncio.wait_for(wire.call(b"PING"), 0.1)
    wire.run_unheard(ECHO, b"not even sent", lost.append)
    assert lost[1:] == [b"not even sent"]
    seen: list[bool] = []
    wire.on_connect(lambda: seen.append(wire.is_connected))
    child.start()
    await connected(wire)
    assert await wire.call(b"PING") == b"PONG"
    assert seen == [True]
    await wire.close()


async def test_a_server_that_is_absent_at_the_start_is_found_later(tmp_path: Path) -> None:
    port = find_free_port()
    wire = await ValkeyWire(f"redis://:secret@127.0.0.1:{port}", reply_timeout=PATIENT).start()
    with pytest.raises(ValkeyGone):
        await wire.call(b"PING")
    child = ChildProcess(child_spec(tmp_path, tmp_path / "log", port, "secret"))
    child.start()
    try:
        await connected(wire)
        assert await wire.call(b"PING") == b"PONG"
        await wire.close()
    finally:
        child.stop()


async def test_a_wrong_password_leaves_the_server_away(server: tuple[ChildProcess, str]) -> None:
    _, url = server
    wire = await ValkeyWire(url.replace("p%40ss", "wrong"), reply_timeout=PATIENT).start()
    with pytest.raises(ValkeyGone):
        await wire.call(b"PING")
    await wire.close()


async def test_a_silent_server_is_given_up_after_the_reply_timeout() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"+PONG\r\n")  # to the greeting; then nothing more
        await reader.read(-1)
        writer.close()

    async with fake(serve) as url:
        wire = await ValkeyWire(url, reply_timeout=timedelta(milliseconds=100)).start()
        started = asyncio.get_running_loop().time()
        with pytest.raises(ValkeyGone, match="did not answer within 100 ms"):
            await wire.call(b"PING")
        assert 0.09 <= asyncio.get_running_loop().time() - started < 5
        await wire.close()


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+OK\r\n+OK\r\n", b"$-7\r\n\x00\xff"])
async def test_garbage_from_the_server_fails_the_calls_and_nothing_else(garbage: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"+PONG\r\n")
        await reader.read(1000)
        writer.write(garbage)
        await reader.read(-1)
        writer.close()

    async with fake(serve) as url:
        wire = await ValkeyWire(url, reply_timeout=PATIENT).start()
        calls = [wire.call(b"PING"), wire.call(b"PING")]
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
        assert isinstance(results[1], ValkeyGone) or results == [b"OK", b"OK"]
        await wire.close()


def test_it_works_on_uvloop_too(engines: EngineUrls) -> None:
    async def talk() -> list[object]:
        wire = await ValkeyWire(engines.valkey_url, reply_timeout=PATIENT).start()
        replies = await asyncio.gather(*[wire.call(b"ECHO", b"%d" % number) for number in range(100)])
        await wire.close()
        return list(replies)

    assert uvloop.run(talk()) == [b"%d" % number for number in range(100)]


def test_addresses_are_read_as_other_clients_read_them() -> None:
    plain = read_url("redis://ann:s%20t@host:7000/3")
    assert (plain.host, plain.port, plain.path, plain.tls) == ("host", 7000, None, None)
    assert plain.greeting == (encode(b"AUTH", b"ann", b"s t"), encode(b"SELECT", b"3"))
    assert read_url("redis://host").greeting == ()
    assert read_url("unix://:pw@/run/valkey.sock?db=2").path == "/run/valkey.sock"
    assert read_url("unix://:pw@/run/valkey.sock?db=2").greeting == (encode(b"AUTH", b"pw"), encode(b"SELECT", b"2"))
    secure = read_url("rediss://host").tls
    assert secure is not None
    assert secure.check_hostname
    with pytest.raises(ValueError, match="http:// is not known"):
        read_url("http://host")


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class fake:  # noqa: N801 - reads as a function where it is used
    """A server of one handler on a free port; entering gives its URL."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, family=socket.AF_INET)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()
