"""What a search will do: the question's wishes, and the tenant's setup where it has none."""

from dataclasses import dataclass

from mainspring.foundation.errors import InvalidInput
from mainspring.orchestration.knowledge.setup import RetrievalSetup, RetrievalWeights

from .passages import Packing
from .types import Mode, Question

_MOST_POOL = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """One search, decided.

    candidates   chunks that each ranked list brings in
    pool         how many of the fused are read, so that enough are left when repeats are out
    """

    mode: Mode
    packing: Packing
    candidates: int
    pool: int
    rrf_k: int
    weights: RetrievalWeights
    floor: float
    rerank: bool
    rewrite: bool

    @property
    def by_vector(self) -> bool:
        """Whether the question needs a vector."""
        return self.mode is not Mode.TEXT and (self.weights.vector > 0 or self.mode is Mode.VECTOR)

    @property
    def by_words(self) -> bool:
        """Whether the question's words are looked for."""
        return self.mode is not Mode.VECTOR

    @property
    def by_labels(self) -> bool:
        """Whether places that products labelled are looked for."""
        return self.mode is Mode.HYBRID and self.weights.labels > 0


def plan_search(question: Question, setup: RetrievalSetup) -> Plan:
    """The plan; InvalidInput names what is out of bounds."""
    limit = _within("limit", question.limit, setup.limit, 1, 50)
    packing = Packing(
        limit,
        _within("max_tokens", question.max_tokens, setup.max_tokens, 100, 100_000),
        _within("neighbours", question.neighbours, setup.neighbours, 0, 5),
    )
    pool = min(_MOST_POOL, 3 * limit + 10)
    return Plan(
        mode=question.mode,
        packing=packing,
        candidates=max(setup.candidates, pool),
        pool=pool,
        rrf_k=setup.rrf_k,
        weights=setup.weights,
        floor=setup.relevance_floor,
        rerank=setup.rerank == "model" if question.rerank is None else question.rerank,
        rewrite=setup.rewrite == "model" if question.rewrite is None else question.rewrite,
    )


def _within(name: str, given: int | None, default: int, least: int, most: int) -> int:
    value = default if given is None else given
    if not least <= value <= most:
        raise InvalidInput(f"{name} is {value:,}, but must be between {least:,} and {most:,}.")
    return value
