"""What is read from a question's text, and when an answer is worth giving."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.errors import InvalidInput
from mainspring.orchestration.knowledge.retrieval.asking import MOST_CHARACTERS, read_question
from mainspring.orchestration.knowledge.retrieval.relevance import Evidence, is_relevant


def test_phrases_and_identifiers_are_read_and_the_text_stays():
    asked = read_question(' What says "Change of  Control" in 4.2(b) of ISO-27001? “Net price” too ')
    assert asked.text == 'What says "Change of  Control" in 4.2(b) of ISO-27001? “Net price” too'
    assert [phrase.text for phrase in asked.phrases] == ["Change of Control", "Net price"]
    assert asked.identifiers == ("4.2(b)", "iso-27001")
    assert not asked.is_cut


def test_a_phrase_is_found_across_line_ends_and_punctuation_but_not_in_pieces():
    (phrase,) = read_question('"change of control"').phrases
    assert phrase.is_in("upon a Change\n  of (Control)")
    assert not phrase.is_in("control of change")


@given(st.text(max_size=200))
def test_any_text_is_a_question_or_is_refused(text: str):
    try:
        asked = read_question(text)
    except InvalidInput:
        assert not text.replace("\0", " ").strip()
        return
    assert 0 < len(asked.text) <= MOST_CHARACTERS
    assert "\0" not in asked.text
    asked.text.encode()
    for phrase in asked.phrases:
        assert re.compile(phrase.pattern)
        assert phrase.is_in(phrase.text)


@pytest.mark.parametrize(
    ("evidence", "is_answered"),
    [
        (Evidence(0.4), True),
        (Evidence(0.3), False),
        (Evidence(0.3, words=0.5), True),
        (Evidence(None, words=0.5), True),
        (Evidence(None, words=0.1), False),
        (Evidence(0.0, phrases=True), True),
        (Evidence(0.0, exact=0.9), True),
        (Evidence(0.0, exact=0.1), False),
        (Evidence(0.0, label=0.9), True),
        (Evidence(0.0, label=0.1), False),
        (Evidence(None), False),
    ],
)
def test_an_answer_needs_evidence(evidence: Evidence, is_answered: bool):
    assert is_relevant(evidence, 0.36) is is_answered
