"""Tables at a terminal: ids in one piece at any width, and nothing lost."""

from datetime import UTC, datetime

import pytest
from rich.table import Table

from mainspring.entry.cli import output
from mainspring.foundation.ids import new_id, show_id

RUN = show_id("run", new_id())
ROWS = [
    {
        "id": RUN,
        "tenant": "northwind",
        "pipeline": "contracts.analyze@2",
        "status": "failed",
        "error": "cost_ceiling_reached",
        "subject": None,
        "created": f"{datetime.now(UTC):%Y}-03-01 10:00:00",
    }
]


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(output.Console, "is_terminal", True)
    return monkeypatch


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_row_is_whole_at_any_width(wide: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int):
    wide.setattr(output, "screen", output.Console(width=width, highlight=False, no_color=True))
    output.show_table("Runs", ROWS, empty="None.")
    said = capsys.readouterr().out
    assert RUN in said
    assert "subject" not in said
    assert "03-01 10:00:00" in said
    assert all(word in said for word in ("northwind", "failed"))


def test_in_a_pipe_a_row_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(output, "screen", output.Console(width=80, highlight=False))
    output.show_table("Runs", ROWS, empty="None.")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if RUN in line]
    assert all(word in line for word in ("northwind", "contracts.analyze@2", "failed", "cost_ceiling_reached"))


def test_in_a_pipe_a_page_has_room_for_all_of_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(output, "screen", output.Console(width=80, highlight=False))
    table = Table(box=None)
    for number in range(12):
        table.add_column(f"column{number:02}", no_wrap=True)
    table.add_row(*(f"value-{number:04}" for number in range(12)))
    output.show_page(table)
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == [f"column{number:02}" for number in range(12)]
    assert line.split() == [f"value-{number:04}" for number in range(12)]


def test_in_a_pipe_no_column_of_a_wide_table_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    said = "The provider did not answer within 30 s.\nIt was asked three times; look at its status page. " + "x" * 200
    rows = [{"group": RUN, "tenant": "northwind", "step": "extract", "error": said, "count": count} for count in (7, 8)]
    monkeypatch.setattr(output, "screen", output.Console(width=80, highlight=False))
    output.show_table("Dead letters by cause", rows, empty="None.")
    title, _, head, _, *lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert title == "Dead letters by cause"
    assert head.split() == ["group", "tenant", "step", "error", "count"]
    whole = " ".join(said.splitlines())
    wanted = ["   ".join((RUN, "northwind", "extract", whole, str(count))) for count in (7, 8)]
    assert [line for line in lines if line] == wanted
