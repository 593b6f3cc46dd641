"""From spans to chunks: number, headings, page and tokens are found here, for every chunker."""

from collections.abc import Mapping, Sequence

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

from .places import find_places
from .spans import Span
from .tokens import estimate_tokens

NOT_BODY = (BlockKind.HEADING, BlockKind.FURNITURE)
"""Blocks that stand around what a chunk is about."""


def make_chunks(document: ParsedDocument, spans: Sequence[Span]) -> tuple[Chunk, ...]:
    """A chunk of each span, as it stands in the text; spans may overlap, but each starts after the one before."""
    ends = [*(start for start, _ in spans[1:]), len(document.text)]
    apart = [(start, min(end, limit)) for (start, end), limit in zip(spans, ends, strict=False)]
    chunks: list[Chunk] = []
    for (start, end), place in zip(spans, find_places(document, apart), strict=True):
        text, tokens = document.text[start:end], estimate_tokens(document.text[start:end])
        chunks.append(Chunk(len(chunks), start, end, text, place.number, place.heading_path, place.page, tokens))
    return tuple(chunks)


def shared_attributes(blocks: Sequence[Block]) -> Mapping[str, str]:
    """What all of the blocks say in the same words; headings are asked only where there is nothing else."""
    bodies = [block for block in blocks if block.kind not in NOT_BODY] or blocks
    if not bodies:
        return {}
    others = bodies[1:]
    return {
        name: value
        for name, value in bodies[0].attributes.items()
        if value and all(other.attributes.get(name) == value for other in others)
    }
