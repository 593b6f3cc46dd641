"""A web server on a free port that takes webhooks: it remembers them, and answers as it is told."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `hang` keeps the caller waiting for ever."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"taken"
    hang: bool = False


@dataclass(slots=True)
class Receiver:
    """`answer` decides by the request; `most_at_once` is how many it had open together."""

    port: int = 0
    got: list[Got] = field(default_factory=list[Got])
    answer: Callable[[Got], Answer] = field(default=lambda _: Answer())
    open_now: int = 0
    most_at_once: int = 0

    @property
    def ids(self) -> list[str]:
        """The webhook-id of each request, in order of arrival."""
        return [each.headers["webhook-id"] for each in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in head[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            got = Got(head[0].split(" ")[1], headers, body)
            self.got.append(got)
            answer = self.answer(got)
            if answer.hang:
                await asyncio.Event().wait()
            lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items())]
            lines += [f"content-length: {len(answer.body)}", "connection: close"]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + answer.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_now -= 1
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """A receiver that runs within the block."""
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await receiver.serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
