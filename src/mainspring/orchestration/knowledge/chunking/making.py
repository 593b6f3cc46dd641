"""From spans to chunks: number, headings, page and tokens are found here, for every chunker."""

from collections.abc import Iterable, Mapping, Sequence

from mainspring.orchestration.knowledge.types import Block, Chunk, ParsedDocument

from .places import find_places
from .spans import Span
from .tokens import estimate_tokens


def make_chunks(document: ParsedDocument, spans: Sequence[Span]) -> tuple[Chunk, ...]:
    """A chunk of each span, as it stands in the text; spans may overlap, but each starts after the one before."""
    ends = [*(start for start, _ in spans[1:]), len(document.text)]
    apart = [(start, min(end, limit)) for (start, end), limit in zip(spans, ends, strict=False)]
    chunks: list[Chunk] = []
    for (start, end), place in zip(spans, find_places(document, apart), strict=True):
        text, tokens = document.text[start:end], estimate_tokens(document.text[start:end])
        chunks.append(Chunk(len(chunks), start, end, text, place.number, place.heading_path, place.page, tokens))
    return tuple(chunks)


def shared_attributes(blocks: Iterable[Block]) -> Mapping[str, str]:
    """What the blocks say in the same words, as far as they say it."""
    said: dict[str, str | None] = {}
    for block in blocks:
        for name, value in block.attributes.items():
            said[name] = value if said.get(name, value) == value else None
    return {name: value for name, value in said.items() if value}
