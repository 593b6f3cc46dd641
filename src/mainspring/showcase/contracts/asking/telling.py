"""What people are told of a call while an answer is made: one sentence, and the places that came of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from mainspring.orchestration.tools import Json, ResultStatus, ToolResult
from mainspring.showcase.contracts.extraction.dates import write_date

from .tools import COMPARE, COMPUTE, DRAFT, READ, SEARCH
from .types import Answer, Cited, Comparison, Computed, Drafted, Found

Shape = TypeVar("Shape")


def read_as(kind: type[Shape], result: ToolResult) -> Shape | None:
    """What a tool returned, as it was before it became JSON; None when it returned nothing of that kind."""
    try:
        return msgspec.convert(result.content, kind)
    except msgspec.ValidationError:
        return None


def describe(name: str, arguments: Mapping[str, Json], result: ToolResult) -> str:
    """A sentence such as "Read clause 14.2 of msa"."""
    if result.status is ResultStatus.FAILED:
        detail = result.error.detail if result.error else "no reason was given"
        return f"Could not {name.replace('_', ' ')}: {detail[:300]}"
    if result.status is ResultStatus.EMPTY:
        return f"{_quoted(arguments)}: {result.note or 'nothing was found'}"
    if name == SEARCH and (found := read_as(Found, result)):
        return f"Searched {_many(found.searched, 'contract')} for {_quoted(arguments)}"
    if name == READ and (cited := read_as(Cited, result)):
        return f"Read {cited.where}"
    if name == COMPARE and (comparison := read_as(Comparison, result)):
        return f"Compared {_many(len(comparison.rows), 'contract')} on {comparison.topic}"
    if name == COMPUTE and (computed := read_as(Computed, result)):
        said = write_date(computed.on) if computed.on else "it cannot be computed"
        return f"Computed {computed.rule.value.replace('_', ' ')} of {computed.name}: {said}"
    if name == DRAFT and (drafted := read_as(Drafted, result)):
        return f"Drafted the amendment {drafted.amendment} of clause {drafted.clause} of {drafted.name}"
    return f"Called {name.replace('_', ' ')}"


def places(result: ToolResult) -> list[Cited]:
    """The places that a result names, in order, each once."""
    found: list[Cited] = []
    _collect(result.content, found)
    return list(dict.fromkeys(found))


def write_answer(answer: Answer) -> str:
    """The answer as plain text: each sentence with the numbers of its places, which are listed below."""
    numbers: dict[Cited, int] = {}
    lines: list[str] = []
    for sentence in answer.sentences:
        marks = "".join(f"[{numbers.setdefault(each, len(numbers) + 1)}]" for each in sentence.citations)
        lines.append(f"{sentence.text} {marks}".rstrip())
    sources = [f"[{number}] {each.where} ({each.open})" for each, number in numbers.items()]
    left_out = f" {_many(answer.dropped, 'statement')} could not be found in the contracts and left out."
    note = answer.explained + (left_out if answer.dropped else "")
    return "\n\n".join(part for part in ("\n".join(lines), "\n".join(sources), note) if part)


def _collect(content: Any, found: list[Cited]) -> None:
    if isinstance(content, Mapping):
        if {"contract", "start", "end", "quote"} <= content.keys():
            found.append(msgspec.convert(content, Cited))
            return
        content = list(content.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(content, Sequence) and not isinstance(content, str):
        for each in content:  # pyright: ignore[reportUnknownVariableType]
            _collect(each, found)


def _quoted(arguments: Mapping[str, Json]) -> str:
    asked = str(arguments.get("question") or arguments.get("topic") or arguments.get("clause") or "").strip()
    return f"“{asked[:160]}”"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
