"""One connection: reads whole requests, plays steps, and knows at once when its caller goes away."""

import asyncio
import socket
import struct
from typing import assert_never

from .steps import Close, Drip, Repeat, Send, Step, Wait

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: close sends RST


class Connection(asyncio.Protocol):
    """The server's end of a connection. `gone` is set when the caller closes its end or vanishes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.gone = asyncio.Event()
        self.bytes_received = 0
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Every write is waited for, so that what a caller had when a fault struck is known."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(0)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        self.bytes_received += len(data)
        self._buffer += data
        self._news.set()

    def eof_received(self) -> bool:
        """The caller closed its end; ours stays open until the play ends."""
        self._leave()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self._leave()
        self._flushed.set()

    def pause_writing(self) -> None:
        """The network takes no more for now."""
        self._flushed.clear()

    def resume_writing(self) -> None:
        """It took everything."""
        self._flushed.set()

    def _leave(self) -> None:
        self.gone.set()
        self._news.set()

    async def read_request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        """Method, path, headers in lower case and body; None when no further request comes."""
        head = await self._take_until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, path, _ = first.split(" ", 2)
        body = await self._read_body(headers)
        return None if body is None else (method, path, headers, body)

    async def _read_body(self, headers: dict[str, str]) -> bytes | None:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self._take(int(headers.get("content-length", "0")))
        parts: list[bytes] = []
        while (line := await self._take_until(b"\r\n")) is not None:
            size = int(line.split(b";")[0], 16)
            part = await self._take(size + 2)
            if part is None:
                return None
            if size == 0:
                return b"".join(parts)
            parts.append(part[:-2])
        return None

    async def _take(self, count: int) -> bytes | None:
        while len(self._buffer) < count:
            if not await self._more():
                return None
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _take_until(self, mark: bytes) -> bytes | None:
        while (found := self._buffer.find(mark)) < 0:
            if not await self._more():
                return None
        return await self._take(found + len(mark))

    async def _more(self) -> bool:
        if self.gone.is_set():
            return False
        self._news.clear()
        await self._news.wait()
        return True

    async def play(self, step: Step) -> bool:
        """Do one step; False when the connection ended with it."""
        match step:
            case Send(data=data):
                await self._write(data)
            case Drip(data=data, pause=pause):
                for position in range(len(data)):
                    await self._write(data[position : position + 1])
                    await asyncio.sleep(pause)
            case Repeat(data=data):
                while not self.gone.is_set():
                    await self._write(data)
                    await asyncio.sleep(0)
            case Wait(seconds=None):
                await self.gone.wait()
            case Wait(seconds=seconds):
                await asyncio.sleep(seconds or 0)
            case Close(by_reset=by_reset):
                self.close(by_reset=by_reset)
                return False
            case _:
                assert_never(step)
        return True

    def close(self, *, by_reset: bool = False) -> None:
        """End the connection by FIN, or by RST."""
        assert self._transport is not None
        if not by_reset:
            self._transport.close()
            return
        held: socket.socket | None = self._transport.get_extra_info("socket")
        if held is not None and not self._transport.is_closing():
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    async def _write(self, data: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(data)
            await self._flushed.wait()
