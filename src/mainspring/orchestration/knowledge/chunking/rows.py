"""The chunker for tables: rows that follow each other, below the names of their columns.

A new sheet, other columns, or anything that is no row ends a group. What is no row is cut as prose, but a mere
heading goes with the table that it heads.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

from .fixed import SENTENCE_WAYS
from .making import make_chunks, shared_attributes
from .protocol import Chunker, Cutter
from .settings import RowChunking
from .spans import Span, cut_to_size, trim, trimmed
from .tokens import estimate_tokens


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows, or prose, for one chunk; `header` is shown at `table`, None where it is in the text or there is none."""

    start: int
    end: int
    blocks: tuple[Block, ...]
    header: str | None = None
    table: int = 0


def cut_by_rows(document: ParsedDocument, settings: RowChunking) -> tuple[Chunk, ...]:
    """Chunks that do not overlap, of at most `max_rows` rows of one table.

    The text is `document.text[start:end]`; where the row of column names lies outside of it, those names come
    first, in a line of their own: attribute `columns` of the rows, or a first row without figures. Names that
    would take more than half of a chunk are left to the attribute.
    """
    groups = [group for run in _runs(document) for group in _groups(document.text, run, settings)]
    chunks = make_chunks(document, [(group.start, group.end) for group in groups])
    return tuple(_finish(chunk, group) for chunk, group in zip(chunks, groups, strict=True))


def _finish(chunk: Chunk, group: _Group) -> Chunk:
    attributes = shared_attributes(group.blocks)
    if group.header is None:
        return replace(chunk, attributes=attributes)
    above, below = chunk.text[: group.table - group.start], chunk.text[group.table - group.start :]
    text = f"{above}{group.header}\n{below}"
    return replace(chunk, text=text, tokens=estimate_tokens(text), attributes=attributes)


@dataclass(frozen=True, slots=True)
class _Run:
    """Blocks that belong together, with all of the text up to the next run."""

    start: int
    end: int
    blocks: tuple[Block, ...]
    is_table: bool


def _kin(block: Block) -> tuple[bool, str | None, str | None]:
    is_row = block.kind is BlockKind.TABLE_ROW
    return is_row, block.attributes.get("sheet"), block.attributes.get("columns") if is_row else None


def _runs(document: ParsedDocument) -> list[_Run]:
    """The document's tables and what is between them; all of the text is in one of them."""
    kin = [tuple(blocks) for _, blocks in groupby(document.blocks, _kin)]
    starts = [0, *(blocks[0].start for blocks in kin[1:]), len(document.text)]
    if not kin:
        return [_Run(0, len(document.text), (), is_table=False)]
    runs: list[_Run] = []
    for index, blocks in enumerate(kin):
        run = _Run(starts[index], starts[index + 1], blocks, blocks[0].kind is BlockKind.TABLE_ROW)
        if run.is_table and runs and _heads(runs[-1], run):
            heading = runs.pop()
            run = _Run(heading.start, run.end, (*heading.blocks, *run.blocks), is_table=True)
        runs.append(run)
    return runs


def _heads(last: _Run, run: _Run) -> bool:
    """Whether the run before is one heading of this table, such as the name of its sheet."""
    if last.is_table or len(last.blocks) != 1 or last.blocks[0].kind is not BlockKind.HEADING:
        return False
    sheet = last.blocks[0].attributes.get("sheet")
    return sheet is None or sheet == run.blocks[0].attributes.get("sheet")


def _groups(text: str, run: _Run, settings: RowChunking) -> Iterator[_Group]:
    starts = [block.start for block in run.blocks]
    if not run.is_table:
        for start, end in trimmed(text, cut_to_size(text, [(run.start, run.end)], SENTENCE_WAYS, settings.max_chars)):
            yield _Group(start, end, _held(run.blocks, starts, start, end))
        return
    rows = [block for block in run.blocks if block.kind is BlockKind.TABLE_ROW]
    header, in_text = _header(text, rows, settings)
    limit = settings.max_chars - (len(header) + 1 if header else 0)
    for start, end in _packed(text, run, rows, limit, settings):
        held = _held(run.blocks, starts, start, end)
        shown = bool(header) and not (in_text and start <= rows[0].start < end)
        yield _Group(start, end, held, header if shown else None, _table_start(held, start))


def _held(blocks: tuple[Block, ...], starts: list[int], start: int, end: int) -> tuple[Block, ...]:
    """The blocks that reach into a span."""
    first = max(0, bisect_right(starts, start) - 1)
    return tuple(block for block in blocks[first : bisect_left(starts, end)] if block.end > start)


def _table_start(blocks: tuple[Block, ...], start: int) -> int:
    """Where the first row of a span is, behind the heading that it may open with."""
    return next((max(start, block.start) for block in blocks if block.kind is BlockKind.TABLE_ROW), start)


def _header(text: str, rows: list[Block], settings: RowChunking) -> tuple[str, bool]:
    """The names of the columns, and whether the first row of the table is them."""
    first = text[rows[0].start : rows[0].end]
    named = rows[0].attributes.get("columns")
    header = first.strip() if named is None else named.strip()
    if named is None and (len(rows) == 1 or any(letter.isdigit() for letter in header)):
        header = ""  # the parser saw no names of columns, and these are hardly some
    is_first = " ".join(first.split()) == " ".join(header.split())
    return (header if len(header) + 1 <= settings.max_chars // 2 else ""), is_first


def _packed(text: str, run: _Run, rows: list[Block], limit: int, settings: RowChunking) -> list[Span]:
    """Spans of the run with at most `max_rows` rows and `limit` characters; a longer row is cut by itself."""
    borders = [run.start, *(row.start for row in rows[1:]), run.end]
    spans: list[Span] = []
    start, count = run.start, 0
    for place, end in pairwise(borders):
        grown = trim(text, start, end)
        if count and (count == settings.max_rows or grown[1] - grown[0] > limit):
            spans.append((start, place))
            start, count = place, 0
        count += 1
    return trimmed(text, cut_to_size(text, [*spans, (start, run.end)], SENTENCE_WAYS[2:], limit))


ROWS: Chunker[RowChunking] = Cutter("rows", "1", cut_by_rows)
"""The chunker for tables."""
