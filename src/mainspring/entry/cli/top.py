"""`mainspring top`: every lane at a glance, and again every two seconds."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mainspring.orchestration.pipelines.operating import Figures, LaneFigures, read_figures

from .desk import Desk, with_desk
from .output import JsonFlag, screen, show_json, show_page

_QUIET = "No step waits or runs."
_ALWAYS = {"ready", "running", "done/min"}
_LANE = 32


def top(
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    every: Annotated[float, typer.Option(min=0.5, max=3600, help="Seconds between looks.")] = 2.0,
    json: JsonFlag = False,
) -> None:
    """Watch lanes: what waits and since when, what runs, how fast it goes, what is held and what was given up."""
    if json:
        show_json(with_desk(_read_json))
        return

    async def watch(desk: Desk) -> None:
        if once or not screen.is_terminal:
            show_page(draw(await read_figures(desk.database, desk.valkey)))
            return
        with Live(console=screen, screen=True, auto_refresh=False) as live:
            while True:
                live.update(draw(await read_figures(desk.database, desk.valkey)), refresh=True)
                await asyncio.sleep(every)

    with_desk(watch)


def draw(figures: Figures) -> Group:
    """The figures as a page: a line of totals, and a table of the lanes, the longest waiting first."""
    lanes = sorted(figures.lanes, key=lambda lane: (-(lane.oldest_seconds or 0.0), lane.lane))
    return Group(_totals(figures), _table(lanes) if lanes else Text(_QUIET, style="dim"))


def _totals(figures: Figures) -> Text:
    ready, running = sum(lane.ready for lane in figures.lanes), sum(lane.running for lane in figures.lanes)
    words = [f"{ready} ready", f"{running} running"]
    places = figures.places
    words.append(f"{places.taken} of {places.total} places taken of {_count(places.workers, 'worker')}")
    if figures.letters:
        words.append(_count(sum(figures.letters.values()), "dead letter"))
    words += [_count(count, kind) for kind, count in figures.holds.items() if count]
    if figures.bulk_actions:
        words.append(f"{_count(figures.bulk_actions, 'bulk action')} under way")
    if figures.schedule_late_seconds >= 5:
        words.append(f"schedules are {show_age(figures.schedule_late_seconds)} late")
    return Text(" · ".join(words), style="bold")


def _table(lanes: Sequence[LaneFigures]) -> Table:
    rows = [_row(lane) for lane in lanes]
    columns = [name for name in rows[0] if name in _ALWAYS or any(row[name] not in {"", "0"} for row in rows)]
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("lane", overflow="fold", min_width=min(_LANE, max(len(lane.lane) for lane in lanes)))
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for lane, row in zip(lanes, rows, strict=True):
        is_failing = lane.rates and lane.rates.failed_per_second > lane.rates.finished_per_second
        table.add_row(lane.lane, *(row[name] for name in columns), style="red" if is_failing else None)
    return table


def _row(lane: LaneFigures) -> dict[str, str]:
    rates = lane.rates
    return {
        "ready": str(lane.ready),
        "oldest": show_age(lane.oldest_seconds),
        "running": str(lane.running),
        "waiting": str(lane.suspended),
        "retrying": str(lane.retrying),
        "done/min": f"{rates.finished_per_second * 60:.0f}" if rates else "",
        "failed/min": f"{rates.failed_per_second * 60:.0f}" if rates else "",
        "takes": show_age(rates.mean_seconds) if rates else "",
        "held": "held" if lane.is_held else "",
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show_age(seconds: float | None) -> str:
    """A stretch of time in one unit: `30ms`, `1.2s`, `42s`, `7m`, `3h`, `2d`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86_400:.0f}d"


async def _read_json(desk: Desk) -> dict[str, object]:
    figures = await read_figures(desk.database, desk.valkey)
    return {
        "lanes": [asdict(lane) for lane in figures.lanes],
        "dead_letters": [{"pipeline": p, "step": s, "count": n} for (p, s), n in figures.letters.items()],
        "holds": figures.holds,
        "bulk_actions": figures.bulk_actions,
        "schedule_late_seconds": figures.schedule_late_seconds,
        "places": asdict(figures.places),
    }
