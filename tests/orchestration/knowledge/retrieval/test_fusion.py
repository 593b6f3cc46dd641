"""Weighted reciprocal rank fusion, as it is defined."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.orchestration.knowledge.retrieval.fusion import RankedList, fuse


def ranked(name: str, weight: float, items: Sequence[tuple[str, float]]) -> RankedList[str]:
    return RankedList(name, weight, items)


def test_two_lists_fuse_by_rank_and_weight():
    vector = ranked("vector", 1.0, [("a", 0.9), ("b", 0.5), ("c", 0.1)])
    text = ranked("text", 2.0, [("b", 12.0), ("d", 3.0)])
    fused = fuse([vector, text], k=60)
    assert [each.item for each in fused] == ["b", "d", "a", "c"]
    assert fused[0].score == pytest.approx((1 / 62 + 2 / 61) / (3 / 61))
    assert [(place.name, place.rank, place.score) for place in fused[0].places] == [("vector", 2, 0.5), ("text", 1, 12)]


def test_the_first_of_every_list_scores_one():
    lists = [RankedList(name, 1.5, [("a", 3.0), ("b", 1.0)]) for name in ("vector", "text")]
    assert fuse(lists, k=10)[0].score == pytest.approx(1.0)


def test_equal_scores_share_a_rank():
    (a, b, c) = fuse([RankedList("labels", 1.0, [("a", 0.5), ("b", 0.5), ("c", 0.1)])], k=60)
    assert [each.places[0].rank for each in (a, b, c)] == [1, 1, 3]
    assert a.score == b.score > c.score


def test_a_list_of_no_weight_and_an_empty_one_change_nothing():
    text = ranked("text", 1.0, [("a", 2.0), ("b", 1.0)])
    silent = ranked("vector", 0.0, [("c", 1.0)])
    assert fuse([text, silent, ranked("labels", 1.0, [])], k=60) == fuse([text], k=60)
    assert fuse(list[RankedList[str]](), k=60) == []


@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=15), max_size=4), st.integers(1, 1_000))
def test_every_item_is_there_once_with_a_score_that_is_the_sum_of_its_places(lists: list[list[int]], k: int):
    made = [
        RankedList(str(number), 1.0 + number, [(item, -place) for place, item in enumerate(items)])
        for number, items in enumerate(lists)
    ]
    fused = fuse(made, k=k)
    assert {each.item for each in fused} == {item for items in lists for item in items}
    assert len(fused) == len({each.item for each in fused})
    most = sum(each.weight / (k + 1) for each in made if each.ranked)
    for each in fused:
        assert 0 < each.score <= 1 + 1e-9
        assert each.score * most == pytest.approx(sum(place.contribution for place in each.places))
    assert [each.score for each in fused] == sorted((each.score for each in fused), reverse=True)
