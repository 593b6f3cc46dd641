"""The addresses of the data plane, and the edge at which every failure becomes an answer in the caller's dialect."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import show_id
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway.engine.again import RepliesAgain
from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.providers import anthropic, openai, responses
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.refusals import retry_headers
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.records import PREFIX
from mainspring.inference.gateway.structured import UnfitReply

from .callers import Callers
from .chat import Chat
from .embeddings import EmbeddingsDoor
from .explaining import Explaining
from .heads import JSON
from .http import ClientConnection, Request
from .lists import Lists
from .structured import Structured

log = get_logger(__name__)

Handler = Callable[[Request, ClientConnection, Inbound], Awaitable[None]]


class InternalError(MainspringError):
    """Something of ours failed; it is in the log under the request's id."""


@dataclass(slots=True)
class Doors:
    """Hands each request to its door."""

    keeper: SnapshotKeeper
    routes: dict[tuple[bytes, bytes], tuple[Handler, Inbound]]
    lists: Lists
    is_draining: bool = False

    @classmethod
    def build(cls, engine: Engine, keeper: SnapshotKeeper, again: RepliesAgain | None = None) -> "Doors":
        """The doors of a process; `again` gives kept replies."""
        callers = Callers(keeper)
        chat, lists = Chat(engine, callers, again, Structured(engine)), Lists(engine, callers)
        embeddings, explaining = EmbeddingsDoor(engine, callers), Explaining(engine, callers)
        routes: dict[tuple[bytes, bytes], tuple[Handler, Inbound]] = {
            (b"POST", b"/v1/chat/completions"): (chat.serve, openai.INBOUND),
            (b"POST", b"/v1/responses"): (chat.serve, responses.INBOUND),
            (b"POST", b"/v1/messages"): (chat.serve, anthropic.INBOUND),
            (b"POST", b"/v1/messages/count_tokens"): (lists.count_tokens, anthropic.INBOUND),
            (b"POST", b"/v1/embeddings"): (embeddings.serve, openai.INBOUND),
            (b"POST", b"/v1/route:explain"): (explaining.serve, openai.INBOUND),
            (b"GET", b"/v1/models"): (lists.models, openai.INBOUND),
        }
        return cls(keeper, routes, lists)

    async def handle(self, request: Request, connection: ClientConnection) -> None:
        """Answer one request, whatever happens."""
        target = request.target.partition(b"?")[0]
        found = self.routes.get((request.method, target))
        inbound = found[1] if found else openai.INBOUND
        if inbound is openai.INBOUND and b"anthropic-version" in request.headers:
            inbound = anthropic.INBOUND
        try:
            if found:
                await found[0](request, connection, inbound)
            else:
                await self._other(request, connection, target)
        except MainspringError as failure:
            refuse(request, connection, inbound, failure)
        except Exception as failure:
            log.exception("request_failed", error=type(failure).__name__, target=target.decode("latin-1"))
            refuse(
                request,
                connection,
                inbound,
                InternalError("The gateway failed; the operator's log says why. Try again."),
            )

    async def _other(self, request: Request, connection: ClientConnection, target: bytes) -> None:
        if request.method in (b"GET", b"HEAD") and target in (b"/healthz", b"/readyz"):
            self._health(connection, is_ready=target == b"/readyz")
        elif request.method == b"GET" and target.startswith(b"/v1/models/"):
            await self.lists.model(request, connection, target.removeprefix(b"/v1/models/").decode("utf-8", "replace"))
        else:
            allowed = [method.decode() for method, path in self.routes if path == target]
            asked = f"{request.method.decode('latin-1')} {target[:200].decode('utf-8', 'replace')}"
            hint = (
                f"use {' or '.join(allowed)}" if allowed else "the addresses are those of OpenAI's and Anthropic's APIs"
            )
            raise NotFound(f"There is no {asked} here; {hint}.")

    def _health(self, connection: ClientConnection, *, is_ready: bool) -> None:
        stale = self.keeper.stale_since
        body = to_json({"status": "draining" if self.is_draining else "ok", "snapshot_stale_since": stale})
        connection.reply(503 if is_ready and self.is_draining else 200, JSON, body)


def refuse(request: Request, connection: ClientConnection, inbound: Inbound, failure: MainspringError) -> None:
    """Answer with an error in the caller's dialect; nothing when the connection is gone."""
    headers = retry_headers(failure)
    if request.call:
        identifier = show_id(PREFIX, request.call)
        headers |= {"x-request-id": identifier, "request-id": identifier, "x-mainspring-request-id": identifier}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    wire = inbound.encode_error(failure)
    if isinstance(failure, UnfitReply) and isinstance(told := wire.get("error"), dict):
        told["best_attempt"] = failure.best_attempt
    connection.reply(inbound.status_of(failure), JSON + head, to_json(wire))
