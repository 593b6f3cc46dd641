"""The upstream itself: a port, a script, and everything that was received."""

import asyncio
import json
import random
import socket
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Self

from .connection import Connection
from .faults import compose
from .script import Chooser, Fault, Line, Received, Reply
from .steps import Repeat, Send, Step, Wait
from .writing import head, to_json

FAIL_FAULTS = (Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.RESET, Fault.UNAVAILABLE)
"""What `fail_share` draws from unless told otherwise."""


class Upstream:
    """A provider on a free loopback port, used as an async context manager.

    label         a name for what was received here, such as a region
    default       answers what neither the script nor `fail_share` decides; may be a function of the request
    fail_share    this share of the calls, 0 to 1, gets one of `fail_faults`, by a chance that `seed` fixes
    """

    def __init__(
        self,
        label: str = "",
        *,
        port: int = 0,
        default: Line | Chooser | None = None,
        fail_share: float = 0.0,
        fail_faults: Sequence[Fault] = FAIL_FAULTS,
        seed: int = 0,
    ) -> None:
        self.label = label
        self.default: Line | Chooser = default or Reply()
        self.fail_share = fail_share
        self.fail_faults = tuple(fail_faults)
        self.requests: list[Received] = []
        self.connections = 0
        self._port = port
        self._chance = random.Random(seed)
        self._script: deque[Line] = deque()
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._finished_bytes = 0
        self._place: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._place = _bind(self._port)
        self._port = self._place.getsockname()[1]
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        if self._place:
            self._place.close()

    @property
    def port(self) -> int:
        """The port; it stays the same while connections are refused."""
        return self._port

    @property
    def url(self) -> str:
        """The base for clients of the OpenAI dialect."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def root(self) -> str:
        """The base for clients that add /v1 themselves, as Anthropic's do."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def hang_ups(self) -> int:
        """How many callers went away before their answer was complete."""
        return sum(request.left_early for request in self.requests)

    @property
    def bytes_received(self) -> int:
        """Every byte that any caller sent, of whole requests or not."""
        return self._finished_bytes + sum(connection.bytes_received for connection in self._open)

    def script(self, *lines: Line) -> None:
        """Answer the next calls so, in order; what was scripted before comes first."""
        self._script.extend(lines)

    @property
    def unplayed(self) -> int:
        """How many lines of the script have not been asked for."""
        return len(self._script)

    async def until(self, claim: Callable[[Self], bool], timeout: float = 10.0) -> None:
        """Wait until the claim about this upstream holds; TimeoutError when it does not in `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not claim(self):
                self._changed.clear()
                await self._changed.wait()

    async def refuse(self) -> None:
        """From now on nobody listens: open connections are reset, new ones refused by the system."""
        if self._server:
            self._server.close()
        self._server = None
        tasks = list(self._open.values())
        for connection, task in list(self._open.items()):
            connection.close(by_reset=True)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self) -> None:
        """Listen, again, on the same port."""
        self._server = await asyncio.get_running_loop().create_server(self._connect, sock=_bind(self._port))

    @asynccontextmanager
    async def refusing(self) -> AsyncGenerator[None]:
        """Connections are refused inside the block."""
        await self.refuse()
        try:
            yield
        finally:
            await self.accept()

    def _connect(self) -> Connection:
        self.connections += 1
        connection = Connection(self.connections)
        self._open[connection] = asyncio.create_task(self._serve(connection))
        return connection

    async def _serve(self, connection: Connection) -> None:
        try:
            while request := await connection.read_request():
                method, path, headers, body = request
                received = Received(self.label, method, path, headers, body, connection.number)
                if not await self._answer(connection, received):
                    return
        finally:
            connection.close()
            del self._open[connection]
            self._finished_bytes += connection.bytes_received
            self._changed.set()

    async def _answer(self, connection: Connection, received: Received) -> bool:
        """Play the answer; False when the connection is over."""
        if received.path.startswith("/__upstream"):
            return await connection.play(self._control(received))
        if received.method == "GET":
            return await connection.play(_models())
        self.requests.append(received)
        self._changed.set()
        playing = asyncio.create_task(_play(connection, received, compose(received, self._choose(received))))
        leaving = asyncio.create_task(connection.gone.wait())
        try:
            await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            received.left_early = not received.is_answered and connection.gone.is_set()
            return playing.done() and playing.result() and not connection.gone.is_set()
        finally:
            for task in (playing, leaving):
                task.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)
            self._changed.set()

    def _choose(self, received: Received) -> Line:
        if self._script:
            return self._script.popleft()
        if self._chance.random() < self.fail_share:
            return self._chance.choice(self.fail_faults)
        return self.default(received) if callable(self.default) else self.default

    def _control(self, received: Received) -> Send:
        """For tests of another process: GET tells what came, POST changes the chances or the script."""
        if received.method == "POST":
            wire = received.wire
            self.fail_share = float(wire.get("fail_share", self.fail_share))
            self.fail_faults = tuple(Fault(name) for name in wire.get("fail_faults", self.fail_faults))
            self.script(*(Fault(name) for name in wire.get("script", [])))
        shown = [{**asdict(request), "body": request.body.decode("utf-8", "replace")} for request in self.requests]
        told = {"label": self.label, "hang_ups": self.hang_ups, "connections": self.connections, "requests": shown}
        return _json(json.dumps(told).encode())


async def _play(connection: Connection, received: Received, steps: Sequence[Step]) -> bool:
    """Do every step; False when the connection ended with one."""
    for step in steps:
        goes_on = await connection.play(step)
        received.pieces_sent += isinstance(step, Send) and step.is_piece
        if not goes_on:
            received.is_answered = True
            return False
    received.is_answered = steps[-1] != Wait() and not isinstance(steps[-1], Repeat)
    return True


def _models() -> Send:
    models = [{"id": "scripted", "object": "model", "created": 1_760_000_000, "owned_by": "tests"}]
    return _json(to_json({"object": "list", "data": models}))


def _json(body: bytes) -> Send:
    return Send(head(200, {"content-type": "application/json", "content-length": str(len(body))}) + body)


def _bind(port: int) -> socket.socket:
    """A socket at the port, not listening. Several may share the port, so one that never listens keeps it for us."""
    bound = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio turns Nagle's delay off only where this is said
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound
