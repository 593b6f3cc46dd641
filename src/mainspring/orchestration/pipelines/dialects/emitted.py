"""What an agent's step emits, as messages and tool calls.

The names are those of LangGraph's stream modes. `messages` holds a pair of a message, or a piece of one, and where it
comes from; `tool_called` and `tool_answered` are for steps without a graph. Whatever is not understood is left to the
caller, who tells it as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

_PIECES = frozenset({"AIMessageChunk", "ai", "assistant"})


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a message's text; `is_whole` when it is all of the message so far."""

    message: str
    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Called:
    call: str
    tool: str
    arguments: object


@dataclass(frozen=True, slots=True)
class Answered:
    call: str
    output: object
    is_error: bool


Word = Said | Called | Answered


def read_emitted(name: str, data: object) -> list[Word] | None:
    """What was said, called and answered; None when the emission is about something else."""
    mode = name.partition("|")[0]
    if mode == "messages":
        return _read_pair(data)
    if mode in {"messages/partial", "messages/complete"} and isinstance(data, Sequence):
        found = [_read_message(each, is_whole=True) for each in cast(Sequence[object], data)]
        return [word for words in found for word in words]
    if mode == "tool_called" and (facts := _as_facts(data)) and "id" in facts and "name" in facts:
        return [Called(str(facts["id"]), str(facts["name"]), facts.get("arguments"))]
    if mode == "tool_answered" and (facts := _as_facts(data)) and "id" in facts:
        error = facts.get("error")
        return [Answered(str(facts["id"]), error or facts.get("output"), is_error=bool(error))]
    return None


def _read_pair(data: object) -> list[Word] | None:
    if not isinstance(data, Sequence) or isinstance(data, str) or not data:
        return None
    message = cast(Sequence[object], data)[0]
    facts = _as_facts(message)
    return _read_message(message, is_whole=not str((facts or {}).get("type", "")).endswith("Chunk"))


def _read_message(message: object, *, is_whole: bool) -> list[Word]:
    facts = _as_facts(message) or {}
    kind, identifier = str(facts.get("type", "")), facts.get("id")
    if kind in {"tool", "ToolMessage"} and (call := facts.get("tool_call_id")):
        return [Answered(str(call), facts.get("content"), is_error=facts.get("status") == "error")]
    if kind not in _PIECES or not identifier:
        return []
    words: list[Word] = []
    if text := _text_of(facts.get("content")):
        words.append(Said(str(identifier), text, is_whole))
    words += _read_calls(facts) if is_whole else []
    return words


def _read_calls(facts: Mapping[str, Any]) -> list[Word]:
    """Whole calls only: pieces of arguments are shown when they are complete."""
    calls: object = facts.get("tool_calls") or ()
    found = [_as_facts(each) for each in cast(Sequence[object], calls)] if isinstance(calls, Sequence) else []
    return [Called(str(each["id"]), str(each["name"]), each.get("args")) for each in found if each and each.get("id")]


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    blocks = [_as_facts(each) for each in cast(Sequence[object], content)]
    return "".join(str(block.get("text", "")) for block in blocks if block and block.get("type") == "text")


def _as_facts(value: object) -> Mapping[str, Any] | None:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else None
