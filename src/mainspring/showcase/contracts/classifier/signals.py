"""What is known about a clause and a category once all clauses of the contract are scored.

A raw score says how much a clause reads like a category. Whether it is one also depends on
what stands around it: some categories occur once in a contract, some run on over neighbours,
and a clause that is plainly about one thing is less likely about another.
"""

import numpy as np
from numpy.typing import NDArray

ALONE = ("whole", "sentence", "rival")
IN_CONTRACT = (*ALONE, "before", "after", "elsewhere")
PASSAGE = (*ALONE, "passage_whole", "passage_sentence", "passage_rival")
FLOOR = -1.2  # the score of a clause that plainly is not of the category; stands in for what is not there

Floats = NDArray[np.float32]


def signals_alone(whole: Floats, sentence: Floats) -> Floats:
    """For clauses without their contract: [clauses, categories, ALONE].

    whole     scores of the whole clause, [clauses, categories]
    sentence  the best score of its sentences, same shape
    """
    return np.stack([whole, sentence, _best_other(_own(whole, sentence), axis=1)], axis=-1)


def signals_in_contract(whole: Floats, sentence: Floats) -> Floats:
    """For all clauses of one contract, in reading order: [clauses, categories, IN_CONTRACT]."""
    own = _own(whole, sentence)
    absent = np.full_like(own[:1], FLOOR)
    before = np.concatenate([absent, own[:-1]])
    after = np.concatenate([own[1:], absent])
    context = np.stack([before, after, _best_other(own, axis=0)], axis=-1)
    return np.concatenate([signals_alone(whole, sentence), context], axis=-1)


def _own(whole: Floats, sentence: Floats) -> Floats:
    return ((whole + sentence) / 2).astype(np.float32)


def _best_other(scores: Floats, *, axis: int) -> Floats:
    """The best score along the axis, an element's own left out."""
    if scores.shape[axis] < 2:
        return np.full_like(scores, FLOOR)
    second, best = np.split(np.partition(scores, [-2, -1], axis=axis).take([-2, -1], axis=axis), 2, axis=axis)
    return np.maximum(np.where(scores >= best, second, best), FLOOR)
