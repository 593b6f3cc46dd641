"""What a graph tells, as JSON that fits live events.

One live event holds 64 KB, and a state may hold more, so a part that is too long is told in pieces, one after the
other: `{"piece": i, "of": n, "text": "..."}`. Whoever reads puts them together with `FrameJoiner`. What is longer
than MAX_FRAME, or long and of a mode that the submitter did not ask for, is told as `{"ns": [...], "omitted": true,
"size": n}` and is read from the checkpoint instead: a long state must not fill Valkey three times a step.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from langgraph.types import Interrupt
from pydantic import BaseModel

from mainspring.orchestration.agents.types import Json, JsonObject

MAX_EVENT = 60_000
"""Bytes of a part as JSON that is told in one event."""

MAX_PIECE = 15_000
"""Characters of one piece: at most four times as many bytes, whatever they are."""

MAX_FRAME = 1_000_000
"""Bytes of a part as JSON, above which it is left out."""


def to_json(value: object) -> Json:
    """Any value of a graph's state as JSON: messages and models by their fields, what is unknown by its text."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(value, enc_hook=_hook, str_keys=True)))


def _hook(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump()
        case Interrupt():
            return show_interrupt(cast("Interrupt[Any]", value))
        case Mapping():
            return {str(key): each for key, each in cast("Mapping[object, object]", value).items()}
        case BaseException():
            return {"error": type(value).__name__, "message": str(value)}
        case _ if hasattr(value, "_asdict"):
            return value._asdict()
        case _ if hasattr(value, "__iter__"):
            return list(value)
        case _:
            return str(value)


def show_interrupt(interrupt: "Interrupt[Any]") -> JsonObject:
    """An interrupt as clients know it."""
    shown: JsonObject = {"id": interrupt.id, "value": to_json(interrupt.value)}
    if isinstance(interrupt.response_schema, dict):
        shown["response_schema"] = to_json(interrupt.response_schema)
    return shown


def cut(frame: JsonObject, *, is_asked: bool = True) -> Iterator[JsonObject]:
    """The frame as one or more live events; a long one that nobody asked for is left out."""
    encoded = msgspec.json.encode(frame)
    if len(encoded) <= MAX_EVENT:
        yield frame
    elif len(encoded) > MAX_FRAME or not is_asked:
        yield {"ns": frame.get("ns", []), "omitted": True, "size": len(encoded)}
    else:
        text = encoded.decode()
        pieces = [text[start : start + MAX_PIECE] for start in range(0, len(text), MAX_PIECE)]
        for index, piece in enumerate(pieces):
            yield {"piece": index, "of": len(pieces), "text": piece}


class FrameJoiner:
    """Puts frames together that came in pieces. One for each run's story."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, data: JsonObject) -> JsonObject | None:
        """The whole frame that this event completes, or None while pieces are missing.

        Pieces of a frame whose beginning was not seen are dropped.
        """
        index = data.get("piece")
        if not isinstance(index, int):
            self._pieces.clear()
            return data
        if index != len(self._pieces):
            self._pieces.clear()
            if index:
                return None
        self._pieces.append(str(data["text"]))
        if len(self._pieces) < cast("int", data["of"]):
            return None
        text, self._pieces = "".join(self._pieces), []
        return cast("JsonObject", msgspec.json.decode(text))
