"""Sources over HTTP, and documents that are pushed into them."""

import base64
from typing import Any

import pytest

from mainspring.application.identity.testing import Person, make_key
from mainspring.orchestration.knowledge.sources import store
from mainspring.orchestration.knowledge.sources.types import SourceRef
from mainspring.orchestration.knowledge.types import Failure

from .conftest import Office

URL = {"kind": "url", "urls": ["https://example.com/handbook"]}


async def make_source(office: Office, admin: Person, name: str = "wiki", **fields: Any) -> dict[str, Any]:
    async with office.browse(admin) as client:
        answer = await client.post("/sources", json={"name": name, "config": {"kind": "push"}, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_source_is_made_shown_changed_and_its_secret_never_comes_out(office: Office, admin: Person):
    made = await make_source(office, admin, "handbook", config=URL, secret="Bearer hunter2", document_type="article")
    assert (made["kind"], made["has_secret"], made["every_seconds"]) == ("url", True, None)
    async with office.browse(admin) as client:
        changed = await client.patch("/sources/handbook", json={"is_paused": True, "every_seconds": 3600})
        forgotten = await client.patch("/sources/handbook", json={"secret": "", "readers": ["role:admin"]})
        listed = (await client.get("/sources")).json()["items"]
        one = (await client.get("/sources/handbook")).json()
    assert (changed.json()["is_paused"], changed.json()["has_secret"]) == (True, True)
    assert changed.json()["config"]["urls"] == URL["urls"]
    assert (forgotten.json()["has_secret"], forgotten.json()["is_paused"]) == (False, True)
    assert (forgotten.json()["document_type"], forgotten.json()["every_seconds"]) == ("article", 3600)
    assert listed == [one] == [forgotten.json()]
    assert "hunter2" not in f"{made}{changed.text}{listed}"


async def test_what_was_wrong_with_items_is_told_to_those_who_manage_knowledge(
    office: Office, admin: Person, viewer: Person
):
    await make_source(office, admin, "board", readers=["role:owner"])
    source = await office.services.sources.get(admin.principal, "board")
    wrong = Failure("items_failed", "1 of 9 items could not be taken in: merger-with-initech.pdf: It is encrypted.")
    async with office.workshop.homes.writing(office.home.id) as transaction:
        await store.note_error(transaction, SourceRef(source.name, source.created_at), wrong)
    async with office.browse(admin) as boss, office.browse(viewer) as client:
        for path in ("/sources", "/sources/board", "/status"):
            full, short = await boss.get(path), await client.get(path)
            assert "initech" in full.text, path
            assert "initech" not in short.text, path
            assert "items_failed" in short.text, path


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Bad Name", "config": {"kind": "push"}}, "invalid_source"),
        ({"name": "uploads", "config": {"kind": "push"}}, "invalid_source"),
        ({"name": "a", "config": {"kind": "push"}, "every_seconds": 3600}, "invalid_source"),
        ({"name": "a", "config": {"kind": "url", "urls": ["http://127.0.0.1/x"]}}, "url_refused"),
        ({"name": "a", "config": {"kind": "ftp"}}, "invalid_input"),
        ({"name": "a", "config": {"kind": "url", "urls": [], "max_pages": 9_999}}, "invalid_input"),
        ({"name": "a", "config": {"kind": "connector", "connector": "none"}}, "invalid_source"),
        ({"name": "a", "config": {"kind": "push"}, "secret": "s" * 5_000}, "invalid_input"),
        ({"name": "a", "config": {"kind": "push"}, "every_seconds": 5}, "invalid_input"),
    ],
)
async def test_a_source_that_cannot_be_is_refused(office: Office, admin: Person, body: dict[str, Any], code: str):
    async with office.browse(admin) as client:
        answer = await client.post("/sources", json=body)
        listed = (await client.get("/sources")).json()
    assert (answer.status_code, answer.json()["code"], listed["items"]) == (422, code, [])
    assert "sss" not in answer.text


