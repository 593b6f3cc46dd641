"""Old and new wording as one text: what stays, what goes, what comes. Pure; compared word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from mainspring.showcase.contracts.rendering.visible import visible

_WORD = re.compile(r"\S+\s*|\s+")


class Change(StrEnum):
    """What becomes of a piece."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words next to each other with the same fate, their blanks included."""

    change: Change
    text: str


def compare(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces in reading order; what is kept and removed makes the old text, what is kept and added the new one."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    # Blanks are compared as one: a line that breaks elsewhere is no change of wording.
    matcher = SequenceMatcher(None, [word.strip() for word in before], [word.strip() for word in after], autojunk=False)
    return tuple(_pieces(matcher, before, after))


def to_marks(pieces: Sequence[Piece]) -> str:
    """On one line, as plain text in which nothing hides: `[-gone-]` and `{+new+}`."""
    marks = {Change.KEPT: "{}", Change.REMOVED: "[-{}-]", Change.ADDED: "{{+{}+}}"}
    shown = [(piece.change, " ".join(visible(piece.text).split())) for piece in pieces]
    return " ".join(marks[change].format(text) for change, text in shown if text)


def _pieces(matcher: "SequenceMatcher[str]", before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            yield Piece(Change.KEPT, "".join(after[new_from:new_to]))
            continue
        if old_to > old_from:
            yield Piece(Change.REMOVED, "".join(before[old_from:old_to]))
        if new_to > new_from:
            yield Piece(Change.ADDED, "".join(after[new_from:new_to]))
