"""Rows in Postgres' binary COPY format, made by numpy a batch at a time: a million vectors load in under a minute."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainspring.orchestration.knowledge.indexing.terms import term_id

from .corpus import Arrivals, Corpus

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
DIMENSIONS = 384
VOCABULARY = 30_000
TERM_SPACE = 1_000_000_000
ASKED = {"termin": 20, "notic": 40, "liabil": 80, "indemnifi": 160, "insur": 320, "assign": 640}
"""Stems that whole searches ask for, with their rank by how often they occur."""
_POOL = 20_000

_PLACE = [
    ("fields", ">i2"),
    ("tenant_size", ">i4"), ("tenant", "V16"),
    ("index_size", ">i4"), ("index", "V16"),
    ("document_size", ">i4"), ("document", "V16"),
    ("ordinal_size", ">i4"), ("ordinal", ">i4"),
]  # fmt: skip
_VECTOR = np.dtype([
    *_PLACE,
    ("hash_size", ">i4"), ("hash", "V32"),
    ("vector_size", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f2", (DIMENSIONS,)),
])  # fmt: skip
_TERMS = np.dtype(_PLACE)


def vector_rows(corpus: Corpus, arrivals: Arrivals) -> bytes:
    """Rows of (tenant_id, index_id, document_id, ordinal, content_hash, embedding)."""
    rows = np.zeros(len(arrivals.place), dtype=_VECTOR)
    _fill_place(rows, corpus, arrivals, fields=6)
    rows["hash_size"], rows["hash"] = 32, np.frombuffer(np.random.default_rng().bytes(32 * len(rows)), dtype="V32")
    rows["vector_size"], rows["dimensions"] = 4 + 2 * DIMENSIONS, DIMENSIONS
    rows["vector"] = corpus.vectors(arrivals)
    return rows.tobytes()


@dataclass(frozen=True, slots=True)
class TermPool:
    """Bags of terms as sparse vectors in binary form, drawn after Zipf; every chunk has one of them.

    mean_terms   of a bag
    """

    bags: tuple[bytes, ...]
    ids: NDArray[np.int64]
    mean_terms: float

    def term_rows(self, corpus: Corpus, arrivals: Arrivals) -> bytes:
        """Rows of (tenant_id, index_id, document_id, ordinal, terms)."""
        rows = np.zeros(len(arrivals.place), dtype=_TERMS)
        _fill_place(rows, corpus, arrivals, fields=5)
        picks = np.random.default_rng(int(arrivals.document[0])).integers(0, len(self.bags), size=len(rows))
        size, whole = _TERMS.itemsize, rows.tobytes()
        return b"".join(
            part
            for number, pick in enumerate(picks)
            for part in (whole[number * size : (number + 1) * size], self.bags[pick])
        )


def make_term_pool(seed: int = 5) -> TermPool:
    """Bags of about 37 terms, 11 to 65 of nine in ten: what 2,000 real clauses have as stems and identifiers."""
    random = np.random.default_rng(seed)
    ids = random.choice(TERM_SPACE - 1, size=VOCABULARY, replace=False).astype(np.int64)
    ids[list(ASKED.values())] = [term_id("word", stem) - 1 for stem in ASKED]
    weights = 1 / (np.arange(VOCABULARY) + 2.7)
    ranks = random.choice(VOCABULARY, size=(_POOL, 150), p=weights / weights.sum())
    lengths = np.clip(random.lognormal(np.log(42), 0.5, size=_POOL), 10, 150).astype(int)
    bags = tuple(_iter_bags(random, ids, ranks, lengths))
    return TermPool(bags, ids, float(np.mean([(len(bag) - 16) / 8 for bag in bags])))


def _iter_bags(
    random: np.random.Generator, ids: NDArray[np.int64], ranks: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[bytes]:
    for drawn, length in zip(ranks, lengths, strict=True):
        terms = np.sort(ids[np.unique(drawn[:length])])
        values = random.uniform(0.5, 2.0, size=len(terms))
        body = terms.astype(">i4").tobytes() + values.astype(">f4").tobytes()
        yield struct.pack("!iiii", 12 + len(body), TERM_SPACE, len(terms), 0) + body


def document_id(number: int) -> UUID:
    """Identifiers in the order of arrival, as version 7 gives them."""
    return UUID(bytes=number.to_bytes(6, "big") + bytes(10))


def _fill_place(rows: NDArray[np.void], corpus: Corpus, arrivals: Arrivals, *, fields: int) -> None:
    rows["fields"] = fields
    rows["tenant_size"] = rows["index_size"] = rows["document_size"] = 16
    tenants = np.array([holding.tenant.bytes for holding in corpus.holdings], dtype="V16")
    indexes = np.array([holding.index.bytes for holding in corpus.holdings], dtype="V16")
    rows["tenant"], rows["index"] = tenants[arrivals.place], indexes[arrivals.place]
    rows["document"] = np.array([document_id(int(number)).bytes for number in arrivals.document], dtype="V16")
    rows["ordinal_size"], rows["ordinal"] = 4, arrivals.ordinal
