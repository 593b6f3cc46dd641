"""A redline holds both wordings whole, and hides nothing."""

from hypothesis import given
from hypothesis import strategies as st

from mainspring.showcase.contracts.asking.redline import Change, compare, to_marks

WORDS = st.lists(st.sampled_from(["the", "fee", "is", "paid", "within", "thirty", "days.", "(30)"]), max_size=30)


@given(WORDS, WORDS)
def test_what_stays_and_goes_is_the_old_text_and_what_stays_and_comes_the_new_one(old: list[str], new: list[str]):
    pieces = compare(" ".join(old), " ".join(new))
    before = " ".join(each.text for each in pieces if each.change is not Change.ADDED)
    after = " ".join(each.text for each in pieces if each.change is not Change.REMOVED)
    assert before.split() == old
    assert after.split() == new


def test_marks_show_what_goes_and_what_comes():
    shown = to_marks(compare("within thirty (30)\ndays", "within sixty (60) days"))
    assert shown == "within [-thirty (30)-] {+sixty (60)+} days"


def test_a_line_that_breaks_elsewhere_is_no_change():
    assert {piece.change for piece in compare("one two\nthree", "one\ntwo three")} == {Change.KEPT}


def test_letters_that_turn_the_reading_around_are_not_shown():
    assert "\u202e" not in to_marks(compare("pay 10", "pay \u202e01"))
