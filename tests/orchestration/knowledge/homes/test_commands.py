"""The operator's commands, on engines of their own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mainspring.entry.cli.app import build_app


def test_a_tenant_is_moved_listed_and_moved_back_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MAINSPRING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> object:
        result = CliRunner().invoke(build_app(), [*words, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    tenant = run("tenant", "create", "acme")
    assert isinstance(tenant, dict)
    assert run("knowledge", "homes") == []
    moved = run("knowledge", "move", "acme", "--to", "schema")
    assert isinstance(moved, dict)
    assert moved["moved"] is True
    homes = run("knowledge", "homes")
    assert homes == [{"tenant": tenant["id"], "home": moved["home"], "moving_to": None}]
    again = run("knowledge", "move", "acme", "--to", "schema")
    assert again == {"tenant": "acme", "home": moved["home"], "moved": False}
    assert run("knowledge", "clean") == []
    run("knowledge", "move", "acme", "--to", "shared")
    assert run("knowledge", "homes") == []
    assert run("knowledge", "clean", "--hours", "0") == [{"tenant": tenant["id"], "removed_from": moved["home"]}]


@pytest.mark.parametrize("words", [("--to", "database"), ("--to", "schema", "--database", "eu"), ("--to", "moon")])
def test_a_target_that_is_none_is_refused(words: tuple[str, ...]):
    assert CliRunner().invoke(build_app(), ["knowledge", "move", "acme", *words]).exit_code == 2
