"""The words of a contract, indexed once so that hundreds of cues can be looked up fast.

Words are compared in one plain form: compatibility characters folded, case folded, invisible
characters inside a word removed (text that hides from people does not hide from rules), the
possessive "'s" dropped. Positions count words; `match` turns them back into characters.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_INVISIBLE = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
_WORD = re.compile(rf"[^\W_](?:[{_INVISIBLE}]*[^\W_])*(?:['’]s\b)?|%")
_HIDDEN = re.compile(f"[{_INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class Match:
    """Where something stands: characters [start, end), and the index of its sentence."""

    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Every word in order, where it stands, and which sentence it belongs to."""

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    sentences: tuple[tuple[int, int], ...]
    _sentence_ends: tuple[int, ...]
    _places: dict[str, list[int]]
    _sorted: tuple[str, ...]

    @classmethod
    def of(cls, text: str, sentences: Sequence[tuple[int, int]]) -> "WordIndex":
        """Index `text`, whose sentences are given in order and do not overlap."""
        words, spans, ends = list[str](), list[tuple[int, int]](), list[int]()
        places = dict[str, list[int]]()
        for start, end in sentences:
            for found in _WORD.finditer(text, start, end):
                word = plain(found.group())
                places.setdefault(word, []).append(len(words))
                words.append(word)
                spans.append(found.span())
            ends.append(len(words))
        return cls(tuple(words), tuple(spans), tuple(sentences), tuple(ends), places, tuple(sorted(places)))

    def vocabulary(self, words: Iterable[str], stems: Iterable[str]) -> frozenset[str]:
        """The words of this contract that are one of `words` or begin with one of `stems`."""
        found = {word for word in words if word in self._places}
        for stem in stems:
            first = bisect_left(self._sorted, stem)
            found.update(self._sorted[first : bisect_right(self._sorted, stem + "\U0010ffff")])
        return frozenset(found)

    def positions(self, words: Iterable[str]) -> Iterator[int]:
        """Where any of the words stands, in order."""
        return iter(sorted(place for word in words for place in self._places.get(word, ())))

    def sentence_of(self, position: int) -> int:
        """The index of the sentence that holds the word at `position`."""
        return bisect_right(self._sentence_ends, position)

    def end_of(self, sentence: int) -> int:
        """The position after the last word of a sentence."""
        return self._sentence_ends[sentence]

    def sentence_words(self, sentence: int) -> tuple[str, ...]:
        """The words of one sentence."""
        first = self._sentence_ends[sentence - 1] if sentence else 0
        return self.words[first : self._sentence_ends[sentence]]

    def match(self, start: int, end: int) -> Match:
        """The place of the words from `start` to before `end`, at least one."""
        return Match(self.spans[start][0], self.spans[end - 1][1], self.sentence_of(start))


def plain(word: str) -> str:
    """A word in the form in which words are compared."""
    if word == "%":
        return "percent"
    folded = unicodedata.normalize("NFKC", _HIDDEN.sub("", word)).casefold()
    return folded.removesuffix("'s").removesuffix("’s")
