"""`chunk_by_clause`: what a lawyer would cite as one clause becomes one chunk.

Blocks are joined into clauses: a number or heading opens one, list items and unnumbered
paragraphs go on with it. Clauses that are too short join a neighbour below the same
heading; clauses that are too long are cut at their list items, else at paragraphs, else at
sentences and enumerations, else at blanks. A heading always stays with what it heads.
"""

from dataclasses import dataclass, replace

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

from .making import make_chunks
from .protocol import Chunker, Cutter
from .references import References
from .settings import ClauseChunking
from .spans import BLANK, ENUMERATION, SENTENCE, Span, after, among, cut_spans, cut_to_size, length, trimmed

CHUNKER_VERSION = "clause-2"  # goes up when the same document may be cut in another way

_WAYS = (after(SENTENCE), after(ENUMERATION), after(BLANK))
DEFAULT_CHUNKING = ClauseChunking()


@dataclass(frozen=True, slots=True)
class _Clause:
    start: int
    end: int
    is_heading: bool  # nothing but headings
    opens_section: bool  # starts with a heading or at the top level


def chunk_by_clause(document: ParsedDocument, *, settings: ClauseChunking = DEFAULT_CHUNKING) -> tuple[Chunk, ...]:
    """Chunks in reading order that do not overlap and hold all of the text but the blanks between them.

    Each chunk's text is `document.text[start:end]`, without blanks at its ends. Attribute `defines` holds the
    terms that it defines, `refers_to` the clauses of the document that it names, both joined by "; ". The same
    document and settings give the same chunks. Linear in the length of the text.
    """
    text, blocks = document.text, document.blocks
    clauses = _joined(text, _clauses(text, blocks), settings)
    starts = [block.start for block in blocks if block.number or _ends_before(text, block.start)]
    items = [block.start for block in blocks if block.kind is BlockKind.LIST_ITEM]
    spans = [span for clause in clauses for span in _pieces(text, clause, starts, items, settings)]
    chunks = make_chunks(document, trimmed(text, spans))
    refer = References(document)
    return tuple(replace(chunk, attributes=refer.attributes(chunk)) for chunk in chunks)


def _clauses(text: str, blocks: tuple[Block, ...]) -> list[_Clause]:
    """The document cut before every block that opens a clause."""
    found: list[_Clause] = []
    start, is_heading, opens_section = 0, True, False
    for block in blocks:
        if block.start > start and _opens_clause(block):
            _append(found, text, _Clause(start, block.start, is_heading and bool(found or start), opens_section))
            start, is_heading, opens_section = block.start, True, _opens_section(block)
        is_heading = is_heading and block.kind in (BlockKind.HEADING, BlockKind.FURNITURE)
    _append(found, text, _Clause(start, len(text), is_heading, opens_section))
    return found


def _append(found: list[_Clause], text: str, clause: _Clause) -> None:
    if text[clause.start : clause.end].strip():
        found.append(clause)


def _opens_clause(block: Block) -> bool:
    if block.kind is BlockKind.HEADING:
        return True
    return block.number is not None and block.kind is BlockKind.PARAGRAPH


def _ends_before(text: str, place: int) -> bool:
    """Whether the text before a block ends there: no sentence runs on over a page break."""
    before = text[max(0, place - 40) : place].rstrip()
    return not before or before[-1] in '.;:?!"”’)_'


def _opens_section(block: Block) -> bool:
    return block.kind is BlockKind.HEADING or block.level == 0


def _joined(text: str, clauses: list[_Clause], settings: ClauseChunking) -> list[_Clause]:
    """Headings joined to what they head, short clauses to a neighbour of their section."""
    joined: list[_Clause] = []
    for clause in clauses:
        last = joined[-1] if joined else None
        if last is not None and _may_join(text, last, clause, settings):
            joined[-1] = _Clause(last.start, clause.end, last.is_heading and clause.is_heading, last.opens_section)
        else:
            joined.append(clause)
    return joined


def _may_join(text: str, last: _Clause, clause: _Clause, settings: ClauseChunking) -> bool:
    if last.is_heading:
        return True
    if clause.end - last.start > settings.max_chars:
        return False
    is_short = _shown_length(text, last) < settings.min_chars
    return is_short and not clause.opens_section


def _shown_length(text: str, clause: _Clause) -> int:
    return len(text[clause.start : clause.end].strip())


def _pieces(text: str, clause: _Clause, starts: list[int], items: list[int], settings: ClauseChunking) -> list[Span]:
    """The clause as it is, or cut into pieces of at most `max_chars`, at the best places there are."""
    span = (clause.start, clause.end)
    if length(text, span) <= settings.item_chars:
        return [span]
    spans = cut_spans(text, [span], among(items), settings.item_chars)
    return cut_to_size(text, spans, (among(starts), *_WAYS), settings.max_chars)


def _cut_by_settings(document: ParsedDocument, settings: ClauseChunking) -> tuple[Chunk, ...]:
    return chunk_by_clause(document, settings=settings)


CLAUSES: Chunker[ClauseChunking] = Cutter("clause", CHUNKER_VERSION.removeprefix("clause-"), _cut_by_settings)
"""The chunker for contracts."""
