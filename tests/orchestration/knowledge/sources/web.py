"""A web server on a free port that answers from a table, and remembers what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `hang` sends the head and then nothing."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Web:
    """Pages by path; a page with an ETag answers 304 to who has it."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict[str, Page])
    asked: list[Asked] = field(default_factory=list[Asked])

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            self.asked.append(Asked(path, headers))
            await self._send(writer, self.pages.get(path, Page(status=404)), headers)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, page: Page, asked: Mapping[str, str]) -> None:
        etag, modified = page.headers.get("etag"), page.headers.get("last-modified")
        if (etag and asked.get("if-none-match") == etag) or (modified and asked.get("if-modified-since") == modified):
            page = Page(status=304)
        lines = [f"HTTP/1.1 {page.status} X", *(f"{name}: {value}" for name, value in page.headers.items())]
        if not page.endless:
            lines.append(f"content-length: {len(page.body) + page.hang}")
        writer.write(("\r\n".join([*lines, "connection: close"]) + "\r\n\r\n").encode() + page.body)
        await writer.drain()
        if page.hang:
            await asyncio.Event().wait()
        while page.endless:
            writer.write(page.body)
            await writer.drain()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Web]:
    """A server that runs within the block."""
    web = Web()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await web.answer(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
