"""A kept reply as a stream again, in pieces of a few words, so that a client sees what it knows."""

import re
from collections.abc import Iterator

from mainspring.inference.messages import (
    Delta,
    Finished,
    OpaqueDelta,
    OpaquePart,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Started,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    UsageUpdate,
)

from .types import CachedReply

_PIECE = re.compile(r"\s*(?:\S{1,200}\s*){1,4}|\s+")
"""Up to four words with the space around them; a word of more than 200 characters is cut."""


def replay(reply: CachedReply) -> list[Delta]:
    """The deltas of the reply, ending with `Finished`; put together they make the same completion."""
    completion = reply.completion
    calls = iter(range(len(completion.message.parts)))
    content = [delta for part in completion.message.parts for delta in _pieces(part, calls)]
    return [
        Started(completion.id, completion.model),
        *content,
        UsageUpdate(completion.usage),
        Finished(completion.finish_reason, completion.extra),
    ]


def _pieces(part: Part, calls: Iterator[int]) -> Iterator[Delta]:
    match part:
        case TextPart():
            yield from (TextDelta(piece) for piece in _PIECE.findall(part.text))
        case ReasoningPart():
            yield from (ReasoningDelta(piece) for piece in _PIECE.findall(part.text))
            if part.signature:
                yield ReasoningDelta("", part.signature)
        case ToolCallPart():
            index = next(calls)
            yield ToolCallDelta(index, part.id, part.name)
            yield from (ToolCallDelta(index, arguments=piece) for piece in _PIECE.findall(part.arguments))
        case OpaquePart():
            yield OpaqueDelta(part.extra)
        case _:
            return
