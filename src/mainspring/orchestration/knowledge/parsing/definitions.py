"""Defined terms: "X" means ..., (the "X"), X: means ... at the head of a clause."""

import re

from mainspring.orchestration.knowledge.types import Block, BlockKind, Definition

from .markers import read_bullet, read_marker

_VERBS = (
    r"(?:shall\s+mean|shall\s+have\s+the\s+meaning|shall\s+refer\s+to|shall\s+include|means?|has\s+the\s+meaning|have\s+the\s+meaning|"
    r"refers?\s+to|is\s+defined|are\s+defined|includes?|bedeutet|bezeichnet|désigne|signifie|significa|betekent)\b"
)
_QUOTED = re.compile(
    rf"[\"“„«]\s?(?P<term>[^\"“”„«»\n]{{2,80}}?)\s?,?[\"”“»]\s*(?:\([^()]{{0,80}}\)\s*)?(?:,[^,.]{{0,60}},\s*)?:?\s*{_VERBS}",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\([^()\"“„]{0,80}[\"“„][^()]{2,160}\)")
_TERM_IN_BRACKETS = re.compile(r"[\"“„](?P<term>[^\"“”„()\n]{2,80}?)[,.]?[\"”“]")
_AT_HEAD = re.compile(
    rf"(?P<term>[A-ZÀ-Ý][\w&/'’\-]*(?:[ ](?:of|and|or|the|for|to|[A-ZÀ-Ý(][\w&/'’\-)]*)){{0,6}})\s*:?\s+{_VERBS}"
)


def find_definitions(text: str, blocks: tuple[Block, ...]) -> tuple[Definition, ...]:
    """Each term once, where it is defined first, in order of place."""
    found = [match.span("term") for match in _QUOTED.finditer(text)]
    for bracket in _BRACKETED.finditer(text):
        found += [match.span("term") for match in _TERM_IN_BRACKETS.finditer(text, *bracket.span())]
    found += [span for block in blocks if (span := _at_head(text, block)) is not None]
    seen: dict[str, Definition] = {}
    for start, end in sorted(set(found)):
        term = " ".join(text[start:end].split())
        if _is_term(term):
            seen.setdefault(term.casefold(), Definition(term, start, end))
    return tuple(seen.values())


def _at_head(text: str, block: Block) -> tuple[int, int] | None:
    if block.kind in (BlockKind.HEADING, BlockKind.FURNITURE):
        return None
    marker = read_marker(text, block.start) if block.number else None
    start = marker.end if marker else read_bullet(text, block.start) or block.start
    while start < block.end and text[start].isspace():
        start += 1
    found = _AT_HEAD.match(text, start, block.end)
    if not found or found["term"] in ("This", "It", "That", "Each", "The", "Which", "Company"):
        return None
    return found.span("term")


def _is_term(term: str) -> bool:
    """A name rather than a quotation: starts with a capital or a digit, and is short."""
    return (
        len(term.split()) <= 8 and (term[0].isupper() or term[0].isdigit()) and any(letter.isalpha() for letter in term)
    )
