"""Children that end are started again, and whoever looks on hears which, and how."""

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from mainspring.entry.supervisor import Supervisor, stop_together
from mainspring.foundation.engines import ChildProcess, ChildSpec
from mainspring.foundation.errors import Unavailable


def make_child(folder: Path, code: str, name: str = "worker") -> ChildProcess:
    ready = folder / "never"
    spec = ChildSpec(name, (sys.executable, "-c", code), folder / f"{name}.log", is_ready=ready.exists)
    return ChildProcess(spec)


def watch_until(child: ChildProcess, is_enough: Callable[[list[tuple[float, str]]], bool]) -> list[tuple[float, str]]:
    """What was told, each with when, until it is enough or 20 s have gone."""
    supervisor, stop, told = Supervisor(), threading.Event(), list[tuple[float, str]]()

    def announce(line: str) -> None:
        told.append((time.monotonic(), line))
        if is_enough(told):
            stop.set()

    limit = threading.Timer(20, stop.set)
    limit.start()
    try:
        supervisor.launch([child])
        supervisor.watch(stop, announce)
    finally:
        limit.cancel()
        stop_together([child])
    return told


@pytest.mark.parametrize(
    ("ending", "how", "code"),
    [("raise SystemExit(3)", "exit 3", 3), ("import os; os.kill(os.getpid(), 9)", "signal 9", -9)],
)
def test_how_a_child_ended_is_told_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str, how: str, code: int
):
    child = make_child(tmp_path, ending)
    with caplog.at_level(logging.WARNING):
        told = watch_until(child, lambda told: len(told) == 1)
    assert re.match(re.escape(f"worker ended ({how}), started again; see {tmp_path}/worker.log"), told[0][1])
    facts, *_ = [vars(each)["facts"] for each in caplog.records if each.message == "child_restarted"]
    assert (facts["child"], facts["exit_code"]) == ("worker", code)


def test_a_child_that_ends_at_once_again_and_again_is_told_of_a_line_a_second_at_most(tmp_path: Path):
    child = make_child(tmp_path, "raise SystemExit(3)")
    told = watch_until(child, lambda told: "after" in told[-1][1])
    assert "(exit 3), started again after" in told[-1][1]  # the pause grew
    moments = [moment for moment, _ in told]
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(moments))


def test_a_start_that_fails_shows_what_it_said_and_nothing_of_earlier_ones(tmp_path: Path):
    (tmp_path / "worker.log").write_text('{"event":"an_earlier_start"}\n' * 8)
    child = make_child(tmp_path, "raise SystemExit('mainspring: The types changed. [pipeline_invalid]')")
    with pytest.raises(Unavailable) as refused:
        child.start()
    assert "The types changed." in refused.value.detail
    assert "an_earlier_start" not in refused.value.detail
