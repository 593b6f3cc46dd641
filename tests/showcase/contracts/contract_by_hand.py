"""Small contracts built by hand, so that a test can say exactly what stands in one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, Page, ParsedDocument
from mainspring.showcase.contracts.types import (
    Analysis,
    Citation,
    ClassifiedChunk,
    Fact,
    FactName,
    Label,
    Method,
)

_NUMBER = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Clause:
    """Text of one clause, its labels with their probabilities, and the heading above it."""

    text: str
    labels: Mapping[str, float] = field(default_factory=dict[str, float])
    heading: str = ""


def contract(*clauses: Clause | str, language: str = "en", title: str = "Services Agreement") -> Analysis:
    """A contract of these clauses, one block and one chunk each, all on page 1."""
    text, chunks, blocks = "", list[ClassifiedChunk](), list[Block]()
    for index, each in enumerate(clauses):
        clause = Clause(each) if isinstance(each, str) else each
        start = len(text)
        if clause.heading:
            blocks.append(Block(BlockKind.HEADING, len(text), len(text) + len(clause.heading)))
            text += f"{clause.heading}\n\n"
        number = _NUMBER.match(clause.text)
        blocks.append(Block(BlockKind.PARAGRAPH, len(text), len(text) + len(clause.text), number and number[0]))
        text += clause.text
        path = (clause.heading,) if clause.heading else ()
        chunk = Chunk(index, start, len(text), text[start:], number and number[0], path, 1)
        labels = tuple(Label(category, probability) for category, probability in clause.labels.items())
        chunks.append(ClassifiedChunk(chunk, labels))
        text += "\n\n"
    pages = (Page(1, 0, len(text)),)
    document = ParsedDocument(text, "text/plain", tuple(blocks), pages, title=title, language=language)
    return Analysis(document, tuple(chunks))


def fact(analysis: Analysis, name: FactName, value: str, normalized: str | None, *, quote: str) -> Fact:
    """A fact whose quote stands in the contract."""
    start = analysis.document.text.index(quote)
    chunk = next(each.chunk.index for each in analysis.chunks if each.chunk.start <= start < each.chunk.end)
    citation = Citation(start, start + len(quote), quote, analysis.document.page_at(start), chunk)
    return Fact(name, value, normalized, (citation,), Method.RULE, 0.9)
