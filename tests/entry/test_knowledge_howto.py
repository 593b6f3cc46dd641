"""Every block of the how-to pages about knowledge is run as it stands, against a whole system.

A page becomes one script: its shell blocks as they are, its Python blocks as files that the script runs, all in the
order of the page and in a folder of its own. Only addresses, the tenant's name and the key are put in.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from mainspring.application.identity import Identity, operator
from mainspring.orchestration.knowledge import Connectors
from mainspring.orchestration.knowledge.errors import InvalidSource
from mainspring.orchestration.knowledge.sources import Content, EndOfListing, Item, Removed
from tests.stack import Person, RunningStack

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
PREFACE = 'export PATH="$TOOLS:$PATH"\n'


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """Where the block belongs, which its first line says of those that are no commands."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ") if re.fullmatch(r"# [\w/]+\.(py|toml)", first) else None


def blocks_of(page: str) -> list[Block]:
    found = re.findall(r"```(\w+)\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)
    return [Block(language, text) for language, text in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page is run, with the commands that it uses."""
    for name in ("curl", "jq"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed here")
    tools = tmp_path / "tools"
    tools.mkdir()
    starter = f"#!{sys.executable}\nfrom mainspring.entry.cli import main\nmain()\n"
    for name, text in (("mainspring", starter), ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    return tmp_path


def tenant_of(page: str) -> str:
    return f"docs-{page.split('.')[0]}"[:30].strip("-")


def person_for(page: str, stack: RunningStack) -> Person:
    """The owner of the tenant that stands for the page's `acme`."""
    return stack.person(tenant_of(page))


def key_for(page: str, stack: RunningStack, person: Person) -> str:
    """A key with those permissions that the page asks for before its first block, and no others."""
    asked = re.findall(r"`((?:knowledge|ai)\.[\w.]+)`", (HOWTO / page).read_text("utf-8").partition("```")[0])

    async def make(identity: Identity) -> str:
        return (await identity.keys.create(operator(person.tenant), name=page, scopes=frozenset(asked))).secret

    return stack.with_identity(make) if asked else person.key


def run_page(page: str, stack: RunningStack, folder: Path, person: Person | None = None) -> str:
    """What the page's commands print; fails with the first that fails."""
    person, tenant = person or person_for(page, stack), tenant_of(page)
    script: list[str] = [PREFACE]
    for number, block in enumerate(blocks_of(page)):
        text = block.text.replace("http://127.0.0.1:8710", stack.url).replace(" acme", f" {tenant}")
        if block.language == "bash":
            script.append(text)
        elif block.language == "python" and not block.file:
            (folder / f"block_{number}.py").write_text(text)
            script.append(f"python block_{number}.py\n")
    environment = {
        **os.environ,
        "TOOLS": str(folder / "tools"),
        "MAINSPRING_API_KEY": key_for(page, stack, person),
        "MAINSPRING_DATA_DIR": str(stack.settings.data_dir),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_searching_as_the_page_says(stack: RunningStack, folder: Path):
    said = run_page("search-your-documents.md", stack, folder)
    assert "indexed" in said
    assert "event: run.finished" in said
    assert "notice period of three months" in said
    assert "tr-114" in said
    assert "not_found" in said
    assert said.rstrip().endswith("no_documents")


def test_changing_how_documents_are_cut_as_the_page_says(stack: RunningStack, folder: Path):
    said = run_page("change-how-documents-are-cut.md", stack, folder).split()
    assert said.count("run.finished") == 2
    assert said[-2:] == ["1", "active"]


def test_moving_a_tenant_as_the_page_says(stack: RunningStack, folder: Path):
    person = person_for("isolate-a-tenant.md", stack)
    with stack.client(person) as client:
        client.knowledge.wait(client.knowledge.upload_bytes(b"The well is forty feet deep.", "well.txt"))
        said = run_page("isolate-a-tenant.md", stack, folder, person)
        assert said.count(": 1 documents, ") == 2
        assert "lives in the shared tables now" in said
        assert [each.document.name for each in client.knowledge.search("how deep is the well?").passages] == [
            "well.txt"
        ]


def test_adding_sources_as_the_page_says(stack: RunningStack, folder: Path):
    said = run_page("add-a-source.md", stack, folder)
    assert "team/onboarding.md" in said
    assert "event: run.finished" in said
    assert "lease.txt" in said
    assert "handbook url null" in said


def test_watching_quality_as_the_page_says(stack: RunningStack, folder: Path):
    said = run_page("watch-search-quality.md", stack, folder)
    assert "event: run.finished" in said
    assert "gold_" in said
    assert "When is the boiler serviced?" in said


@pytest.fixture
def tickets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """The page's connector, installed, and the file that it reads."""
    files = {block.file: block.text for block in blocks_of("add-a-source.md") if block.file}
    package = tomllib.loads(files["pyproject.toml"])["project"]
    (tmp_path / "acme_connectors").mkdir()
    (tmp_path / "acme_connectors" / "tickets.py").write_text(files["acme_connectors/tickets.py"])
    installed = tmp_path / "acme_connectors-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {package['name']}\nVersion: {package['version']}\n")
    ((group, points),) = package["entry-points"].items()
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (installed / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ACME_TICKETS", str(tmp_path / "tickets.db"))
    connection = sqlite3.connect(tmp_path / "tickets.db")
    connection.execute("create table ticket (id, queue, title, body, change, is_deleted)")
    return connection


async def test_the_connector_of_the_page_tells_what_changed(tickets: sqlite3.Connection):
    rows = [("T-1", "billing", "Refund", "Please pay back.", 1, 0), ("T-2", "sales", "Offer", "How much?", 2, 0)]
    tickets.executemany("insert into ticket values (?, ?, ?, ?, ?, ?)", rows)
    tickets.commit()
    connectors, options = Connectors(), {"queue": "billing"}
    assert "tickets" in connectors.names()
    connectors.check("tickets", options)
    with pytest.raises(InvalidSource, match="the name of a queue"):
        connectors.check("tickets", {"path": "/etc"})

    ticket, end = [told async for told in connectors.items("tickets", options, None, None)]
    assert isinstance(ticket, Item)
    assert await ticket.fetch(None) == Content(b"Refund\n\nPlease pay back.", version="1")
    assert isinstance(end, EndOfListing)

    tickets.execute("update ticket set is_deleted = 1, change = 3 where id = 'T-1'")
    tickets.commit()
    tickets.close()
    again = [told async for told in connectors.items("tickets", options, None, end.cursor)]
    assert again == [Removed("T-1"), EndOfListing(is_complete=False, cursor={"change": "3"})]
