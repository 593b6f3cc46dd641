"""What a watcher is promised: the whole story once, in order, from any point, until the end."""

import asyncio
from typing import Any

import pytest

from mainspring.foundation.errors import BadRequest, NotFound
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines import EventType, LiveEvents, RunEvent, RunStatus
from mainspring.orchestration.pipelines.outcomes import Lease
from mainspring.orchestration.pipelines.publisher import MessageBuffer, publish_now
from mainspring.orchestration.pipelines.story import Milestone
from mainspring.orchestration.pipelines.stream import Stream, Tail, Verdict, stream_keys
from mainspring.orchestration.pipelines.types import RunId

from .conftest import Engine
from .scenes import Client, Number, spoken, talkative


async def watch(live: LiveEvents, tenant: TenantId, run: RunId, after: str | None = None) -> Client:
    """A client's view of the run, once the stream has ended."""
    client = Client()
    async with asyncio.timeout(20):
        async for event in live.iter_events(tenant, run, after):
            client.take(event)
    return client


STORY = {
    EventType.RUN_STARTED: 1,
    EventType.STEP_STARTED: 3,
    EventType.FINDING_ADDED: 2,
    EventType.STEP_FINISHED: 3,
    EventType.RUN_FINISHED: 1,
}


def assert_whole(client: Client, words: int = 12) -> None:
    """The client holds every milestone once and every word once."""
    told = [kind for _, kind in client.milestones if kind is not EventType.SNAPSHOT]
    assert {kind: told.count(kind) for kind in told} == STORY
    assert client.texts == {name: spoken(name, words) for name in ("left_text", "right_text")}
    assert client.has_ended


