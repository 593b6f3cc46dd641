"""Tasks are ended for certain, whatever becomes of one cancellation."""

import asyncio

import pytest

from mainspring.foundation.changes import listen
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.valkey import open_valkey
from tests.moments import until_it_waits_in

pytestmark = pytest.mark.timeout(20)


async def test_a_task_that_loses_two_cancellations_is_cancelled_again():
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await stop_all([task], patience=0.01)
    assert task.cancelled()
    assert lost == 2


async def test_tasks_that_have_ended_are_left_as_they_are():
    async def fail() -> None:
        raise ValueError("mine")

    failed = asyncio.create_task(fail())
    await asyncio.wait([failed])
    await stop_all([failed])
    await stop_all([])
    assert isinstance(failed.exception(), ValueError)


async def test_a_listener_that_is_sending_its_first_command_can_be_stopped(engines: EngineUrls):
    """redis-py sends through `asyncio.wait_for`, which drops a cancellation that comes just as it is done."""
    valkey = open_valkey(engines.valkey_url)
    listening = asyncio.create_task(listen(valkey, lambda tenant: None))
    await until_it_waits_in(listening, "wait_for")
    await stop_all([listening])
    assert listening.cancelled()
    await valkey.aclose()
