"""What one run found, and whether it is what was promised."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .corpus import Corpus
from .growth import Growth
from .ingesting import Ingested
from .options import Option
from .rig import Rig
from .rows import TermPool
from .whole import EVEN, Whole
from .words import Words

GOAL_MILLISECONDS, GOAL_RECALL, GOAL_SHARE = 20.0, 0.97, 0.03

_SETTINGS = ("shared_buffers", "work_mem", "max_parallel_workers_per_gather", "random_page_cost", "fsync", "jit")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    part        chunks over which graphs of many tenants are built
    partitions  list partitions, to see what grows
    """

    chunks: int
    tenants: int
    tenants_each: int
    questions: int
    part: int
    partitions: int
    schemas: int
    documents: int

    def resized(self, chunks: int | None, tenants: int | None) -> "Size":
        """With another number of chunks or tenants."""
        return replace(self, chunks=chunks or self.chunks, tenants=tenants or self.tenants)


@dataclass(slots=True)
class Report:
    """Filled part by part; what was not asked for stays empty."""

    surroundings: str
    size: Size
    corpus: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    options: list[Option] = field(default_factory=list[Option])
    words: Words | None = None
    whole: Whole | None = None
    growth: list[Growth] = field(default_factory=list[Growth])
    ingested: list[Ingested] = field(default_factory=list[Ingested])
    load_after: float = field(default_factory=lambda: os.getloadavg()[0])

    def describe(self, rig: Rig, corpus: Corpus, pool: TermPool) -> None:
        """Note what was loaded, and how Postgres is set."""
        sizes = sorted(holding.chunks for holding in corpus.holdings)
        self.corpus = (
            f"{corpus.chunks:,} chunks of {len(sizes):,} tenants, the largest {sizes[-1]:,}, the median "
            f"{sizes[len(sizes) // 2]:,}; 384 numbers each, made from {corpus.real.origin}; "
            f"{pool.mean_terms:.0f} terms each"
        )
        self.settings = {name: str(rig.value(f"show {name}")) for name in _SETTINGS}
        self.settings = {**self.settings, "server_version": str(rig.value("show server_version"))}

    @property
    def is_sound(self) -> bool:
        """Whether comparing every vector found what comparing every vector finds."""
        return all(
            timing.recall is None or timing.recall > 0.999
            for option in self.options
            if option.name == "exact"
            for timing in option.timings.values()
        )


def judge(report: Report) -> tuple[str, ...]:
    """A sentence for every goal that was missed.

    Times are judged over tenants asked evenly; the tables say what tenants of each size wait, and that the largest wait
    longer. Where one paragraph in a hundred changed, far apart, many documents are read and published again: what is
    judged of it is what the model had to embed.
    """
    missed = [
        f"vector search, tenants of {name}: recall@10 {timing.recall:.3f}"
        for option in report.options
        if option.name == "promoted"
        for name, timing in option.timings.items()
        if timing.recall is not None and timing.recall < GOAL_RECALL
    ]
    if report.whole and (late := report.whole.overall[EVEN].p95) > GOAL_MILLISECONDS:
        missed.append(f"whole search, {EVEN}: p95 {late:.1f} ms")
    for each in report.ingested:
        shares = {
            "one in a hundred paragraphs changed: {:.1%} of the texts embedded again": each.paragraphs.texts
            / each.first.texts,
            "a paragraph in one of a hundred documents changed: {:.1%} of the texts embedded again": each.few.texts
            / each.first.texts,
            "a paragraph in one of a hundred documents changed: {:.1%} of the time": each.few.seconds
            / each.first.seconds,
        }
        missed += [f"{each.embedder}, {line.format(share)}" for line, share in shares.items() if share > GOAL_SHARE]
    return tuple(missed)
