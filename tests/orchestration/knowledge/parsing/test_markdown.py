"""Markdown reads as it is rendered."""

from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse


def _parse(text: str) -> ParsedDocument:
    return parse(text.encode(), filename="a.md")


def test_markup_is_taken_off():
    document = _parse(
        '**Bold** and *thin* with a [link](https://example.com) and `code`, 2\\*3 &amp; <span id="x">tagged</span>.'
    )
    assert document.text == "Bold and thin with a link and code, 2*3 & tagged."


def test_headings_of_both_kinds_have_their_level():
    document = _parse("# Agreement\n\nTerms\n=====\n\nSub\n---\n\n### Deep\n\ntext goes here")
    headings = [(document.text[b.start : b.end], b.level) for b in document.blocks if b.kind is BlockKind.HEADING]
    assert headings == [("Agreement", 0), ("Terms", 0), ("Sub", 1), ("Deep", 2)]
    assert document.media_type == "text/markdown"


def test_ordered_lists_count_as_they_are_rendered_and_ids_win():
    document = _parse(
        '1. Service\n    1. <span id="1.1">Access.</span> One.\n    1. <span id="1.2">Use.</span> Two.\n1. Fees\n1. Law'
    )
    assert [block.number for block in document.blocks] == ["1", "1.1", "1.2", "2", "3"]


def test_tables_and_bullets_and_rules():
    document = _parse("| Fee | 100 |\n|---|---|\n| Tax | 20 |\n\n---\n\n* point one\n* (b) point two")
    assert document.text == "Fee | 100\nTax | 20\n\n• point one\n\n(b) point two"
    assert [block.kind for block in document.blocks] == [BlockKind.TABLE_ROW] * 2 + [BlockKind.LIST_ITEM] * 2


def test_markdown_is_known_by_its_marks_without_the_name():
    content = b"# Agreement\n\n**Term.** One year.\n\n## Fees\n\n**Amount.** Ten."
    assert parse(content, filename="upload").media_type == "text/markdown"
    assert parse(b"Plain words only.", filename="upload").media_type == "text/plain"
