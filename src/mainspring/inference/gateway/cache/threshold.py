"""How near a question must be before an entry's reply is given again, learned for each entry from what was seen.

The idea is vCache's (arXiv 2502.03771): whether the reply is right is a logistic curve over
similarity, with a place and steepness of the entry's own, and until the curve is known well enough
the model is asked and its fresh reply compared. Two things differ here. Besides place and
steepness a curve has a share of wrong replies that no nearness cures, as an entry about the
weather has. And the bound is on the hits: an entry answers only where the chance of being right, over all
curves by what was seen, is at least one minus the accepted error, so the expected share of wrong
hits stays under it. vCache bounds the errors among all calls, which lets few hits be wrong often.

Belief is a weight on each of 176 curves. The weights to begin with say what was seen on question
pairs once the guards agreed (`bench.semantic_cache`): most entries are right wherever they are near,
a few are never to be trusted. One to five right replies open an entry for an error of 2 %, three to
eleven for 1 %, fewer the nearer the question; after a wrong one it takes some forty at 2 %. The bound
is as good as these weights and the judge, so shadow runs measure what comes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.95
MOST_OBSERVATIONS = 64

_PLACES = np.linspace(0.80, 1.01, 22)
_PLACE_BELIEF = np.where(_PLACES <= 0.905, 3.0, 1.0)  # most are right well below the floor
_STEEPNESS = np.array([100.0, 400.0])
_INCURABLE = np.array([0.0, 0.02, 0.1, 0.4])
_INCURABLE_BELIEF = np.array([0.88, 0.05, 0.04, 0.03])

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """A fresh reply was compared with the kept one: how near the question was, and whether they said the same."""

    similarity: float
    was_right: bool


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Every curve, and the belief in each before anything was seen; arrays of the same length."""

    place: Floats
    steepness: Floats
    incurable: Floats
    belief: Floats

    @classmethod
    def spread(cls) -> "Curves":
        """The curves of this module."""
        place, steepness, share = np.meshgrid(
            np.arange(len(_PLACES)), _STEEPNESS, np.arange(len(_INCURABLE)), indexing="ij"
        )
        places, shares = place.ravel(), share.ravel()
        belief = _PLACE_BELIEF[places] * _INCURABLE_BELIEF[shares]
        return cls(_PLACES[places], steepness.ravel(), _INCURABLE[shares], belief / belief.sum())

    def chances(self, similarity: Floats) -> Floats:
        """The chance of being right at each similarity, shape (n, 1) or (1,), by each curve."""
        rising = 1 / (1 + np.exp(-self.steepness * (similarity - self.place)))
        return np.clip((1 - self.incurable) * rising, 1e-6, 1 - 1e-6)


CURVES = Curves.spread()


def chance_of_right(observations: Sequence[Observation], similarity: float) -> float:
    """The chance, 0 to 1, that the kept reply is right at a similarity, over all curves by what was seen."""
    weight = np.log(CURVES.belief)
    if recent := observations[-MOST_OBSERVATIONS:]:
        chances = CURVES.chances(np.array([[seen.similarity] for seen in recent]))
        was_right = np.array([[seen.was_right] for seen in recent])
        weight = weight + np.log(np.where(was_right, chances, 1 - chances)).sum(axis=0)
    belief = np.exp(weight - weight.max())
    return float(CURVES.chances(np.array([similarity])) @ belief / belief.sum())


def is_near_enough(observations: Sequence[Observation], similarity: float, accepted_error: float) -> bool:
    """Whether the entry may answer: with little evidence it may not, and the model is asked instead."""
    if similarity < FLOOR or not observations:
        return False
    return chance_of_right(observations, similarity) >= 1 - accepted_error
