"""Measure chunking on labelled contracts, by clause and in other ways: `python -m bench.chunking [--json]`.

The 60 labelled contracts are read from MAINSPRING_CONTRACT_DATA, or from shared/data/contracts
beside the repository; without them there is nothing to measure, and it says so.

- whole: share of labelled spans that lie within one chunk (blanks at their ends aside)
- coverage: of a chunk that holds a label, the share of its characters that are labelled, averaged
- single: share of those chunks whose labels are all of one category
- chunks: per contract; megabytes per second of parsing plus chunking
"""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mainspring.orchestration.knowledge.chunking import (
    Chunking,
    ClauseChunking,
    FixedChunking,
    SectionChunking,
    chunker_version,
    cut,
)
from mainspring.orchestration.knowledge.parsing import parse
from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

SETTINGS: tuple[Chunking, ...] = (
    ClauseChunking(),
    ClauseChunking(item_chars=1_000),
    ClauseChunking(1_000, 1_000),
    SectionChunking(),
    FixedChunking(1_500, 0),
    FixedChunking(),
)
FIELDS = frozenset({"Document Name", "Parties", "Agreement Date"})  # facts rather than clauses


@dataclass(frozen=True, slots=True)
class Figures:
    """What one setting of a chunker gives over all contracts."""

    chunker: str
    max_chars: int
    contracts: int
    spans: int
    whole: float
    coverage: float
    single: float
    chunks: float
    median_characters: int
    megabytes_per_second: float


def main() -> int:
    """Print one line per setting."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="one JSON object per line")
    as_json = arguments.parse_args().json
    folder = find_data()
    if folder is None:
        print("The labelled contracts are not here; set MAINSPRING_CONTRACT_DATA to their folder.")
        return 0
    for settings in SETTINGS:
        figures = measure(folder, settings)
        print(json.dumps(asdict(figures)) if as_json else _line(figures))
    return 0


def find_data() -> Path | None:
    """The folder of the labelled contracts, None where there is none."""
    named = os.environ.get("MAINSPRING_CONTRACT_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data" / "contracts"
    return folder if (folder / "cuad" / "annotations.jsonl").is_file() else None


def measure(folder: Path, settings: Chunking) -> Figures:
    """Parse and cut every contract, and count."""
    whole: list[bool] = []
    coverage: list[float] = []
    single: list[bool] = []
    lengths: list[int] = []
    seconds, contracts = 0.0, 0
    for line in (folder / "cuad" / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        contract = json.loads(line)
        content = (folder / "cuad" / "txt" / f"{contract['id']}.txt").read_bytes()
        started = time.perf_counter()
        document = parse(content, filename="contract.txt")
        chunks = cut(document, settings)
        seconds += time.perf_counter() - started
        contracts += 1
        lengths += [len(chunk.text) for chunk in chunks]
        whole += [_is_whole(document, chunks, label) for label in contract["labels"]]
        labelled = [found for chunk in chunks if (found := _labelled(chunk, contract["labels"])) is not None]
        coverage += [share for share, _ in labelled]
        single += [is_single for _, is_single in labelled]
    return Figures(
        chunker=chunker_version(settings),
        max_chars=settings.max_chars,
        contracts=contracts,
        spans=len(whole),
        whole=sum(whole) / len(whole),
        coverage=sum(coverage) / len(coverage),
        single=sum(single) / len(single),
        chunks=len(lengths) / contracts,
        median_characters=sorted(lengths)[len(lengths) // 2],
        megabytes_per_second=sum(lengths) / 1e6 / seconds,
    )


def _is_whole(document: ParsedDocument, chunks: tuple[Chunk, ...], label: dict[str, Any]) -> bool:
    text = document.text[label["start"] : label["end"]]
    start = label["start"] + len(text) - len(text.lstrip())
    end = start + len(text.strip())
    return any(chunk.start <= start and end <= chunk.end for chunk in chunks)


def _labelled(chunk: Chunk, labels: list[dict[str, Any]]) -> tuple[float, bool] | None:
    """Share of the chunk that is labelled, and whether with one category only; None for no label."""
    marked = bytearray(chunk.end - chunk.start)
    categories: set[str] = set()
    for label in labels:
        start, end = max(label["start"], chunk.start), min(label["end"], chunk.end)
        if start < end and label["category"] not in FIELDS:
            marked[start - chunk.start : end - chunk.start] = b"\x01" * (end - start)
            categories.add(label["category"])
    return (sum(marked) / len(marked), len(categories) == 1) if categories else None


def _line(figures: Figures) -> str:
    return (
        f"{figures.chunker}, max {figures.max_chars}: {figures.whole:.1%} of {figures.spans} spans whole, "
        f"coverage {figures.coverage:.3f}, single {figures.single:.1%}, {figures.chunks:.1f} chunks per contract, "
        f"median {figures.median_characters} characters, {figures.megabytes_per_second:.1f} MB/s"
    )


if __name__ == "__main__":
    raise SystemExit(main())
