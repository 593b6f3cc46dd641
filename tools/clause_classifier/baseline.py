"""The plain way, for comparison: 30,000 TF-IDF features of words and pairs, a linear SVM, one threshold.

Trained on the same contracts, its threshold chosen out of fold for each question, measured on the
same held-out contracts. What the shipped model adds must show against this.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from mainspring.showcase.contracts.classifier.features import split_words

from .corpus import FOLDS, Corpus
from .heldout import HeldOut
from .learning import Floats, Settings, fit_svm
from .measures import F1, any_by_group, at_least_one, f1

FEATURES = 30_000
_GRID = np.round(np.arange(-1.0, 0.61, 0.04), 2)


@dataclass(frozen=True, slots=True)
class Baseline:
    """F1 on the held-out contracts."""

    features: int
    span: F1
    clause: F1
    contract: F1


def measure_baseline(corpus: Corpus, contracts: tuple[HeldOut, ...], settings: Settings) -> Baseline:
    """Train the plain classifier and ask it the three questions, with each one's best threshold."""
    vectorizer = TfidfVectorizer(analyzer=words_and_pairs, max_features=FEATURES, sublinear_tf=True)  # pyright: ignore[reportArgumentType] - the stub knows names only
    features = csr_matrix(vectorizer.fit_transform(corpus.chunks.texts + corpus.spans.texts), dtype=np.float32)
    labels = np.concatenate([corpus.chunks.labels, corpus.spans.labels])
    fold = np.concatenate([corpus.chunks.fold, corpus.spans.fold])
    scores = np.zeros(labels.shape, np.float32)
    for number in range(FOLDS):
        here = fold == number
        linear = fit_svm(features[~here], labels[~here], cost=settings.cost, seed=settings.seed)
        scores[here] = features[here] @ linear.weights + linear.bias
    thresholds = _thresholds(scores, corpus)
    linear = fit_svm(features, labels, cost=settings.cost, seed=settings.seed)
    texts = [chunk.text for each in contracts for chunk in each.chunks]
    of_chunks = csr_matrix(vectorizer.transform(texts)) @ linear.weights + linear.bias
    of_spans = (
        csr_matrix(vectorizer.transform([span for each in contracts for span in each.spans])) @ linear.weights
        + linear.bias
    )
    group = np.repeat(np.arange(len(contracts)), [len(each.chunks) for each in contracts])
    held = np.stack([each.span_labels.any(axis=0) for each in contracts])
    span, clause, contract = thresholds
    return Baseline(
        features=len(vectorizer.vocabulary_),
        span=f1(np.concatenate([each.span_labels for each in contracts]), at_least_one(of_spans, span)),
        clause=f1(np.concatenate([each.chunk_labels for each in contracts]), of_chunks >= clause),
        contract=f1(held, any_by_group(of_chunks >= contract, group, len(contracts))),
    )


def words_and_pairs(text: str) -> list[str]:
    """The words of a text and each two neighbours."""
    words = split_words(text)
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _thresholds(scores: Floats, corpus: Corpus) -> tuple[float, float, float]:
    chunks, spans = corpus.chunks, corpus.spans
    of_chunks, of_spans = np.split(scores, [len(chunks.texts)])
    held = any_by_group(chunks.labels, chunks.contract, corpus.contracts)
    span = max(_GRID, key=lambda value: f1(spans.labels, at_least_one(of_spans, value)).micro)
    clause = max(_GRID, key=lambda value: f1(chunks.labels, of_chunks >= value).micro)
    contract = max(
        _GRID,
        key=lambda value: f1(held, any_by_group(of_chunks >= value, chunks.contract, corpus.contracts)).micro,
    )
    return float(span), float(clause), float(contract)
