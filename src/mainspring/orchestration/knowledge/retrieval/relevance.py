"""Whether anything that was found has to do with the question. Pure.

The evidence of an answer is the best cosine plus a part of how well the question's words are matched: the best BM25
as a share of the rarity of all of the question's words, those that stand nowhere included. It has to reach the
tenant's floor. A quoted phrase that is there, identifiers that make up much of the question, and a place that a product
labelled with a concept which the question names, need no further evidence.
"""

from dataclasses import dataclass

WORDS_COUNT = 0.15
"""What the share of matched words counts beside the cosine; calibrated with the floor, see bench/retrieval.py."""

_SURE_LABEL = 0.5
_SURE_EXACT = 0.4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the answer.

    cosine   of the nearest chunk, None when no vectors were compared
    words    best BM25 as a share of the rarity of the question's words, 0 to about 2
    phrases  whether a quoted phrase was found
    exact    best BM25 of identifiers, as a share of the rarity of the question's words and identifiers
    label    best score of a place of a concept that the question names (strength 1)
    """

    cosine: float | None
    words: float = 0.0
    phrases: bool = False
    exact: float = 0.0
    label: float = 0.0

    @property
    def amount(self) -> float:
        """To be compared with the floor."""
        return (self.cosine or 0.0) + WORDS_COUNT * self.words


def is_relevant(evidence: Evidence, floor: float) -> bool:
    """Whether an answer may be given.

    Without vectors, words have to do alone: they count in full, against the same floor.
    """
    if evidence.phrases or evidence.exact >= _SURE_EXACT or evidence.label >= _SURE_LABEL:
        return True
    if evidence.cosine is None:
        return evidence.words >= floor
    return evidence.amount >= floor