async def test_a_name_is_taken_once_and_another_tenants_source_is_none(office: Office, admin: Person, stranger: Person):
    await make_source(office, admin)
    async with office.browse(admin) as client:
        again = await client.post("/sources", json={"name": "wiki", "config": {"kind": "push"}})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    async with office.browse(stranger) as client:
        answers = [
            await client.get("/sources/wiki"),
            await client.patch("/sources/wiki", json={"is_paused": True}),
            await client.delete("/sources/wiki"),
            await client.post("/sources/wiki:sync"),
            await client.put("/sources/wiki/documents/a", content=b"text"),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5


async def test_a_pushed_document_is_put_changed_found_and_taken_away(office: Office, admin: Person, program: str):
    await make_source(office, admin, document_type="article")
    path = "/sources/wiki/documents/teams/legal/notice.md"
    async with office.browse(key=program) as client:
        first = await client.put(path, content=b"# Notice\n\nThirty days.")
        same = await client.put(path, content=b"# Notice\n\nThirty days.")
        await office.finish(first.json()["run"]["id"])
        body = {"text": "# Notice\n\nNinety days.", "name": "Notice", "metadata": {"team": "legal"}}
        changed = await client.put(path, json=body)
        await office.finish(changed.json()["run"]["id"])
        found = (await client.post("/search", json={"text": "ninety days"})).json()["passages"]
        gone = await client.delete(path)
        again = await client.delete(path)
        after = (await client.post("/search", json={"text": "ninety days"})).json()["passages"]
    document = changed.json()["document"]
    assert (first.status_code, same.json()["run"]["id"]) == (202, first.json()["run"]["id"])
    assert (document["external_id"], document["revision"]) == ("teams/legal/notice.md", 2)
    assert (first.json()["document"]["name"], document["name"]) == ("notice.md", "Notice")
    assert (document["document_type"], document["metadata"]) == ("article", {"team": "legal"})
    assert [passage["document"]["source"] for passage in found] == ["wiki"]
    assert (gone.status_code, again.status_code, after) == (204, 404, [])


async def test_a_program_keeps_documents_up_to_date_that_it_may_not_read(
    office: Office, admin: Person, analyst: Person
):
    await make_source(office, admin, readers=["role:owner"])
    secret = (await make_key(office.identity, admin.principal, scopes=["knowledge.edit", "knowledge.view"])).secret
    path = "/sources/wiki/documents/plan"
    async with office.browse(key=secret) as program, office.browse(analyst) as person:
        first = await program.put(path, content=b"The plan.")
        document = first.json()["document"]
        changed = await program.put(path, content=b"The changed plan.")
        opening = await program.put(path, json={"text": "The plan.", "readers": ["role:viewer"]})
        read = await program.get(f"/documents/{document['id']}/file")
        by_person = await person.put(path, content=b"Another plan.")
        taken_by_person = await person.delete(path)
        taken = await program.delete(path)
        again = await program.delete(path)
    assert (document["readers"], document["readable"]) == (["role:owner"], False)
    assert (changed.status_code, changed.json()["document"]["revision"]) == (202, 2)
    assert [(each.status_code, each.json()["code"]) for each in (opening, by_person)] == [(403, "document_closed")] * 2
    assert (read.status_code, taken_by_person.status_code, taken.status_code, again.status_code) == (404, 404, 204, 404)


async def test_json_may_carry_bytes_and_says_which_field_is_wrong(office: Office, admin: Person):
    await make_source(office, admin)
    async with office.browse(admin) as client:
        content = base64.b64encode("Grüße in Bytes.".encode()).decode()
        put = await client.put("/sources/wiki/documents/a", json={"content": content})
        refused = [
            (await client.put("/sources/wiki/documents/b", json=body), named)
            for body, named in (
                ({}, "content"),
                ({"text": "a", "content": content}, "content"),
                ({"content": "not base64!"}, "body.content"),
                ({"text": 1}, "body.text"),
                ({"text": "a", "readers": ["x"]}, "body.readers.0"),
                ({"text": "a", "surprise": 1}, "body.surprise"),
                (["list"], "body"),
            )
        ]
        broken = await client.put(
            "/sources/wiki/documents/b", content=b"{", headers={"content-type": "application/json"}
        )
        listed = (await client.get("/documents")).json()["items"]
    assert put.json()["document"]["size_bytes"] == len("Grüße in Bytes.".encode())
    for answer, named in refused:
        assert answer.status_code == 422
        assert named in answer.text
    assert (broken.status_code, len(listed)) == (422, 1)


async def test_only_a_source_that_is_pushed_to_takes_documents(office: Office, admin: Person):
    await make_source(office, admin, "handbook", config=URL)
    async with office.browse(admin) as client:
        fetched = await client.put("/sources/handbook/documents/a", content=b"text")
        synced = await client.post("/sources/handbook:sync")
        unknown = await client.put("/sources/contracts/documents/a", content=b"text")
        uploaded = await client.post("/documents", files={"file": ("a", b"text")}, data={"source": "contracts"})
        nameless = await client.post("/documents", files={"file": ("a", b"text")}, data={"source": "handbook"})
        long = await client.put(f"/sources/handbook/documents/{'x' * 501}", content=b"text")
    assert (fetched.status_code, fetched.json()["code"]) == (409, "source_busy")
    assert (synced.status_code, synced.json()["run"]["pipeline"]) == (202, "knowledge.sync")
    assert synced.json()["stream_url"] == f"/v1/runs/{synced.json()['run']['id']}/events"
    assert (unknown.status_code, uploaded.status_code, nameless.status_code, long.status_code) == (404, 422, 422, 422)


async def test_a_deleted_source_goes_with_its_documents(office: Office, admin: Person):
    await make_source(office, admin)
    async with office.browse(admin) as client:
        put = await client.put("/sources/wiki/documents/a", content=b"Some text.")
        await office.finish(put.json()["run"]["id"])
        deleted = await client.delete("/sources/wiki")
        await office.finish(deleted.json()["run"]["id"])
        left = (await client.get("/documents")).json()["items"]
        shown = await client.get("/sources/wiki")
    assert (deleted.status_code, left, shown.status_code) == (202, [], 404)
