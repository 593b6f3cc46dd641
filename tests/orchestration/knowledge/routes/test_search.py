"""Searching over HTTP: passages that open at their place, explained; no answer is an answer."""

from typing import Any

import pytest

from mainspring.application.identity.testing import Person

from .conftest import Office

NOTICE = "# Notice\n\nEither party may terminate with ninety days notice.\n"
LAW = "# Law\n\nThe laws of Delaware govern this agreement, see ISO-27001.\n"


async def ask(office: Office, who: Person, **question: Any) -> dict[str, Any]:
    async with office.browse(who) as client:
        answer = await client.post("/search", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_passage_opens_at_its_place_and_says_why_it_was_found(office: Office, analyst: Person, viewer: Person):
    notice = await office.index(analyst, "notice.md", NOTICE)
    await office.index(analyst, "law.md", LAW)
    answer = await ask(office, viewer, text="terminate with ninety days notice", explain=True)
    best = answer["passages"][0]
    assert best["document"] == {"id": notice["id"], "name": "notice.md", "source": "uploads", "uri": None}
    async with office.browse(viewer) as client:
        text = (await client.get(f"/documents/{notice['id']}/text")).json()["text"]
    cited = best["citation"]
    assert text[cited["start"] : cited["end"]] == cited["quote"]
    assert cited["fragment"] == f"#{cited['start']}-{cited['end']}"
    why = best["explanation"]
    assert {place["name"] for place in why["places"]} >= {"vector", "text"}
    assert why["bm25"] == pytest.approx(sum(term["score"] for term in why["terms"]), rel=1e-3)
    assert (answer["reason"], answer["searched"]["documents"]) == (None, 2)


async def test_filters_narrow_what_is_searched(office: Office, analyst: Person):
    notice = await office.index(analyst, "notice.md", NOTICE, metadata='{"client": "Acme"}')
    law = await office.index(analyst, "law.md", LAW, metadata='{"client": "Globex"}')

    async def names(**filters: Any) -> list[str]:
        answer = await ask(office, analyst, text="agreement notice law days Delaware", filters=filters)
        return sorted({passage["document"]["name"] for passage in answer["passages"]})

    assert await names(metadata={"client": "Acme"}) == ["notice.md"]
    assert await names(documents=[law["id"]]) == ["law.md"]
    assert await names(documents=[law["id"], notice["id"]]) == ["law.md", "notice.md"]
    assert await names(sources=["elsewhere"]) == []
    assert await names(created={"until": "2001-01-01T00:00:00Z"}) == []


async def test_nothing_to_find_is_an_answer(office: Office, analyst: Person):
    assert (await ask(office, analyst, text="anything"))["reason"] == "no_documents"
    await office.index(analyst, "notice.md", NOTICE)
    assert (await ask(office, analyst, text="zebra quagga", mode="text"))["reason"] == "nothing_relevant"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({}, 422),
        ({"text": ""}, 422),
        ({"text": "  \n "}, 422),
        ({"text": "x" * 20_001}, 422),
        ({"text": "a", "limit": 0}, 422),
        ({"text": "a", "limit": 51}, 422),
        ({"text": "a", "mode": "magic"}, 422),
        ({"text": "a", "filters": {"tenant": "other"}}, 422),
        ({"text": "a", "filters": {"documents": ["doc_1"]}}, 404),
        ({"text": "a", "filters": {"created": {"since": "2026-01-01T00:00:00"}}}, 422),
        ({"text": "a", "index": "idx_" + "0" * 26}, 404),
        ({"text": "a", "surprise": 1}, 422),
    ],
)
async def test_a_wrong_question_is_refused(office: Office, analyst: Person, question: dict[str, Any], status: int):
    async with office.browse(analyst) as client:
        answer = await client.post("/search", json=question)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_another_tenants_documents_and_ids_are_not_found(office: Office, analyst: Person, stranger: Person):
    found = await office.index(analyst, "notice.md", NOTICE)
    assert (await ask(office, stranger, text=NOTICE))["passages"] == []
    answer = await ask(office, stranger, text=NOTICE, filters={"documents": [found["id"]]})
    assert (answer["passages"], answer["searched"]["documents"]) == ([], 0)
