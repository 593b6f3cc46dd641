"""The typed client against the real routes of knowledge, a real server and a working worker."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from mainspring.application.identity.testing import Person, make_key
from mainspring.entry.client import ApiError, Document, MainspringClient, knowledge_types
from mainspring.foundation.ids import read_id
from mainspring.orchestration.knowledge.testing import make_pdf
from mainspring.orchestration.pipelines import LiveEvents, Worker
from mainspring.orchestration.pipelines import routes as run_routes

from .conftest import Office

TEXT = "# Notice\n\nEither party may terminate with ninety days notice.\n"
TYPES = [kind for kind in vars(knowledge_types).values() if getattr(kind, "__module__", "") == knowledge_types.__name__]
SUFFIXED = {"Document", "Answer", "Passage", "Searched", "Explanation", "ListPlace", "TermScore", "LabelScore"}


@pytest.fixture
async def client(office: Office, admin: Person) -> AsyncIterator[MainspringClient]:
    """A client with a key of the admin's; a worker is at work while it lives."""
    live, stop = LiveEvents(office.workshop.database, office.valkey), asyncio.Event()
    office.app.include_router(run_routes.build_router(office.pipelines, live))
    worker = Worker(office.workshop.database, office.valkey, pipelines=office.worked)
    working = asyncio.create_task(worker.run(stop))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(office.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    key = await make_key(office.identity, admin.principal)
    with MainspringClient(f"http://127.0.0.1:{listener.getsockname()[1]}", key.secret) as made:
        yield made
    server.should_exit = True
    await serving
    stop.set()
    await working
    await live.close()
    listener.close()


async def test_a_document_is_uploaded_waited_for_searched_listed_and_deleted(client: MainspringClient, tmp_path: Path):
    def walk() -> None:
        knowledge, path = client.knowledge, tmp_path / "notice.md"
        path.write_text(TEXT)
        submitted = knowledge.upload(path, metadata={"client": "Acme"})
        document = knowledge.wait(submitted)
        assert (document.status, document.metadata, document.name) == ("indexed", {"client": "Acme"}, "notice.md")
        again = knowledge.upload(path)
        assert (again.run, again.document.id, knowledge.wait(again)) == (None, document.id, document)

        answer = knowledge.search("terminate with ninety days notice", explain=True, filters={"sources": ["uploads"]})
        passage = answer.passages[0]
        text = knowledge.get_text(passage.document.id, revision=1)
        assert text.text[passage.citation.start : passage.citation.end] == passage.citation.quote
        assert passage.explanation is not None
        assert passage.explanation.places
        chunks = list(knowledge.iter_chunks(document.id, page_size=1))
        assert [text.text[chunk.start : chunk.end] for chunk in chunks] == [chunk.text for chunk in chunks]
        assert knowledge.download(document.id) == TEXT.encode()

        knowledge.upload_bytes(b"Another text.", "other.txt", external_id="other")
        assert [each.name for each in knowledge.iter_documents(page_size=1)] == ["other.txt", "notice.md"]
        assert [each.name for each in knowledge.iter_documents(name_contains="NOTICE")] == ["notice.md"]
        knowledge.delete(document.id)
        with pytest.raises(ApiError) as gone:
            knowledge.get(document.id)
        assert gone.value.status == 404

    await asyncio.to_thread(walk)


async def test_documents_are_put_and_taken_away_by_their_own_names(
    office: Office, admin: Person, client: MainspringClient
):
    async with office.browse(admin) as browser:
        await browser.post("/sources", json={"name": "wiki", "config": {"kind": "push"}})

    def walk() -> None:
        knowledge, name = client.knowledge, "teams/legal/Kündigung & Frist.md"
        first = knowledge.wait(knowledge.put("wiki", name, TEXT.encode(), metadata={"team": "legal"}))
        assert (first.external_id, first.status, first.metadata) == (name, "indexed", {"team": "legal"})
        second = knowledge.wait(knowledge.put("wiki", name, TEXT.upper().encode(), name="Notice"))
        assert (second.id, second.revision, second.name) == (first.id, 2, "Notice")
        closed = knowledge.set_readers(second.id, ["role:owner"])
        assert (closed.readers, closed.readable) == (("role:owner",), False)
        assert knowledge.search("ninety days").passages == ()
        assert knowledge.set_readers(second.id, None).readable
        assert knowledge.wait(knowledge.index_again(second.id)).status == "indexed"
        knowledge.take_away("wiki", name)
        assert list(knowledge.iter_documents(source="wiki")) == []

    await asyncio.to_thread(walk)


async def test_waiting_for_a_document_that_fails_tells_why(office: Office, client: MainspringClient):
    def start() -> tuple[str, str]:
        submitted = client.knowledge.upload_bytes(make_pdf([[""]]), "scan.pdf")
        assert submitted.run is not None
        assert list(client.events(submitted.run.id))[-1].type == "run.finished"
        return submitted.document.id, submitted.run.id

    def finish(document: str) -> Document:
        return client.knowledge.wait(knowledge_types.DocumentSubmitted(client.knowledge.get(document)))

    document, run = await asyncio.to_thread(start)
    await office.services.ingestion.note_end(office.home.id, read_id("doc", document), read_id("run", run))
    failed = await asyncio.to_thread(finish, document)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.detail


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_a_type_has_the_fields_of_its_shape(office: Office, kind: type):
    schemas = office.app.openapi()["components"]["schemas"]
    shape = schemas[f"{kind.__name__}Shape" if kind.__name__ in SUFFIXED else kind.__name__]
    assert {field.name for field in dataclasses.fields(kind)} == set(shape["properties"])
