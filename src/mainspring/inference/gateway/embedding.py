"""Embeddings through the engine: in batches, by whichever dialect the endpoint speaks."""

from collections.abc import Sequence

import numpy as np

from mainspring.inference.messages import InferenceRequest, Usage

from .engine.engine import Engine
from .engine.lanes import Deadlines, Lane
from .engine.orders import NormalOrder
from .errors import InvalidOutput
from .flight import Call
from .models import Deployment
from .providers import gemini, openai
from .providers.wire import read_object, to_json
from .routing.types import Demand
from .tokens import estimate_input_tokens
from .types import CallContext, Embeddings, Operation

_TEXTS_AT_ONCE = 256


async def embed_texts(engine: Engine, texts: Sequence[str], *, model: str | None, context: CallContext) -> Embeddings:
    """One vector for each text; recorded as one call, without the texts."""
    order = NormalOrder(InferenceRequest(()), is_stream=False)
    tokens = estimate_input_tokens("\n".join(texts).encode())  # of all; what a text has too much, its model leaves out
    flight = await engine.admit(Call(context, Operation.EMBEDDINGS, model, order, Demand(max_tokens=0), tokens))
    with flight.closing():

        async def attempt(deployment: Deployment) -> list[Embeddings]:
            size = gemini.TEXTS_AT_ONCE if deployment.endpoint.dialect == "gemini" else _TEXTS_AT_ONCE
            lane = engine.lane(flight, deployment)
            batches = [texts[start : start + size] for start in range(0, len(texts), size)]
            return [await _embed(lane, deployment, batch, engine.deadlines(flight)) for batch in batches]

        found = await engine.attempts.first(flight, attempt, lambda _: None)
        tokens = sum(batch.usage.input_tokens for batch in found)
        flight.count(Usage(input_tokens=tokens), model=found[0].model, reason=None)
        await flight.succeed()
    return Embeddings(np.concatenate([batch.vectors for batch in found]), found[0].model, Usage(input_tokens=tokens))


async def _embed(lane: Lane, deployment: Deployment, texts: Sequence[str], deadlines: Deadlines) -> Embeddings:
    is_gemini = deployment.endpoint.dialect == "gemini"
    path = gemini.embeddings_path(deployment.wire_model) if is_gemini else "/embeddings"
    encode = gemini.encode_texts if is_gemini else openai.encode_texts
    body = to_json(encode(texts, model=deployment.wire_model))
    answer = read_object(await lane.ask(path, body, deadlines=deadlines))
    if answer is None:
        raise InvalidOutput("The model's provider answered with something that is not JSON; try again.")
    if is_gemini:
        return gemini.decode_embeddings(answer, expected=len(texts), model=deployment.wire_model)
    return openai.decode_embeddings(answer, expected=len(texts))
