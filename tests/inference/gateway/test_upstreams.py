"""The way to providers over real sockets: one whole answer for each request, or UpstreamGone."""

import asyncio
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.engine.lanes import Deadlines, Lane
from mainspring.inference.gateway.errors import Overloaded
from mainspring.inference.gateway.providers.openai import OUTBOUND
from mainspring.inference.gateway.upstream import (
    Connection,
    Exchange,
    Limits,
    Origin,
    Proxy,
    UpstreamGone,
)
from mainspring.inference.gateway.upstream import connection as connection_room
from tests.raw_provider import (
    CHUNKED,
    OK,
    REQUEST,
    Act,
    Provider,
    ask,
    begin,
    dribble,
    endless,
    hang_up,
    plain,
    pooled,
    provider,
    then_close,
    until,
)


async def test_a_connection_is_used_again_and_closed_when_it_was_spare_for_long():
    async with provider() as playing, pooled(plain(playing), Limits(spare=0.05, sweep=0.02)) as pool:
        assert [await ask(pool) for _ in range(3)] == [b"hi"] * 3
        assert playing.connections == 1
        await until(lambda: pool.connections == 0)
        assert await ask(pool) == b"hi"
        assert playing.connections == 2


async def test_an_answer_that_nobody_took_yet_is_never_somebody_elses():
    """Its connection serves no other call until the answer was taken or given up."""
    async with provider() as playing, pooled(plain(playing)) as pool:
        first = await begin(pool)
        await first.head()
        await until(lambda: first.is_whole)  # but whoever waits for it is slow
        playing.script.append(OK.replace(b"hi", b"no"))
        assert await ask(pool) == b"no"
        assert playing.connections == 2
        assert await first.whole() == b"hi"
        third = await begin(pool)
        first.abort()
        first.hold_back()
        assert await third.whole() == b"hi"
        assert playing.connections == 2


async def test_an_answer_that_is_given_up_whole_leaves_its_connection_to_others():
    async with provider() as playing, pooled(plain(playing)) as pool:
        given_up = await begin(pool)
        await given_up.head()
        await until(lambda: given_up.is_whole)
        given_up.abort()
        assert await ask(pool) == b"hi"
        assert playing.connections == 1


async def test_a_connection_that_the_provider_ends_is_not_used_again():
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(OK.replace(b"Content-L", b"Connection: close\r\nContent-L"))
        assert [await ask(pool) for _ in range(2)] == [b"hi"] * 2
        assert playing.connections == 2
        playing.script.append(then_close(OK))
        await ask(pool)
        await until(lambda: pool.connections == 0)
        assert await ask(pool) == b"hi"


async def test_only_a_used_connection_without_a_byte_of_an_answer_is_stale():
    async with provider() as playing, pooled(plain(playing)) as pool:
        acts: tuple[Act, ...] = (
            hang_up,
            then_close(b"HTTP/1.1 200 OK\r\n\r"),
            then_close(OK[:-2]),
            then_close(OK[:-1]),
        )
        for is_used in (False, True):
            for act in acts:
                pool.close()
                if is_used:
                    await ask(pool)
                playing.script.append(act)
                with pytest.raises(UpstreamGone, match="connection lost") as gone:
                    await ask(pool)
                assert gone.value.is_stale is (is_used and act is hang_up)


