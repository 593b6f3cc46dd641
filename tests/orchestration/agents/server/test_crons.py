"""Runs that start by themselves, through LangGraph's client."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph_sdk.errors import NotFoundError, UnprocessableEntityError

from .conftest import Client
from .serve import Served


async def make_due(served: Served, cron: str) -> None:
    """Have the cron's time come."""
    async with served.house.database.system() as transaction:
        row = await transaction.one("select tenant_id from agent_cron where id = %(id)s", id=cron)
    async with served.house.database.tenant(row["tenant_id"]) as transaction:
        await transaction.run("update agent_cron set next_at = now() - interval '1 minute' where id = %(id)s", id=cron)


async def test_a_cron_is_made_found_changed_and_deleted(client: Client):
    cron: Any = await client.crons.create(
        "factory_agent", schedule="30 7 * * MON-FRI", timezone="Europe/Berlin", input={"text": "a"}, metadata={"k": 1}
    )
    identifier = cron["cron_id"]
    assert cron["payload"]["input"] == {"text": "a"}
    assert datetime.fromisoformat(cron["next_run_date"]) > datetime.now(UTC)
    assert [each["cron_id"] for each in await client.crons.search(metadata={"k": 1})] == [identifier]
    assert await client.crons.count(assistant_id="factory_agent") == 1
    stopped = await client.crons.update(identifier, enabled=False, input={"text": "b"})
    assert (stopped["enabled"], stopped["next_run_date"], stopped["payload"]["input"]) == (False, None, {"text": "b"})
    assert await client.crons.search(enabled=True) == []
    await client.crons.delete(identifier)
    with pytest.raises(NotFoundError):
        await client.crons.delete(identifier)


async def test_a_cron_fires_once_for_each_time_that_comes(served: Served, client: Client):
    thread = (await client.threads.create())["thread_id"]
    cron: Any = await client.crons.create_for_thread(thread, "factory_agent", schedule="0 0 1 1 *", input={"text": "a"})
    await make_due(served, cron["cron_id"])
    await asyncio.gather(*(served.server.fire_crons() for _ in range(4)))
    (run,) = await client.runs.list(thread)
    assert run["metadata"]["cron_id"] == cron["cron_id"]
    assert (await client.runs.join(thread, run["run_id"]))["text"] == "a echoed"
    (found,) = await client.crons.search(thread_id=thread)
    assert datetime.fromisoformat(str(found["next_run_date"])) > datetime.now(UTC)
    assert await served.server.fire_crons() == 0
    assert len(await client.runs.list(thread)) == 1


async def test_a_cron_past_its_end_comes_no_more(served: Served, client: Client):
    end = datetime.now(UTC) - timedelta(hours=1)
    cron: Any = await client.crons.create("factory_agent", schedule="* * * * *", end_time=end)
    assert cron["next_run_date"] is None
    again = await client.crons.update(cron["cron_id"], end_time=None)
    assert again["next_run_date"] is not None


async def test_a_schedule_that_cannot_be_read_is_refused(client: Client):
    for schedule in ("every day", "61 * * * *"):
        with pytest.raises(UnprocessableEntityError, match="schedule"):
            await client.crons.create("factory_agent", schedule=schedule)
    with pytest.raises(UnprocessableEntityError, match="time zone"):
        await client.crons.create("factory_agent", schedule="* * * * *", timezone="Mars/Olympus")


async def test_another_tenants_cron_is_not_there(client: Client, stranger: Client):
    cron: Any = await client.crons.create("factory_agent", schedule="0 0 1 1 *")
    assert await stranger.crons.search() == []
    with pytest.raises(NotFoundError):
        await stranger.crons.update(cron["cron_id"], enabled=False)
    with pytest.raises(NotFoundError):
        await stranger.crons.delete(cron["cron_id"])
