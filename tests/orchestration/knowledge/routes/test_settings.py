"""Settings, index versions and the status of a tenant's knowledge over HTTP."""

import asyncio
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from mainspring.application.identity import Role
from mainspring.application.identity.testing import Person, make_member
from mainspring.foundation.ids import read_id
from mainspring.orchestration.knowledge import chunking
from mainspring.orchestration.knowledge.schemas import settings as shapes
from mainspring.orchestration.knowledge.setup import RetrievalSetup, RetrievalWeights, Setup
from mainspring.orchestration.knowledge.testing import make_pdf
from mainspring.orchestration.pipelines import EventType, LiveEvents, RunId

from .conftest import Office

TEXT = "# Notice\n\n" + "Either party may give notice. " * 40 + "\n\n# Law\n\n" + "Delaware law governs it. " * 40
SMALL = {"chunking": {"article": {"chunker": "section", "max_chars": 300, "min_chars": 100}}}


@pytest.mark.parametrize(
    ("shape", "struct"),
    [
        (shapes.SetupShape, Setup),
        (shapes.RetrievalShape, RetrievalSetup),
        (shapes.WeightsShape, RetrievalWeights),
        (shapes.ClauseChunkingShape, chunking.ClauseChunking),
        (shapes.MessageChunkingShape, chunking.MessageChunking),
        (shapes.SectionChunkingShape, chunking.SectionChunking),
        (shapes.RowChunkingShape, chunking.RowChunking),
        (shapes.FixedChunkingShape, chunking.FixedChunking),
    ],
)
def test_the_wire_shows_every_field_of_the_settings(shape: type[BaseModel], struct: type[msgspec.Struct]):
    fields = {field.name for field in msgspec.structs.fields(struct)}
    assert set(shape.model_fields) - {"chunker"} == fields


