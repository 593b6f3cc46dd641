"""Everything that is measured, in one value, and the arithmetic of speed."""

import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.pipelines import percentile
from mainspring.entry.client import ContractText, Run

from .analysing import Again, Analysed, Failure
from .first_events import FirstEvent, Waits, summarise_waits
from .quality import Cited, FactScores, Scores, check_citations, score_clauses, score_contracts, score_facts

PAGE_CHARACTERS = 3_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the figures were taken on. `load` is the average of the last minute, at the start and at the end."""

    at: str
    cores: int
    python: str
    system: str
    load: tuple[float, float]


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds that a step took, and its share of the time of all steps."""

    step: str
    median: float
    p95: float
    share: float


@dataclass(frozen=True, slots=True)
class Speed:
    """seconds: from the first POST to the last run's end; the rest follows from it.

    pages       as the file has them; of files without pages, one for every 3,000 characters begun
    per_contract_p50, per_contract_p95   seconds from POST to the end of its stream
    """

    seconds: float
    pages: int
    clauses: int
    pages_per_second: float
    clauses_per_second: float
    per_contract_p50: float
    per_contract_p95: float
    steps: tuple[StepTime, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """Categories and facts against CUAD. `untouched`: contracts that no extraction rule was developed on."""

    contract: Scores | None
    clause: Scores | None
    contract_of_pdf: Scores | None
    facts: tuple[FactScores, ...]
    facts_untouched: tuple[FactScores, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole benchmark."""

    surroundings: Surroundings
    files: dict[str, int]
    failures: tuple[Failure, ...]
    speed: Speed | None
    quality: Quality
    cited: tuple[Cited, ...]
    sentences_dropped: int
    first_event_busy: Waits | None
    first_event_at_rest: Waits | None
    again: Again

    @property
    def is_sound(self) -> bool:
        """Whether nothing failed, every citation is valid, and a second upload started nothing."""
        again = self.again.duplicates == self.again.files and not self.again.runs_started
        return not self.failures and all(each.is_sound for each in self.cited) and again


def compose_figures(
    results: Sequence[Analysed | Failure], at_rest: Sequence[FirstEvent], again: Again, load_at_start: float
) -> Figures:
    """Work everything out from what was fetched."""
    analysed = [each for each in results if isinstance(each, Analysed)]
    followed = [each.followed for each in analysed]
    busy = [FirstEvent(each.first, each.first_at - each.asked_at, each.first_at - each.sent_at) for each in followed]
    return Figures(
        surroundings=_surroundings(load_at_start),
        files=count_by(each.sample.kind for each in analysed),
        failures=tuple(each for each in results if isinstance(each, Failure)),
        speed=measure_speed(analysed) if analysed else None,
        quality=_quality(analysed),
        cited=check_citations([(each.report, each.text) for each in analysed]),
        sentences_dropped=sum(each.report.summary.dropped for each in analysed),
        first_event_busy=summarise_waits(busy),
        first_event_at_rest=summarise_waits(at_rest),
        again=again,
    )


def _quality(analysed: Sequence[Analysed]) -> Quality:
    texts = [each for each in analysed if each.sample.kind == "txt"]
    return Quality(
        contract=score_contracts(texts),
        clause=score_clauses(texts),
        contract_of_pdf=score_contracts([each for each in analysed if each.sample.kind == "pdf"]),
        facts=score_facts(texts),
        facts_untouched=score_facts(each for each in texts if each.sample.is_untouched),
    )


def measure_speed(analysed: Sequence[Analysed]) -> Speed:
    """Speed over at least one contract."""
    began = min(each.followed.sent_at for each in analysed)
    seconds = max(each.followed.ended_at for each in analysed) - began
    pages = sum(count_pages(each.text) for each in analysed)
    clauses = sum(len(each.text.chunks) for each in analysed)
    each_took = sorted(each.followed.ended_at - each.followed.sent_at for each in analysed)
    return Speed(
        seconds=seconds,
        pages=pages,
        clauses=clauses,
        pages_per_second=pages / seconds,
        clauses_per_second=clauses / seconds,
        per_contract_p50=percentile(each_took, 0.5),
        per_contract_p95=percentile(each_took, 0.95),
        steps=time_steps(each.run for each in analysed),
    )


def time_steps(runs: Iterable[Run]) -> tuple[StepTime, ...]:
    """Each step over all runs, in the order of the pipeline."""
    seconds: dict[str, list[float]] = {}
    for run in runs:
        for step in run.steps:
            if step.started_at and step.finished_at:
                seconds.setdefault(step.name, []).append((step.finished_at - step.started_at).total_seconds())
    total = sum(map(sum, seconds.values())) or 1.0
    return tuple(
        StepTime(name, statistics.median(took), percentile(sorted(took), 0.95), sum(took) / total)
        for name, took in seconds.items()
    )


def count_pages(text: ContractText) -> int:
    """The pages of a PDF; else one for every 3,000 characters begun."""
    return len(text.pages) or math.ceil(len(text.text) / PAGE_CHARACTERS)


def count_by(kinds: Iterable[str]) -> dict[str, int]:
    """How many there are of each kind, in order of appearance."""
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _surroundings(load_at_start: float) -> Surroundings:
    return Surroundings(
        at=datetime.now(UTC).isoformat(timespec="minutes"),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        load=(round(load_at_start, 1), round(os.getloadavg()[0], 1)),
    )
