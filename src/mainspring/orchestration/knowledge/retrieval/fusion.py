"""Weighted reciprocal rank fusion: lists whose scores cannot be compared are fused by rank.

A chunk gets weight / (k + rank) from each list that holds it. The sum is given as a share of what first place in
every list would get, so it lies in 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .types import ListPlace

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RankedList(Generic[Item]):
    """Items best first with the list's own scores, and how much the list counts."""

    name: str
    weight: float
    ranked: Sequence[tuple[Item, float]]


@dataclass(frozen=True, slots=True)
class Fused(Generic[Item]):
    """An item with its fused score, 0 to 1, and where it stood."""

    item: Item
    score: float
    places: tuple[ListPlace, ...]


def fuse(lists: Sequence[RankedList[Item]], *, k: int) -> list[Fused[Item]]:
    """Every item of every list, best first; equals in the order in which the lists first name them.

    Items of equal score within a list share a rank, so that ties are not decided by chance.
    """
    counted = [each for each in lists if each.weight > 0]
    most = sum(each.weight / (k + 1) for each in counted if each.ranked)
    places: dict[Item, list[ListPlace]] = {}
    for each in counted:
        for item, place in _places(each, k):
            places.setdefault(item, []).append(place)
    fused = [Fused(item, _sum(held) / most, tuple(held)) for item, held in places.items()]
    return sorted(fused, key=lambda each: -each.score)


def _places(ranked: RankedList[Item], k: int) -> Sequence[tuple[Item, ListPlace]]:
    found: list[tuple[Item, ListPlace]] = []
    rank, last = 0, None
    for position, (item, score) in enumerate(ranked.ranked, 1):
        if score != last:
            rank, last = position, score
        given = ranked.weight / (k + rank)
        found.append((item, ListPlace(ranked.name, rank, score, ranked.weight, given)))
    return found


def _sum(places: Sequence[ListPlace]) -> float:
    return sum(place.contribution for place in places)
