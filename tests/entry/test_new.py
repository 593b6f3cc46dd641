"""`mainspring new`: what it writes works, is found when installed, and is never written over anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mainspring.entry.cli.new import write_product
from mainspring.foundation.errors import InvalidInput

_FIND = "from mainspring.orchestration.products import find_products; print([each.name for each in find_products()])"


def _run(*command: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(
        [sys.executable, "-m", *command], check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.mark.timeout(120)
def test_a_new_product_passes_its_own_tests_and_is_found_when_it_is_installed(tmp_path: Path):
    folder = tmp_path / "letter_writer"
    made = _run("mainspring.entry.cli", "new", "letter_writer", "--folder", str(folder), cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    tested = _run("pytest", "-q", "-p", "no:randomly", cwd=folder)
    assert tested.returncode == 0, tested.stdout
    unfinished = "tests/test_pipeline.py::test_the_same_request_twice_is_one_run"
    others = _run("pytest", "-q", "-p", "no:randomly", unfinished, "tests/test_agent.py", cwd=folder)
    assert others.returncode == 0, others.stdout  # nobody runs what a test before it left
    installing = ("pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", "there", ".")
    installed = _run(*installing, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    found = subprocess.run(
        [sys.executable, "-c", _FIND],
        check=False,
        env=os.environ | {"PYTHONPATH": str(folder / "there")},
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == "['contracts', 'letter_writer']", found.stderr


def test_a_new_product_is_linted_as_well_as_the_platform_is(tmp_path: Path):
    written = write_product("letter_writer", tmp_path / "here", "Letter writer")
    checked = _run(
        "ruff",
        "check",
        "--isolated",
        "--select",
        "E,F,W,B,UP",
        "--line-length",
        "120",
        *map(str, written),
        cwd=tmp_path,
    )
    assert checked.returncode == 0, checked.stdout


def test_nothing_is_written_over(tmp_path: Path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="is not empty"):
        write_product("letter_writer", tmp_path, "Letters")
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize("name", ["", "Letters", "1st", "class", "mainspring", "../up", "with space"])
def test_a_name_that_is_no_packages_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InvalidInput, match="cannot be a product's name"):
        write_product(name, tmp_path / "new", "Letters")
    assert not (tmp_path / "new").exists()


def test_a_title_cannot_break_out_of_the_files_it_is_written_to(tmp_path: Path):
    with pytest.raises(InvalidInput, match="The title"):
        write_product("letters", tmp_path / "new", 'x"; import os; "')
