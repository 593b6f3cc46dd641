"""The generated reference is what the code says. When this fails: make reference."""

from pathlib import Path

import pytest

from tools.write_reference import FOLDER, pages


@pytest.mark.parametrize(("name", "content"), pages().items(), ids=pages())
def test_a_generated_page_is_current(name: str, content: str):
    assert (FOLDER / name).read_text() == content


def test_pages_hold_no_machine_paths():
    assert not any(str(Path.home()) in content for content in pages().values())