async def save(office: Office, who: Person, value: dict[str, Any], base_version: int = 0) -> dict[str, Any]:
    async with office.browse(who) as client:
        answer = await client.put("/settings", json={"value": value, "base_version": base_version, "note": "try"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_settings_start_as_defaults_and_are_saved_in_versions(office: Office, admin: Person, viewer: Person):
    async with office.browse(viewer) as client:
        before = (await client.get("/settings")).json()
    assert (before["version"], before["created_at"], before["needs_rebuild"]) == (0, None, False)
    saved = await save(office, admin, {**before["value"], "reindex_chunks_per_minute": 60})
    again = await save(office, admin, saved["value"], base_version=1)
    assert (saved["version"], saved["note"], again["version"]) == (1, "try", 1)
    async with office.browse(admin) as client:
        stale = await client.put("/settings", json={"value": {}, "base_version": 0})
        page = (await client.get("/settings/versions?limit=1")).json()
        rest = (await client.get(f"/settings/versions?limit=1&cursor={page['next_cursor']}")).json()
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_knowledge_setup")
    assert [each["version"] for each in page["items"] + rest["items"]] == [1, 0]
    assert rest["next_cursor"] is None


async def test_every_wrong_field_is_named_at_once(office: Office, admin: Person):
    value = {"chunking": {"article": {"chunker": "section", "max_chars": 5}}, "retrieval": {"limit": 0}, "colour": 1}
    async with office.browse(admin) as client:
        answer = await client.put("/settings", json={"value": value, "base_version": 0})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_knowledge_setup")
    named = " ".join(each["field"] for each in answer.json()["errors"])
    assert "chunking.article" in named
    assert "retrieval.limit" in named
    assert "colour" in answer.json()["detail"]


async def test_a_preview_cuts_by_settings_that_are_not_saved(office: Office, admin: Person, analyst: Person):
    found = await office.index(analyst, "a.md", TEXT)
    async with office.browse(admin) as client:
        present = (await client.post("/settings:preview", json={"document": found["id"]})).json()
        smaller = (await client.post("/settings:preview", json={"document": found["id"], "value": SMALL})).json()
        fixed = await client.post("/settings:preview", json={"document": found["id"], "document_type": "text"})
        wrong = await client.post("/settings:preview", json={"document": found["id"], "value": {"x": 1}})
        indexed = (await client.get(f"/documents/{found['id']}/chunks")).json()["items"]
        settings = (await client.get("/settings")).json()
    assert [chunk["text"] for chunk in present["chunks"]] == [chunk["text"] for chunk in indexed]
    assert smaller["total"] == len(smaller["chunks"]) > present["total"]
    assert all(len(chunk["text"]) <= 300 for chunk in smaller["chunks"])
    assert (fixed.json()["document_type"], wrong.status_code, settings["version"]) == ("text", 422, 0)


async def test_a_preview_is_for_readers_of_the_document(office: Office, admin: Person, analyst: Person):
    found = await office.index(analyst, "a.md", TEXT, readers=["role:analyst"])
    async with office.browse(admin) as client:
        answer = await client.post("/settings:preview", json={"document": found["id"]})
    assert answer.status_code == 404


async def test_a_new_index_is_built_compared_switched_to_and_undone(office: Office, admin: Person, analyst: Person):
    found = await office.index(analyst, "a.md", TEXT)
    saved = await save(office, admin, SMALL)
    assert saved["needs_rebuild"]
    async with office.browse(admin) as client:
        (first,) = (await client.get("/indexes")).json()["items"]
        started = await client.post("/indexes:rebuild")
        run, built = started.json()["run"], started.json()["index"]
        early = await client.post(f"/indexes/{built['id']}:switch")
        joined = await client.post("/indexes:rebuild", json={"settings_version": 1})
        await office.finish(run["id"])
        indexes = (await client.get("/indexes")).json()
        compared = (await client.get(f"/indexes/{built['id']}/comparison?samples=5")).json()
        switched = await client.post(f"/indexes/{built['id']}:switch")
        wrong = await client.post(f"/indexes/{first['id']}:switch")
        chunks = (await client.get(f"/documents/{found['id']}/chunks")).json()["items"]
        follows = (await client.get("/settings")).json()["needs_rebuild"]
        undone = await client.post(f"/indexes/{built['id']}:undo")
    assert (started.status_code, run["pipeline"], early.status_code) == (202, "knowledge.rebuild", 409)
    assert (joined.json()["run"]["id"], joined.json()["index"]["id"]) == (run["id"], built["id"])
    assert [(each["status"], each["documents"]) for each in indexes["items"]] == [("building", 1), ("active", 1)]
    assert (indexes["total_documents"], indexes["items"][0]["current"]) == (1, 1)
    assert indexes["items"][0]["chunks"] == len(chunks) > indexes["items"][1]["chunks"]
    assert compared["queries"] >= 1
    assert 0 <= compared["overlap"] <= 1
    assert (switched.json()["id"], switched.json()["status"], follows) == (built["id"], "active", False)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_index_status")
    assert (undone.json()["id"], undone.json()["status"]) == (first["id"], "active")


async def test_a_slow_rebuild_ends_when_its_index_is_switched_to_by_force(
    office: Office, admin: Person, analyst: Person
):
    """At one chunk a minute the run rests for long after its first documents."""
    for number in range(12):
        await office.index(analyst, f"{number}.txt", f"Text number {number}.")
    await save(office, admin, {**SMALL, "reindex_chunks_per_minute": 1})
    async with office.browse(admin) as client:
        built = (await client.post("/indexes:rebuild")).json()
        finishing = asyncio.create_task(office.finish(built["run"]["id"]))
        live = LiveEvents(office.workshop.database, office.valkey)
        async for event in live.iter_events(office.home.id, RunId(read_id("run", built["run"]["id"]))):
            if event.type is EventType.STEP_PROGRESS:
                break
        await live.close()
        refused = await client.post(f"/indexes/{built['index']['id']}:switch")
        forced = await client.post(f"/indexes/{built['index']['id']}:switch", json={"force": True})
        run = await finishing
    assert (refused.status_code, refused.json()["code"]) == (409, "rebuild_incomplete")
    assert (forced.json()["status"], run.status.value) == ("active", "succeeded")


async def test_an_index_that_is_built_can_be_given_up(office: Office, admin: Person, analyst: Person, stranger: Person):
    await office.index(analyst, "a.md", TEXT)
    await save(office, admin, SMALL)
    async with office.browse(admin) as client, office.browse(stranger) as other:
        built = (await client.post("/indexes:rebuild")).json()
        path = f"/indexes/{built['index']['id']}"
        theirs = [(await other.post(f"{path}:{verb}")).status_code for verb in ("switch", "undo", "abandon")]
        undone = await client.post(f"{path}:undo")
        abandoned = await client.post(f"{path}:abandon")
        run = await office.finish(built["run"]["id"])
        left = (await client.get("/indexes")).json()["items"]
        again = await client.post(f"{path}:abandon")
        unsaved = await client.post("/indexes:rebuild", json={"settings_version": 9})
    assert (theirs, undone.status_code, abandoned.status_code) == ([404] * 3, 409, 204)
    assert (run.status.value, [each["status"] for each in left]) == ("cancelled", ["retired", "active"])
    assert (again.status_code, unsaved.status_code) == (409, 404)


async def test_the_status_counts_everything_and_names_what_the_caller_may_see(
    office: Office, admin: Person, analyst: Person, viewer: Person
):
    await office.index(analyst, "a.md", TEXT)
    async with office.browse(analyst) as client:
        failing = {"file": ("scan.pdf", make_pdf([[""]]))}
        failed = (await client.post("/documents", files=failing, data={"readers": "role:analyst"})).json()
        run = await office.finish(failed["run"]["id"])
        await office.services.ingestion.note_end(office.home.id, read_id("doc", failed["document"]["id"]), run.id)
        waiting = (await client.post("/documents", files={"file": ("w.txt", b"Waiting.")})).json()["document"]
    async with office.browse(admin) as client:
        await client.post("/sources", json={"name": "wiki", "config": {"kind": "push"}})
    seen = {}
    for name, person in (("admin", admin), ("analyst", analyst), ("viewer", viewer)):
        async with office.browse(person) as client:
            seen[name] = (await client.get("/status")).json()
    status = seen["viewer"]
    assert status["documents"] == {"pending": 1, "indexed": 1, "failed": 1}
    assert status["queue"]["documents"] == 1
    assert status["queue"]["oldest_at"] >= waiting["created_at"]
    assert [(each["status"], each["documents"]) for each in status["indexes"]] == [("active", 1)]
    assert status["chunks"] == status["indexes"][0]["chunks"] > 0
    assert [source["name"] for source in status["sources"]] == ["wiki"]
    assert [(each["documents"], each["example"]) for each in status["failures"]] == [(1, None)]
    for name in ("admin", "analyst"):
        example = seen[name]["failures"][0]["example"]
        assert (example["document"], example["name"]) == (failed["document"]["id"], "scan.pdf")
        assert example["detail"]


async def test_the_status_of_a_tenant_without_documents_is_empty(office: Office):
    owner = await make_member(office.identity, office.home, Role.OWNER)
    async with office.browse(owner) as client:
        status = (await client.get("/status")).json()
    assert status == {
        "documents": {"pending": 0, "indexed": 0, "failed": 0},
        "failures": [],
        "chunks": 0,
        "indexes": [],
        "sources": [],
        "queue": {"documents": 0, "oldest_at": None},
    }
