"""POST /v1/route:explain: what would happen to a call, without making it."""

from dataclasses import asdict, dataclass

from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.wire import to_json

from .callers import Callers
from .heads import JSON
from .http import ClientConnection, Request
from .reading import end_user_of, read_call, read_order


@dataclass(slots=True)
class Explaining:
    """Dry runs of the router with the caller's own policy; the body is that of a chat completion."""

    engine: Engine
    callers: Callers

    async def serve(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """Answer with every candidate, its rank and why, and every deployment that was left out."""
        caller = await self.callers.identify(request.headers)
        order = read_order(request, inbound)
        call = read_call(order, self.callers.context(caller, request.headers, end_user_of(order)))
        explanation = await self.engine.explain(call)
        connection.reply(200, JSON, to_json(asdict(explanation)))
