"""Embeddings through the engine: in batches, by whichever dialect the endpoint speaks."""

from collections.abc import Sequence

from mainspring.inference.messages import InferenceRequest, Usage

from .engine.engine import Engine
from .engine.orders import NormalOrder
from .errors import InvalidOutput
from .flight import Call, Flight
from .models import Deployment
from .providers import gemini, openai
from .providers.wire import read_object, to_json
from .routing.types import Demand
from .tokens import estimate_input_tokens
from .types import CallContext, Embeddings, Operation

_TEXTS_AT_ONCE = 256


async def embed_texts(
    engine: Engine, texts: Sequence[str], *, model: str | None, context: CallContext, dimensions: int | None = None
) -> Embeddings:
    """One vector for each text; recorded as one call, without the texts.

    dimensions   for models that can shorten their vectors; refused by the provider otherwise
    """
    found, _ = await embed_call(engine, texts, model=model, context=context, dimensions=dimensions)
    return found


async def embed_call(
    engine: Engine, texts: Sequence[str], *, model: str | None, context: CallContext, dimensions: int | None = None
) -> tuple[Embeddings, Flight]:
    """The same, and the call that it was, ended."""
    order = NormalOrder(InferenceRequest(()), is_stream=False)
    tokens = estimate_input_tokens("\n".join(texts).encode())  # of all; what a text has too much, its model leaves out
    flight = await engine.admit(Call(context, Operation.EMBEDDINGS, model, order, Demand(max_tokens=0), tokens))
    with flight.closing():

        async def attempt(deployment: Deployment) -> list[Embeddings]:
            size = gemini.TEXTS_AT_ONCE if deployment.endpoint.dialect == "gemini" else _TEXTS_AT_ONCE
            lane = engine.lane(flight, deployment)
            batches = [texts[start : start + size] for start in range(0, len(texts), size)]
            bodies = [_body(deployment, batch, dimensions) for batch in batches]
            answers = [await lane.ask(_path(deployment), body, deadlines=engine.deadlines(flight)) for body in bodies]
            return [_read(deployment, answer, len(batch)) for answer, batch in zip(answers, batches, strict=True)]

        found = await engine.attempts.first(flight, attempt, lambda _: None)
        tokens = sum(batch.usage.input_tokens for batch in found)
        flight.count(Usage(input_tokens=tokens), model=found[0].model, reason=None)
        await flight.succeed()
    import numpy as np  # only who embeds pays for it

    vectors = np.concatenate([batch.vectors for batch in found])
    return Embeddings(vectors, found[0].model, Usage(input_tokens=tokens)), flight


def _path(deployment: Deployment) -> str:
    return gemini.embeddings_path(deployment.wire_model) if _is_gemini(deployment) else "/embeddings"


def _body(deployment: Deployment, texts: Sequence[str], dimensions: int | None) -> bytes:
    if _is_gemini(deployment):
        return to_json(gemini.encode_texts(texts, model=deployment.wire_model))
    return to_json(openai.encode_texts(texts, model=deployment.wire_model, dimensions=dimensions))


def _read(deployment: Deployment, answer: bytes, expected: int) -> Embeddings:
    wire = read_object(answer)
    if wire is None:
        raise InvalidOutput("The model's provider answered with something that is not JSON; try again.")
    if _is_gemini(deployment):
        return gemini.decode_embeddings(wire, expected=expected, model=deployment.wire_model)
    return openai.decode_embeddings(wire, expected=expected)


def _is_gemini(deployment: Deployment) -> bool:
    return deployment.endpoint.dialect == "gemini"
