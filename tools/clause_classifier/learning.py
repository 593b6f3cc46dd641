"""Learning the vocabulary and the linear weights.

Squared-hinge linear classifiers, one per category. Those for clauses learn from whole chunks, from
labelled spans and from the sentences of chunks at once; those for passages from labelled spans only.
Out-of-fold scores, by company, are what everything later (calibration, threshold, the choice of
these settings) is learned from.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.svm import LinearSVC

from mainspring.showcase.contracts.classifier.features import OPENING_WORDS, STEMS, FeatureSpace, ReadTexts, split_words
from mainspring.showcase.contracts.classifier.model_file import Linear

from .corpus import FOLDS, Corpus, Flags, Ints

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Settings:
    """How the shipped model is trained; chosen by cross-validation.

    features     words, pairs and openings together; stems come on top
    least_count  rarer words and stems are unknown
    cost         the SVM's C, for clauses and for passages; of the calibration likewise
    seed         drives the folds and the SVM
    """

    features: int = 60_000
    least_count: int = 4
    cost: float = 0.5
    passage_cost: float = 1.0
    calibration_cost: float = 0.1
    passage_calibration_cost: float = 1.0
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw scores of texts as wholes and of their best sentences: [texts, 38] each."""

    whole: Floats
    sentence: Floats


@dataclass(frozen=True, slots=True)
class Matrices:
    """Features of chunks and spans (in this order), and of the sentences of both."""

    wholes: csr_matrix
    pieces: csr_matrix
    first_pieces: Ints
    fold: Ints
    piece_fold: Ints


def learn_space(texts: tuple[str, ...], settings: Settings) -> FeatureSpace:
    """The most frequent words, pairs, openings and stems of the texts, weighted by how few texts hold them."""
    counts = Counter(word for text in texts for word in split_words(text))
    words = _frequent(counts, settings)
    stem_counts = Counter[str]()
    for word, count in counts.items():
        stem_counts.update({word[:letters]: count for letters in STEMS if len(word) > letters})
    nothing = np.zeros(0, np.int64)
    every = FeatureSpace(words, nothing, nothing, (), np.ones(len(words), np.float32))
    kept_words, kept_pairs, kept_openings = _most_frequent(every.read(texts), len(words), settings)
    number = np.full(len(words), -1)
    number[kept_words] = np.arange(len(kept_words))
    left, right = number[kept_pairs // len(words)], number[kept_pairs % len(words)]
    pairs = np.sort((left * len(kept_words) + right)[(left >= 0) & (right >= 0)])
    openings = np.sort(number[kept_openings][number[kept_openings] >= 0])
    stems = _frequent(stem_counts, settings)
    unweighted = np.ones(len(kept_words) + len(pairs) + len(openings) + len(stems), np.float32)
    names = tuple(words[place] for place in kept_words)
    return _with_weights(FeatureSpace(names, pairs, openings, stems, unweighted), texts)


def _frequent(counts: Counter[str], settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(name for name, count in counts.items() if count >= settings.least_count))


def _most_frequent(read: ReadTexts, words: int, settings: Settings) -> tuple[Ints, Ints, Ints]:
    row = read.text_of[read.piece]
    beside = (read.word[:-1] >= 0) & (read.word[1:] >= 0) & (row[:-1] == row[1:])
    pairs, pair_counts = np.unique(read.word[:-1][beside] * words + read.word[1:][beside], return_counts=True)
    opens = (read.word >= 0) & (np.arange(len(row)) - np.searchsorted(row, row) < OPENING_WORDS)
    openings, opening_counts = np.unique(read.word[opens], return_counts=True)
    singles, single_counts = np.unique(read.word[read.word >= 0], return_counts=True)
    counts = np.concatenate([single_counts, pair_counts, opening_counts])
    best = np.zeros(len(counts), bool)
    best[np.argsort(-counts, kind="stable")[: settings.features]] = True
    by_kind = np.split(best, np.cumsum([len(singles), len(pairs)]))
    return singles[by_kind[0]], pairs[by_kind[1]], openings[by_kind[2]]


def _with_weights(space: FeatureSpace, texts: tuple[str, ...]) -> FeatureSpace:
    counts = space.count_wholes(space.read(texts))
    holders = np.bincount(counts.indices, minlength=space.size)
    weights = np.log((1 + len(texts)) / (1 + holders)) + 1
    return replace(space, weights=weights.astype(np.float32))


def read_matrices(space: FeatureSpace, corpus: Corpus) -> Matrices:
    """Features of all texts; the pieces are those of `corpus.sentences`, then those of the spans."""
    read = space.read(corpus.chunks.texts + corpus.spans.texts)
    fold = np.concatenate([corpus.chunks.fold, corpus.spans.fold])
    return Matrices(space.wholes(read), space.pieces(read), read.first_pieces, fold, fold[read.text_of])


def train_clauses(matrices: Matrices, corpus: Corpus, settings: Settings, *, without: int = -1) -> Linear:
    """Clauses of a category against all other text, learned from every fold but `without`."""
    labels = np.concatenate([corpus.chunks.labels, corpus.spans.labels])
    is_part = np.bincount(corpus.chunk_of_sentence)[corpus.chunk_of_sentence] > 1
    use_whole = np.flatnonzero(matrices.fold != without)
    use_piece = np.flatnonzero(is_part & (corpus.sentences.fold != without))
    features = vstack([matrices.wholes[use_whole], matrices.pieces[: len(is_part)][use_piece]])
    wanted = np.concatenate([labels[use_whole], corpus.sentences.labels[use_piece]])
    return fit_svm(csr_matrix(features), wanted, cost=settings.cost, seed=settings.seed)


def train_passages(matrices: Matrices, corpus: Corpus, settings: Settings, *, without: int = -1) -> Linear:
    """Labelled spans against each other, learned from every fold but `without`."""
    use = np.flatnonzero(corpus.spans.fold != without)
    features = matrices.wholes[len(corpus.chunks.texts) :][use]
    return fit_svm(features, corpus.spans.labels[use], cost=settings.passage_cost, seed=settings.seed)


def fit_svm(features: csr_matrix, labels: Flags, *, cost: float, seed: int) -> Linear:
    """One linear classifier per column of `labels`."""
    exact = csr_matrix(features, dtype=np.float64)
    machines = [LinearSVC(C=cost, random_state=seed).fit(exact, labels[:, column]) for column in range(labels.shape[1])]
    weights = np.stack([np.ravel(machine.coef_) for machine in machines], axis=1)
    bias = np.concatenate([np.ravel(machine.intercept_) for machine in machines])
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


class Trainer(Protocol):
    """One of the two ways of training above."""

    def __call__(self, matrices: Matrices, corpus: Corpus, settings: Settings, *, without: int = -1) -> Linear: ...


def score_out_of_fold(train: Trainer, matrices: Matrices, corpus: Corpus, settings: Settings) -> Scores:
    """Scores of chunks and spans by classifiers that saw no contract of the same company."""
    whole = np.zeros((len(matrices.fold), corpus.chunks.labels.shape[1]), np.float32)
    pieces = np.zeros((len(matrices.piece_fold), whole.shape[1]), np.float32)
    for fold in range(FOLDS):
        linear = train(matrices, corpus, settings, without=fold)
        here, pieces_here = matrices.fold == fold, matrices.piece_fold == fold
        whole[here] = matrices.wholes[here] @ linear.weights + linear.bias
        pieces[pieces_here] = matrices.pieces[pieces_here] @ linear.weights + linear.bias
    return Scores(whole, np.maximum.reduceat(pieces, matrices.first_pieces, axis=0))
