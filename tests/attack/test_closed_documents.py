"""What a member of the tenant learns of a document that is closed to them: nothing, by whichever route."""

from uuid import uuid4

from mainspring.application.identity import Role
from tests.attack.conftest import TEXT, Target

NAME = "merger with Initech"


def test_a_closed_contract_is_in_no_list_and_its_findings_are_decided_by_nobody_else(target: Target):
    reviewer = target.stack.person("acme", Role.REVIEWER)
    content = TEXT + uuid4().hex.encode()
    sent = target.call("POST", "/v1/contracts", files={"file": (f"{NAME}.txt", content)}).json()
    contract, run = sent["contract"]["id"], sent["run"]["id"]
    with target.stack.client(target.owner) as client:
        assert list(client.events(run))[-1].data["status"] == "succeeded"
        finding = next(client.iter_findings(contract)).id
    decision = {"decision": "accepted"}
    finding_path = f"/v1/contracts/{contract}/findings/{finding}"
    assert NAME in target.call("GET", "/v1/contracts", by=reviewer).text
    assert target.call("PATCH", finding_path, by=reviewer, json=decision).status_code == 200

    document = contract.replace("ctr_", "doc_")
    closed = target.call("PUT", f"/v1/knowledge/documents/{document}/readers", json={"readers": ["role:owner"]})
    assert closed.status_code == 200

    again = target.call("POST", "/v1/contracts", by=reviewer, files={"file": ("mine.txt", content)})
    assert (again.status_code, again.json()["code"]) == (409, "contract_closed")
    assert NAME not in again.text
    listed = target.call("GET", "/v1/contracts", by=reviewer)
    assert listed.status_code == 200
    assert NAME not in listed.text
    assert target.call("PATCH", finding_path, by=reviewer, json=decision).status_code == 404
    assert target.call("GET", f"/v1/contracts/{contract}", by=reviewer).status_code == 404
    told = target.call("GET", f"/v1/runs/{run}/events", by=reviewer, headers={"accept": "application/json"})
    kinds = {event["type"] for event in told.json()["items"]}
    assert kinds == {"run.started", "step.started", "step.finished", "run.finished"}


def test_the_run_of_a_closed_document_that_failed_does_not_tell_its_name(target: Target):
    viewer = target.stack.person("acme", Role.VIEWER)
    broken = b"%PDF-1.7\n1 0 obj\n<< " + uuid4().hex.encode()
    files, fields = {"file": (f"{NAME}.pdf", broken)}, {"readers": "role:owner"}
    sent = target.call("POST", "/v1/knowledge/documents", files=files, data=fields).json()
    with target.stack.client(target.owner) as client:
        assert list(client.events(sent["run"]["id"]))[-1].data["status"] == "failed"
    path = f"/v1/runs/{sent['run']['id']}"
    for at in ("/v1/runs", path, f"{path}/events", "/v1/knowledge/status", "/v1/knowledge/documents?q=merger"):
        answer = target.call("GET", at, by=viewer)
        assert answer.status_code == 200, at
        assert NAME not in answer.text, at
    assert NAME in target.call("GET", path).text
