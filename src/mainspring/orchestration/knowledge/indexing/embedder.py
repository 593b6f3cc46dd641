"""`GatewayEmbedder`: vectors through the gateway, metered and limited as every call; one model, never another."""

from collections.abc import Mapping, Sequence

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import LOCAL_EMBEDDING, CallContext, CallKind, Gateway
from mainspring.orchestration.knowledge.errors import OtherModelServed
from mainspring.orchestration.pipelines.types import StepRun

KNOWN_DIMENSIONS: Mapping[str, int] = {
    LOCAL_EMBEDDING: 384,
    "openai/text-embedding-3-small": 1536,
    "openai/text-embedding-3-large": 3072,
}
"""Of the models that the catalogue names."""

_FEATURE = "knowledge"


class GatewayEmbedder:
    """Implements `ports.Embedder` on the gateway.

    dimensions  by name, of models beside those that are known here
    """

    def __init__(self, gateway: Gateway, *, dimensions: Mapping[str, int] | None = None) -> None:
        self._gateway = gateway
        self._dimensions = {**KNOWN_DIMENSIONS, **(dimensions or {})}

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """One vector for each text, in order. No generative AI, so a local model also runs when the tenant's AI is off.

        raises  OtherModelServed when a route led to another model; what the gateway raises, retryable where it says so
        """
        context = CallContext(
            tenant=tenant,
            kind=CallKind.PROCESSING,
            feature=_FEATURE,
            run=run.run_id if run else None,
            step=run.step if run else None,
            trace_id=run.run_id.hex if run else None,
        )
        found = await self._gateway.embed(texts, model=model, context=context)
        if _bare(found.model) != _bare(model):
            raise OtherModelServed(
                f"{model} was asked for vectors and {found.model or 'an unnamed model'} answered; vectors of two "
                "models cannot be compared. Take the other model out of the route."
            )
        return found.vectors.tolist()

    def dimensions(self, model: str) -> int:
        """How many numbers a vector of the model has; InvalidInput when it is not known to make vectors."""
        known = self._dimensions.get(model)
        if known is None:
            raise InvalidInput(f"{model!r} is not known to make vectors; known are {', '.join(self._dimensions)}.")
        return known


def _bare(model: str) -> str:
    """The name without its provider, who may serve a model under its bare name."""
    return model.rpartition("/")[2]
