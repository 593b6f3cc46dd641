"""Documents over HTTP: handed in, followed, read, listed, indexed again and deleted."""

from typing import Any

import httpx
import pytest

from mainspring.application.identity.testing import Person
from mainspring.foundation.ids import read_id
from mainspring.orchestration.knowledge.testing import make_pdf

from .conftest import MAX_UPLOAD, Office

TEXT = "# Notice\n\nEither party may give notice of ninety days.\n\n# Law\n\nThe laws of Delaware govern it.\n"


async def upload(client: httpx.AsyncClient, text: str = TEXT, name: str = "a.md", **fields: Any) -> httpx.Response:
    return await client.post("/documents", files={"file": (name, text.encode())}, data=fields)


async def test_an_upload_is_accepted_at_once_and_indexed_by_its_run(office: Office, analyst: Person, viewer: Person):
    async with office.browse(analyst) as client:
        answer = await upload(client, metadata='{"client": "Acme"}', uri="https://example.com/a")
    accepted = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/knowledge/documents/{accepted['document']['id']}"
    assert accepted["stream_url"] == f"/v1/runs/{accepted['run']['id']}/events"
    assert (accepted["document"]["status"], accepted["document"]["revision"]) == ("pending", 1)
    await office.finish(accepted["run"]["id"])
    async with office.browse(viewer) as client:
        found = (await client.get(f"/documents/{accepted['document']['id']}")).json()
    assert (found["status"], found["metadata"], found["uri"]) == (
        "indexed",
        {"client": "Acme"},
        "https://example.com/a",
    )
    assert (found["readers"], found["readable"], found["run"]) == (None, True, accepted["run"]["id"])


async def test_the_description_of_an_upload_is_a_form_with_a_file(office: Office):
    described = office.app.openapi()
    (kind,) = described["paths"]["/v1/knowledge/documents"]["post"]["requestBody"]["content"]
    file = described["components"]["schemas"]["UploadedDocument"]["properties"]["file"]
    assert (kind, file["type"]) == ("multipart/form-data", "string")


async def test_the_same_upload_again_answers_200_and_starts_nothing(office: Office, analyst: Person):
    first = await office.index(analyst, "a.md", TEXT)
    async with office.browse(analyst) as client:
        again = await upload(client)
    assert (again.status_code, again.json()["run"]) == (200, None)
    assert again.json()["document"]["id"] == first["id"]


async def test_changed_bytes_under_a_name_are_the_next_revision(office: Office, analyst: Person):
    first = await office.index(analyst, "a.md", TEXT, external_id="notice")
    changed = await office.index(analyst, "a.md", TEXT.replace("ninety", "thirty"), external_id="notice")
    assert (changed["id"], changed["revision"]) == (first["id"], 2)


async def test_text_file_and_chunks_are_there_for_readers(office: Office, analyst: Person):
    pdf = make_pdf([["NOTICE", "", "Either party may give notice of ninety days."]])
    async with office.browse(analyst) as client:
        accepted = (await client.post("/documents", files={"file": ("n.pdf", pdf)})).json()
        path = f"/documents/{accepted['document']['id']}"
        early = await client.get(f"{path}/text")
        assert (early.status_code, early.json()["code"]) == (409, "document_not_parsed")
        await office.finish(accepted["run"]["id"])
        text = (await client.get(f"{path}/text")).json()
        file = await client.get(f"{path}/file")
        chunks = (await client.get(f"{path}/chunks")).json()
        gone = await client.get(f"{path}/text?revision=7")
    assert (file.content, file.headers["content-type"]) == (pdf, "application/pdf")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''n.pdf"
    assert (text["revision"], text["media_type"], len(text["pages"])) == (1, "application/pdf", 1)
    box = next(each for each in text["boxes"] if "ninety" in text["text"][each["start"] : each["end"]])
    assert (box["page"], box["left"]) == (1, pytest.approx(72, abs=2))
    for chunk in chunks["items"]:
        assert text["text"][chunk["start"] : chunk["end"]] == chunk["text"]
    assert "ninety" in "".join(chunk["text"] for chunk in chunks["items"])
    assert gone.status_code == 404


async def test_a_hit_opens_in_the_text_it_was_found_in_while_the_next_revision_waits(office: Office, analyst: Person):
    found = await office.index(analyst, "a.md", TEXT, external_id="notice")
    async with office.browse(analyst) as client:
        changed = await upload(client, f"# Preface\n\nNew.\n\n{TEXT}", external_id="notice")
        await office.services.documents.parse(office.home.id, read_id("doc", found["id"]))
        hit = (await client.post("/search", json={"text": "ninety days"})).json()["passages"][0]["citation"]
        shown = (await client.get(f"/documents/{found['id']}/text")).json()
        newest = (await client.get(f"/documents/{found['id']}/text?revision=2")).json()
        await office.finish(changed.json()["run"]["id"])
        after = (await client.get(f"/documents/{found['id']}/text")).json()
    assert (shown["revision"], shown["text"][hit["start"] : hit["end"]]) == (1, hit["quote"])
    assert "Preface" in newest["text"]
    assert (newest["revision"], after["revision"]) == (2, 2)


async def test_chunks_come_in_pages(office: Office, analyst: Person):
    text = "\n\n".join(f"# Section {n}\n\n" + f"This is about thing number {n}. " * 40 for n in range(7))
    found = await office.index(analyst, "long.md", text)
    seen: list[int] = []
    async with office.browse(analyst) as client:
        everything = (await client.get(f"/documents/{found['id']}/chunks")).json()["items"]
        query = "limit=2"
        while True:
            page = (await client.get(f"/documents/{found['id']}/chunks?{query}")).json()
            seen += [chunk["index"] for chunk in page["items"]]
            if page["next_cursor"] is None:
                break
            query = f"limit=2&cursor={page['next_cursor']}"
    assert seen == [chunk["index"] for chunk in everything]
    assert len(seen) >= 7


