"""The generated reference is what the code says. When this fails: make reference."""

from pathlib import Path

import pytest

from mainspring.application.identity import Permission
from mainspring.orchestration.pipelines import EventType
from tools.write_reference import FOLDER, pages


@pytest.mark.parametrize(("name", "content"), pages().items(), ids=pages())
def test_a_generated_page_is_current(name: str, content: str):
    assert (FOLDER / name).read_text() == content


def test_pages_hold_no_machine_paths():
    assert not any(str(Path.home()) in content for content in pages().values())


def test_every_event_of_a_run_and_every_topic_is_in_the_reference():
    shown = (FOLDER / "events.md").read_text()
    topics = {line.split('"')[1] for line in _lines_with_topics()}
    missing = [name for name in {*(kind.value for kind in EventType), *topics} if f"`{name}`" not in shown]
    assert len(topics) > 5
    assert missing == []


def test_every_permission_is_in_the_reference():
    shown = (FOLDER / "permissions.md").read_text()
    assert [permission for permission in Permission if f"`{permission.value}`" not in shown] == []


def _lines_with_topics() -> list[str]:
    sources = FOLDER.parents[1] / "src" / "mainspring"
    lines = [line for path in sources.rglob("events.py") for line in path.read_text().splitlines()]
    return [line for line in lines if "topic" in line.lower() and '"' in line and "ClassVar" in line]
