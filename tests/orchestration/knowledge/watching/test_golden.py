"""Golden questions: kept by those who manage knowledge, asked of whichever index, and nobody else's business."""

from dataclasses import replace
from typing import Any

import pytest

from mainspring.application.identity.testing import Person
from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.knowledge.ports import GoldenRecall
from mainspring.orchestration.knowledge.retrieval import Span
from mainspring.orchestration.knowledge.setup import Setup
from mainspring.orchestration.knowledge.watching import (
    MOST_QUESTIONS,
    GoldenQuestion,
    NewGoldenQuestion,
    SearchedIndex,
    Watch,
)
from tests.orchestration.knowledge.routes.conftest import Office

from .observatory import Days, DriftingEmbedder, Observatory, word_of

NOTICE = "# Notice\n\nEither party may terminate with ninety days notice.\n"


async def _ranks(observatory: Observatory) -> dict[str, int]:
    """By the question's text."""
    golden = observatory.watch.golden
    ranks = await golden.ask_all(observatory.tenant, (await observatory.index()).id)
    return {each.question: ranks[each.id.hex] for each in await golden.list_all(observatory.admin) if each.current}


async def _add(observatory: Observatory, new: NewGoldenQuestion) -> GoldenQuestion:
    return await observatory.watch.golden.add(observatory.admin, new)


async def test_an_answer_is_its_place_until_the_document_changes(observatory: Observatory):
    first, second = await observatory.fill(2)
    text = (await observatory.workshop.documents.get_parsed(observatory.workshop.platform, first.id)).text
    start = text.index(word_of(0, 4).title())
    asked = f"what kind of thing is the {word_of(0, 4)}"
    await _add(observatory, NewGoldenQuestion(asked, first.id, Span(start, start + 300)))
    await _add(observatory, NewGoldenQuestion(asked + "?", second.id))
    wrong = await _add(observatory, NewGoldenQuestion(word_of(0, 4), first.id, Span(0, 100)))
    ranks = await _ranks(observatory)
    assert ranks[asked] == 1
    assert ranks[asked + "?"] != 1
    assert ranks[word_of(0, 4)] != 1

    await observatory.workshop.bring_in("d0", text + "\n\nAnd more.")
    assert (await _ranks(observatory))[word_of(0, 4)] == 1
    (shown,) = [each for each in await observatory.watch.golden.list_all(observatory.admin) if each.id == wrong.id]
    assert (shown.revision, shown.current) == (1, 2)


async def test_a_question_whose_document_is_gone_is_kept_and_not_asked(observatory: Observatory):
    first, second = await observatory.fill(2)
    for number, document in enumerate((first, second)):
        await observatory.ask_for(document, number)
    await observatory.workshop.documents.delete(observatory.tenant, first.id)
    assert list((await _ranks(observatory)).values()) == [1]
    gone, kept = await observatory.watch.golden.list_all(observatory.admin)
    assert (gone.current, kept.current) == (None, 1)
    await observatory.look()
    assert [each.last_rank for each in await observatory.watch.golden.list_all(observatory.admin)] == [None, 1]


async def test_two_indexes_are_asked_the_same_for_whoever_compares_them(observatory: Observatory):
    workshop, golden = observatory.workshop, observatory.watch.golden
    documents = await observatory.fill(2)
    active = await workshop.indexes.active(observatory.tenant)
    assert await golden.measure(observatory.tenant, active.id) is None
    for number, document in enumerate(documents):
        await observatory.ask_for(document, number)
    newest = await workshop.setups.current(observatory.tenant)
    value = Setup(embedding_model="local/next")
    saved = await workshop.setups.save(observatory.admin, value, base_version=newest.version)
    building = await workshop.indexes.start_rebuild(observatory.tenant, saved.version)
    assert await golden.measure(observatory.tenant, building.id) == GoldenRecall(2, 0.0, 0.0, 0.0)
    await workshop.indexes.rebuild_some(observatory.tenant)
    assert await golden.measure(observatory.tenant, building.id) == GoldenRecall(2, 1.0, 1.0, 1.0)
    assert await golden.measure(observatory.tenant, active.id) == GoldenRecall(2, 1.0, 1.0, 1.0)
    with pytest.raises(NotFound):
        await golden.measure(observatory.tenant, new_id())


