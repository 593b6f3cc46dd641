"""Vectors of real clauses by the bundled MiniLM, which the million synthetic ones are made from.

They take half a minute to compute, so they are kept in `.bench` beside the repository's files. Without the
contracts or the model, random vectors of few directions stand in, and the report says so.
"""

import gzip
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mainspring.foundation.errors import Unavailable
from mainspring.inference.gateway.providers.local.embedder import DIMENSIONS, Embedder

Floats = NDArray[np.float32]

BASES = 1_600
QUERIES = 400
_HOME = Path(__file__).parents[2] / ".bench"
_CHUNKS_FILE = "cuad/chunks_train.jsonl.gz"


@dataclass(frozen=True, slots=True)
class RealVectors:
    """Unit vectors [n, 384]: what tenants' chunks resemble, and others of the same kind to ask with."""

    bases: Floats
    queries: Floats
    origin: str


def read_real_vectors(*, seed: int = 7) -> RealVectors:
    """Of clauses drawn from the labelled contracts, else invented ones."""
    texts = read_texts(BASES + QUERIES, seed)
    try:
        vectors = _embed(texts) if texts else None
    except Unavailable:
        vectors = None
    if vectors is None:
        return _invent(seed)
    return RealVectors(vectors[:BASES], vectors[BASES:], f"{len(vectors)} real clauses by MiniLM")


def read_texts(count: int, seed: int = 7) -> list[str]:
    """Clauses drawn at random from the labelled contracts; none when they are not here."""
    named = os.environ.get("MAINSPRING_CONTRACT_DATA")
    data = Path(named) if named else Path(__file__).parents[3] / "shared" / "data" / "contracts"
    if not (data / _CHUNKS_FILE).is_file():
        return []
    with gzip.open(data / _CHUNKS_FILE, "rt", encoding="utf-8") as lines:
        texts = [str(json.loads(line)["text"]) for line in lines]
    chosen = np.random.default_rng(seed).choice(len(texts), size=min(count, len(texts)), replace=False)
    return [texts[place] for place in chosen]


def _embed(texts: list[str]) -> Floats:
    key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    kept = _HOME / f"clauses-{key}.npy"
    if kept.exists():
        return np.load(kept)
    embedder = Embedder(threads=len(os.sched_getaffinity(0)))
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for batch in embedder.batches(texts):
        vectors[list(batch.places)] = embedder.run(batch)
    _HOME.mkdir(exist_ok=True)
    (_HOME / ".gitignore").write_text("*\n")
    np.save(kept, vectors)
    return vectors


def _invent(seed: int) -> RealVectors:
    """Points near a space of 40 directions, about as many as real clauses spread over."""
    random = np.random.default_rng(seed)
    inside = random.standard_normal((BASES + QUERIES, 40)) @ random.standard_normal((40, DIMENSIONS))
    around = inside + 1.5 * random.standard_normal((BASES + QUERIES, DIMENSIONS))
    vectors = (around / np.linalg.norm(around, axis=1, keepdims=True)).astype(np.float32)
    return RealVectors(vectors[:BASES], vectors[BASES:], "invented vectors (no contracts or no model here)")
