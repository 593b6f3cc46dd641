"""Whether two replies say the same, so that one could have been given for the other.

The default is strict, since a wrong yes teaches an entry to answer wrongly and a wrong no only costs
hits: the same words, or the same JSON value, or texts whose every piece is near and that agree on
numbers, times, names and negation. A platform with a better judge, such as a model, passes its own.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainspring.inference.messages import Completion

from .guards import facts_differ, read_features

Embed = Callable[[Sequence[str]], Awaitable[NDArray[np.float32]]]
"""Texts to unit vectors, shape (texts, dimensions)."""

_PIECE = 800  # characters: well within the 256 tokens that the bundled embedder reads
_MOST_PIECES = 16


class Judge(Protocol):
    """Compares the reply that was kept with a fresh one."""

    async def is_same(self, kept: Completion, fresh: Completion) -> bool:
        """Whether either could be given for the other."""
        ...


@dataclass(frozen=True, slots=True)
class LikenessJudge:
    """bar: the least cosine of each piece of one reply with the same piece of the other."""

    embed: Embed
    bar: float = 0.95

    async def is_same(self, kept: Completion, fresh: Completion) -> bool:
        """As the module says; replies with tool calls are the same only word by word."""
        if [(call.name, call.arguments) for call in kept.tool_calls] != [
            (call.name, call.arguments) for call in fresh.tool_calls
        ]:
            return False
        first, second = _plain(kept.text), _plain(fresh.text)
        if first == second:
            return True
        values = _value(kept.text), _value(fresh.text)
        if values != (None, None):
            return values[0] == values[1]
        ours, theirs = read_features(kept.text), read_features(fresh.text)
        if ours is None or theirs is None or facts_differ(ours, theirs):
            return False
        return await self._are_near(first, second)

    async def _are_near(self, first: str, second: str) -> bool:
        ours, theirs = _pieces(first), _pieces(second)
        if len(ours) != len(theirs) or len(ours) > _MOST_PIECES:
            return False
        vectors = await self.embed([*ours, *theirs])
        return bool((vectors[: len(ours)] * vectors[len(ours) :]).sum(axis=1).min() >= self.bar)


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!")


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _value(text: str) -> object:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
