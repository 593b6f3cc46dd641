"""Which indexes get an approximate one."""

from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.knowledge.promotion import Held, Policy
from mainspring.orchestration.knowledge.promotion.planning import choose
from mainspring.orchestration.knowledge.types import IndexStatus

POLICY = Policy(promote_at=100, demote_below=60, most=2)


def _held(
    chunks: int, *, is_promoted: bool = False, status: IndexStatus = IndexStatus.ACTIVE, dimensions: int = 384
) -> Held:
    return Held(TenantId(new_id()), new_id(), status, dimensions, chunks, is_promoted)


def test_an_index_is_promoted_from_the_threshold_on():
    assert choose([_held(99), large := _held(100)], POLICY) == [large]


def test_a_promoted_index_stays_until_it_is_clearly_small():
    promoted = _held(60, is_promoted=True)
    assert choose([promoted, _held(59, is_promoted=True)], POLICY) == [promoted]


def test_no_more_are_promoted_than_allowed_and_the_largest_come_first():
    small, middle, large = _held(100), _held(200), _held(300)
    assert choose([small, large, middle], POLICY) == [large, middle]


def test_a_promoted_index_gives_way_only_to_one_a_quarter_larger():
    first, second = _held(100, is_promoted=True), _held(100, is_promoted=True)
    assert set(choose([first, second, _held(120)], POLICY)) == {first, second}
    assert (larger := _held(130)) in choose([first, second, larger], POLICY)


def test_a_retired_index_and_one_of_unusual_dimensions_are_left_to_exact_search():
    assert choose([_held(500, status=IndexStatus.RETIRED), _held(500, dimensions=385)], POLICY) == []


def test_an_index_that_is_being_built_is_promoted_before_searches_switch_to_it():
    assert len(choose([_held(500, status=IndexStatus.BUILDING)], POLICY)) == 1