async def test_what_cannot_be_asked_is_refused(observatory: Observatory, other_tenant: TenantId):
    (document,) = await observatory.fill(1)
    for text in ("", "  ", "x" * 1_001, "a\0b"):
        with pytest.raises(InvalidInput):
            await _add(observatory, NewGoldenQuestion(text, document.id))
    with pytest.raises(InvalidInput, match="no place"):
        await _add(observatory, NewGoldenQuestion("a", document.id, Span(0, 10_000_000)))
    with pytest.raises(NotFound):
        await _add(observatory, NewGoldenQuestion("a", new_id()))
    elsewhere = replace(observatory.admin, tenant=other_tenant)
    with pytest.raises(NotFound):
        await observatory.watch.golden.add(elsewhere, NewGoldenQuestion("a", document.id))
    viewer = replace(observatory.admin, permissions=frozenset({"knowledge.view"}))
    with pytest.raises(Forbidden):
        await observatory.watch.golden.add(viewer, NewGoldenQuestion("a", document.id))
    for number in range(MOST_QUESTIONS):
        await _add(observatory, NewGoldenQuestion(f"question {number}", document.id))
    with pytest.raises(Conflict, match="200"):
        await _add(observatory, NewGoldenQuestion("one more", document.id))


async def _send(office: Office, who: Person, method: str, path: str, **body: Any) -> tuple[int, Any]:
    async with office.browse(who) as client:
        answer = await client.request(method, path, json=body or None)
    return answer.status_code, answer.json() if answer.content else None


async def test_golden_questions_over_http(watched: Office, admin: Person, analyst: Person, stranger: Person):
    document = (await watched.index(analyst, "notice.md", NOTICE))["id"]
    question = {"question": "How long is the notice?", "document": document}
    assert (await _send(watched, analyst, "POST", "/golden-questions", **question))[0] == 403
    assert (await _send(watched, stranger, "POST", "/golden-questions", **question))[0] == 404
    status, added = await _send(watched, admin, "POST", "/golden-questions", **question)
    assert (status, added["start"], added["asked"], added["exact"], added["last_rank"]) == (
        201,
        None,
        True,
        False,
        None,
    )
    path, better = f"/golden-questions/{added['id']}", {**question, "start": 10, "end": 50}
    status, changed = await _send(watched, admin, "PUT", path, **better)
    assert (status, changed["id"], changed["start"], changed["exact"]) == (200, added["id"], 10, True)
    for wrong in ({"start": 1}, {"start": 5, "end": 5}, {"end": 9_999, "start": 1}, {"surprise": 1}, {"question": ""}):
        status, _ = await _send(watched, admin, "PUT", path, **{**question, **wrong})
        assert status == 422, wrong

    assert (await _send(watched, analyst, "GET", "/golden-questions"))[0] == 403
    assert await _send(watched, stranger, "GET", "/golden-questions") == (200, {"items": []})
    assert (await _send(watched, stranger, "PUT", path, **better))[0] == 404
    assert (await _send(watched, stranger, "DELETE", path))[0] == 404
    assert (await _send(watched, admin, "GET", "/golden-questions"))[1]["items"] == [changed]
    assert (await _send(watched, admin, "DELETE", path))[0] == 204
    assert (await _send(watched, admin, "DELETE", path))[0] == 404
    assert (await _send(watched, admin, "DELETE", "/golden-questions/gold_1"))[0] == 404


async def test_checks_and_alerts_over_http(
    watched: Office,
    admin: Person,
    analyst: Person,
    viewer: Person,
    stranger: Person,
    days: Days,
    model: DriftingEmbedder,
    watch: Watch,
):
    document = (await watched.index(analyst, "notice.md", NOTICE))["id"]
    await _send(watched, admin, "POST", "/golden-questions", question="How long is the notice?", document=document)
    tenant = watched.workshop.tenant
    index = await watched.workshop.indexes.active(tenant)
    searched = SearchedIndex(tenant, index.id, f"local/{tenant.hex}")
    for other_model in (None, None, "another"):
        model.other_model = other_model
        await watch.watch_tenant(searched)
        days.pass_one()
    status, seen = await _send(watched, viewer, "GET", "/checks")
    (alert,) = [each for each in seen["alerts"] if each["kind"] == "canary"]
    assert (status, alert["subject"], alert["acknowledged_at"]) == (200, f"local/{tenant.hex}", None)
    assert {each["figure"] for each in alert["moved"]} >= {"mean_cosine"}
    assert len(seen["checks"]) == 12
    golden = next(each for each in seen["checks"] if each["kind"] == "golden")
    assert (golden["status"], golden["figures"]["questions"]) == ("learning", 1.0)
    assert {each["subject"] for each in seen["checks"] if each["kind"] == "vectors"} == {show_id("idx", index.id)}

    path = f"/alerts/{alert['id']}:acknowledge"
    assert (await _send(watched, viewer, "POST", path))[0] == 403
    assert (await _send(watched, stranger, "POST", path))[0] == 404
    status, acknowledged = await _send(watched, admin, "POST", path)
    assert (status, acknowledged["acknowledged_by"]) == (200, admin.principal.name)
    assert await _send(watched, stranger, "GET", "/checks") == (200, {"alerts": [], "checks": []})
