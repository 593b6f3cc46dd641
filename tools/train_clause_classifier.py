"""Train the clause classifier that ships with the package, measure it, and write its model card.

    python -m tools.train_clause_classifier [--data DIR] [--out DIR]

Reads CUAD's training contracts, learns vocabulary and weights, calibrates on out-of-fold scores,
chooses the threshold there too, and only then looks at the 60 held-out contracts, once. The same
data and settings give the same file. Takes about three minutes on one core.
"""

import argparse
import sys
import time
from pathlib import Path

from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.classifier.model_file import About, ClauseModel, read_model, write_model

from .clause_classifier.baseline import measure_baseline
from .clause_classifier.calibration import fit_calibration, read_signals
from .clause_classifier.card import render_card
from .clause_classifier.corpus import Corpus, find_data, read_corpus
from .clause_classifier.crossvalidation import Validated, validate
from .clause_classifier.heldout import measure, read_held_out
from .clause_classifier.learning import (
    Settings,
    learn_space,
    read_matrices,
    score_out_of_fold,
    train_clauses,
    train_passages,
)
from .clause_classifier.report import Report, decode_report, encode_report, render_table

CARD = "CLAUSE_CLASSIFIER.md"
FIGURES = "clause_classifier.json"
MODEL = "clause_classifier.npz"
ATTRIBUTION = (
    "Trained on CUAD v1 (Hendrycks, Burns, Chen, Ball: CUAD: An Expert-Annotated NLP Dataset for Legal Contract "
    "Review, 2021, The Atticus Project, https://www.atticusprojectai.org/cuad), CC BY 4.0; contracts cut into chunks, "
    "labels aligned to character offsets."
)
OUT = Path(__file__).resolve().parents[1] / "src" / "mainspring" / "showcase" / "contracts" / "data"


def train(corpus: Corpus, settings: Settings) -> tuple[bytes, Validated]:
    """The model file's content, and how it did in cross-validation."""
    space = learn_space(corpus.chunks.texts + corpus.spans.texts, settings)
    kinds = {"words": space.words, "pairs": space.pairs, "openings": space.openings, "stems": space.stems}
    _say("vocabulary: " + ", ".join(f"{len(each):,} {name}" for name, each in kinds.items()))
    matrices = read_matrices(space, corpus)
    by_clauses = score_out_of_fold(train_clauses, matrices, corpus, settings)
    by_passages = score_out_of_fold(train_passages, matrices, corpus, settings)
    _say("scored every contract by classifiers that did not see it")
    signals = read_signals(by_clauses, by_passages, corpus)
    validated = validate(corpus, signals, settings)
    _say(f"cross-validation: micro F1 of clauses {validated.figures.clause.micro:.3f}")
    labels, cost = corpus.chunks.labels, settings.calibration_cost
    model = ClauseModel(
        about=About(
            categories=CATEGORY_NAMES,
            threshold=validated.threshold,
            passage_threshold=validated.passage_threshold,
            contracts=corpus.contracts,
            trained_on=dict(corpus.fingerprint),
            attribution=ATTRIBUTION,
        ),
        space=space,
        clauses=train_clauses(matrices, corpus, settings).rounded(),
        passages=train_passages(matrices, corpus, settings).rounded(),
        alone=fit_calibration(signals.alone, labels, cost=cost),
        in_contract=fit_calibration(signals.in_contract, labels, cost=cost),
        passage=fit_calibration(signals.passages, corpus.spans.labels, cost=settings.passage_calibration_cost),
    )
    return write_model(model), validated


def main() -> int:
    """Train, measure, write; 0 when all was written."""
    arguments = _arguments()
    data = find_data(arguments.data)
    if data is None:
        print("No contract data: pass --data DIR or set MAINSPRING_CONTRACT_DATA to the folder that holds cuad/.")
        return 2
    settings = Settings()
    corpus = read_corpus(data, seed=settings.seed)
    _say(f"{corpus.contracts} contracts, {corpus.left_out} left out for sharing a company with the held-out ones")
    content, validated = train(corpus, settings)
    classifier = ClauseClassifier.from_bytes(content)
    held_out = read_held_out(data)
    report = Report(
        version=classifier.version,
        file_bytes=len(content),
        features=read_model(content).space.size,
        settings=settings,
        trained_on=dict(corpus.fingerprint),
        left_out=corpus.left_out,
        cross_validation=validated,
        held_out=measure(classifier, held_out),
        baseline=measure_baseline(corpus, held_out, settings),
    )
    _write(arguments.out, content, report)
    print(render_table(report))
    return 0


def _write(out: Path, content: bytes, report: Report) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL).write_bytes(content)
    encoded = encode_report(report)
    (out / FIGURES).write_bytes(encoded)
    (out / CARD).write_text(render_card(decode_report(encoded), ATTRIBUTION), "utf-8")
    _say(f"wrote {MODEL} ({len(content) / 1e6:.2f} MB), {FIGURES} and {CARD} to {out.name}/")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train and measure the clause classifier.")
    parser.add_argument(
        "--data", type=Path, help="folder with cuad/; else MAINSPRING_CONTRACT_DATA, else beside the repository"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the model, its figures and its card go")
    return parser.parse_args()


_STARTED = time.monotonic()


def _say(message: str) -> None:
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
