"""The composition root: what was opened is closed again, however far building came."""

import asyncio
from pathlib import Path

import pytest
from obstore.exceptions import BaseError

from mainspring.entry.wiring import build
from mainspring.foundation.settings import load_settings


async def test_a_platform_that_can_not_be_built_says_why_and_leaves_nothing_running(tmp_path: Path):
    settings = load_settings(
        data_dir=tmp_path,
        database_url="postgresql://nobody@127.0.0.1:1/nothing",
        valkey_url="redis://127.0.0.1:1/0",
        object_store_url="nowhere://at/all",
    )
    before = asyncio.all_tasks()
    with pytest.raises(BaseError, match="nowhere"):
        async with build(settings):
            pass
    assert asyncio.all_tasks() <= before  # of those from before, some may have ended