async def test_a_call_on_a_connection_that_was_just_closed_is_sent_once_more_and_only_once():
    async with provider() as playing, pooled(plain(playing)) as pool:
        lane = Lane(pool, OUTBOUND, f"http://127.0.0.1:{playing.port}", "", "x", {})
        deadlines = Deadlines(asyncio.get_running_loop().time() + 5, 5.0)
        for wait in (lane.ask, lane.open):
            await lane.ask("/v1", b"{}", deadlines=deadlines)
            playing.heads.clear()
            playing.script.append(hang_up)
            answer = await wait("/v1", b"{}", deadlines=deadlines)
            assert (answer if isinstance(answer, bytes) else await answer.whole()) == b"hi"
            assert len(playing.heads) == 2
            await asyncio.sleep(0)  # the connection goes back to its pool
            playing.heads.clear()
            playing.script.extend([hang_up, hang_up, OK])
            with pytest.raises(Overloaded):
                await wait("/v1", b"{}", deadlines=deadlines)
            assert len(playing.heads) == 2
            playing.script.clear()


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it", b"all of it"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (CHUNKED + b"3;a=b\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, b"hi"),
        (b"HTTP/1.1 200 OK\r\nUpgrade: h2\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_answers_of_every_length_are_whole(wire: bytes, body: bytes):
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(then_close(wire))
        connection = await begin(pool)
        assert await connection.whole() == body
        assert "link" not in connection.headers
        assert "x-trailer" not in connection.headers
        await until(lambda: pool.connections == 0)
        assert await ask(pool) == b"hi"


@pytest.mark.parametrize(
    "wire",
    [
        b"<html>",
        b"\x16\x03\x01\x02",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"3\r\nabc\r\n",
        OK[:-1],
    ],
)
async def test_what_is_no_whole_answer_is_an_error(wire: bytes):
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(then_close(wire))
        with pytest.raises(UpstreamGone) as gone:
            await ask(pool)
        assert not gone.value.is_stale
        assert pool.connections == 0


@pytest.mark.parametrize("more", [b"x", b"\r\nHTTP/1.1", OK.replace(b"hi", b"no"), CHUNKED + b"2\r\nno\r\n"])
async def test_bytes_after_an_answer_are_never_the_next_answer(more: bytes):
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(OK + more)
        assert [await ask(pool), await ask(pool)] == [b"hi", b"hi"]
        assert playing.connections == 2


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n"), "head is too long"),
        (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000), "head is too long"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "head is too long"),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000), "answer is too long"),
        (endless(CHUNKED + b"0\r\nX: ", b"y" * 50_000), "answer is too long"),
        (endless(CHUNKED + b"1;", b"y" * 50_000), "answer is too long"),
    ],
)
async def test_what_never_ends_is_cut(act: Act, reason: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection_room, "MAX_BODY_BYTES", 1_000_000)
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(act)
        with pytest.raises(UpstreamGone, match=reason):
            await ask(pool)
        assert await ask(pool) == b"hi"


@pytest.mark.parametrize(
    ("start", "piece"),
    [(b"", b""), (b"HTTP/1.1 200 OK\r\nX: ", b"y"), (b"", b"HTTP/1.1 102 Processing\r\n\r\n"), (CHUNKED, b"")],
)
async def test_an_answer_that_does_not_come_is_late(start: bytes, piece: bytes):
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(dribble(start, piece, 0.02))
        with pytest.raises(UpstreamGone) as gone:
            await ask(pool, seconds=0.15, idle=0.15)
        assert gone.value.is_timeout


async def test_an_answer_that_comes_piece_by_piece_is_not_late():
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(dribble(CHUNKED, b"1\r\nx\r\n", 0.02))
        connection = await begin(pool, seconds=0.1, idle=0.1)
        seen: list[bytes] = []

        def sink(piece: bytes) -> None:
            seen.append(piece)
            if len(seen) == 12:
                connection.abort("enough")

        with pytest.raises(UpstreamGone, match="enough"):
            await connection.pump(sink)


async def test_an_early_answer_is_taken_and_its_connection_is_not():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await playing.go.wait()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1000)
    playing = Provider(server.sockets[0].getsockname()[1])
    async with server, pooled(plain(playing)) as pool:
        connection = await begin(pool, body=b"x" * 20_000_000)
        assert (await connection.whole(), connection.status) == (b"no", 413)
        assert not connection._connection.is_usable  # pyright: ignore[reportPrivateUsage] - nothing else tells it
        playing.go.set()


