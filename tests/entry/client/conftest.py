"""A small API on a real server, which answers what a test has written down for it."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mainspring.entry.client import MainspringClient, Patience


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Headers
    body: bytes


class Lost(Exception):
    """Raised inside a body to break the connection."""


@dataclass(slots=True)
class WrittenApi:
    """Answers in order; the last one is given again and again."""

    answers: list[Response] = field(default_factory=list[Response])
    seen: list[Seen] = field(default_factory=list[Seen])
    url: str = ""

    def say(self, *bodies: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON."""
        self.answers += [JSONResponse(body, status, headers) for body in bodies]

    def refuse(self, code: str, status: int, **headers: str) -> None:
        """Answer with a problem."""
        body = {"code": code, "detail": f"It is {code}.", "retryable": status in {429, 503}, "request_id": "req_1"}
        renamed = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(JSONResponse(body, status, renamed, media_type="application/problem+json"))

    def stream(self, *chunks: bytes, breaks: bool = False) -> None:
        """Answer with server-sent events, ending well or with a lost connection."""

        async def body() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk
            if breaks:
                raise Lost

        self.answers.append(StreamingResponse(body(), media_type="text/event-stream"))

    async def answer(self, request: Request) -> Response:
        target = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        self.seen.append(Seen(request.method, target, request.headers, await request.body()))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def api() -> Iterator[WrittenApi]:
    written = WrittenApi()
    app = Starlette(routes=[Route("/{path:path}", written.answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
    listener = socket.create_server(("127.0.0.1", 0))
    written.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield written
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def waits() -> list[float]:
    """How long the client meant to wait, each time."""
    return []


@pytest.fixture
def client(api: WrittenApi, waits: list[float]) -> Iterator[MainspringClient]:
    with MainspringClient(api.url + "/", "ms_test", patience=Patience(attempts=3, sleep=waits.append)) as made:
        yield made
