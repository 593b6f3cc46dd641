"""The three questions asked of the training contracts, out of fold; thresholds are chosen here."""

from dataclasses import dataclass

import numpy as np

from .calibration import Signals, best_threshold, cross_fit
from .corpus import Corpus
from .heldout import Figures
from .learning import Settings
from .measures import any_by_group, at_least_one, f1, reliability


@dataclass(frozen=True, slots=True)
class Validated:
    """Figures by classifiers that saw no contract of the same company, at the thresholds best for them."""

    threshold: float
    passage_threshold: float
    figures: Figures


def validate(corpus: Corpus, signals: Signals, settings: Settings) -> Validated:
    """Choose both thresholds by micro plus macro F1, and measure with them."""
    chunks, spans = corpus.chunks, corpus.spans
    of_chunks = cross_fit(signals.in_contract, chunks.labels, chunks.fold, cost=settings.calibration_cost)
    of_spans = cross_fit(signals.passages, spans.labels, spans.fold, cost=settings.passage_calibration_cost)
    threshold = best_threshold(chunks.labels, lambda at: np.greater_equal(of_chunks, at))
    passage_threshold = best_threshold(spans.labels, lambda at: at_least_one(of_spans, at))
    found = of_chunks >= threshold
    held = any_by_group(chunks.labels, chunks.contract, corpus.contracts)
    figures = Figures(
        contracts=corpus.contracts,
        clauses=len(chunks.texts),
        spans=len(spans.texts),
        span=f1(spans.labels, at_least_one(of_spans, passage_threshold)),
        clause=f1(chunks.labels, found),
        contract=f1(held, any_by_group(found, chunks.contract, corpus.contracts)),
        reliability=reliability(chunks.labels, of_chunks),
    )
    return Validated(threshold, passage_threshold, figures)
