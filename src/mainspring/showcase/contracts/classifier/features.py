"""Text into numbers, the same way in training and at run time.

A text becomes counts of its words, of pairs of neighbouring words, of its opening words (which
often are its heading), and of the stems of longer words: their first 4 and 6 letters, by which
also an unknown word says something. Numbers are all one word. Every text is read twice: as a whole,
and cut into sentences, because one sentence of a long clause may hold what is looked for.
Python only looks up words; pairs, counts and weights are computed for a whole batch at once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

OPENING_WORDS = 6
STEMS = (4, 6)  # letters; only of words that are longer
MIN_PIECE = 60  # characters; shorter sentences go with the next one

Ints = NDArray[np.int64]

_WORD = re.compile(r"[^\W\d_]+|0")
_DIGITS = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"(?<=[.;:])\s(?=[\"“(]?[A-Z(\d])")


def split_words(text: str) -> list[str]:
    """Lower-case words in order; any run of digits is the word "0"."""
    return _WORD.findall(_DIGITS.sub("0", text.lower()))


def split_pieces(text: str) -> list[str]:
    """The sentences and enumerated items of a text, blanks made single; at least one."""
    pieces: list[str] = []
    waiting = ""
    for sentence in _SENTENCE_END.split(" ".join(text.split())):
        waiting = f"{waiting} {sentence}" if waiting else sentence
        if len(waiting) >= MIN_PIECE:
            pieces.append(waiting)
            waiting = ""
    if waiting and pieces:
        pieces[-1] += f" {waiting}"
    elif waiting or not pieces:
        pieces.append(waiting)
    return pieces


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """A batch of texts as word numbers.

    word       vocabulary number of each word in reading order, -1 when unknown
    stems      for each of STEMS, the number of each word's stem, -1 when short or unknown: [2, words]
    piece      the piece each word stands in, counted over the batch
    text_of    the text each piece belongs to
    """

    word: Ints
    stems: Ints
    piece: Ints
    text_of: Ints
    texts: int

    @property
    def first_pieces(self) -> Ints:
        """The first piece of each text."""
        return np.searchsorted(self.text_of, np.arange(self.texts))


@dataclass(frozen=True)
class FeatureSpace:
    """The known words, word pairs, opening words and stems, and what each weighs.

    words     distinct lower-case words; a word's number is its place
    pairs     sorted; left word's number * len(words) + right word's number
    openings  sorted word numbers
    stems     distinct; a stem's number is its place
    weights   inverse document frequencies: of the words, then the pairs, the openings and the stems
    """

    words: tuple[str, ...]
    pairs: Ints
    openings: Ints
    stems: tuple[str, ...]
    weights: NDArray[np.float32]

    @property
    def size(self) -> int:
        """The number of features, which are the columns of every matrix made here."""
        return len(self.words) + len(self.pairs) + len(self.openings) + len(self.stems)

    @cached_property
    def _known(self) -> dict[str, tuple[int, ...]]:
        """Of each known word its number and the numbers of its stems."""
        return {word: (number, *self._find_stems(word)) for number, word in enumerate(self.words)}

    @cached_property
    def _stem_number(self) -> dict[str, int]:
        return {stem: number for number, stem in enumerate(self.stems)}

    def _find_stems(self, word: str) -> Iterator[int]:
        return (self._stem_number.get(word[:letters], -1) if len(word) > letters else -1 for letters in STEMS)

    def read(self, texts: Sequence[str]) -> ReadTexts:
        """Look up the words of the texts; linear in their length."""
        known = self._known.get
        numbers: list[int] = []
        lengths: list[int] = []
        text_of: list[int] = []
        for place, text in enumerate(texts):
            for piece in split_pieces(text):
                words = split_words(piece)
                for word in words:
                    numbers += known(word) or (-1, *self._find_stems(word))
                lengths.append(len(words))
                text_of.append(place)
        looked_up = np.array(numbers, np.int64).reshape(-1, 1 + len(STEMS)).T
        piece = np.repeat(np.arange(len(lengths)), lengths)
        return ReadTexts(looked_up[0], looked_up[1:], piece, np.array(text_of, np.int64), len(texts))

    def wholes(self, read: ReadTexts) -> csr_matrix:
        """Unit rows, one a text (all zero where nothing is known): [texts, size]."""
        return self.weigh(self.count_wholes(read))

    def pieces(self, read: ReadTexts) -> csr_matrix:
        """Unit rows, one a piece: [pieces, size]."""
        return self.weigh(self._count(read, read.piece, len(read.text_of)))

    def count_wholes(self, read: ReadTexts) -> csr_matrix:
        """How often each text holds each feature: [texts, size]."""
        return self._count(read, read.text_of[read.piece], read.texts)

    def _count(self, read: ReadTexts, row: Ints, rows: int) -> csr_matrix:
        """`row` tells, in rising order, where each word stands."""
        cells = np.concatenate([own + self.size * row[at] for own, at in self._occurrences(read, row)])
        cells, counts = np.unique(cells, return_counts=True)
        starts = np.searchsorted(cells, self.size * np.arange(rows + 1))
        return csr_matrix((counts.astype(np.float32), cells % self.size, starts), shape=(rows, self.size))

    def _occurrences(self, read: ReadTexts, row: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Feature numbers and the places of the words where they occur."""
        word = read.word
        known = np.flatnonzero(word >= 0)
        yield word[known], known
        first = len(self.words)
        left = np.flatnonzero((word[:-1] >= 0) & (word[1:] >= 0) & (row[:-1] == row[1:]))
        pair, at = _look_up(self.pairs, word[left] * len(self.words) + word[left + 1], left)
        yield first + pair, at
        first += len(self.pairs)
        opens = known[known - np.searchsorted(row, row[known]) < OPENING_WORDS]
        opening, at = _look_up(self.openings, word[opens], opens)
        yield first + opening, at
        first += len(self.openings)
        for stem in read.stems:
            has_stem = np.flatnonzero(stem >= 0)
            yield first + stem[has_stem], has_stem

    def weigh(self, counts: csr_matrix) -> csr_matrix:
        """Counts damped by their logarithm, times the features' weights, in rows of length 1."""
        values = (1 + np.log(counts.data)) * self.weights[counts.indices]
        rows = len(counts.indptr) - 1
        row = np.repeat(np.arange(rows), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(row, weights=values * values, minlength=rows)).astype(np.float32)
        return csr_matrix((values / lengths[row], counts.indices, counts.indptr), shape=(rows, self.size))


def _look_up(known: Ints, wanted: Ints, at: Ints) -> tuple[Ints, Ints]:
    """Places in the sorted `known` of those of `wanted` that are there, and their `at`."""
    if not len(known):
        return known, known
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = known[place] == wanted
    return place[found], at[found]
