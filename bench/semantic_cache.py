"""How often the semantic cache is right, and how often it answers, on pairs of questions labelled by people.

    python -m bench.semantic_cache [--data DIR] [--json]       or: make bench-cache

The pairs (`questions/pairs.jsonl.gz`: text_a, text_b, label 1 for the same meaning) are not part of
the project, as their terms do not allow it; without them the benchmark says so and exits 0.

Two measurements. `pairs`: of each pair one question was kept and the other is asked, at fixed
thresholds, with and without the guards. The guards were written while looking at every second
pair; only the others are counted. `stream`: questions that labels join are a group; only groups
are taken that another one lies near (cosine 0.9) and labels hold apart, so the stream is harder
than life. They arrive many times, popular ones more often, each time in a wording that did not
come before (opening, closing, case, a slip of a letter; the exact cache would take repetitions);
a reply is right when its question is of the same group. What an entry believes to begin with was
chosen on half of the pairs; the stream is made of the other half. The judge of fresh replies is
the label, so what a weaker judge would cost is not in these figures.
"""

import argparse
import gzip
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainspring.inference.gateway.cache.guards import Features, disagreement, read_features
from mainspring.inference.gateway.cache.threshold import FLOOR, Observation, is_near_enough
from mainspring.inference.gateway.providers.local.embedder import Embedder

