"""Measure search and ingestion of knowledge at scale, every way of keeping tenants apart; tables on standard output.

    python -m bench.knowledge              1,000,000 chunks of 1,000 tenants; about ten minutes on two idle cores
    python -m bench.knowledge --short      what CI runs: 20,000 chunks of 60 tenants, less than a minute
    python -m bench.knowledge --only exact,promoted,whole

Everything runs on a throwaway embedded Postgres with the product's own settings, fsync on, under row-level security.
Exit code 1 when the promoted tenants' recall or a goal is missed (goals are not judged in the short form).
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .asking import Questions
from .corpus import make_corpus
from .growth import measure_growth
from .ingesting import measure_ingestion
from .loading import load
from .options import (
    drop_promoted,
    measure_exact,
    measure_global_graph,
    measure_list_partitions,
    measure_partition_graphs,
    measure_promoted,
    measure_schemas,
    pick_part,
)
from .real_vectors import read_real_vectors, read_texts
from .results import Report, Size, judge
from .rig import open_rig, pick_tenants
from .rows import make_term_pool
from .table import show
from .whole import measure_whole
from .words import measure_words

PARTS = ("exact", "promoted", "words", "whole", "partition", "global", "list", "schema", "growth", "ingestion")

FULL = Size(1_000_000, 1_000, tenants_each=3, questions=20, part=130_000, partitions=2_000, schemas=50, documents=100)
SHORT = Size(20_000, 60, tenants_each=2, questions=5, part=8_000, partitions=100, schemas=8, documents=5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int)
    parser.add_argument("--tenants", type=int)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", metavar="PARTS", help=f"of {','.join(PARTS)}")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    # Without this, SIGTERM would end us and leave the engines running.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    size = (SHORT if options.short else FULL).resized(options.chunks, options.tenants)
    report = measure(size, frozenset(options.only.split(",")) if options.only else frozenset(PARTS))
    print(show(report))
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=2, default=str) + "\n")
    missed = () if options.short else judge(report)
    for sentence in missed:
        print(f"MISSED: {sentence}")
    return 1 if missed or not report.is_sound else 0


def measure(size: Size, parts: frozenset[str]) -> Report:
    """All that is asked for, in an order that leaves the tables as they were for the next."""
    announce = _announcer()
    report = Report(_surroundings(), size)
    real = read_real_vectors()
    corpus, pool = make_corpus(real, chunks=size.chunks, tenants=size.tenants), make_term_pool()
    with open_rig(announce) as rig:
        load(rig, corpus, pool)
        questions = Questions(rig, corpus, pick_tenants(corpus, size.tenants_each), size.questions)
        report.describe(rig, corpus, pool)
        _measure_vectors(report, questions, parts, announce)
        if "growth" in parts:
            announce("ten thousand tenants ...")
            report.growth = measure_growth(questions, size.partitions)
        if "ingestion" in parts:
            announce("ingestion ...")
            report.ingested = measure_ingestion(
                rig, read_texts(4_000) or ["A clause."] * 40, fast=size.documents, real=size.documents
            )
    report.load_after = os.getloadavg()[0]
    return report


def _measure_vectors(
    report: Report, questions: Questions, parts: frozenset[str], announce: Callable[[str], None]
) -> None:
    rig = questions.rig
    for name, work in (("exact", measure_exact), ("promoted", measure_promoted)):
        if name in parts:
            announce(f"option {name} ...")
            report.options.append(work(questions))
    if "words" in parts:
        announce("words ...")
        report.words = measure_words(questions)
    if "whole" in parts:
        announce("whole searches ...")
        report.whole = measure_whole(questions)
    drop_promoted(rig)
    if parts & {"partition", "global"}:
        part = pick_part(rig, questions.corpus, report.size.part)
        some = questions.among(part.places, report.size.tenants_each)
        if "partition" in parts:
            announce("option partition ...")
            report.options.append(measure_partition_graphs(some, part))
        if "global" in parts:
            announce("option global ...")
            report.options.extend(measure_global_graph(some, part))
    if "list" in parts:
        announce("option list ...")
        report.options.append(measure_list_partitions(questions))
    if "schema" in parts:
        announce("option schema ...")
        report.options.append(measure_schemas(questions, report.size.schemas))


def _announcer() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)


def _surroundings() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {os.cpu_count()} cores of {processor}, Python "
        f"{platform.python_version()}, {platform.system()} {platform.release()}; load average {os.getloadavg()[0]:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
