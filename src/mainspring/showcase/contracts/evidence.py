"""One contract, prepared so that rules can ask it questions.

The answers are sentences, not whole clauses: the sentence is what a reader wants to see quoted.
Headings and page furniture are left out, because "Insurance" above a clause insures nobody.
Reading and indexing happens once per contract; a playbook then asks hundreds of small questions.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mainspring.orchestration.knowledge.types import BlockKind

from .categories import CATEGORIES
from .citations import cite
from .cues import Cue
from .extraction.reading import Reading
from .types import Analysis, Citation, ClassifiedChunk, Label, Method
from .words import Match, WordIndex

PRESENT = 0.5
"""From this probability on, a clause is reported as being of a category."""

POSSIBLE = 0.35
"""From this probability on, a clause may be of a category: it is not reported as absent any more."""

_HEADING_WORDS = 12
_SENTENCE_WORDS = 5
_NEAR_WORDS = 3
_LITTLE = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """The contract's sentences, words and labels."""

    analysis: Analysis
    reading: Reading
    index: WordIndex

    @classmethod
    def of(cls, analysis: Analysis) -> "Evidence":
        """Read a contract; linear in its length."""
        reading = Reading.of(analysis)
        return cls(analysis, reading, WordIndex.of(analysis.document.text, tuple(_sentences(analysis, reading))))

    @property
    def is_english(self) -> bool:
        """Whether the rules, which are written in English, can be expected to read it."""
        return self.analysis.document.language in ("en", "und")

    @property
    def classified_by(self) -> Method:
        """Which way named the clauses."""
        methods = {label.method for chunk in self.analysis.chunks for label in chunk.labels}
        return Method.MODEL if Method.MODEL in methods else Method.CLASSIFIER

    def clauses(self, category: str, *, at_least: float) -> list[tuple[ClassifiedChunk, float]]:
        """Clauses of a category with its probability, in order of place."""
        found = ((chunk, probability(chunk, category)) for chunk in self.analysis.chunks)
        return [(chunk, value) for chunk, value in found if value >= at_least]

    def nearest(self, category: str) -> tuple[ClassifiedChunk, Label] | None:
        """The clause that is most probably of the category, however improbable; None without any label."""
        labels = [
            (chunk, label) for chunk in self.analysis.chunks for label in chunk.labels if label.category == category
        ]
        return max(labels, key=lambda pair: pair[1].probability, default=None)

    def matches(self, cues: Iterable[Cue]) -> list[Match]:
        """Every place where one of the cues stands, in order of place."""
        return sorted((match for cue in cues for match in cue.find(self.index)), key=lambda match: match.start)

    def chunk_at(self, offset: int) -> ClassifiedChunk | None:
        """The clause that holds the character at `offset`."""
        return self.reading.chunk_at(offset)

    def sentences_of(self, chunk: ClassifiedChunk) -> range:
        """The indices of the sentences that begin in a clause."""
        first = bisect_left(self.index.sentences, (chunk.chunk.start, 0))
        return range(first, bisect_left(self.index.sentences, (chunk.chunk.end, 0)))

    def sentence_at(self, offset: int) -> int | None:
        """The index of the sentence that holds the character at `offset`; None in a heading."""
        place = bisect_right(self.index.sentences, (offset, len(self.analysis.document.text) + 1)) - 1
        return place if place >= 0 and offset < self.index.sentences[place][1] else None

    def telling_sentence(self, chunk: ClassifiedChunk, category: str) -> Citation:
        """The sentence of a clause that says most about the category; the clause itself when it has none."""
        places, wanted = self.sentences_of(chunk), self._words_of(category)
        if not places:
            return self._cite(chunk.chunk.start, chunk.chunk.end)
        return self.cite_sentence(max(places, key=lambda place: (self._weight(place, wanted), -place)))

    def nearest_wording(self, category: str) -> ClassifiedChunk | None:
        """The clause with the sentence that holds most of a category's words; None when no sentence holds three."""
        wanted = self._words_of(category)
        places = range(len(self.index.sentences))
        best = max(places, key=lambda place: (self._weight(place, wanted), -place), default=None)
        if best is None or self._weight(best, wanted) < _NEAR_WORDS:
            return None
        return self.chunk_at(self.index.sentences[best][0])

    def cite_sentence(self, sentence: int) -> Citation:
        """The citation of a whole sentence."""
        return self._cite(*self.index.sentences[sentence])

    def cite_around(self, citation: Citation) -> Citation:
        """The sentence around a shorter quote; the quote itself when it reaches beyond one sentence."""
        place = self.sentence_at(citation.start)
        if place is None or citation.end > self.index.sentences[place][1]:
            return citation
        return self.cite_sentence(place)

    def _words_of(self, category: str) -> frozenset[str]:
        words = CATEGORIES[category].words
        return self.index.vocabulary(
            (word for word in words if not word.endswith("*")), (word[:-1] for word in words if word.endswith("*"))
        )

    def _weight(self, sentence: int, wanted: frozenset[str]) -> int:
        words = self.index.sentence_words(sentence)
        start, end = self.index.sentences[sentence]
        if len(words) < _SENTENCE_WORDS or _is_run_in_heading(self.analysis.document.text[start:end]):
            return -1
        return len(wanted.intersection(words))

    def _cite(self, start: int, end: int) -> Citation:
        chunk = self.chunk_at(start)
        return cite(self.analysis.document, start, end, chunk.chunk.index if chunk else None)


def probability(chunk: ClassifiedChunk, category: str) -> float:
    """The probability, 0 without such a label, that a clause is of a category."""
    return max((label.probability for label in chunk.labels if label.category == category), default=0.0)


def _sentences(analysis: Analysis, reading: Reading) -> Iterator[tuple[int, int]]:
    """Sentences cut at the borders of blocks, without headings and page furniture."""
    blocks, text = analysis.document.blocks, analysis.document.text
    starts = [block.start for block in blocks]
    for start, end in reading.sentences:
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end)
        cuts = [start, *(place for place in starts[max(first, 0) : last] if start < place < end), end]
        for begin, until in pairwise(cuts):
            place = bisect_right(starts, begin) - 1
            kind = blocks[place].kind if place >= 0 and begin < blocks[place].end else BlockKind.PARAGRAPH
            if text[begin:until].strip() and not _is_label(kind, text[begin:until]):
                yield begin, until


def _is_run_in_heading(text: str) -> bool:
    """Whether a short sentence is a title: "5.5 Right to Purchase." has no small word but little ones."""
    words = [word for word in text.replace("(", " ").split() if word[:1].isalpha() and len(word) > _LITTLE]
    return len(words) < _HEADING_WORDS and all(word[0].isupper() for word in words)


def _is_label(kind: BlockKind, text: str) -> bool:
    is_short = len(text.split()) < _HEADING_WORDS
    return kind is BlockKind.FURNITURE or (kind is BlockKind.HEADING and is_short)
