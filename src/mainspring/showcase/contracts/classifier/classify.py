"""`ClauseClassifier`: which of CUAD's categories each clause of a contract holds.

A linear model scores each clause and its sentences; a small calibration turns the scores, with
those of the surrounding clauses, into probabilities that mean what they say. There is one
threshold for all categories. Nothing here is random, and nothing leaves the machine.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Self

import numpy as np

from mainspring.orchestration.knowledge.types import Chunk
from mainspring.showcase.contracts.types import ClassifiedChunk, Label

from .model_file import ClauseModel, Floats, Linear, read_model
from .signals import signals_alone, signals_in_contract

FILE = "clause_classifier.npz"
_BATCH = 512  # texts whose features are held at a time


class ClauseClassifier:
    """Names the categories of clauses; made by `load`, safe to share between threads."""

    def __init__(self, model: ClauseModel, *, version: str) -> None:
        self._model = model
        self._version = version

    @classmethod
    def load(cls) -> "ClauseClassifier":
        """The classifier in the package, read once per process (about 30 ms)."""
        return _shipped()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """A classifier from a model file's content; ValueError when it is not one."""
        return cls(read_model(content), version=sha256(content).hexdigest())

    @property
    def version(self) -> str:
        """SHA-256 of the model file, in hex."""
        return self._version

    @property
    def threshold(self) -> float:
        """A clause has a category from this probability on; the same for every category."""
        return self._model.about.threshold

    @property
    def passage_threshold(self) -> float:
        """The threshold for `probabilities_of_passages`."""
        return self._model.about.passage_threshold

    @property
    def categories(self) -> tuple[str, ...]:
        """The 38 names, in the order of every result's columns."""
        return self._model.about.categories

    def classify(self, chunks: Sequence[Chunk]) -> tuple[ClassifiedChunk, ...]:
        """The chunks of one contract, in reading order, each with its labels, most probable first.

        Neighbouring chunks count as evidence, so pass a whole contract, not a selection.
        Linear in the length of the text; about 0.1 ms a chunk.
        """
        rows = self.probabilities_in_contract([chunk.text for chunk in chunks])
        return tuple(ClassifiedChunk(chunk, tuple(self._labels(row))) for chunk, row in zip(chunks, rows, strict=True))

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """How probably each text, for itself, holds each category: [texts, 38], calibrated, in [0, 1]."""
        return self._model.alone.probabilities(signals_alone(*self._scores(texts, self._model.clauses)))

    def probabilities_in_contract(self, texts: Sequence[str]) -> Floats:
        """The same for all clauses of one contract in reading order, each seen among the others."""
        return self._model.in_contract.probabilities(signals_in_contract(*self._scores(texts, self._model.clauses)))

    def probabilities_of_passages(self, texts: Sequence[str]) -> Floats:
        """The same for passages that someone chose because they have a category, such as a reader's selection.

        Compare with `passage_threshold`; the best category is meant in any case.
        """
        by_clauses = signals_alone(*self._scores(texts, self._model.clauses))
        by_passages = signals_alone(*self._scores(texts, self._model.passages))
        return self._model.passage.probabilities(np.concatenate([by_clauses, by_passages], axis=-1))

    def _scores(self, texts: Sequence[str], linear: Linear) -> tuple[Floats, Floats]:
        """Raw scores of each whole text and of its best sentence: twice [texts, 38]."""
        empty = np.zeros((0, len(self.categories)), np.float32)
        batches = [self._score(texts[start : start + _BATCH], linear) for start in range(0, len(texts), _BATCH)]
        wholes, sentences = zip(*batches, strict=True) if batches else ((empty,), (empty,))
        return np.concatenate(wholes), np.concatenate(sentences)

    def _score(self, texts: Sequence[str], linear: Linear) -> tuple[Floats, Floats]:
        space = self._model.space
        read = space.read(texts)
        whole = space.wholes(read) @ linear.weights + linear.bias
        pieces = space.pieces(read) @ linear.weights + linear.bias
        return whole, np.maximum.reduceat(pieces, read.first_pieces, axis=0)

    def _labels(self, probabilities: Floats) -> Iterator[Label]:
        for place in np.argsort(-probabilities, kind="stable"):
            if probabilities[place] < self.threshold:
                return
            yield Label(self.categories[place], round(float(probabilities[place]), 4))


@cache
def _shipped() -> ClauseClassifier:
    content = files("mainspring.showcase.contracts").joinpath("data", FILE).read_bytes()
    return ClauseClassifier.from_bytes(content)