async def test_lists_are_filtered_and_paged(office: Office, analyst: Person):
    for name in ("alpha", "beta", "gamma"):
        await office.index(analyst, f"{name}.md", f"{TEXT}\n\nThis one is {name}.")
    async with office.browse(analyst) as client:
        page = (await client.get("/documents?limit=2")).json()
        rest = (await client.get(f"/documents?limit=2&cursor={page['next_cursor']}")).json()
        named = (await client.get("/documents?q=BETA")).json()
        other = (await client.get("/documents?source=elsewhere")).json()
        failed = (await client.get("/documents?status=failed")).json()
        wrong = await client.get("/documents?status=lost")
    assert [each["name"] for each in page["items"] + rest["items"]] == ["gamma.md", "beta.md", "alpha.md"]
    assert rest["next_cursor"] is None
    assert [each["name"] for each in named["items"]] == ["beta.md"]
    assert (other["items"], failed["items"], wrong.status_code) == ([], [], 422)


async def test_a_document_that_fails_says_why_and_can_be_tried_again(office: Office, analyst: Person):
    async with office.browse(analyst) as client:
        accepted = (await client.post("/documents", files={"file": ("s.pdf", make_pdf([[""]]))})).json()
        path = f"/documents/{accepted['document']['id']}"
        run = await office.finish(accepted["run"]["id"])
        assert run.error is not None
        await office.services.ingestion.note_end(office.home.id, read_id("doc", accepted["document"]["id"]), run.id)
        failed = (await client.get(path)).json()
        again = await client.post(f"{path}/runs")
    assert (failed["status"], failed["error"]["code"]) == ("failed", run.error.code)
    assert again.status_code == 202
    assert again.json()["run"]["id"] != accepted["run"]["id"]
    assert again.json()["document"]["status"] == "pending"


async def test_a_deleted_document_is_nowhere(office: Office, analyst: Person):
    found = await office.index(analyst, "a.md", TEXT)
    async with office.browse(analyst) as client:
        assert (await client.delete(f"/documents/{found['id']}")).status_code == 204
        after = [await client.get(f"/documents/{found['id']}{end}") for end in ("", "/file", "/text", "/chunks")]
        answer = (await client.post("/search", json={"text": "ninety days notice"})).json()
        again = await client.delete(f"/documents/{found['id']}")
    assert [each.status_code for each in after] == [404] * 4
    assert (answer["passages"], again.status_code) == ([], 404)
    assert not [key for key in await office.workshop.keys() if "documents/" in key]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"metadata": "[1]"}, "metadata"),
        ({"metadata": '{"a": 1}'}, "metadata"),
        ({"metadata": '{"a": "' + "x" * 501 + '"}'}, "metadata"),
        ({"readers": "everybody"}, "readers"),
        ({"readers": "user:usr_1"}, "readers"),
        ({"document_type": "Not A Type"}, "document_type"),
        ({"source": "x" * 61}, "source"),
        ({"external_id": "a\x00b"}, "external_id"),
        ({"surprise": "1"}, "surprise"),
    ],
)
async def test_a_wrong_field_is_named(office: Office, analyst: Person, fields: dict[str, str], named: str):
    async with office.browse(analyst) as client:
        answer = await upload(client, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert named in answer.json()["detail"]


async def test_what_cannot_be_a_document_is_refused_before_it_is_stored(office: Office, analyst: Person):
    async with office.browse(analyst) as client:
        empty = await client.post("/documents", files={"file": ("a.txt", b"")})
        binary = await client.post("/documents", files={"file": ("a.bin", bytes(range(256)) * 9)})
        large = await client.post("/documents", files={"file": ("a.txt", b"x" * (MAX_UPLOAD + 1))})
        huge = await client.post("/documents", files={"file": ("a.txt", b"x" * (2 * MAX_UPLOAD))})
        missing = await client.post("/documents", data={"source": "uploads"})
    assert [each.status_code for each in (empty, binary, large, huge, missing)] == [422, 422, 413, 413, 422]
    assert "1 MB" in large.json()["detail"]
    assert await office.workshop.keys() == []


async def test_ids_of_another_tenant_answer_like_ids_that_nobody_has(office: Office, analyst: Person, stranger: Person):
    found = await office.index(analyst, "a.md", TEXT)
    unknown = "doc_" + "0" * 26
    requests = [("GET", ""), ("GET", "/file"), ("GET", "/text"), ("GET", "/chunks"), ("POST", "/runs"), ("DELETE", "")]
    async with office.browse(stranger) as client:
        for method, end in requests:
            theirs = await client.request(method, f"/documents/{found['id']}{end}")
            nobodys = await client.request(method, f"/documents/{unknown}{end}")
            assert (theirs.status_code, nobodys.status_code) == (404, 404)
            assert theirs.json()["detail"].replace(found["id"], "ID") == nobodys.json()["detail"].replace(unknown, "ID")
        readers = await client.put(f"/documents/{found['id']}/readers", json={"readers": None})
        assert readers.status_code == 404
        assert (await client.get("/documents")).json()["items"] == []
        assert (await client.get("/documents/ctr_nonsense")).status_code == 404


async def test_a_page_that_was_uploaded_comes_back_as_a_file_that_runs_nothing(office: Office, analyst: Person):
    page = "<html><body><script>alert(1)</script><p>Hello there.</p></body></html>"
    found = await office.index(analyst, "page.html", page)
    async with office.browse(analyst) as client:
        file = await client.get(f"/documents/{found['id']}/file")
    assert file.text == page
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
