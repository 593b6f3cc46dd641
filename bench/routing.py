"""Measure the learned route choice on answers it never saw: `python -m bench.routing [--data FILE] [--json]`.

Questions of MMLU with whether a cheap and a strong model answered right. Outcomes of the first
questions (as many as the product keeps for a tenant) are learned, with embeddings of the bundled
model; the rest is routed by the product's own code. Each route is set against strong calls drawn at
random for the same money, and against always one model and an oracle.
Intervals are 95 %, over questions. Costs are by list price, for the questions' length and a reply of
8 tokens.
"""

import argparse
import gzip
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainspring.inference.gateway.models import PriceBook, PriceTag
from mainspring.inference.gateway.providers.local.embedder import DIMENSIONS, Embedder
from mainspring.inference.gateway.routing.learned import MARGIN, Neighbours
from mainspring.inference.gateway.routing.outcomes import OUTCOMES

CHEAP, STRONG = "mixtral-8x7b", "gpt-4-1106"
_SHIPPED = Path(__file__).parent / "data" / "routing" / "mmlu.jsonl.gz"
_PRICED_ON = date(2026, 11, 1)
_REPLY_TOKENS = 8
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Answers:
    """Questions, which of them each model answered right, and the embeddings, shape (questions, 384)."""

    prompts: tuple[str, ...]
    cheap: NDArray[np.float64]
    strong: NDArray[np.float64]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Line:
    """One way to route: its share of strong calls, share of right answers, and cost.

    gain   share of right answers above strong calls drawn at random for the same cost; None where nothing is learned
    """

    name: str
    strong_share: float
    right: float
    right_interval: tuple[float, float]
    usd_per_1000: float
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """embed_ms, route_ms: for one question, each on one thread."""

    learned_questions: int
    routed_questions: int
    embed_ms: float
    route_ms: float
    lines: tuple[Line, ...]


