"""Runs by the side doors: another's names in a replay, keys used twice, twenty at once, places of other runs."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mainspring.application.identity import Role
from mainspring.foundation.ids import read_id
from tests.attack.conftest import Target
from tests.stack import Person, wait_until

ACT, ASK = "/v1/pipelines/rehearsal.act/runs", "/v1/pipelines/rehearsal.ask/runs"
FAILING = {"input": {"words": "corner", "fails": True}}
ODD_PLACES = ["-1", "-1-0", "1-0\t2", "NaN", "0", "99999999999999-1", "9" * 400, "x" * 5_000, "\uff11-0"]
FOREIGN_PLACES = ["9999999999-9999999999999999", "2147483648-0", "0-0", "77-0"]
EMPTY = '{"words":"","fails":false}'
LIMIT = 1_048_576


@pytest.fixture(scope="module")
def person(target: Target) -> Person:
    return target.stack.person("corner", Role.OWNER)


@pytest.fixture(scope="module")
def client(target: Target, person: Person) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {person.key}"}
    with httpx.Client(base_url=target.stack.url, headers=headers, timeout=30) as opened:
        yield opened


def _start(client: httpx.Client, path: str, body: object, key: str | None = None) -> httpx.Response:
    return client.post(path, json=body, headers={} if key is None else {"idempotency-key": key})


def _failed(client: httpx.Client) -> str:
    """A run that has failed."""
    run = _start(client, ACT, FAILING).raise_for_status().json()["id"]
    wait_until(lambda: client.get(f"/v1/runs/{run}").json()["status"] == "failed")
    return run


def _letter(client: httpx.Client) -> str:
    run, found = _failed(client), list[str]()

    def is_there() -> bool:
        found[:] = [each["id"] for each in client.get(f"/v1/dead-letters?run={run}").json()["items"]]
        return bool(found)

    wait_until(is_there)
    return found[0]


def _twenty(client: httpx.Client, path: str, body: object = None, key: str | None = None) -> list[httpx.Response]:
    with ThreadPoolExecutor(20) as aside:
        return [each.result() for each in [aside.submit(_start, client, path, body, key) for _ in range(20)]]


def _codes(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


def _ids(answers: list[httpx.Response], name: str = "id") -> set[Any]:
    return {each.json()[name] for each in answers if each.is_success}


def test_twenty_equal_starts_retries_and_replays_are_one_run(client: httpx.Client):
    run = _failed(client)
    for path, body, key in [
        (ACT, FAILING, uuid4().hex),
        (f"/v1/runs/{run}/retry", None, None),
        (f"/v1/runs/{run}/replay", None, uuid4().hex),
    ]:
        answers = _twenty(client, path, body, key)
        assert (_codes(answers), len(_ids(answers))) == ({202: 20}, 1), path


@pytest.mark.parametrize("_", range(5))
def test_a_letter_is_either_replayed_or_discarded(client: httpx.Client, _: int):
    letter = _letter(client)
    ways: list[tuple[str, object]] = [("replay", None), ("discard", {"reason": "r"})] * 10
    with ThreadPoolExecutor(20) as aside:
        sent = [aside.submit(_start, client, f"/v1/dead-letters/{letter}/{way}", body) for way, body in ways]
        answers = [each.result() for each in sent]
    done = {each.url.path.split("/")[-1] for each in answers if each.is_success}
    assert len(done) == 1
    assert {each.status_code for each in answers} <= {200, 202, 409}
    found = client.get(f"/v1/dead-letters/{letter}").json()
    assert found["state"] == {"replay": "replayed", "discard": "discarded"}[done.pop()]
    if found["state"] == "discarded":
        assert client.get(f"/v1/runs/{found['run']}").json()["status"] == "failed"


def test_twenty_holds_schedules_threads_and_servers_are_one(client: httpx.Client):
    name, thread = f"corner-{uuid4().hex[:8]}", str(uuid4())
    schedule = {"name": name, "pipeline": "rehearsal.act", "input": {}, "cron": "0 0 1 1 *"}
    holds = _twenty(client, "/v1/holds", {"pipeline": "rehearsal.act", "step": "none", "reason": "r"})
    assert (_codes(holds), len(_ids(holds))) == ({201: 20}, 1)
    assert _codes(_twenty(client, "/v1/schedules", schedule)) == {201: 1, 409: 19}
    server = {"name": name, "address": "https://mcp.invalid/mcp"}
    assert _codes(_twenty(client, "/v1/mcp-servers", server)) == {201: 1, 409: 19}
    same = {"thread_id": thread, "if_exists": "do_nothing"}
    assert _codes(_twenty(client, "/v1/agents/threads", same)) == {200: 20}
    assert _codes(_twenty(client, "/v1/agents/threads", {"thread_id": str(uuid4())})) == {200: 1, 409: 19}


def test_twenty_yeses_to_one_question_are_one(client: httpx.Client):
    run = _start(client, ASK, {"input": {"words": "acme"}}).json()["id"]
    wait_until(lambda: bool(client.get(f"/v1/approvals?run={run}").json()["items"]))
    (asked,) = client.get(f"/v1/approvals?run={run}").json()["items"]
    answers = _twenty(client, f"/v1/approvals/{asked['id']}/decide", {"verdict": "approve", "digest": asked["digest"]})
    assert {each.status_code for each in answers} <= {403, 409}  # who began it does not say yes to it
    assert client.get(f"/v1/approvals/{asked['id']}").json()["state"] == "pending"
    assert _codes(_twenty(client, f"/v1/runs/{run}/cancel")) == {202: 20}
    assert client.get(f"/v1/runs/{run}").json()["status"] == "cancelled"


@pytest.mark.parametrize("strategy", ["reject", "enqueue", "interrupt", "rollback"])
def test_twenty_runs_at_once_on_a_thread_leave_it_at_rest(client: httpx.Client, strategy: str):
    thread = client.post("/v1/agents/threads", json={}).json()["thread_id"]
    path, body = f"/v1/agents/threads/{thread}/runs", {"assistant_id": "errand", "input": {"calls": []}}
    codes = _codes(_twenty(client, path, {**body, "multitask_strategy": strategy}))
    assert set(codes) <= {200, 409}
    assert codes[200] >= 1

    def is_at_rest() -> bool:
        runs = client.get(f"{path}?limit=100").json()
        return all(each["status"] not in {"pending", "running"} for each in runs)

    wait_until(is_at_rest)
    assert client.get(f"/v1/agents/threads/{thread}").json()["status"] == "idle"


def test_nobody_takes_the_key_of_a_retry_first(client: httpx.Client):
    run = _failed(client)
    decoy = _start(client, ACT, {"input": {"words": "decoy"}}, f"retry:{read_id('run', run)}")
    assert decoy.status_code == 202
    retried = client.post(f"/v1/runs/{run}/retry")
    assert (retried.status_code, retried.json()["retry_of"]) == (202, run)


def test_a_key_stands_for_one_request_of_one_tenant(target: Target, client: httpx.Client):
    key, other = uuid4().hex, _failed(client)
    first = _start(client, ACT, FAILING, key).json()["id"]
    replayed = uuid4().hex
    assert _start(client, f"/v1/runs/{first}/replay", None, replayed).json()["replay_of"] == first
    for path, body, used in [
        (ACT, {"input": {"words": "another"}}, key),
        (ASK, FAILING, key),
        (ACT, FAILING, replayed),
        (f"/v1/runs/{first}/replay", None, key),
        (f"/v1/runs/{other}/replay", None, replayed),
    ]:
        answer = _start(client, path, body, used)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused"), (path, answer.text)
        assert used in answer.json()["detail"]
    file = {"file": ("a.txt", b"1. Term. One year. " + key.encode())}
    contract = client.post("/v1/contracts", files=file, headers={"idempotency-key": key})
    assert contract.status_code == 409
    theirs = target.call("POST", ACT, by=target.stranger, json=FAILING, headers={"idempotency-key": key})
    assert (theirs.status_code, theirs.json()["id"] == first) == (202, False)


@pytest.mark.parametrize("body", [None, {"input": {}}, {"input": {"contract": "ctr_0"}}, {"input": {"thread": "x"}}])
def test_a_strangers_run_and_what_the_platform_starts_are_not_repeated_with_other_words(target: Target, body: object):
    for path in (f"/v1/runs/{target.run}/replay", f"/v1/runs/{target.run}/retry"):
        assert target.call("POST", path, by=target.stranger, json=None).status_code == 404
    assert target.call("POST", f"/v1/runs/{target.run}/replay", by=target.stranger, json=body).status_code == 404
    if body is not None:
        own = target.call("POST", f"/v1/runs/{target.run}/replay", json=body)
        assert (own.status_code, own.json()["code"]) == (403, "forbidden")
    for name in ("contracts.review", "agents.act", "knowledge.ingest"):
        started = target.call("POST", f"/v1/pipelines/{name}/runs", by=target.stranger, json={"input": {}})
        assert started.status_code in {403, 404}, name
        schedule = {"name": uuid4().hex, "pipeline": name, "input": {}, "cron": "0 0 1 1 *"}
        assert target.call("POST", "/v1/schedules", by=target.stranger, json=schedule).status_code in {403, 404}


@pytest.mark.parametrize("rest", ["events", "ag-ui", "ai-sdk"])
def test_a_place_in_another_run_is_none_in_this_one(target: Target, client: httpx.Client, rest: str):
    run = _failed(client)
    whole = client.get(f"/v1/runs/{run}/{rest}").text
    for place in FOREIGN_PLACES:
        told = client.get(f"/v1/runs/{run}/{rest}", headers={"last-event-id": place})
        assert told.status_code == 200
        assert told.text.count("corner") == whole.count("corner"), place
    for place in ODD_PLACES:
        refused = client.get(f"/v1/runs/{run}/{rest}", headers={b"last-event-id": place.encode()})
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_request"), place[:20]
        assert len(refused.text) < 1_000
    assert client.get(f"/v1/runs/{target.run}/{rest}", headers={"last-event-id": "1-0"}).status_code == 404


def test_an_input_of_the_limit_is_kept_and_one_more_is_refused_with_both_numbers(client: httpx.Client):
    for more, status in ((0, 202), (1, 422)):
        answer = _start(client, ACT, {"input": {"words": "x" * (LIMIT - len(EMPTY) + more)}})
        assert answer.status_code == status
    assert {str(LIMIT), str(LIMIT + 1)} <= set(answer.json()["detail"].replace(";", " ").replace(".", " ").split())


@pytest.mark.parametrize("words", ["\0", "\ud800", "\uffff", "\u202e", "x" * 10_000, "[" * 10_000])
def test_no_words_of_a_failure_stop_the_rounds_of_a_worker(target: Target, client: httpx.Client, words: str):
    content = json.dumps({"input": {"words": words, "fails": True}})
    answer = client.post(ACT, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == (422 if words in {"\0", "\ud800"} else 202)
    for body in ({"version": 2**31}, {"version": 10**30}, {"pipeline": words}, {"subject": words}):
        odd = client.post("/v1/runs:cancel", content=json.dumps(body), headers={"content-type": "application/json"})
        assert odd.status_code in {200, 400, 422}
    assert all(each["state"] == "finished" for each in client.get("/v1/bulk-actions").json()["items"])
    assert _failed(client)  # the worker goes on
    logs = (target.stack.settings.data_dir / "logs").glob("worker*.log")
    assert not [line for log in logs for line in log.read_text().splitlines() if "bulk_action_failed" in line]
