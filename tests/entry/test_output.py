"""Tables at a terminal: ids in one piece at any width, and nothing lost."""

from datetime import UTC, datetime

import pytest

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
