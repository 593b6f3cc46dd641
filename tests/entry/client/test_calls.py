"""Calls: typed answers, problems as errors, and which calls are tried again."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mainspring.entry.client import ApiError, Edit, MainspringClient, Patience
from mainspring.foundation.errors import MainspringError

from .conftest import WrittenApi

AT = "2026-11-21T10:00:00Z"
RUN: dict[str, object] = {
    "id": "run_1",
    "pipeline": "contracts.analyze",
    "status": "running",
    "subject": "ctr_1",
    "created_at": AT,
    "started_at": AT,
    "finished_at": None,
    "steps": [
        {
            "name": "parse",
            "title": "Read the file",
            "status": "failed",
            "attempt": 2,
            "started_at": AT,
            "finished_at": None,
            "error": {"code": "broken_pdf", "detail": "No pages."},
        }
    ],
    "error": None,
}
CONTRACT: dict[str, object] = {
    "id": "ctr_1",
    "name": "msa.pdf",
    "media_type": "application/pdf",
    "size_bytes": 3,
    "sha256": "00",
    "pages": 2,
    "language": "en",
    "title": None,
    "created_at": AT,
    "created_by": "Ada",
    "latest_run": RUN,
    "findings": {"critical": 1, "high": 0, "medium": 0, "low": 0, "info": 0, "open": 1},
    "playbook": "buyer",
    "a_field_of_tomorrow": True,
}
SUBMITTED = {"contract": CONTRACT, "run": RUN, "stream_url": "/v1/runs/run_1/events", "duplicate": False}


def test_an_upload_sends_the_file_under_an_idempotency_key_of_its_own(
    api: WrittenApi, client: MainspringClient, tmp_path: Path
):
    api.say(SUBMITTED)
    path = tmp_path / "Vertrag \u201cMüller\u201d.pdf"
    path.write_bytes(b"%PDF")
    submitted = client.upload_contract(path, playbook="buyer")
    client.upload_contract(path)
    assert submitted.contract.created_at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert submitted.contract.latest_run == submitted.run
    assert submitted.run.steps[0].error is not None
    first, second = api.seen
    assert first.headers["authorization"] == "Bearer ms_test"
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.headers["content-type"].startswith("multipart/form-data")
    assert "Vertrag \u201cMüller\u201d.pdf".encode() in first.body
    assert b"buyer" in first.body
    assert b"%PDF" in second.body


def test_an_upload_is_repeated_under_the_same_key(api: WrittenApi, client: MainspringClient, waits: list[float]):
    api.refuse("unavailable", 503, retry_after="2")
    api.say(SUBMITTED)
    client.upload_bytes(b"x", "x.txt")
    assert len({seen.headers["idempotency-key"] for seen in api.seen}) == 1
    assert all(b"x.txt" in seen.body for seen in api.seen)
    assert waits == [2.0]


def test_a_problem_becomes_an_error_of_the_tree(api: WrittenApi, client: MainspringClient):
    api.refuse("not_found", 404)
    with pytest.raises(ApiError) as refused:
        client.get_contract("ctr_x")
    error = refused.value
    assert isinstance(error, MainspringError)
    assert (error.code, error.status, error.detail) == ("not_found", 404, "It is not_found.")
    assert (error.retryable, error.retry_after, error.request_id) == (False, None, "req_1")
    assert len(api.seen) == 1


def test_a_throttled_read_waits_as_asked_and_gives_up_in_the_end(
    api: WrittenApi, client: MainspringClient, waits: list[float]
):
    api.refuse("rate_limited", 429, retry_after="7")
    with pytest.raises(ApiError) as refused:
        client.get_tenant()
    assert (refused.value.retryable, refused.value.retry_after) == (True, 7)
    assert waits == [7.0, 7.0]
    assert len(api.seen) == 3


def test_a_wait_longer_than_ones_patience_is_left_to_the_caller(
    api: WrittenApi, client: MainspringClient, waits: list[float]
):
    api.refuse("rate_limited", 429, retry_after="300")
    with pytest.raises(ApiError):
        client.get_tenant()
    assert (waits, len(api.seen)) == ([], 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_call_that_may_not_be_repeated_is_not(api: WrittenApi, client: MainspringClient, status: int):
    api.refuse("busy", status)
    for call in (
        lambda: client.analyze_again("ctr_1"),
        lambda: client.create_api_key("CI"),
        lambda: client.add_member("a@example.com", "A", "viewer"),
        lambda: client.save_playbook("buyer", "rules: []"),
    ):
        with pytest.raises(ApiError):
            call()
    assert len(api.seen) == 4


def test_an_api_that_is_not_there_is_named_after_some_attempts(waits: list[float]):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    patience = Patience(attempts=3, sleep=waits.append)
    client = MainspringClient(f"http://127.0.0.1:{port}", "ms_test", patience=patience)
    with client, pytest.raises(ApiError, match=str(port)) as refused:
        client.create_api_key("CI")
    assert (refused.value.code, refused.value.status, refused.value.retryable) == ("unreachable", 0, True)
    assert len(waits) == 2
    assert 0 < sum(waits) < 1


def test_another_server_at_the_address_is_noticed(api: WrittenApi, client: MainspringClient):
    api.say(["hello"])
    with pytest.raises(ApiError, match="Mainspring API") as refused:
        client.get_tenant()
    assert refused.value.code == "unexpected_answer"
    api.answers[:] = []
    api.say("gateway timeout", status=504)
    with pytest.raises(ApiError, match="504") as refused:
        client.get_tenant()
    assert (refused.value.code, refused.value.retryable) == ("http_error", True)


def test_a_list_is_read_page_by_page_only_as_far_as_it_is_consumed(api: WrittenApi, client: MainspringClient):
    pages = [{"items": [{**CONTRACT, "id": f"ctr_{n}"}], "next_cursor": f"c {n}"} for n in range(3)]
    api.say(*pages, {"items": [], "next_cursor": None})
    contracts = client.iter_contracts(name_contains="a&b", page_size=1)
    assert next(contracts).id == "ctr_0"
    assert len(api.seen) == 1
    assert [contract.id for contract in contracts] == ["ctr_1", "ctr_2"]
    assert [seen.target for seen in api.seen] == [
        "/v1/contracts?q=a%26b&limit=1",
        "/v1/contracts?q=a%26b&limit=1&cursor=c+0",
        "/v1/contracts?q=a%26b&limit=1&cursor=c+1",
        "/v1/contracts?q=a%26b&limit=1&cursor=c+2",
    ]


def test_ids_cannot_lead_to_another_path(api: WrittenApi, client: MainspringClient):
    api.say(CONTRACT)
    client.get_contract("ctr_1/report?format=md#x")
    assert api.seen[0].target == "/v1/contracts/ctr_1%2Freport%3Fformat%3Dmd%23x"


def test_a_decision_sends_only_what_was_given(api: WrittenApi, client: MainspringClient):
    finding = {
        "id": "fnd_1",
        "rule": "cap",
        "kind": "missing",
        "severity": "high",
        "title": "No cap",
        "why": "Because",
        "category": None,
        "citations": [{"start": 0, "end": 1, "quote": "x", "page": 1, "chunk": None}],
        "suggestion": None,
        "method": "rule",
        "confidence": 1.0,
        "decision": "edited",
        "decided_by": "Ada",
        "decided_at": AT,
        "reason": "Reworded",
        "edited": {"title": "Cap is absent"},
    }
    api.say(finding)
    decided = client.decide_finding("ctr_1", "fnd_1", "edited", reason="Reworded", edited=Edit(title="Cap is absent"))
    assert json.loads(api.seen[0].body) == {
        "decision": "edited",
        "reason": "Reworded",
        "edited": {"title": "Cap is absent"},
    }
    assert decided.edited == Edit(title="Cap is absent")
    client.decide_finding("ctr_1", "fnd_1", "accepted")
    assert json.loads(api.seen[1].body) == {"decision": "accepted"}


def test_a_report_comes_typed_or_as_a_file(api: WrittenApi, client: MainspringClient):
    report = {
        "contract": CONTRACT,
        "run_id": "run_1",
        "playbook": {"name": "buyer", "version": 1},
        "generated_at": AT,
        "method": "deterministic",
        "ai_enabled": True,
        "methods": {"classify": "classifier", "assess": "rule", "summarize": "rule"},
        "summary": {
            "method": "rule",
            "dropped": 0,
            "sentences": [{"text": "S.", "citations": [{"start": 0, "end": 2, "quote": "S."}]}],
        },
        "model_text": None,
        "facts": [],
        "categories": [],
        "findings": [],
        "counts": {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0},
        "warnings": ["Page 3 holds no text."],
    }
    api.say(report)
    assert client.get_report("ctr_1").summary.sentences[0].citations[0].quote == "S."
    assert json.loads(client.download_report("ctr_1", "json")) == report
    assert api.seen[1].target == "/v1/contracts/ctr_1/report?format=json"


def test_the_key_is_in_no_repr(client: MainspringClient):
    assert "ms_test" not in repr(client) + repr(vars(client))
