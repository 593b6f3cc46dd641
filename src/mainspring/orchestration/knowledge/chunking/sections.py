"""The chunker for technical documents: what stands below one heading, with the path of headings that leads there.

A heading opens a section and stays with what it heads. Short sections that stand side by side below one heading
are joined; long ones are cut between paragraphs, then sentences. A list, a table, a piece of code is one unit,
kept whole where it fits.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

from .fixed import SENTENCE_WAYS
from .making import NOT_BODY, make_chunks, shared_attributes
from .places import find_places
from .protocol import Chunker, Cutter
from .settings import SectionChunking
from .spans import Span, among, cut_to_size, length, trimmed

_RUNS = (BlockKind.LIST_ITEM, BlockKind.TABLE_ROW)


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with its text, or several in a row; `level` is the heading's, None before the first one."""

    start: int
    end: int
    level: int | None
    is_heading: bool


def cut_by_section(document: ParsedDocument, settings: SectionChunking) -> tuple[Chunk, ...]:
    """Chunks that do not overlap, each of one section or of short sections side by side.

    Each text is `document.text[start:end]`. The heading path is the one that all of the chunk stands below;
    attributes are those that all of its blocks share.
    """
    text, blocks = document.text, document.blocks
    sections = _joined(text, _sections(text, blocks), settings)
    starts = [block.start for block in blocks]
    ways = (among(_unit_starts(blocks, _RUNS)), among(_unit_starts(blocks, ())), *SENTENCE_WAYS[1:])
    spans = cut_to_size(text, [(each.start, each.end) for each in sections], ways, settings.max_chars)
    chunks = make_chunks(document, trimmed(text, spans))
    held = [blocks[_first_block(starts, chunk.start) : bisect_left(starts, chunk.end)] for chunk in chunks]
    paths = _paths(document, chunks, held)
    return tuple(
        replace(chunk, heading_path=path, attributes=shared_attributes(of_chunk))
        for chunk, path, of_chunk in zip(chunks, paths, held, strict=True)
    )


def _first_block(starts: list[int], place: int) -> int:
    """The block that holds `place`, or the first one after it."""
    index = bisect_left(starts, place)
    return index if index < len(starts) and starts[index] == place else max(0, index - 1)


def _sections(text: str, blocks: tuple[Block, ...]) -> list[_Section]:
    """The document cut before every heading."""
    found: list[_Section] = []
    start, level, is_heading = 0, None, False
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            if text[start : block.start].strip():
                found.append(_Section(start, block.start, level, is_heading))
                start = block.start
            level, is_heading = block.level or 0, True
        elif block.kind is not BlockKind.FURNITURE:
            is_heading = False
    found.append(_Section(start, len(text), level, is_heading))
    return found


def _joined(text: str, sections: list[_Section], settings: SectionChunking) -> list[_Section]:
    """Bare headings joined to what they head, short sections to the next of their level."""
    joined: list[_Section] = []
    for section in sections:
        last = joined[-1] if joined else None
        if last is not None and _may_join(text, last, section, settings):
            joined[-1] = _Section(last.start, section.end, section.level, section.is_heading)
        else:
            joined.append(section)
    return joined


def _may_join(text: str, last: _Section, section: _Section, settings: SectionChunking) -> bool:
    if last.is_heading:
        return _is_below(last, section)
    if last.level is None or last.level != section.level or section.is_heading:
        return False
    is_short = length(text, (last.start, last.end)) < settings.min_chars
    return is_short and length(text, (last.start, section.end)) <= settings.max_chars


def _is_below(heading: _Section, section: _Section) -> bool:
    """Whether a bare heading is over the section, not an empty one before a higher heading."""
    return heading.level is None or (section.level or 0) >= heading.level


def _unit_starts(blocks: tuple[Block, ...], runs: tuple[BlockKind, ...]) -> list[int]:
    """Every block but those that go on with a run of these kinds, or stand right below a heading."""
    starts: list[int] = []
    before: Block | None = None
    for block in blocks:
        goes_on = before is not None and block.kind is before.kind and block.kind in runs
        heads = before is not None and before.kind is BlockKind.HEADING
        if not goes_on and not heads:
            starts.append(block.start)
        if block.kind is not BlockKind.FURNITURE:
            before = block
    return starts


def _paths(document: ParsedDocument, chunks: tuple[Chunk, ...], held: list[tuple[Block, ...]]) -> list[tuple[str, ...]]:
    """For each chunk the headings that are over its first body and over its last."""
    ends = [_body(chunk, blocks) for chunk, blocks in zip(chunks, held, strict=True)]
    wanted = sorted({place for pair in ends for place in pair})
    found = find_places(document, [(place, place + 1) for place in wanted])
    paths = {place: each.heading_path for place, each in zip(wanted, found, strict=True)}
    return [_shared(paths[first], paths[last]) for first, last in ends]


def _body(chunk: Chunk, blocks: tuple[Block, ...]) -> Span:
    """Where the first and the last block of the chunk start that are no headings."""
    places = [max(block.start, chunk.start) for block in blocks if block.kind not in NOT_BODY]
    return (places[0], places[-1]) if places else (chunk.start, chunk.start)


def _shared(first: tuple[str, ...], last: tuple[str, ...]) -> tuple[str, ...]:
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]


SECTIONS: Chunker[SectionChunking] = Cutter("section", "1", cut_by_section)
"""The chunker for technical documents."""
