"""The door of embeddings: the OpenAI dialect over any provider that embeds."""

from dataclasses import dataclass

from mainspring.inference.gateway.embedding import embed_call
from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.openai import embeddings as codec
from mainspring.inference.gateway.providers.wire import read_object, to_json

from .callers import Callers
from .heads import JSON, head_of
from .http import ClientConnection, Request
from .reading import end_user_of, read_order


@dataclass(slots=True)
class EmbeddingsDoor:
    """Serves vectors."""

    engine: Engine
    callers: Callers

    async def serve(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """Answer with one vector for each text."""
        caller = await self.callers.identify(request.headers)
        order = read_order(request, inbound)
        asked = codec.decode_embeddings_request(read_object(request.body) or {})
        if asked.model is None:
            raise InvalidRequest("The body must name a model that embeds; GET /v1/models lists them.")
        context = self.callers.context(caller, request.headers, end_user_of(order))
        found, flight = await embed_call(
            self.engine, asked.texts, model=asked.model, context=context, dimensions=asked.dimensions
        )
        head = head_of(flight, content_type=JSON, is_ended=True)
        connection.reply(200, head, to_json(codec.encode_embeddings(found, as_base64=asked.as_base64)))
