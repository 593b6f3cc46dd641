"""Cues: phrases of words that a playbook looks for, sentence by sentence.

A cue is written the way a lawyer would describe a wording, not as a regular expression:

    automatically renew*            words in order; `*` stands for any ending
    (raise|add to) ... fees         one of several; `...` for up to eight words between
    @buyer [...] unlimited          `[...]` for any number of words in the same sentence
    prior? written? notice          a word with `?` may be left out
    @buyer @shall indemnify         the usual names of a side; "shall", "will" and the like

Case, punctuation, hyphens and line breaks are ignored, and a cue never reaches across the end
of a sentence. Matching walks the words once per cue with bounded gaps, so a tenant's cue cannot
be made to run long, as a regular expression could.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from .words import Match, WordIndex

__all__ = ["Cue", "InvalidCue", "parse_cue"]

GAP_WORDS = 8
"""How many words `...` may stand for."""

MAX_ELEMENTS = 24
"""How many words, alternatives and gaps a cue may have."""

MAX_CHARACTERS = 300

_NAMES = {
    "@buyer": "buyer|customer|client|licensee|subscriber|purchaser",
    "@vendor": "vendor|provider|supplier|seller|licensor|contractor|consultant|developer|manufacturer",
    "@shall": "shall|will|must|agrees|undertakes",
}
_TERM = r"@?[^\W_]+\*?"
_TOKEN = re.compile(rf"\[\.\.\.\]|\.\.\.|\({_TERM}(?: +{_TERM})*(?:\|{_TERM}(?: +{_TERM})*)*\)\??|{_TERM}\??|\S")


class InvalidCue(ValueError):
    """The text is not a cue; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Term:
    """The words that are accepted at one place."""

    words: frozenset[str]
    stems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """One part of a cue: any of these phrases, or a gap, wide or narrow, when there are none."""

    choices: tuple[tuple[Term, ...], ...]
    is_optional: bool = False
    is_wide: bool = False

    @property
    def is_gap(self) -> bool:
        return not self.choices


_Choices: TypeAlias = tuple[tuple[frozenset[str], ...], ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase to look for; `text` is what the playbook says."""

    text: str
    elements: tuple[Element, ...]

    def find(self, index: WordIndex) -> Iterator[Match]:
        """The first place in each sentence where the phrase stands, in order."""
        wanted = [_in_vocabulary(element, index) for element in self.elements]
        parts = list(zip(self.elements, wanted, strict=True))
        if not all(choices or element.is_gap or element.is_optional for element, choices in parts):
            return
        starts = index.positions({word for choice in wanted[0] for word in choice[0]})
        for sentence, group in groupby(starts, key=index.sentence_of):
            found = _match(parts, index.words, list(group), index.end_of(sentence))
            if found is not None:
                yield index.match(*found)


_Places: TypeAlias = dict[int, int]
"""Positions that were reached, each with the start that it was reached from."""


def _match(
    parts: list[tuple[Element, _Choices]], words: tuple[str, ...], starts: list[int], limit: int
) -> tuple[int, int] | None:
    """Start and end of the phrase that ends first; all starts advance together, so time stays linear."""
    places: _Places = {start: start for start in starts}
    for element, choices in parts:
        if element.is_gap:
            places = _skip(places, limit, most=limit if element.is_wide else GAP_WORDS)
            continue
        following = _step(places, words, choices, limit=limit)
        places = {**following, **places} if element.is_optional else following
        if not places:
            return None
    end = min(places)
    return places[end], end


def _step(places: _Places, words: tuple[str, ...], choices: _Choices, *, limit: int) -> _Places:
    reached: _Places = {}
    for place, start in places.items():
        for choice in choices:
            end = place + len(choice)
            if end <= limit and _stands(choice, words, place):
                reached[end] = max(start, reached.get(end, 0))
    return reached


def _skip(places: _Places, limit: int, *, most: int) -> _Places:
    """Every position up to `most` words behind a reached one, with the start of the nearest."""
    reached: _Places = {}
    nearest = min(places)
    for place in range(nearest, limit + 1):
        nearest = place if place in places else nearest
        if place - nearest <= most:
            reached[place] = places[nearest]
    return reached


def parse_cue(text: str) -> Cue:
    """Read a cue.

    raises   InvalidCue when it is empty, too long, has an unknown @name, an empty alternative or
             a character that is not part of the notation, or does not begin and end with a word
    """
    tokens: list[str] = _TOKEN.findall(text.replace("-", " "))
    if not tokens:
        raise InvalidCue("a cue needs at least one word")
    if len(tokens) > MAX_ELEMENTS or len(text) > MAX_CHARACTERS:
        raise InvalidCue(f"a cue has at most {MAX_ELEMENTS} parts and {MAX_CHARACTERS} characters")
    elements = tuple(_element(token) for token in tokens)
    if any(element.is_gap or element.is_optional for element in (elements[0], elements[-1])):
        raise InvalidCue("a cue begins and ends with a word that must stand; leave out the gap or optional word there")
    return Cue(text, elements)


def _element(token: str) -> Element:
    if token in ("...", "[...]"):
        return Element((), is_wide=token == "[...]")  # noqa: S105 - a mark of the notation, not a secret
    is_optional, token = token.endswith("?"), token.removesuffix("?")
    phrases = [phrase.split() or [""] for phrase in token.removeprefix("(").removesuffix(")").casefold().split("|")]
    if not all(re.fullmatch(_TERM, word) for phrase in phrases for word in phrase):
        raise InvalidCue(f'{token!r} is not part of a cue; use words, "*", "?", "...", "[...]", "(a|b)" and @names')
    return Element(tuple(tuple(_term(word) for word in phrase) for phrase in phrases), is_optional)


def _term(word: str) -> Term:
    if not word.startswith("@"):
        return Term(frozenset(), (word[:-1],)) if word.endswith("*") else Term(frozenset({word}))
    if word not in _NAMES:
        raise InvalidCue(f"{word} is not a name; the names are {', '.join(_NAMES)}")
    return Term(frozenset(_NAMES[word].split("|")))


def _in_vocabulary(element: Element, index: WordIndex) -> _Choices:
    """The element in the words of this contract; phrases with a word that does not occur fall out."""
    choices = (tuple(index.vocabulary(term.words, term.stems) for term in choice) for choice in element.choices)
    return tuple(choice for choice in choices if all(choice))


def _stands(choice: tuple[frozenset[str], ...], words: tuple[str, ...], place: int) -> bool:
    return all(words[place + step] in accepted for step, accepted in enumerate(choice))
