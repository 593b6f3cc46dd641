"""The service outside: keeps what it is asked to do by idempotency key, and fails now and then."""

import asyncio
import random
from collections import Counter
from urllib.parse import parse_qs, urlsplit

_FAILS = 0.02


class Outside:
    """`asked` counts requests by key, `done` holds the keys that took effect; some requests fail before, some after."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._server: asyncio.Server | None = None
        self.asked: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/do"

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                key = parse_qs(urlsplit(target).query)["key"][0]
                writer.write(self._answer(key))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return  # the loop ends: nobody awaits this task, and it would be complained of
        finally:
            writer.close()

    def _answer(self, key: str) -> bytes:
        self.asked[key] += 1
        fate = self._chance.random()
        if fate >= _FAILS and key not in self.done:
            self.done[key] += 1  # the effect; asked again under the key, it answers and does nothing
        status = "200 OK" if fate >= 2 * _FAILS else "503 Busy"
        return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()
