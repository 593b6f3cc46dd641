"""F1 and calibration error, defined once for training and for the benchmark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
BINS = 10


@dataclass(frozen=True, slots=True)
class F1:
    """micro: over all decisions; macro: the mean over categories, 0 where nothing was found or there.

    support  how many there are of each category
    """

    micro: float
    macro: float
    precision: float
    recall: float
    by_category: tuple[float, ...]
    support: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions with a probability in [low, high): how many, their mean, and the share that was right."""

    low: float
    high: float
    count: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """brier: mean squared error; ece: mean distance of predicted from observed, weighted by count.

    Both over all pairs of clause and category; `ece_likely` over pairs at 0.1 and more, because
    the many plain negatives would hide every error.
    """

    brier: float
    ece: float
    ece_likely: float
    bins: tuple[Bin, ...]


def f1(truth: Flags, predicted: Flags) -> F1:
    """Over rows of decisions, one column a category."""
    hits, found, there = (truth & predicted).sum(0), predicted.sum(0), truth.sum(0)
    each = 2 * hits / np.maximum(1, found + there)
    return F1(
        micro=float(2 * hits.sum() / max(1, found.sum() + there.sum())),
        macro=float(each.mean()),
        precision=float(hits.sum() / max(1, found.sum())),
        recall=float(hits.sum() / max(1, there.sum())),
        by_category=tuple(float(value) for value in each),
        support=tuple(int(value) for value in there),
    )


def reliability(truth: Flags, probabilities: Floats) -> Reliability:
    """How far the probabilities mean what they say."""
    values, right = probabilities.ravel().astype(np.float64), truth.ravel()
    place = np.minimum((values * BINS).astype(int), BINS - 1)
    bins = tuple(_bin(number, values[place == number], right[place == number]) for number in range(BINS))
    return Reliability(
        brier=float(np.mean((values - right) ** 2)),
        ece=_distance(bins),
        ece_likely=_distance(bins[1:]),
        bins=bins,
    )


def _bin(number: int, values: NDArray[np.float64], right: Flags) -> Bin:
    count = len(values)
    predicted, observed = (float(values.mean()), float(right.mean())) if count else (0.0, 0.0)
    return Bin(number / BINS, (number + 1) / BINS, count, predicted, observed)


def _distance(bins: tuple[Bin, ...]) -> float:
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.predicted - each.observed) for each in bins) / max(1, total)


def any_by_group(flags: Flags, group: NDArray[np.int64], groups: int) -> Flags:
    """Which columns hold anywhere in each group of rows: [groups, columns]."""
    result = np.zeros((groups, flags.shape[1]), bool)
    np.logical_or.at(result, group, flags)
    return result


def at_least_one(probabilities: Floats, threshold: float) -> Flags:
    """Labels at or above the threshold, and the best one in any case: for spans known to be labelled."""
    return (probabilities >= threshold) | (probabilities >= probabilities.max(axis=1, keepdims=True))