PAIRS_FILE = "questions/pairs.jsonl.gz"
THRESHOLDS = (0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
ERRORS = (0.01, 0.02, 0.05, 0.10)
SHADOW_SHARE = 0.05
_CANDIDATES = 8
_OPENINGS = (
    "",
    "",
    "",
    "Please tell me: ",
    "Hi, ",
    "Hello! ",
    "Can you tell me, ",
    "Hi there. ",
    "I wonder: ",
    "ok so ",
)
_CLOSINGS = ("", "", "", " Thanks!", " Thank you.", " Please explain.", " Thanks a lot!", " Please help", " ?", "!")

Vectors = NDArray[np.float32]


class Pair(msgspec.Struct, frozen=True):
    """Two questions; label 1 when people found that they mean the same."""

    text_a: str
    text_b: str
    label: int


@dataclass(frozen=True, slots=True)
class Line:
    """One way of deciding. asked: calls; hits: replies given from the cache; wrong: those of them that were wrong."""

    name: str
    asked: int
    hits: int
    wrong: int

    @property
    def hit_rate(self) -> float:
        """Share of the calls that got a kept reply."""
        return self.hits / max(1, self.asked)

    @property
    def error_rate(self) -> float:
        """Share of the hits that were wrong."""
        return self.wrong / max(1, self.hits)


@dataclass(frozen=True, slots=True, eq=False)
class Wordings:
    """Every text of a measurement: its vector, features, and the group whose reply is right for it."""

    vectors: Vectors
    features: tuple[Features | None, ...]
    groups: tuple[int, ...]


def find_pairs(given: Path | None) -> Path | None:
    """The file under the folder given, else under MAINSPRING_QUESTION_DATA, else beside the repository."""
    named = os.environ.get("MAINSPRING_QUESTION_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared/data"
    path = (given or (Path(named) if named else beside)) / PAIRS_FILE
    return path if path.exists() else None


def read_pairs(path: Path) -> list[Pair]:
    """All pairs, in their order."""
    with gzip.open(path, "rb") as lines:
        return [msgspec.json.decode(line, type=Pair) for line in lines]


def embed(texts: Sequence[str]) -> Vectors:
    """A unit vector for each text."""
    embedder = Embedder(2)
    vectors = np.zeros((len(texts), 384), dtype=np.float32)
    for batch in embedder.batches(texts):
        vectors[list(batch.places)] = embedder.run(batch)
    return vectors


def measure_pairs(pairs: Sequence[Pair]) -> list[Line]:
    """Fixed thresholds on pairs that the guards were not written on, without and with the guards."""
    first = embed([pair.text_a for pair in pairs])
    second = embed([pair.text_b for pair in pairs])
    near = (first * second).sum(axis=1)
    is_same = np.array([bool(pair.label) for pair in pairs])
    agree = np.array([_agree(read_features(pair.text_a), read_features(pair.text_b)) for pair in pairs])
    lines: list[Line] = []
    for name, passes in (("fixed", np.ones(len(pairs), dtype=bool)), ("fixed + guards", agree)):
        for threshold in THRESHOLDS:
            is_hit = passes & (near >= threshold)
            lines.append(Line(f"{name} {threshold:.2f}", len(pairs), int(is_hit.sum()), int((is_hit & ~is_same).sum())))
    return lines


def measure_stream(wordings: Wordings) -> list[Line]:
    """Every way of deciding, on the same arrivals."""
    arrivals = range(len(wordings.groups))
    near = wordings.vectors @ wordings.vectors.T
    lines = [_run_fixed(wordings, near, arrivals, limit, guarded=False) for limit in THRESHOLDS]
    lines += [_run_fixed(wordings, near, arrivals, limit, guarded=True) for limit in THRESHOLDS if limit >= FLOOR]
    return lines + [_run_learned(wordings, near, arrivals, error) for error in ERRORS]


def group_pairs(pairs: Sequence[Pair]) -> tuple[dict[str, int], list[list[str]]]:
    """The group of each text, and neighbourhoods: groups that labels hold apart, with their texts."""
    joined = _Groups()
    for pair in pairs:
        joined.add(pair.text_a, pair.text_b, is_joined=bool(pair.label))
    around = _Groups()
    for pair in pairs:
        around.add(joined.of(pair.text_a), joined.of(pair.text_b), is_joined=True)
    texts = dict.fromkeys(text for pair in pairs for text in (pair.text_a, pair.text_b))
    numbers: dict[str, int] = {}
    hoods: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        hoods[around.of(joined.of(text))].append(text)
    group_of = {text: numbers.setdefault(joined.of(text), len(numbers)) for text in texts}
    return group_of, list(hoods.values())


def make_stream(pairs: Sequence[Pair], *, count: int, seed: int) -> Wordings:
    """Wordings in the order of their arrival, none twice, of pairs at 0.9 and above: the hard ones."""
    random = Random(seed)
    group_of, everyone = group_pairs(_near_pairs(pairs))
    hoods = [hood for hood in everyone if len({group_of[text] for text in hood}) > 1]
    random.shuffle(hoods)
    weights = [1 / (rank + 1) ** 0.6 for rank in range(len(hoods))]
    groups: dict[str, int] = {}
    for hood in random.choices(hoods, weights, k=count):
        text = random.choice(hood)
        groups.setdefault(vary(text, random), group_of[text])
    texts = list(groups)
    return Wordings(embed(texts), tuple(read_features(text) for text in texts), tuple(groups.values()))


def vary(text: str, random: Random) -> str:
    """The question as another person would type it: opening, closing, case, a slip of a letter; the same meaning."""
    if random.random() < 0.3:
        text = text.lower()
    if random.random() < 0.3:
        text = text.rstrip("?. ")
    words = text.split()
    slips = [place for place, word in enumerate(words) if len(word) > 6 and word.isalpha() and word.islower()]
    if slips and random.random() < 0.2:
        place = random.choice(slips)
        cut = random.randrange(2, len(words[place]) - 1)
        words[place] = words[place][:cut] + words[place][cut + 1 :]
    return random.choice(_OPENINGS) + " ".join(words) + random.choice(_CLOSINGS)


class _Groups:
    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, name: str) -> str:
        while (parent := self._parents.setdefault(name, name)) != name:
            name = parent
        return name

    def add(self, first: str, second: str, *, is_joined: bool) -> None:
        one, other = self.of(first), self.of(second)
        if is_joined and one != other:
            self._parents[one] = other


def _near_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    first = embed([pair.text_a for pair in pairs])
    second = embed([pair.text_b for pair in pairs])
    near = (first * second).sum(axis=1)
    return [pair for pair, similarity in zip(pairs, near, strict=True) if similarity >= 0.9]


def _agree(first: Features | None, second: Features | None) -> bool:
    return first is not None and second is not None and disagreement(first, second) is None


def _nearest(near: Vectors, asked: int, kept: Sequence[int], floor: float) -> Iterator[int]:
    """Places among the kept, nearest first, at the floor or above."""
    row = near[asked, kept]
    for place in np.argsort(-row)[:_CANDIDATES]:
        if row[place] < floor:
            return
        yield int(place)


def _run_fixed(wordings: Wordings, near: Vectors, arrivals: Sequence[int], threshold: float, *, guarded: bool) -> Line:
    kept: list[int] = []
    hits = wrong = 0
    for asked in arrivals:
        found = None
        for place in _nearest(near, asked, kept, threshold):
            if not guarded or _agree(wordings.features[asked], wordings.features[kept[place]]):
                found = kept[place]
                break
        if found is None:
            kept.append(asked)
            continue
        hits += 1
        wrong += wordings.groups[found] != wordings.groups[asked]
    return Line(f"fixed {'+ guards ' if guarded else ''}{threshold:.2f}", len(arrivals), hits, wrong)


def _run_learned(wordings: Wordings, near: Vectors, arrivals: Sequence[int], error: float) -> Line:
    random = Random(1)
    kept: list[int] = []
    seen: list[list[Observation]] = []
    hits = wrong = 0
    for asked in arrivals:
        places = (
            place
            for place in _nearest(near, asked, kept, FLOOR)
            if _agree(wordings.features[asked], wordings.features[kept[place]])
        )
        place = next(places, None)
        if place is None:
            kept.append(asked)
            seen.append([])
            continue
        similarity = float(near[asked, kept[place]])
        was_right = wordings.groups[kept[place]] == wordings.groups[asked]
        is_hit = is_near_enough(seen[place], similarity, error)
        hits += is_hit
        wrong += is_hit and not was_right
        if not is_hit or random.random() < SHADOW_SHARE:
            seen[place].append(Observation(similarity, was_right))
        if not is_hit and not was_right:
            kept.append(asked)
            seen.append([])
    return Line(f"learned, error {error:.2f}", len(arrivals), hits, wrong)


def table(title: str, lines: Sequence[Line]) -> str:
    """The lines as text."""
    rows = [f"{title:<22}{'asked':>8}{'hits':>8}{'hit rate':>10}{'wrong':>7}{'wrong of hits':>15}"]
    for line in lines:
        rates = f"{line.hit_rate:>10.1%}{line.wrong:>7}{line.error_rate:>15.2%}"
        rows.append(f"{line.name:<22}{line.asked:>8}{line.hits:>8}{rates}")
    return "\n".join(rows)


def main() -> int:
    """Print both tables, or JSON with every figure."""
    parser = argparse.ArgumentParser(description="Measure the semantic cache on labelled pairs of questions.")
    parser.add_argument("--data", type=Path, help=f"folder with {PAIRS_FILE}; else MAINSPRING_QUESTION_DATA")
    parser.add_argument("--arrivals", type=int, default=8_000, help="length of the stream")
    parser.add_argument("--tuning", action="store_true", help="show the half that was tuned on, not the held-out one")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    arguments = parser.parse_args()
    path = find_pairs(arguments.data)
    if path is None:
        print(f"Skipped: no pairs of questions. Pass --data DIR, the folder with {PAIRS_FILE}.")
        return 0
    half = read_pairs(path)[0 if arguments.tuning else 1 :: 2]
    lines = measure_pairs(half)
    wordings = make_stream(half, count=arguments.arrivals, seed=7)
    streamed = measure_stream(wordings)
    if arguments.json:
        print(
            msgspec.json.encode({"pairs": [asdict(x) for x in lines], "stream": [asdict(x) for x in streamed]}).decode()
        )
        return 0
    print(table("pairs", lines))
    print()
    print(table("stream", streamed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
