"""Which indexes should have an approximate one: a pure decision."""

from collections.abc import Iterable

from mainspring.orchestration.knowledge.types import IndexStatus

from .types import Held, Policy

APPROXIMABLE = frozenset({256, 384, 512, 768, 1024, 1536, 2048, 3072})
"""Sizes of vectors that search can ask approximately."""

_STAYS = 1.25  # a promoted index gives its place up only to one that is a quarter larger


def choose(held: Iterable[Held], policy: Policy) -> list[Held]:
    """The largest that are large enough, at most `policy.most`; those that have one already are favoured."""
    large = [each for each in held if _is_searched(each) and each.chunks >= _least(each, policy)]
    large.sort(key=lambda each: (-each.chunks * (_STAYS if each.is_promoted else 1.0), each.index))
    return large[: policy.most]


def _is_searched(held: Held) -> bool:
    return held.status is not IndexStatus.RETIRED and held.dimensions in APPROXIMABLE


def _least(held: Held, policy: Policy) -> int:
    return policy.demote_below if held.is_promoted else policy.promote_at
