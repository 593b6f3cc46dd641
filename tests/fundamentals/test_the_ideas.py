"""The ideas of Mainspring, one a test, in the order a newcomer meets them. Everything here is the real thing."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway import CallContext
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, SwitchBoard, scripted_gateway
from mainspring.inference.messages import InferenceRequest, user
from mainspring.orchestration.knowledge import (
    Documents,
    Homes,
    NewDocument,
    Reader,
    Search,
    chunk_by_clause,
    parse,
)
from mainspring.orchestration.knowledge.retrieval import Question, Reason
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Pipelines, RunId, StepRun, Worker
from tests.orchestration.knowledge.workshop import CountingCaches, open_workshop

COMMITTING = SwitchBoard(TenantPolicy(durability="committed"))


@dataclass(frozen=True, slots=True)
class Order:
    amount: int


@dataclass(frozen=True, slots=True)
class Checked:
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    text: str


def bakery() -> Pipeline:
    """A pipeline is a name, a version, and plain functions from one frozen value to another."""
    pipeline = Pipeline("fundamentals.bakery", version=1)

    @pipeline.step("check", title="Check the order")
    async def check(order: Order, run: StepRun) -> Checked:
        await run.say(f"{order.amount} loaves can be baked")
        return Checked(order.amount)

    @pipeline.step("bake", title="Bake", after=("check",))
    async def bake(checked: Checked, run: StepRun) -> Receipt:
        for loaf in range(checked.amount):
            await run.delta("song", f"loaf {loaf + 1}, ")
        return Receipt(f"{checked.amount} loaves")

    return pipeline


async def test_work_is_submitted_at_once_and_done_by_a_worker(database: Database, valkey: Valkey, tenant: TenantId):
    """Submitting answers with a run, durable already; a worker claims its steps; the run ends with an output."""
    pipeline, pipelines = bakery(), Pipelines(database, valkey)
    run = await pipelines.submit(tenant, pipeline, Order(3), idempotency_key="order-1")
    assert (await pipelines.submit(tenant, pipeline, Order(3), idempotency_key="order-1")).id == run.id
    events = await work_until_told(database, valkey, pipeline, tenant, run.id)
    assert events[-1] == "run.finished"
    assert (await pipelines.get_output(tenant, run.id, "bake", Receipt)).text == "3 loaves"


async def test_a_runs_story_can_be_told_again_from_any_place(database: Database, valkey: Valkey, tenant: TenantId):
    """Every event has an id; who holds one hears what came after it, also long after the end."""
    pipeline, live = bakery(), LiveEvents(database, valkey)
    run = await Pipelines(database, valkey).submit(tenant, pipeline, Order(1))
    await work_until_told(database, valkey, pipeline, tenant, run.id)
    story = [event async for event in live.iter_events(tenant, run.id)]
    checked = next(event for event in story if event.type == "step.finished")
    rest = [event.type async for event in live.iter_events(tenant, run.id, str(checked.id))]
    await live.close()
    told = [event for event in rest if event != "step.progress"]  # may still come for the step that has ended
    assert told[0] == "step.started"
    assert told[-1] == "run.finished"


async def test_what_another_tenant_owns_does_not_exist(
    database: Database, valkey: Valkey, tenant: TenantId, other_tenant: TenantId
):
    """The database itself refuses: a transaction is opened for one tenant and sees nothing else."""
    pipelines = Pipelines(database, valkey)
    run = await pipelines.submit(tenant, bakery(), Order(1))
    with pytest.raises(NotFound):
        await pipelines.get_run(other_tenant, run.id)


async def test_a_document_becomes_clauses_that_know_their_place(
    database: Database, objects: ObjectStore, tenant: TenantId
):
    """Bytes are stored once, parsed in a process of their own, and cut by clause; offsets point into the text."""
    documents = Documents(Homes(database), objects, CountingCaches())
    text = b"1. Term\nThis Agreement lasts one year.\n\n2. Law\nThe laws of Delaware govern it.\n"
    agreement = NewDocument("uploads", None, "agreement.txt", text)
    stored = (await documents.put(tenant, agreement)).document
    assert (await documents.put(tenant, agreement)).document.id == stored.id
    document = await documents.parse(tenant, stored.id)
    for chunk in chunk_by_clause(document):
        assert document.text[chunk.start : chunk.end] == chunk.text
    assert parse(text, filename="agreement.txt").text == document.text


async def test_a_question_finds_passages_that_open_at_their_place(
    database: Database, objects: ObjectStore, tenant: TenantId
):
    """A document is found once it is published whole; a citation quotes it letter for letter; nothing is an answer."""
    workshop = open_workshop(database, objects, tenant)  # its vectors are made of words, without a model
    lease = await workshop.put(
        "lease", "1. Rent\nThe rent is due in May.\n\n2. Keys\nThe keys are handed over in June.\n"
    )
    search = Search(workshop.homes, workshop.setups, workshop.embedder)
    assert (await search.search(workshop.platform, Question("when is the rent due?"))).passages == ()

    await workshop.ingest(lease)
    (passage,) = (await search.search(workshop.platform, Question("when is the rent due?"))).passages
    text = (await workshop.documents.get_parsed(workshop.platform, lease.id)).text
    assert "due in May" in passage.citation.quote
    assert text[passage.citation.start : passage.citation.end] == passage.citation.quote

    silence = await search.search(workshop.platform, Question("volcanoes"))
    assert (silence.passages, silence.reason) == ((), Reason.NOTHING_RELEVANT)


async def test_a_search_sees_its_own_tenant_and_what_is_open_to_its_caller(
    database: Database, objects: ObjectStore, tenant: TenantId, other_tenant: TenantId
):
    """Tenants are kept apart by the database, people by the query; for either, what is closed does not exist."""
    ours, theirs = open_workshop(database, objects, tenant), open_workshop(database, objects, other_tenant)
    plan = await ours.bring_in("plan", "The merger is signed in March.")
    await ours.documents.set_readers(tenant, plan.id, ["team:board"])
    await theirs.bring_in("plan", "The picnic is held in August.")
    search, question = Search(ours.homes, ours.setups, ours.embedder), Question("when is the merger signed?")

    async def found(tenant: TenantId, subject: str) -> list[str]:
        answer = await search.search(Reader(tenant, frozenset({subject})), question)
        return [passage.text for passage in answer.passages]

    assert await found(tenant, "team:board") == ["The merger is signed in March."]
    assert await found(tenant, "team:sales") == []
    assert "merger" not in str(await found(other_tenant, "team:board"))


async def test_every_model_call_goes_through_one_door_and_leaves_a_record(
    database: Database, tenant: TenantId, tmp_path: Path
):
    """The gateway takes messages in a normal form; before the reply is released its record is durable."""
    async with ScriptedProvider([ScriptedReply("Good morning.")]) as provider:
        gateway = await scripted_gateway(provider, database, tmp_path, switch=COMMITTING)
        request = InferenceRequest((user("Say good morning."),))
        reply = await gateway.complete(request, context=CallContext(tenant, feature="fundamentals"))
        await gateway.close()
    assert reply.text == "Good morning."
    async with database.tenant(tenant) as transaction:
        record = await transaction.one("select feature, status from inference_record")
    assert record == {"feature": "fundamentals", "status": "ok"}


async def work_until_told(
    database: Database, valkey: Valkey, pipeline: Pipeline, tenant: TenantId, run: RunId
) -> list[str]:
    """Run a worker until the run's story has ended; the types of its events."""
    live, stop = LiveEvents(database, valkey), asyncio.Event()
    worker = asyncio.create_task(Worker(database, valkey, pipelines=[pipeline]).run(stop))
    told = [event.type async for event in live.iter_events(tenant, run)]
    stop.set()
    await worker
    await live.close()
    return [str(kind) for kind in told]
