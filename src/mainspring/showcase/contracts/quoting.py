"""A quote and its place: making a citation from a span, and checking that one still holds.

It stands apart from the support check so that whoever reads facts can cite without importing it.
"""

from mainspring.orchestration.knowledge.types import ParsedDocument

from .types import Citation


def cite(document: ParsedDocument, start: int, end: int, chunk: int | None = None) -> Citation:
    """The citation of [start, end) without surrounding whitespace.

    chunk    index of the chunk that holds it, when the caller knows
    raises   ValueError when the span lies outside the text or holds nothing but whitespace
    """
    if not 0 <= start <= end <= len(document.text):
        raise ValueError(f"span {start}..{end} is outside the text of {len(document.text)} characters")
    raw = document.text[start:end]
    begin = start + len(raw) - len(raw.lstrip())
    quote = raw.strip()
    if not quote:
        raise ValueError(f"span {start}..{end} holds no text to quote")
    return Citation(begin, begin + len(quote), quote, document.page_at(begin), chunk)


def verify(document: ParsedDocument, citation: Citation) -> bool:
    """Whether the quote is not empty and stands exactly at its place in the document."""
    if not citation.quote.strip() or citation.start < 0 or citation.end - citation.start != len(citation.quote):
        return False
    return document.text[citation.start : citation.end] == citation.quote
