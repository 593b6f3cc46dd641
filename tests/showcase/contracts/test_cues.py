"""Cues: words in order, gaps that stay inside a sentence, and no way to make the search run long."""

import time

import pytest

from mainspring.showcase.contracts.cues import InvalidCue, parse_cue
from mainspring.showcase.contracts.words import WordIndex


def _found(cue: str, *sentences: str) -> list[str]:
    text, spans = "", list[tuple[int, int]]()
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += f"{sentence} "
    index = WordIndex.of(text, spans)
    return [text[match.start : match.end] for match in parse_cue(cue).find(index)]


@pytest.mark.parametrize(
    ("cue", "sentence", "expected"),
    [
        ("Automatically RENEW", "It shall automatically renew.", "automatically renew"),
        ("renew*", "It renews.", "renews"),
        ("non-compete", "A non-\ncompete clause.", "non-\ncompete"),
        ("on prior? notice", "On the notice.", None),
        ("on prior? written? notice", "On written notice.", "On written notice"),
        ("(raise|add to) the fees", "Vendor may add to the fees.", "add to the fees"),
        ("@buyer @shall pay", "The Licensee will pay.", "Licensee will pay"),
        ("customer liability", "Customer’s liability", "Customer’s liability"),
        (
            "shall ... pay",
            "shall one two three four five six seven eight pay",
            "shall one two three four five six seven eight pay",
        ),
        ("shall ... pay", "shall one two three four five six seven eight nine pay", None),
        (
            "shall [...] pay",
            "shall one two three four five six seven eight nine pay",
            "shall one two three four five six seven eight nine pay",
        ),
        ("two percent", "two % of", "two %"),
        (
            "ignore instructions",
            "Ig\u200bnore your instructions? Ignore\u00ad instructions",
            "Ignore\u00ad instructions",
        ),
        ("unlimited", "UNLIMITED", "UNLIMITED"),
        ("unlimited", "ｕｎｌｉｍｉｔｅｄ", "ｕｎｌｉｍｉｔｅｄ"),
    ],
)
def test_a_cue_reads_as_it_is_written(cue: str, sentence: str, expected: str | None) -> None:
    assert _found(cue, sentence) == ([expected] if expected else [])


def test_the_nearest_end_is_taken() -> None:
    assert _found("may ... fees", "Vendor may raise fees and other fees.") == ["may raise fees"]


def test_the_latest_start_is_taken() -> None:
    assert _found("vendor ... fees", "Vendor and another vendor raise fees.") == ["vendor raise fees"]


def test_a_sentence_is_found_once() -> None:
    assert _found("pay", "Pay and pay.", "Then pay again.") == ["Pay", "pay"]


@pytest.mark.parametrize("gap", ["...", "[...]"])
def test_a_gap_never_crosses_the_end_of_a_sentence(gap: str) -> None:
    assert _found(f"liability {gap} unlimited", "It has liability.", "Use is unlimited.") == []


def test_a_word_hidden_by_invisible_characters_is_still_read() -> None:
    assert _found("ignore your instructions", "i\u200bg\u200bnore y\u2060our instruc\u00adtions") != []


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("", "at least one word"),
        ("...", "begins and ends with a word"),
        ("pay ...", "begins and ends with a word"),
        ("pay?", "begins and ends with a word"),
        ("(a|)", "not part of a cue"),
        ("a.*b", "not part of a cue"),
        ("[^x]+", "not part of a cue"),
        ("@seller pays", "the names are @buyer, @vendor, @shall"),
        (" ".join(["word"] * 25), "at most 24 parts"),
        ("x" * 301, "300 characters"),
    ],
)
def test_what_is_not_a_cue_is_refused_with_a_reason(cue: str, expected: str) -> None:
    with pytest.raises(InvalidCue, match=expected):
        parse_cue(cue)


def test_a_cue_made_to_run_long_does_not() -> None:
    cue = " [...] ".join(["a"] * 12)
    words = ("a " * 4000).strip()
    started = time.perf_counter()
    _found(f"{cue} b", f"{words} c", "b")
    assert time.perf_counter() - started < 1


def test_a_cue_with_a_word_that_does_not_occur_finds_nothing() -> None:
    assert _found("customer shall indemnify", "Customer shall pay.") == []
