"""What every chunker promises, tried on documents of any shape: nothing lost, nothing too long, always the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mainspring.orchestration.knowledge.chunking import (
    CHUNKERS,
    Chunking,
    ClauseChunking,
    FixedChunking,
    MessageChunking,
    RowChunking,
    SectionChunking,
    chunker_version,
    cut,
)
from mainspring.orchestration.knowledge.types import Block, BlockKind, Page, ParsedDocument

_WORDS = st.sampled_from(
    [
        "The supplier shall keep the goods insured at its own cost. ",
        "4.2 Fees. ",
        "(a) ",
        "ARTICLE IV TERM",
        "as said in Section 4.2",
        "a | b | c",
        "[2024-05-01 10:22] Ana: hello",
        "Ana (2024-05-01 10:22): hello",
        "From: Ana\nSent: 3 June 2024 10:22\nSubject: Invoice",
        "On 3 June 2024, Ana wrote:",
        "x" * 70,
        "\n",
        " ",
        "これは文です。これも文です。",
    ]
)
_TEXTS = st.lists(
    st.one_of(_WORDS, st.text(st.characters(exclude_characters=">"), max_size=40)), min_size=1, max_size=6
).map("".join)
_KINDS = st.sampled_from([kind for kind in BlockKind if kind is not BlockKind.QUOTE])
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["author", "sent_at", "subject", "sheet", "columns"]),
    st.sampled_from(["a | b", "Sheet 1", "Sheet 2", "2024-05-01T10:22:00", "n" * 90]),
    max_size=3,
)
_BLOCKS = st.tuples(_KINDS, _TEXTS, _ATTRIBUTES, st.sampled_from([None, "4.2", "(a)", "ARTICLE IV"]), st.integers(0, 3))


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    """A text without quotations in blocks of any kind, with something between them now and then, on two pages."""
    text, blocks = draw(st.sampled_from(["", "\n", "before "])), list[Block]()
    for kind, words, attributes, number, level in draw(st.lists(_BLOCKS, max_size=12)):
        if words.strip():
            blocks.append(Block(kind, len(text), len(text) + len(words.rstrip()), number, level, attributes))
        text += words + draw(st.sampled_from(["\n\n", "\n", "\n\n\n", " loose "]))
    half = len(text) // 2
    return ParsedDocument(text, "text/plain", tuple(blocks), (Page(1, 0, half), Page(2, half, len(text))))


_CHUNKINGS = st.integers(1, 300).flatmap(
    lambda size: st.sampled_from(
        [
            ClauseChunking(size, size, size // 3),
            MessageChunking(size),
            SectionChunking(size, size // 3),
            RowChunking(size, 1 + size % 5),
            FixedChunking(size, size // 2),
            FixedChunking(size, 0),
        ]
    )
)


def _is_verbatim(chunking: Chunking) -> bool:
    return not isinstance(chunking, MessageChunking | RowChunking)


@given(documents(), _CHUNKINGS)
def test_chunks_are_in_order_inside_the_text_and_never_too_long(document: ParsedDocument, chunking: Chunking):
    chunks = cut(document, chunking)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert 0 <= chunk.start < chunk.end <= len(document.text)
        assert chunk.text.strip()
        assert len(chunk.text) <= chunking.max_chars
        assert chunk.tokens > 0
        assert chunk.page in (1, 2)
        if _is_verbatim(chunking):
            assert chunk.text == document.text[chunk.start : chunk.end] == chunk.text.strip()
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        if not isinstance(chunking, FixedChunking | MessageChunking):
            assert before.end <= after.start
        overlap = chunking.overlap_chars if isinstance(chunking, FixedChunking) else 150
        assert before.end - after.start <= overlap


@given(documents(), _CHUNKINGS)
def test_no_word_is_lost(document: ParsedDocument, chunking: Chunking):
    text, place = document.text, 0
    for chunk in cut(document, chunking):
        assert not text[place : chunk.start].strip()
        assert _holds(chunk.text, text[chunk.start : chunk.end])
        place = max(place, chunk.end)
    assert not text[place:].strip()


def _holds(shown: str, source: str) -> bool:
    """Whether all words of the source are shown, in their order."""
    letters = iter(shown)
    return all(letter in letters for letter in source if not letter.isspace())


@given(documents(), _CHUNKINGS)
def test_the_same_document_is_always_cut_the_same_way(document: ParsedDocument, chunking: Chunking):
    assert cut(document, chunking) == cut(document, chunking)


@given(documents())
def test_a_document_is_cut_into_one_chunk_where_all_of_it_fits_and_nothing_parts_it(document: ParsedDocument):
    prose = ParsedDocument(document.text, "text/plain", ())
    for chunking in (FixedChunking(10_000, 0), SectionChunking(10_000), ClauseChunking(10_000), RowChunking(10_000)):
        chunks = cut(prose, chunking)
        assert [chunk.text for chunk in chunks] == [document.text.strip()] * bool(document.text.strip())


def test_a_document_without_text_has_no_chunks():
    for chunking in (ClauseChunking(), MessageChunking(), SectionChunking(), RowChunking(), FixedChunking()):
        assert cut(ParsedDocument(" \n\n ", "text/plain", ()), chunking) == ()


def test_every_chunker_is_registered_by_name_and_tells_its_version():
    versions = {
        chunker_version(chunking)
        for chunking in (ClauseChunking(), MessageChunking(), SectionChunking(), RowChunking(), FixedChunking())
    }
    assert versions == {f"{name}-{chunker.version}" for name, chunker in CHUNKERS.items()}
    assert set(CHUNKERS) == {"clause", "message", "section", "rows", "fixed"}
