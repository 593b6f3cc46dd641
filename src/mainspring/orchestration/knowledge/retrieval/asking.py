"""What a question asks for, read from its text alone: words, quoted phrases, identifiers.

A question is data. Whatever stands in it, the syntax of a search language or of SQL included, is looked for and
never obeyed.
"""

import re
from dataclasses import dataclass

from mainspring.foundation.errors import InvalidInput
from mainspring.orchestration.knowledge.indexing.terms import identifiers

MOST_CHARACTERS = 4_000
_MOST_PHRASES, _MOST_IDENTIFIERS, _MOST_PHRASE_WORDS = 8, 32, 40
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»\n]{2,300})[\"“”«»]")
_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quotation, and a pattern that finds it whatever blanks, line ends and punctuation stand between its words."""

    text: str
    pattern: str

    def is_in(self, text: str) -> bool:
        """Whether the text holds the phrase, in whatever case."""
        return re.search(self.pattern, text, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that can be searched.

    identifiers  tokens that mean something only as a whole, in lower case
    is_cut       whether the text went on
    """

    text: str
    phrases: tuple[Phrase, ...] = ()
    identifiers: tuple[str, ...] = ()
    is_cut: bool = False


def read_question(text: str) -> Asked:
    """The question without what no text holds; InvalidInput when nothing is left."""
    sound = text[: MOST_CHARACTERS + 1].replace("\0", " ").encode("utf-8", "replace").decode()
    sound = sound[:MOST_CHARACTERS].strip()
    if not sound:
        raise InvalidInput("The question is empty: give words, a sentence, an identifier or a quoted phrase.")
    phrases = dict.fromkeys(" ".join(found.split()) for found in _QUOTED.findall(sound))
    found = (_phrase(each) for each in phrases)
    names = tuple(dict.fromkeys(identifiers(sound)))[:_MOST_IDENTIFIERS]
    kept = tuple(phrase for phrase in found if phrase is not None)[:_MOST_PHRASES]
    return Asked(sound, kept, names, len(text) > MOST_CHARACTERS)


def _phrase(text: str) -> Phrase | None:
    words = _TOKEN.findall(text)[:_MOST_PHRASE_WORDS]
    return Phrase(text, r"\W+".join(words)) if words else None
