"""Measure the shipped clause classifier on contracts it never saw: `python -m bench.classifier [--json] [--data DIR]`.

The 60 labelled contracts are read from --data, MAINSPRING_CONTRACT_DATA, or shared/data/contracts
beside the repository, parsed and cut as the product does it, and asked the three questions of
`tools.clause_classifier.heldout`. Without the data it says so and exits 0.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from mainspring.showcase.contracts.classifier import ClauseClassifier
from tools.clause_classifier.corpus import find_data
from tools.clause_classifier.heldout import Figures, HeldOut, measure, read_held_out
from tools.clause_classifier.report import table


@dataclass(frozen=True, slots=True)
class Benchmark:
    """chunks_per_second: of `classify`, one thread, the model already loaded."""

    version: str
    threshold: float
    load_seconds: float
    chunks_per_second: float
    figures: Figures


def run(data: Path) -> Benchmark:
    """Load, classify every contract, measure."""
    started = time.perf_counter()
    classifier = ClauseClassifier.load()
    load_seconds = time.perf_counter() - started
    contracts = read_held_out(data)
    return Benchmark(
        version=classifier.version,
        threshold=classifier.threshold,
        load_seconds=load_seconds,
        chunks_per_second=_speed(classifier, contracts),
        figures=measure(classifier, contracts),
    )


def _speed(classifier: ClauseClassifier, contracts: tuple[HeldOut, ...]) -> float:
    started = time.perf_counter()
    for contract in contracts:
        classifier.classify(contract.chunks)
    return sum(len(contract.chunks) for contract in contracts) / (time.perf_counter() - started)


def main() -> int:
    """Print a table, or JSON with every figure."""
    parser = argparse.ArgumentParser(description="Measure the clause classifier on held-out contracts.")
    parser.add_argument("--data", type=Path, help="folder with cuad/; else MAINSPRING_CONTRACT_DATA")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    arguments = parser.parse_args()
    data = find_data(arguments.data)
    if data is None:
        print("Skipped: no contract data. Pass --data DIR, or set MAINSPRING_CONTRACT_DATA to the folder with cuad/.")
        return 0
    benchmark = run(data)
    if arguments.json:
        print(msgspec.json.encode(asdict(benchmark)).decode())
        return 0
    figures = benchmark.figures
    print(f"clause classifier {benchmark.version[:12]}, threshold {benchmark.threshold:.2f}")
    print(f"{figures.contracts} contracts, {figures.clauses:,} clauses, {figures.spans:,} labelled spans")
    print(table({"held out": figures}))
    print(
        f"calibration error from 0.1 on: {figures.reliability.ece_likely:.3f}; Brier: {figures.reliability.brier:.5f}"
    )
    print(
        f"{benchmark.chunks_per_second:,.0f} clauses/s on one thread, loaded in {benchmark.load_seconds * 1000:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