async def test_a_watcher_from_the_start_sees_everything_once(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = talkative()
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    watching = asyncio.create_task(watch(live, tenant, run.id))
    async with engine.worker(pipeline):
        client = await watching
    assert_whole(client)
    opening = next(event for event in client.events if event.type is EventType.RUN_STARTED)
    assert opening.facts["steps"] == [
        {"name": "left", "title": "Left"},
        {"name": "right", "title": "Right"},
        {"name": "join", "title": "Join"},
    ]
    ends = [event for event in client.events if event.type is EventType.STEP_FINISHED]
    assert ends[-1].facts == {"step": "join", "text": "All said"}


async def test_one_who_waits_before_any_worker_is_greeted_at_once(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    async with live.follow(tenant, run.id) as following:
        first = await following.batch(1)
    assert [event.type for event in first] == [EventType.SNAPSHOT]
    assert str(first[0].id) == "0-0"


async def test_a_watcher_resuming_from_every_id_sees_the_rest_once(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = talkative(words=6)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        whole = await watch(live, tenant, run.id)
    again = await watch(live, tenant, run.id)
    story = [event for event in whole.events if event.type is not EventType.SNAPSHOT]
    assert again.events == story
    for nth, event in enumerate(story[:-1]):
        rest = await watch_from(live, tenant, run.id, story[: nth + 1], event)
        assert rest.events == story
        assert rest.texts == whole.texts


async def watch_from(live: LiveEvents, tenant: TenantId, run: RunId, seen: list[RunEvent], last: RunEvent) -> Client:
    """A client that has seen some events, and reconnects with the last one's id."""
    client = Client()
    for event in seen:
        client.take(event)
    async for event in live.iter_events(tenant, run, str(last.id)):
        client.take(event)
    return client


async def test_watchers_that_reconnect_all_the_time_miss_and_repeat_nothing(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = talkative(words=30)

    async def restless(run: RunId, patience: int) -> Client:
        client = Client()
        async with asyncio.timeout(20):
            while not client.has_ended:
                after = str(client.events[-1].id) if client.events else None
                async with live.follow(tenant, run, after) as following:
                    for _ in range(patience):
                        for event in await following.batch(0.2):
                            client.take(event)
        return client

    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    watching = [asyncio.create_task(restless(run.id, patience)) for patience in (1, 1, 2, 3, 5)]
    async with engine.worker(pipeline):
        clients = await asyncio.gather(*watching)
    for client in clients:
        assert_whole(client, words=30)


async def test_the_story_survives_a_wiped_valkey(engine: Engine, live: LiveEvents, tenant: TenantId) -> None:
    pipeline = talkative(words=40)
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    watching = asyncio.create_task(watch(live, tenant, run.id))
    async with engine.worker(pipeline):
        for _ in range(3):
            await asyncio.sleep(0.12)
            await engine.valkey.delete(*stream_keys(tenant, run.id))
        late = asyncio.create_task(watch(live, tenant, run.id))
        clients = await asyncio.gather(watching, late)
    for client in clients:
        assert_whole(client, words=40)


async def test_one_who_joins_after_the_end_and_the_expiry_gets_the_milestones(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = talkative(words=2)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        whole = await watch(live, tenant, run.id)
    await engine.valkey.delete(*stream_keys(tenant, run.id))
    late = await watch(live, tenant, run.id)
    assert late.milestones == [each for each in whole.milestones if each[1] is not EventType.SNAPSHOT]
    assert late.has_ended
    assert await live.is_over(tenant, run.id, str(late.events[-1].id))
    assert not await live.is_over(tenant, run.id, None)


async def test_the_last_words_of_a_run_are_waited_for_when_its_end_is_known_already(
    engine: Engine, live: LiveEvents, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = talkative(words=2)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        last = (await watch(live, tenant, run.id)).events[-1]
    await engine.valkey.delete(*stream_keys(tenant, run.id))
    stream, has_looked = Stream(engine.valkey), asyncio.Event()
    speaker = MessageBuffer(Lease(tenant, run.id, "join", "", new_id(), 1), "late_text", last.id.milestone - 1)
    speaker.is_floor_known = True

    async def say(words: str) -> None:
        speaker.pending = words
        assert await stream.append([speaker.entry(last.at)]) == [Verdict.TAKEN]
        speaker.sent += words

    async def look(self: Stream, *asked: Any, **more: Any) -> Tail | None:
        try:
            return await read(self, *asked, **more)
        finally:
            has_looked.set()

    read = Stream.read
    monkeypatch.setattr(Stream, "read", look)
    await say("one ")
    watching = asyncio.create_task(watch(live, tenant, run.id))
    await has_looked.wait()
    await say("two ")
    end = Milestone(tenant, run.id, last.id.milestone, last.type, last.at, last.facts)
    await publish_now(engine.valkey, [end])
    client = await watching
    assert client.texts["late_text"] == "one two "
    assert client.has_ended


async def test_streams_expire_and_leave_no_other_keys(
    engine: Engine, live: LiveEvents, tenant: TenantId, valkey: Valkey
) -> None:
    pipeline = talkative(words=2)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await watch(live, tenant, run.id)
    keys = {key.decode() async for key in valkey.scan_iter(match=f"*{tenant}*", count=10_000)}
    assert keys == set(stream_keys(tenant, run.id))
    for key in keys:
        assert 0 < await valkey.ttl(key) <= 3600


async def test_unknown_and_foreign_runs_are_told_alike(
    engine: Engine, live: LiveEvents, tenant: TenantId, other_tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    for owner, wanted in ((other_tenant, run.id), (tenant, RunId(new_id()))):
        with pytest.raises(NotFound, match=r"There is no run_\.\.\. with the id 'run_"):
            await watch(live, owner, wanted)


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1-2", "1-2-3", "١-٢", "9" * 40 + "-1"])
async def test_an_id_that_is_none_is_refused(engine: Engine, live: LiveEvents, tenant: TenantId, after: str) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    with pytest.raises(BadRequest, match="not the id of an event"):
        await watch(live, tenant, run.id, after)


async def test_an_id_from_the_future_gets_the_story_from_the_start(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = talkative(words=2)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await engine.finished(tenant, run.id)
    client = await watch(live, tenant, run.id, "999-1")
    assert client.events[0].type is EventType.RUN_STARTED
    assert client.has_ended
    assert client.events[-1].facts["status"] == RunStatus.SUCCEEDED
