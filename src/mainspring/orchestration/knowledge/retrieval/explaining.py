"""Why each hit was found: its places in the lists, and what its scores are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from mainspring.foundation.db import Row
from mainspring.orchestration.knowledge.indexing.terms import identifiers

from .asking import Asked
from .fusion import Fused
from .passages import Found
from .rarity import Weighed
from .store import Key
from .types import Explanation, LabelScore, TermScore


@dataclass(frozen=True, slots=True)
class Scores:
    """Of some chunks: cosine, what each term of the question adds, and the labels that lie over them."""

    cosines: Mapping[Key, float | None]
    parts: Mapping[Key, Sequence[float]]
    labels: Mapping[Key, Sequence[LabelScore]]

    @classmethod
    def of(cls, scores: Sequence[Row], labels: Sequence[Row]) -> Self:
        """From the store's rows."""
        over: dict[Key, list[LabelScore]] = {}
        for row in labels:
            over.setdefault((row["document_id"], row["ordinal"]), []).append(LabelScore(row["label"], row["score"]))
        keyed = {(row["document_id"], row["ordinal"]): row for row in scores}
        cosines = {key: row["cosine"] for key, row in keyed.items()}
        return cls(cosines, {key: row["parts"] for key, row in keyed.items()}, over)


def explain(
    asked: Asked, weighed: Weighed, fused: Sequence[Fused[Key]], chunks: Mapping[Key, Found], scores: Scores
) -> dict[Key, Explanation]:
    """An explanation of each fused hit, by its key."""
    return {
        each.item: _explanation(asked, weighed, each, chunks[each.item], rank, scores)
        for rank, each in enumerate(fused, 1)
    }


def _explanation(
    asked: Asked, weighed: Weighed, fused: Fused[Key], found: Found, rank: int, scores: Scores
) -> Explanation:
    key = fused.item
    added = zip(weighed.weights, scores.parts.get(key, ()), strict=False)
    terms = [TermScore(weighed.words[term], round(score, 4)) for term, score in added if score > 0]
    standing = set(identifiers(found.text))
    exact = [name for name in asked.identifiers if name in standing]
    exact += [phrase.text for phrase in asked.phrases if phrase.is_in(found.text)]
    cosine = scores.cosines.get(key)
    return Explanation(
        places=fused.places,
        cosine=None if cosine is None else round(cosine, 4),
        bm25=round(sum(term.score for term in terms), 4),
        terms=tuple(sorted(terms, key=lambda term: -term.score)),
        exact=tuple(exact),
        labels=tuple(sorted(scores.labels.get(key, ()), key=lambda label: -label.score)),
        fused_rank=rank,
    )
