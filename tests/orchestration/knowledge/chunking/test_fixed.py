"""Anything is cut between sentences, with as much overlap as was asked for."""

from itertools import pairwise

from mainspring.orchestration.knowledge.chunking import FixedChunking, cut, estimate_tokens
from mainspring.orchestration.knowledge.types import ParsedDocument

_TEXT = " ".join(f"Sentence number {number} is this one here." for number in range(40))


def _texts(text: str, size: int, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in cut(ParsedDocument(text, "text/plain", ()), FixedChunking(size, overlap))]


def test_chunks_end_where_sentences_do():
    texts = _texts(_TEXT, 200)
    assert " ".join(texts) == _TEXT
    assert all(text.endswith("here.") and len(text) > 150 for text in texts[:-1])


def test_the_end_of_a_chunk_is_repeated_in_whole_sentences():
    chunks = cut(ParsedDocument(_TEXT, "text/plain", ()), FixedChunking(200, 80))
    for before, after in pairwise(chunks):
        assert 0 < before.end - after.start <= 80
        assert after.text.startswith("Sentence")


def test_a_sentence_longer_than_the_overlap_is_not_repeated():
    chunks = cut(ParsedDocument(_TEXT, "text/plain", ()), FixedChunking(200, 20))
    assert all(before.end < after.start for before, after in pairwise(chunks))


def test_a_paragraph_ends_a_sentence_and_an_abbreviation_does_not():
    assert _texts("A title\n\nActing for Acme Inc. she signed.", 35) == ["A title", "Acting for Acme Inc. she signed."]


def test_languages_without_blanks_are_cut_at_their_full_stops():
    assert _texts("これは文です。これも文です。" * 2, 10) == ["これは文です。", "これも文です。"] * 2


def test_text_without_any_border_is_cut_where_the_limit_falls():
    assert _texts("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_tokens_are_counted_in_every_script():
    assert estimate_tokens("The supplier shall deliver.") == 5
    assert estimate_tokens("契約") == 2
    assert estimate_tokens("12345") == 3
    assert estimate_tokens(" \n") == 0
    assert estimate_tokens("\u200b") > 0