async def test_a_slow_receiver_holds_the_provider_back_without_becoming_late():
    async with provider() as playing, pooled(plain(playing)) as pool:
        sent = 0

        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            writer.write(CHUNKED)
            while sent < 30_000_000:
                writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
                await writer.drain()
                sent += 10_000
            writer.write(b"0\r\n\r\n")

        playing.script.append(flood)
        connection = await begin(pool, idle=0.1)
        await connection.head()
        read = 0
        async for part in connection.parts():
            if not read:
                connection.hold_back()
                await asyncio.sleep(0.25)  # longer than it may be silent
                held = sent
                assert held < 15_000_000
                connection.go_on()
            read += len(part)
        assert read == 30_000_000
        assert await ask(pool) == b"hi"


async def test_a_connection_held_back_at_the_end_of_its_answer_is_read_again():
    async with provider() as playing, pooled(plain(playing)) as pool:
        playing.script.append(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")
        connection = await begin(pool)
        await connection.pump(lambda _: connection.hold_back())
        assert await ask(pool) == b"hi"
        assert playing.connections == 1


async def test_what_a_sink_raises_is_raised_where_it_is_waited_for():
    async with provider() as playing, pooled(plain(playing)) as pool:
        for wait in (Exchange.pump, Exchange.until):
            connection = await begin(pool)

            def sink(piece: bytes) -> NoReturn:
                raise InvalidInput("no")

            with pytest.raises(InvalidInput):
                await wait(connection, sink)
        assert playing.connections == 2


async def test_connections_are_limited_also_while_they_are_opened():
    async with provider() as playing, pooled(plain(playing), Limits(connections=2)) as pool:
        playing.script.extend([dribble(b"", b"", 0.02)] * 2)
        found = await asyncio.gather(*(begin(pool) for _ in range(4)), return_exceptions=True)
        assert [type(each) for each in found] == [Exchange, Exchange, UpstreamGone, UpstreamGone]


async def test_where_nobody_listens_there_is_no_connection():
    async with provider() as playing:
        nobody = plain(playing)
    for origin in (nobody, Origin("no..name", 80), Origin("127.0.0.1", nobody.port, proxy=Proxy("127.0.0.1", 1))):
        async with pooled(origin) as pool:
            with pytest.raises(UpstreamGone, match="no connection"):
                await ask(pool)


WIRES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [
                *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"Content-Length: 5\r\n", b"\r\n", b"\n"),
                *(
                    b"Transfer-Encoding: chunked\r\n",
                    b"5\r\nhello\r\n",
                    b"0\r\n\r\n",
                    b"hello",
                    b"\0",
                    b"Connection: close\r\n",
                ),
                *(OK, CHUNKED, b"Upgrade: x\r\nConnection: upgrade\r\n", b"HTTP/1.1 101 X\r\n", b" folded\r\n"),
            ]
        ),
        max_size=10,
    ).map(b"".join),
)


class _Socket(asyncio.Transport):
    """A transport to nowhere."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def writelines(self, list_of_data: object) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Home:
    def take_back(self, connection: Connection) -> None: ...

    def forget(self, connection: Connection) -> None: ...


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wire=WIRES, cuts=st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_in_any_split_are_a_whole_answer_or_an_error(wire: bytes, cuts: list[int]):
    outcomes = [asyncio.run(_outcome(wire, places)) for places in ([], sorted(cuts), list(range(len(wire))))]
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def _outcome(wire: bytes, cuts: list[int]) -> bytes | None:
    connection = Connection(asyncio.get_running_loop(), _Home())
    connection.connection_made(_Socket())
    connection.exchange(REQUEST, first_byte_by=1.0, idle_seconds=1.0)
    waiting = asyncio.ensure_future(connection.whole())
    await asyncio.sleep(0)
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        if piece := wire[start:end]:
            connection.data_received(piece)
    connection.connection_lost(None)
    try:
        return await waiting
    except UpstreamGone:
        return None