def run(path: Path, learn: int, threads: int) -> Benchmark:
    """Embed, learn, route."""
    rows = [msgspec.json.decode(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    prompts = tuple(str(row["prompt"]) for row in rows)
    started = time.perf_counter()
    embeddings = _embed(prompts, threads)
    embed_ms = (time.perf_counter() - started) * 1000 / len(prompts)
    cheap, strong = (np.array([bool(row[name]) for row in rows], dtype=np.float64) for name in (CHEAP, STRONG))
    learned = Answers(prompts[:learn], cheap[:learn], strong[:learn], embeddings[:learn])
    routed = Answers(prompts[learn:], cheap[learn:], strong[learn:], embeddings[learn:])
    started = time.perf_counter()
    advantage = _advantage(learned, routed)
    route_ms = (time.perf_counter() - started) * 1000 / len(routed.prompts)
    return Benchmark(learn, len(routed.prompts), embed_ms, route_ms, _lines(routed, advantage))


def _embed(prompts: Sequence[str], threads: int) -> NDArray[np.float32]:
    embedder = Embedder(threads)
    vectors = np.zeros((len(prompts), DIMENSIONS), dtype=np.float32)
    for batch in embedder.batches(prompts):
        vectors[list(batch.places)] = embedder.run(batch)
    return vectors


def _advantage(learned: Answers, routed: Answers) -> NDArray[np.float64]:
    """How far the strong model's lower bound lies above the cheap one's, for each question."""
    count = len(learned.prompts)
    scores = np.concatenate([learned.cheap, learned.strong]).astype(np.float32)
    both = np.concatenate([learned.embeddings, learned.embeddings])
    neighbours = Neighbours([CHEAP] * count + [STRONG] * count, both, scores)
    found = [neighbours.predict(vector.tolist(), (CHEAP, STRONG)) for vector in routed.embeddings]
    return np.array([each[STRONG].lower - each[CHEAP].lower for each in found])


def _lines(routed: Answers, advantage: NDArray[np.float64]) -> tuple[Line, ...]:
    prices = _prices()
    everyone = np.ones(len(routed.prompts), dtype=bool)
    lines = [_line("always the cheap one", routed, ~everyone, prices)]
    for share in (0.25, 0.5, 0.75):
        margin = float(np.quantile(advantage, 1 - share))  # of the predictions: no outcome is looked at
        lines.append(_line(f"learned, {share:.0%} strong", routed, _goes_strong(advantage, margin), prices))
    lines.append(_line(f"learned, margin {MARGIN}", routed, _goes_strong(advantage, MARGIN), prices))
    lines.append(_line("always the best", routed, everyone, prices))
    lines.append(_line("oracle", routed, (routed.cheap < routed.strong), prices))
    return tuple(lines)


def _goes_strong(advantage: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
    """The product's rule for two models: the cheap one unless its lower bound is more than `margin` under the best."""
    return advantage > margin


def _prices() -> Mapping[str, PriceTag]:
    book = PriceBook.open()
    strong = book.tag("openai", "gpt-4-1106-preview", _PRICED_ON)
    cheap = book.tag("together", "mistralai/Mixtral-8x7B-Instruct-v0.1", _PRICED_ON)
    if strong is None or cheap is None:
        raise LookupError("the price table no longer knows the benchmark's models")
    return {CHEAP: cheap, STRONG: strong}


def _line(name: str, routed: Answers, goes_strong: NDArray[np.bool_], prices: Mapping[str, PriceTag]) -> Line:
    right = np.where(goes_strong, routed.strong, routed.cheap)
    cheap, strong = (_micros(routed, prices[model]) for model in (CHEAP, STRONG))
    micros = float(np.where(goes_strong, strong, cheap).mean())
    drawn_share = (micros - cheap.mean()) / (strong.mean() - cheap.mean())  # what random may spend on the strong one
    over_random = right - (drawn_share * routed.strong + (1 - drawn_share) * routed.cheap)
    is_drawn = name.startswith("learned")
    return Line(
        name,
        float(goes_strong.mean()),
        float(right.mean()),
        _interval(right),
        micros / 1000,
        float(over_random.mean()) if is_drawn else None,
        _interval(over_random) if is_drawn else None,
    )


def _micros(routed: Answers, price: PriceTag) -> NDArray[np.float64]:
    tokens = (len(prompt.encode()) // _BYTES_PER_TOKEN for prompt in routed.prompts)
    return np.array([price.estimate(count, _REPLY_TOKENS) for count in tokens], dtype=np.float64)


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    half = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    return float(values.mean()) - half, float(values.mean()) + half


def table(benchmark: Benchmark) -> str:
    """The lines as text."""
    head = f"{'':24} {'strong':>7} {'right':>7} {'95 %':>15} {'USD/1000':>9} {'over random':>12} {'95 %':>15}"
    rows = [head]
    for line in benchmark.lines:
        low, high = line.right_interval
        text = (
            f"{line.name:24} {line.strong_share:>7.1%} {line.right:>7.1%} {f'{low:.1%} to {high:.1%}':>15} "
            f"{line.usd_per_1000:>9.3f}"
        )
        if line.gain is not None and line.gain_interval is not None:
            under, over = line.gain_interval
            text += f" {f'{line.gain * 100:+.1f} pt':>12} {f'{under * 100:+.1f} to {over * 100:+.1f}':>15}"
        rows.append(text)
    return "\n".join(rows)


def main() -> int:
    """Print a table, or JSON with every figure."""
    parser = argparse.ArgumentParser(description="Measure the learned route choice on held-out answers.")
    parser.add_argument(
        "--data", type=Path, help="file of outcomes; else MAINSPRING_ROUTING_DATA or the shipped sample"
    )
    parser.add_argument(
        "--learn", type=int, default=OUTCOMES // 2, help="questions to learn, with both models' outcomes"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    arguments = parser.parse_args()
    path = arguments.data or Path(os.environ.get("MAINSPRING_ROUTING_DATA") or _SHIPPED)
    benchmark = run(path, arguments.learn, arguments.threads)
    if arguments.json:
        print(msgspec.json.encode(asdict(benchmark)).decode())
        return 0
    print(f"learned from {benchmark.learned_questions:,} questions, routed {benchmark.routed_questions:,} others")
    print(f"cheap: {CHEAP}, strong: {STRONG}; an oracle takes the strong one only where it alone is right")
    print(table(benchmark))
    print(f"embedding a question {benchmark.embed_ms:.1f} ms, choosing {benchmark.route_ms:.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
