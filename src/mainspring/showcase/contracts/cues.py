"""Cues: phrases of words that a playbook looks for, sentence by sentence.

A cue is written the way a lawyer would describe a wording, not as a regular expression:

    automatically renew*            words in order; `*` stands for any ending
    (increase|raise) ... fees       one of several words; `...` for up to eight words between
    prior? written? notice          a word with `?` may be left out
    @buyer @shall indemnify         the usual names of a side; "shall", "will" and the like

Case, punctuation, hyphens and line breaks are ignored, and a cue never reaches across the end
of a sentence. Matching walks the words once per cue with bounded gaps, so a tenant's cue cannot
be made to run long, as a regular expression could.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .words import Match, WordIndex

__all__ = ["Cue", "InvalidCue", "parse_cue"]

GAP_WORDS = 8
"""How many words `...` may stand for."""

MAX_ELEMENTS = 24
"""How many words and gaps a cue may have."""

_NAMES = {
    "@buyer": "buyer|customer|client|licensee|subscriber|purchaser",
    "@vendor": "vendor|provider|supplier|seller|licensor|contractor|consultant|developer|manufacturer",
    "@shall": "shall|will|must|agrees|undertakes",
}
_WORD = re.compile(r"[^\W_]+\*?")
_TOKEN = re.compile(r"\.\.\.|@?[^\W_]+\*?\??|\((?:[^\W_]+\*?)(?:\|[^\W_]+\*?)*\)\??|\S")


class InvalidCue(ValueError):
    """The text is not a cue; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a cue: any of these words, or a gap when there are none."""

    words: frozenset[str]
    stems: tuple[str, ...] = ()
    is_optional: bool = False

    @property
    def is_gap(self) -> bool:
        return not self.words and not self.stems


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase to look for; `text` is what the playbook says."""

    text: str
    elements: tuple[Element, ...]

    def find(self, index: WordIndex) -> Iterator[Match]:
        """Every place where the phrase stands, in order, the shortest reading of each."""
        wanted = [index.vocabulary(element.words, element.stems) for element in self.elements]
        for start in index.positions(wanted[0]):
            limit = index.sentence_end(start)
            end = self._match(index.words, wanted, start, limit)
            if end is not None:
                yield index.match(start, end)

    def _match(self, words: tuple[str, ...], wanted: list[frozenset[str]], start: int, limit: int) -> int | None:
        """The position after the phrase that starts at `start`; breadth first, so the nearest end wins."""
        places = {start}
        for element, accepted in zip(self.elements, wanted, strict=True):
            if element.is_gap:
                places = {place + skip for place in places for skip in range(GAP_WORDS + 1) if place + skip <= limit}
                continue
            following = {place + 1 for place in places if place < limit and words[place] in accepted}
            places = following | places if element.is_optional else following
            if not places:
                return None
        return min(places)


def parse_cue(text: str) -> Cue:
    """Read a cue.

    raises   InvalidCue when it is empty, too long, has an unknown @name, an empty alternative or
             a character that is not part of the notation, or does not begin and end with a word
    """
    tokens: list[str] = _TOKEN.findall(text.replace("-", " "))
    if not tokens:
        raise InvalidCue("a cue needs at least one word")
    if len(tokens) > MAX_ELEMENTS:
        raise InvalidCue(f"{len(tokens)} words and gaps; a cue has at most {MAX_ELEMENTS}")
    elements = tuple(_element(token) for token in tokens)
    if any(element.is_gap or element.is_optional for element in (elements[0], elements[-1])):
        raise InvalidCue('a cue begins and ends with a word that is not optional, not with "..." or "?"')
    return Cue(text, elements)


def _element(token: str) -> Element:
    if token == "...":  # noqa: S105 - a mark of the notation, not a secret
        return Element(frozenset())
    is_optional, token = token.endswith("?"), token.removesuffix("?")
    if token.startswith("@"):
        if token not in _NAMES:
            raise InvalidCue(f"{token} is not a name; the names are {', '.join(_NAMES)}")
        token = f"({_NAMES[token]})"
    choices = token.strip("()").casefold().split("|")
    if not all(_WORD.fullmatch(choice) for choice in choices):
        raise InvalidCue(f'{token!r} is not part of a cue; use words, "*", "?", "...", "(a|b)" and @names')
    words = frozenset(choice for choice in choices if not choice.endswith("*"))
    stems = tuple(sorted(choice[:-1] for choice in choices if choice.endswith("*")))
    return Element(words, stems, is_optional)
