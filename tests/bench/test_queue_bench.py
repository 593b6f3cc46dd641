"""The comparison of queues: its marks, its table, and ours played through once, small."""

from pathlib import Path

import pytest

from bench.queue.__main__ import main
from bench.queue.libraries import make
from bench.queue.marks import Marks, mark
from bench.queue.play import Figures, Plan, Player
from bench.queue.table import show
from bench.queue.types import Place
from mainspring.foundation.engines import EngineUrls


async def test_marks_are_read_as_they_are_written_and_ends_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "marks"
    marks = Marks(path)
    assert not await marks.wait(1, seconds=0)
    mark(path, "S", 7)
    mark(path, "E", 7)
    assert await marks.wait(1, ended=1, seconds=0)
    mark(path, "E", 7)
    with path.open("ab") as file:
        file.write(b"S 8")
    marks.read()
    assert (marks.ends[7], 8 in marks.started) == (2, False), "half a line is not yet a mark"


def test_the_table_shows_what_was_measured_and_a_dash_for_what_was_not() -> None:
    figures = {
        "ours": Figures(1.9, 3.2, 12_345, 14_321, {2_000: 4.0, 100_000: 5.5}, 0, 1, 0, 5.2),
        "celery": Figures(0.9, 1.1, 2_000, None, {2_000: 6_200.0}, 28, 0, None, 30.0),
    }
    ours, celery = show(figures).splitlines()[1:3]
    assert ours.split() == ["mainspring", "1.90", "3.20", "12,345", "14,321", "4", "/", "5.50", "0", "1", "0", "5.20"]
    assert celery.split()[-5:] == ["6,200", "28", "0", "-", "30"]


def test_a_library_that_is_unknown_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="streaq"):
        make("sidekiq", Place("none", "", "", str(tmp_path)))


async def test_ours_is_played_through_and_loses_nothing_when_its_worker_is_killed(
    engines: EngineUrls, tmp_path: Path
) -> None:
    plan = Plan(
        engines.database_url,
        engines.valkey_url,
        str(tmp_path),
        idle_jobs=5,
        burst_share=0.01,
        backlogs=(100,),
        killed_jobs=30,
    )
    figures = await Player("ours", plan).play()
    assert (figures.lost, figures.done_twice) == (0, 0)
    assert figures.start_p50_ms is not None
    assert figures.jobs_per_second
    assert figures.waits[100] < 2_000


def test_the_command_refuses_a_library_it_does_not_know() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--only", "sidekiq"])
    assert refused.value.code == 2
