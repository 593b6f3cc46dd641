"""The table of the comparison."""

from collections.abc import Mapping

from .libraries import SHOWN
from .play import Figures

_HEAD = (
    "",
    "start p50 ms",
    "p99 ms",
    "no-op jobs/s",
    "steps/s x10",
    "B waits ms",
    "lost",
    "body twice",
    "done twice",
    "whole after s",
)


def show(figures: Mapping[str, Figures]) -> str:
    """One line for each library, and what the columns mean."""
    rows = [_HEAD, *(_row(name, each) for name, each in figures.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join([*lines, "", *_LEGEND])


def _row(name: str, each: Figures) -> tuple[str, ...]:
    waits = " / ".join(_number(wait) for wait in each.waits.values()) or "-"
    return (
        SHOWN.get(name, name),
        _number(each.start_p50_ms),
        _number(each.start_p99_ms),
        _number(each.jobs_per_second),
        _number(each.wide_steps_per_second),
        waits,
        _number(each.lost),
        _number(each.ended_twice),
        _number(each.done_twice),
        _number(each.recovered),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"
    )


_LEGEND = (
    "start        from the call that enqueues to the first line of the body, the queue being idle",
    "no-op jobs/s one worker process, until all are recorded as done, stored before it starts; what is then on disk:",
    "             ours: input, output, attempts, a story of four events, an outbox event, all isolated by tenant;",
    "             pgqueuer: a log of each job's states, by batches; procrastinate: the job and its events; celery,",
    "             streaq, taskiq: nothing, as their jobs are in Valkey, which keeps nothing on disk here",
    "steps/s x10  no-op steps in runs of ten steps each, stored likewise; a row, an output and two events for each",
    "B waits      behind tenant A's queued jobs of 50 ms, 16 at once: 2,000, ours 100,000 too (300 if short)",
    "lost ...     the worker is killed amid jobs of 50 to 100 ms and another started, with leases of 5 s: jobs not run",
    "             to their end in 30 s, bodies that ran to their end twice, jobs recorded as done twice (- keeps none)",
)
