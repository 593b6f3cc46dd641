"""Rows that follow each other are a chunk, below the names of their columns."""

from mainspring.orchestration.knowledge.chunking import RowChunking, cut
from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

_NAMES = "name | amount"


def _table(
    *rows: str, columns: str | None = _NAMES, sheet: str | None = None
) -> list[tuple[str, BlockKind, dict[str, str]]]:
    said = {name: value for name, value in (("columns", columns), ("sheet", sheet)) if value}
    return [(row, BlockKind.TABLE_ROW, said) for row in rows]


def _document(*parts: tuple[str, BlockKind, dict[str, str]]) -> ParsedDocument:
    text, blocks = "", list[Block]()
    for words, kind, attributes in parts:
        text += "\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(words), attributes=attributes))
        text += words
    return ParsedDocument(text, "text/csv", tuple(blocks))


def _cut(*parts: tuple[str, BlockKind, dict[str, str]], max_chars: int = 1_500, max_rows: int = 3) -> tuple[Chunk, ...]:
    return cut(_document(*parts), RowChunking(max_chars, max_rows))


def test_the_names_of_the_columns_are_repeated_above_every_group():
    chunks = _cut(*_table(_NAMES, *(f"n{number} | {number}" for number in range(4))))
    assert [chunk.text for chunk in chunks] == [
        "name | amount\nn0 | 0\nn1 | 1",
        "name | amount\nn2 | 2\nn3 | 3",
    ]
    assert chunks[1].attributes == {"columns": _NAMES}


def test_the_span_is_that_of_the_rows_without_the_repeated_names():
    document = _document(*_table(_NAMES, *(f"n{number} | {number}" for number in range(4))))
    last = cut(document, RowChunking(max_rows=3))[-1]
    assert document.text[last.start : last.end] == "n2 | 2\nn3 | 3"


def test_a_first_row_without_figures_is_taken_for_the_names_where_the_parser_gave_none():
    named = _cut(*_table("name | place", "a | x", "b | y", "c | z", columns=None))
    assert named[1].text == "name | place\nc | z"
    unnamed = _cut(*_table("a1 | 1", "b | 2", "c | 3", "d | 4", columns=None))
    assert unnamed[1].text == "d | 4"


def test_groups_never_reach_across_sheets():
    chunks = _cut(*_table("a | 1", sheet="One"), *_table("b | 2", sheet="Two"))
    assert [(chunk.text, chunk.attributes["sheet"]) for chunk in chunks] == [
        ("name | amount\na | 1", "One"),
        ("name | amount\nb | 2", "Two"),
    ]


def test_the_heading_of_a_table_goes_with_its_first_group():
    chunks = _cut(("Prices", BlockKind.HEADING, {}), *_table(*(f"n{number} | {number}" for number in range(4))))
    assert chunks[0].text == "Prices\nname | amount\nn0 | 0\nn1 | 1\nn2 | 2"
    assert {chunk.heading_path for chunk in chunks} == {("Prices",)}


def test_prose_around_tables_is_cut_as_prose():
    chunks = _cut(*_table("a | 1"), ("A remark. " * 3, BlockKind.PARAGRAPH, {}), *_table("b | 2"))
    assert [chunk.text for chunk in chunks] == [
        "name | amount\na | 1",
        "A remark. A remark. A remark.",
        "name | amount\nb | 2",
    ]


def test_a_row_that_is_too_long_is_cut_and_every_piece_has_the_names():
    chunks = _cut(*_table("word " * 40), max_chars=100)
    assert len(chunks) > 2
    assert all(chunk.text.startswith("name | amount\nword") and len(chunk.text) <= 100 for chunk in chunks)


def test_names_that_would_fill_half_of_a_chunk_are_not_repeated():
    wide = " | ".join(["a long name of a column"] * 5)
    chunks = _cut(*_table("a | 1", columns=wide), max_chars=150)
    assert [(chunk.text, chunk.attributes) for chunk in chunks] == [("a | 1", {"columns": wide})]
