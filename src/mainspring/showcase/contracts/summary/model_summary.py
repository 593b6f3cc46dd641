"""A model's summary, brought down to what the contract says.

The model returns sentences with quotes and the clauses that it took them from. A quote is looked up
in its clause, letter for letter but for blanks, quotation marks and dashes, and becomes a citation
of the true place. A quote that is not there is dropped; a sentence left without citations stays, so
that `checked_summary` drops and counts it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import cast

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument
from mainspring.showcase.contracts.extraction.reading import flatten
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import Citation, SummarySentence

_LONGEST_QUOTE = 2_000
_SHORTEST_QUOTE = 3

MODEL_SUMMARY_SCHEMA: Mapping[str, object] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["sentences"],
        "properties": {
            "sentences": {
                "type": "array",
                "maxItems": 12,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["text", "citations"],
                    "properties": {
                        "text": {"type": "string"},
                        "citations": {
                            "type": "array",
                            "maxItems": 4,
                            "items": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["chunk", "quote"],
                                "properties": {"chunk": {"type": "integer"}, "quote": {"type": "string"}},
                            },
                        },
                    },
                },
            }
        },
    }
)
"""The JSON schema to ask a model for: sentences, each with quotes and the index of their clause."""


def parse_model_summary(
    payload: object, document: ParsedDocument, chunks: Sequence[Chunk]
) -> tuple[SummarySentence, ...]:
    """The sentences of a model's structured answer with the citations that could be found.

    payload  parsed JSON after MODEL_SUMMARY_SCHEMA, or its list of sentences; anything misshapen in
             it is passed over, never raised
    returns  sentences in the model's order, also those left without citations, so that whoever
             checks them next can count what fell
    """
    by_index = {chunk.index: chunk for chunk in chunks}
    found: list[SummarySentence] = []
    for item in _items(_field(payload, "sentences") if isinstance(payload, Mapping) else payload):
        text = _field(item, "text")
        if isinstance(text, str) and text.strip():
            citations = tuple(dict.fromkeys(_citations(_field(item, "citations"), document, by_index)))
            found.append(SummarySentence(" ".join(text.split()), citations))
    return tuple(found)


def _citations(value: object, document: ParsedDocument, chunks: Mapping[int, Chunk]) -> Iterator[Citation]:
    for item in _items(value):
        index, quote = _field(item, "chunk"), _field(item, "quote")
        if isinstance(index, int) and isinstance(quote, str) and (chunk := chunks.get(index)) is not None:
            place = _locate(quote, document.text[chunk.start : chunk.end])
            if place is not None:
                yield cite(document, chunk.start + place[0], chunk.start + place[1], chunk.index)


def _locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where the quote stands in the text, exactly or but for blanks, quotation marks and dashes."""
    quote = quote.strip().strip("…").removesuffix("...").removeprefix("...").strip()
    if not _SHORTEST_QUOTE <= len(quote) <= _LONGEST_QUOTE:
        return None
    exact = text.find(quote)
    if exact >= 0:
        return exact, exact + len(quote)
    words = [re.escape(word) for word in flatten(quote).split()]
    found = re.search(r"\s+".join(words), flatten(text)) if words else None
    return found.span() if found else None


def _items(value: object) -> Iterator[object]:
    if isinstance(value, list | tuple):
        yield from cast(Sequence[object], value)


def _field(value: object, name: str) -> object:
    return cast(Mapping[str, object], value).get(name) if isinstance(value, Mapping) else None
