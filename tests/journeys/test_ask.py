"""Asking contracts as a customer's program does it: with LangGraph's own client, against every process of a real stack.

No capable model is configured there, so the answers are extractive.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from langgraph_sdk import get_client

from mainspring.application.identity import Role
from mainspring.showcase.contracts import sample_path
from tests.stack import Person, RunningStack

ASSISTANT = "contracts_ask"
NEW_TEXT = "This Agreement is governed by the laws of Ireland."


@dataclass(frozen=True, slots=True)
class Office:
    """A tenant with two contracts; one person asks, another approves."""

    stack: RunningStack
    asking: Person
    approving: Person
    contracts: dict[str, str]

    @asynccontextmanager
    async def signed_in(self, person: Person) -> AsyncGenerator[httpx.AsyncClient]:
        """The plain API as this person: keys decide about nothing."""
        async with httpx.AsyncClient(base_url=f"{self.stack.url}/v1", timeout=30) as client:
            session = await client.post("/session", json={"email": person.email, "password": person.password})
            client.headers["x-csrf-token"] = session.json()["csrf_token"]
            yield client


@pytest.fixture(scope="module")
def office(stack: RunningStack) -> Office:
    asking, approving = stack.person("asking", Role.ANALYST), stack.person("asking", Role.REVIEWER)
    contracts: dict[str, str] = {}
    with stack.client(asking) as client:
        for name in ("msa.pdf", "saas.txt"):
            submitted = client.upload_contract(sample_path(name))
            last = list(client.events(submitted.run.id))[-1]
            assert last.data["status"] == "succeeded", last.data
            contracts[name] = submitted.contract.id
    return Office(stack, asking, approving, contracts)


@pytest.fixture
async def client(office: Office) -> AsyncIterator[Any]:
    async with get_client(url=f"{office.stack.url}/v1/agents", api_key=office.asking.key) as opened:
        yield opened


async def ask(client: Any, thread: str, question: str) -> list[Any]:
    """Every event of the run that answers."""
    parts = client.runs.stream(
        thread,
        ASSISTANT,
        input={"messages": [{"role": "user", "content": question}]},
        stream_mode=["values", "custom", "messages-tuple"],
    )
    return [part async for part in parts]


async def answer_of(client: Any, thread: str) -> dict[str, Any]:
    return (await client.threads.get_state(thread))["values"]["answer"]


async def test_the_agent_is_offered_as_an_assistant(client: Any):
    found = await client.assistants.search(graph_id=ASSISTANT)
    assert [each["graph_id"] for each in found] == [ASSISTANT]


async def test_a_question_is_answered_with_events_and_citations_that_stand(client: Any, office: Office):
    thread = (await client.threads.create())["thread_id"]
    events = await ask(client, thread, "Which law governs the msa?")
    told = [part.data for part in events if part.event == "custom"]
    assert [each["text"] for each in told if each["type"] == "tool"] == [
        "Searched 1 contract for “Which law governs the msa?”"
    ]
    assert any(part.event.startswith("messages") for part in events)
    answer = await answer_of(client, thread)
    assert answer["method"] == "extractive"
    assert "no model" in answer["explained"]
    assert any("govern" in sentence["text"].lower() for sentence in answer["sentences"])
    assert all(sentence["citations"] for sentence in answer["sentences"])
    with office.stack.client(office.asking) as api:
        text = api.get_text(office.contracts["msa.pdf"]).text
    for sentence in answer["sentences"]:
        for cited in sentence["citations"]:
            assert cited["contract"] == office.contracts["msa.pdf"]
            assert text[cited["start"] : cited["end"]] == cited["quote"]
            assert cited["open"] == f"/contracts/{cited['contract']}#{cited['start']}-{cited['end']}"


async def test_a_deadline_is_computed_with_its_arithmetic(client: Any):
    thread = (await client.threads.create())["thread_id"]
    await ask(client, thread, "By when must we give notice to stop the msa from renewing?")
    answer = await answer_of(client, thread)
    lines = [sentence["text"] for sentence in answer["sentences"]]
    assert "last day to give notice" in lines[0]
    assert any(" - " in line and " = " in line for line in lines), lines
    assert all(sentence["citations"] for sentence in answer["sentences"])


async def test_contracts_are_compared_clause_by_clause(client: Any, office: Office):
    thread = (await client.threads.create())["thread_id"]
    await ask(client, thread, "Compare governing law in msa and saas")
    answer = await answer_of(client, thread)
    cited = {place["contract"] for sentence in answer["sentences"] for place in sentence["citations"]}
    assert cited == set(office.contracts.values())


async def test_what_no_contract_answers_is_said_to_be_nothing(client: Any):
    thread = (await client.threads.create())["thread_id"]
    await ask(client, thread, "What is the best recipe for pasta carbonara?")
    answer = await answer_of(client, thread)
    assert answer["reason"] == "nothing_relevant"
    assert [sentence["citations"] for sentence in answer["sentences"]] == [[]]


async def test_an_amendment_waits_for_another_person_and_is_drafted_once(client: Any, office: Office):
    thread = (await client.threads.create())["thread_id"]
    contract = office.contracts["msa.pdf"]
    clause = await clause_number(office, contract)
    question = f"Amend clause {clause} of the msa to read: “{NEW_TEXT}” because we moved."
    await ask(client, thread, question)
    (interrupt,) = [
        each["value"] for each in (await client.threads.get(thread))["interrupts"].values() for each in each
    ]
    assert interrupt["kind"] == "approval"
    async with office.signed_in(office.asking) as asking, office.signed_in(office.approving) as approving:
        assert (await asking.get(f"/contracts/{contract}/amendments")).json()["items"] == []
        asked = (await approving.get(f"/approvals/{interrupt['approval']}")).json()
        assert NEW_TEXT in asked["shown"]
        assert "[-" in asked["arguments"]["redline"]
        assert "{+" in asked["arguments"]["redline"]
        decision = {"verdict": "approve", "digest": asked["digest"], "reason": "Fine."}
        own = await asking.post(f"/approvals/{interrupt['approval']}/decide", json=decision)
        assert own.status_code == 403, own.text
        decided = await approving.post(f"/approvals/{interrupt['approval']}/decide", json=decision)
        assert decided.status_code == 200, decided.text
        async with asyncio.timeout(20):
            while not (await asking.get(f"/contracts/{contract}/amendments")).json()["items"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while (await client.threads.get(thread))["status"] != "idle":  # noqa: ASYNC110 - another process is at it
                await asyncio.sleep(0.05)
        (draft,) = (await asking.get(f"/contracts/{contract}/amendments")).json()["items"]
        assert draft["new_text"] == NEW_TEXT
        assert "".join(piece["text"] for piece in draft["redline"] if piece["change"] != "removed") == NEW_TEXT
        answer = await answer_of(client, thread)
        assert draft["id"] in answer["sentences"][0]["text"]
        word = await asking.get(f"/amendments/{draft['id']}/file")
        document = ZipFile(BytesIO(word.content)).read("word/document.xml").decode()
        assert "<w:del " in document
        assert "<w:ins " in document
        markdown = (await asking.get(f"/amendments/{draft['id']}/file", params={"format": "md"})).text
        assert "**" in markdown


async def clause_number(office: Office, contract: str) -> str:
    """Of the clause on the governing law."""
    async with office.signed_in(office.asking) as client:
        chunks = (await client.get(f"/contracts/{contract}/text")).json()["chunks"]
    numbered = [each for each in chunks if each["number"]]
    return next(
        each["number"] for each in numbered if "Governing Law" in [label["category"] for label in each["labels"]]
    )
