"""A million chunks of a thousand tenants: sizes after Zipf, documents arriving in any order, vectors like real clauses.

Everything follows from the seed, so two runs measure the same rows. Documents of different tenants are loaded in
random order, a document's chunks together, as ingestion leaves them: a tenant's rows are not neighbours on disk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from .real_vectors import Floats, RealVectors

Ints = NDArray[np.int64]

CHUNKS_PER_DOCUMENT = 40
_CHUNKS_PER_TOPIC, _FEWEST_TOPICS = 20, 40
_BATCH = 500  # documents


@dataclass(frozen=True, slots=True)
class Holding:
    """A tenant, the one index that it has, and how many chunks are in it."""

    tenant: UUID
    index: UUID
    chunks: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Rows in the order in which they are loaded; all arrays [n].

    place      which holding a chunk is of
    document   number of its document, counted over all tenants
    """

    place: Ints
    document: Ints
    ordinal: Ints


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is loaded, and what is asked of it; documents are numbered from `first_document` on."""

    holdings: tuple[Holding, ...]
    real: RealVectors
    seed: int
    first_document: int = 0

    @property
    def chunks(self) -> int:
        """Of all tenants."""
        return sum(holding.chunks for holding in self.holdings)

    def arrive(self, places: Sequence[int] | None = None) -> Iterator[Arrivals]:
        """The rows of all tenants or of some, in batches of some hundred documents, in random order."""
        documents = [
            (place, first, min(first + CHUNKS_PER_DOCUMENT, self.holdings[place].chunks))
            for place in (range(len(self.holdings)) if places is None else places)
            for first in range(0, self.holdings[place].chunks, CHUNKS_PER_DOCUMENT)
        ]
        order = np.random.default_rng(self.seed).permutation(len(documents))
        for begin in range(0, len(order), _BATCH):
            batch = [documents[number] for number in order[begin : begin + _BATCH]]
            counts = np.array([last - first for _, first, last in batch])
            yield Arrivals(
                place=np.repeat([place for place, _, _ in batch], counts),
                document=self.first_document + np.repeat(np.arange(begin, begin + len(batch)), counts),
                ordinal=np.concatenate([np.arange(count) for count in counts]),
            )

    def vectors(self, arrivals: Arrivals) -> Floats:
        """Unit vectors [n, 384]: each resembles three real clauses of its tenant's topics, with some noise."""
        random = np.random.default_rng((self.seed, int(arrivals.document[0])))
        bases, count = self.real.bases, len(arrivals.place)
        picks = np.zeros((count, 3), dtype=np.int64)
        for place in np.unique(arrivals.place):
            rows = arrivals.place == place
            picks[rows] = random.choice(self._topics(int(place)), size=(int(rows.sum()), 3))
        made = 0.25 / np.sqrt(bases.shape[1]) * random.standard_normal((count, bases.shape[1]), dtype=np.float32)
        for column, (low, high) in enumerate(((0.5, 0.8), (0.1, 0.4), (0.0, 0.3))):
            made += bases[picks[:, column]] * random.uniform(low, high, size=(count, 1)).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def queries(self, place: int, count: int) -> Floats:
        """What a tenant asks [count, 384]: half are real clauses of nobody's, half resemble one of its topics."""
        random = np.random.default_rng((self.seed, 1, place))
        strange = self.real.queries[random.integers(0, len(self.real.queries), size=count)]
        near = self.real.bases[random.choice(self._topics(place), size=count)]
        noise = 0.6 / np.sqrt(near.shape[1]) * random.standard_normal(near.shape, dtype=np.float32)
        mixed = np.where((np.arange(count) % 2 == 0)[:, None], strange, near + noise)
        return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)

    def _topics(self, place: int) -> Ints:
        """Which real clauses a tenant's chunks resemble: the more it has, the more kinds of them."""
        wanted = max(_FEWEST_TOPICS, self.holdings[place].chunks // _CHUNKS_PER_TOPIC)
        count = min(wanted, len(self.real.bases))
        return np.random.default_rng((self.seed, 2, place)).choice(len(self.real.bases), size=count, replace=False)


def make_corpus(real: RealVectors, *, chunks: int, tenants: int, seed: int = 11) -> Corpus:
    """Tenants in order of size, the k-th with a k-th of the largest one's chunks."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, tenants + 1)
    sizes = np.maximum(1, np.round(shares / shares.sum() * chunks)).astype(int)

    def draw() -> UUID:
        return UUID(bytes=random.bytes(16), version=4)

    return Corpus(tuple(Holding(draw(), draw(), int(size)) for size in sizes), real, seed)
