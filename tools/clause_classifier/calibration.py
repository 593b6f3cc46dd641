"""From scores to probabilities, and the one threshold: learned from out-of-fold scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mainspring.showcase.contracts.classifier.model_file import Calibration
from mainspring.showcase.contracts.classifier.signals import signals_alone, signals_in_contract

from .corpus import FOLDS, Corpus, Flags, Ints
from .learning import Scores
from .measures import f1

Floats = NDArray[np.float32]
GRID = np.round(np.arange(0.10, 0.61, 0.01), 2)


@dataclass(frozen=True, slots=True)
class Signals:
    """alone, in_contract: of chunks; spans_alone, passages: of spans."""

    alone: Floats
    in_contract: Floats
    spans_alone: Floats
    passages: Floats


def read_signals(clauses: Scores, passages: Scores, corpus: Corpus) -> Signals:
    """Signals of the training texts, contract by contract."""
    starts = np.flatnonzero(np.diff(corpus.chunks.contract)) + 1
    chunks = len(corpus.chunks.texts)
    wholes, sentences = np.split(clauses.whole[:chunks], starts), np.split(clauses.sentence[:chunks], starts)
    contracts = [signals_in_contract(*pair) for pair in zip(wholes, sentences, strict=True)]
    alone = signals_alone(clauses.whole, clauses.sentence)
    by_passages = signals_alone(passages.whole[chunks:], passages.sentence[chunks:])
    return Signals(
        alone=alone[:chunks],
        in_contract=np.concatenate(contracts),
        spans_alone=alone[chunks:],
        passages=np.concatenate([alone[chunks:], by_passages], axis=-1),
    )


def fit_calibration(signals: Floats, labels: Flags, *, cost: float) -> Calibration:
    """A logistic regression for each category over its standardised signals."""
    middle, spread = signals.mean((0, 1)), signals.std((0, 1))
    standard = (signals - middle) / spread
    weights, bias = np.zeros(standard.shape[1:], np.float64), np.zeros(labels.shape[1], np.float64)
    for column in range(labels.shape[1]):
        fit = LogisticRegression(C=cost, max_iter=500).fit(standard[:, column], labels[:, column])
        weights[column] = fit.coef_[0] / spread
        bias[column] = fit.intercept_[0] - (fit.coef_[0] * middle / spread).sum()
    return Calibration(weights.astype(np.float32), bias.astype(np.float32))


def cross_fit(signals: Floats, labels: Flags, fold: Ints, *, cost: float) -> Floats:
    """Probabilities by calibrations that saw no contract of the same company."""
    probabilities = np.zeros(labels.shape, np.float32)
    for number in range(FOLDS):
        here = fold == number
        probabilities[here] = fit_calibration(signals[~here], labels[~here], cost=cost).probabilities(signals[here])
    return probabilities


def best_threshold(labels: Flags, decide: Callable[[float], Flags]) -> float:
    """The threshold with the best sum of micro and macro F1, given what each would decide."""
    figures = [f1(labels, decide(float(threshold))) for threshold in GRID]
    return float(GRID[int(np.argmax([each.micro + each.macro for each in figures]))])
