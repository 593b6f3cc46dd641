"""`Setup`: how a tenant's documents are cut, embedded and searched. One value, versioned as a whole."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from mainspring.inference.gateway import LOCAL_EMBEDDING
from mainspring.orchestration.knowledge.chunking import (
    Chunking,
    ClauseChunking,
    FixedChunking,
    MessageChunking,
    RowChunking,
    SectionChunking,
    check_between,
)

OTHER_TYPE = "text"
"""The document type whose chunking serves every type that a setup does not name."""

DEFAULT_CHUNKING: Mapping[str, Chunking] = {
    "contract": ClauseChunking(),
    "thread": MessageChunking(),
    "article": SectionChunking(),
    "table": RowChunking(),
    OTHER_TYPE: FixedChunking(),
}
"""Of the document types that every tenant has."""


class RetrievalWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much each ranked list counts when they are fused, 0 to 10; 0 leaves the list out.

    vector   nearness in meaning
    text     words, ranked by BM25
    exact    identifiers and words as they are written
    labels   places that a product labelled with a concept which the query names
    """

    vector: float = 1.0
    text: float = 1.0
    exact: float = 1.0
    labels: float = 2.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check_between(name, getattr(self, name), 0, 10)
        if not self.vector + self.text + self.exact:
            raise ValueError("vector, text and exact are 0, but one of them must be more than 0 to find anything")


class RetrievalSetup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How searches rank and what they return, where the caller does not say.

    limit            passages that are returned, 1 to 50
    candidates       chunks that each ranked list brings in, limit to 500
    rrf_k            the constant of reciprocal rank fusion, 1 to 1,000
    relevance_floor  below which nothing is relevant: cosine + 0.15 * (best BM25 / rarity of the question's words),
                     0 to 1; calibrated for the bundled model (bench/retrieval), other models need their own
    neighbours       chunks before and after a hit that its passage may show, 0 to 5
    max_tokens       of all passages together, 100 to 100,000
    rerank, rewrite  `model` asks a language model to sort the hits, or to reword the query first
    """

    limit: int = 10
    candidates: int = 100
    rrf_k: int = 60
    weights: RetrievalWeights = RetrievalWeights()
    relevance_floor: float = 0.36
    neighbours: int = 1
    max_tokens: int = 4_000
    rerank: Literal["off", "model"] = "off"
    rewrite: Literal["off", "model"] = "off"

    def __post_init__(self) -> None:
        check_between("limit", self.limit, 1, 50)
        check_between("candidates", self.candidates, self.limit, 500)
        check_between("rrf_k", self.rrf_k, 1, 1_000)
        check_between("relevance_floor", self.relevance_floor, 0, 1)
        check_between("neighbours", self.neighbours, 0, 5)
        check_between("max_tokens", self.max_tokens, 100, 100_000)


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a tenant may choose about its knowledge.

    embedding_model            name in the gateway's catalogue; another one needs a new index
    chunking                   by document type; the five default types are always there
    reindex_chunks_per_minute  how fast a new index is filled, 1 to 1,000,000
    """

    embedding_model: str = LOCAL_EMBEDDING
    chunking: Mapping[str, Chunking] = msgspec.field(default_factory=lambda: dict(DEFAULT_CHUNKING))
    reindex_chunks_per_minute: int = 6_000
    retrieval: RetrievalSetup = RetrievalSetup()

    def __post_init__(self) -> None:
        check_between("reindex_chunks_per_minute", self.reindex_chunks_per_minute, 1, 1_000_000)

    def chunking_of(self, document_type: str) -> Chunking:
        """How documents of this type are cut; types that are not named here are cut as `text`."""
        return self.chunking.get(document_type) or self.chunking.get(OTHER_TYPE) or DEFAULT_CHUNKING[OTHER_TYPE]
