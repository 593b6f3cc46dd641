"""What knowledge needs from others: vectors of texts, caches that forget, what the words of a trade mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import StepRun


class Embedder(Protocol):
    """Makes vectors of texts, by a named model and no other."""

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """One vector for each text, in order, each of `dimensions(model)` numbers.

        run      the step on whose behalf it is done, for the record of the call
        raises   what the model's provider raises (retryable errors say so); OtherModelServed
        """
        ...

    def dimensions(self, model: str) -> int:
        """How many numbers a vector of the model has; InvalidInput when no such model makes vectors."""
        ...


class Caches(Protocol):
    """Whatever keeps words of documents outside of knowledge's own rows and blobs."""

    async def forget(self, tenant: TenantId) -> None:
        """Forget everything kept for the tenant that may quote a document; repeating it is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Concept:
    """A label of places that a question means.

    strength   how surely, 0 to 1; 1 when the question names it
    """

    label: str
    strength: float


class Concepts(Protocol):
    """Which labels a question means. Products that label places answer; search then ranks those places too."""

    async def named_in(self, tenant: TenantId, question: str) -> Sequence[Concept]:
        """The labels, surest first; mostly none. Asked in every search, so it answers in milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class GoldenRecall:
    """How well an index answers a tenant's golden questions.

    questions  how many were asked
    recall_5   share whose answer is among the first 5 passages, 0 to 1; `recall_10` among the first 10
    mrr        mean of 1 / rank of the answer, 0 where it is not among the first 10
    """

    questions: int
    recall_5: float
    recall_10: float
    mrr: float


class GoldenRuns(Protocol):
    """Asks a tenant's golden questions, for whoever compares two indexes."""

    async def measure(self, tenant: TenantId, index: UUID) -> GoldenRecall | None:
        """How well this index version answers them, searched as people search; None when there are no questions.

        raises  NotFound for an index that is not there; Unavailable while the model of its vectors is away
        """
        ...
