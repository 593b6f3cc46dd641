"""What stands below one heading is a chunk, with the path of headings that leads there."""

from mainspring.orchestration.knowledge.chunking import SectionChunking, cut
from mainspring.orchestration.knowledge.parsing import parse
from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

_SENTENCE = "The service keeps every file for as long as its owner wants. "


def _cut(markdown: str, max_chars: int = 1_500, min_chars: int = 100) -> tuple[Chunk, ...]:
    return cut(parse(markdown.encode(), filename="a.md"), SectionChunking(max_chars, min_chars))


def test_each_section_is_a_chunk_with_its_heading_and_the_path_to_it():
    chunks = _cut(
        f"# Guide\n\n## Setup\n\n{_SENTENCE * 2}\n\n### Linux\n\n{_SENTENCE * 2}\n\n## Use\n\n{_SENTENCE * 2}"
    )
    assert [chunk.heading_path for chunk in chunks] == [("Setup",), ("Setup", "Linux"), ("Use",)]
    assert chunks[0].text.startswith("Guide\n\nSetup\n\nThe service")
    assert chunks[1].text == f"Linux\n\n{_SENTENCE * 2}".strip()


def test_short_sections_side_by_side_are_joined_below_the_heading_that_they_share():
    chunks = _cut(f"# Guide\n\n## Flags\n\n### A\n\nOne.\n\n### B\n\nTwo.\n\n## Use\n\n{_SENTENCE * 3}")
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("Flags",), "Guide\n\nFlags\n\nA\n\nOne.\n\nB\n\nTwo."),
        (("Use",), f"Use\n\n{_SENTENCE * 3}".strip()),
    ]


def test_a_long_section_is_cut_between_paragraphs_each_part_knowing_its_heading():
    chunks = _cut("# Guide\n\n## Setup\n\n" + "\n\n".join([(_SENTENCE * 3).strip()] * 5), 450)
    assert len(chunks) == 3
    assert all(chunk.text.endswith("wants.") for chunk in chunks)
    assert {chunk.heading_path for chunk in chunks} == {("Setup",)}


def test_a_long_paragraph_is_cut_between_sentences():
    chunks = _cut("# Guide\n\n## Setup\n\n" + _SENTENCE * 20, 300)
    assert all(chunk.text.endswith("wants.") and len(chunk.text) > 200 for chunk in chunks[:-1])


def test_lists_and_tables_are_kept_whole_where_they_fit():
    items = "\n".join(f"- item {number} of the list" for number in range(6))
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| row {number} | x |" for number in range(6))
    chunks = _cut(f"## Setup\n\n{_SENTENCE * 2}\n\n{items}\n\n{_SENTENCE * 2}\n\n{table}", 260)
    for parts in (["• item 0", "• item 5"], ["row 0", "row 5"]):
        assert sum(all(part in chunk.text for part in parts) for chunk in chunks) == 1


def test_attributes_that_all_blocks_share_are_the_chunk_s():
    text = "Title\n\nOne.\n\nTwo."
    blocks = (
        Block(BlockKind.HEADING, 0, 5, level=0, attributes={"slide": "3"}),
        Block(BlockKind.PARAGRAPH, 7, 11, attributes={"slide": "3", "author": "Ana"}),
        Block(BlockKind.PARAGRAPH, 13, 17, attributes={"slide": "3", "author": "Bob"}),
    )
    (chunk,) = cut(ParsedDocument(text, "text/plain", blocks), SectionChunking())
    assert chunk.attributes == {"slide": "3"}
