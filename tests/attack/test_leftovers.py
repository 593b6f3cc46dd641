"""What is deleted or refused leaves nothing behind, whatever happens at the same moment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg

from mainspring.foundation.engines import find_running
from mainspring.foundation.ids import read_id
from tests.attack.conftest import TEXT, Target


def _fresh() -> bytes:
    return TEXT + uuid4().hex.encode()


def _at_once(number: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(call, range(number)))


def _count(target: Target, sql: bytes) -> int:
    """Of all tenants: as the owner of the schema."""
    engines = find_running(target.stack.settings.data_dir)
    assert engines is not None
    with psycopg.connect(engines.database_admin_url) as connection:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])


def _until(is_so: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def _stored_folders(target: Target) -> set[str]:
    objects = target.stack.settings.data_dir / "objects"
    return {path.parent.name for path in objects.glob("*/documents/*/*") if path.is_file()}


_ORPHANS = b"""select count(*) from document d where source = 'contracts'
               and not exists (select 1 from contract c where c.document_id = d.id)"""


def test_twenty_equal_uploads_at_once_are_one_contract_and_one_run(target: Target):
    content = _fresh()
    answers = [answer.json() for answer in _at_once(20, lambda _: target.upload(content))]
    assert len({answer["contract"]["id"] for answer in answers}) == 1
    assert len({answer["run"]["id"] for answer in answers}) == 1
    assert [answer["duplicate"] for answer in answers].count(False) == 1


def test_a_refused_submission_leaves_no_document(target: Target):
    key = uuid4().hex
    answers = _at_once(10, lambda _: target.upload(_fresh(), key=key))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
    assert target.upload(_fresh(), key="").status_code == 422
    assert _count(target, _ORPHANS) == 0
    documents = _count(target, b"select count(*) from document")
    assert len(_stored_folders(target)) == documents


def test_tenants_do_not_share_bytes_or_idempotency_keys(target: Target):
    content, key = _fresh(), uuid4().hex
    mine = target.upload(content, key=key).json()
    theirs = target.upload(content, by=target.stranger, key=key).json()
    assert (mine["duplicate"], theirs["duplicate"]) == (False, False)
    assert mine["contract"]["id"] != theirs["contract"]["id"]
    assert mine["run"]["id"] != theirs["run"]["id"]


def test_a_deleted_contract_takes_runs_stories_and_words_along(target: Target):
    submitted = target.upload(_fresh()).json()
    contract, run = submitted["contract"]["id"], submitted["run"]["id"]
    with target.stack.client(target.owner) as client:
        assert list(client.events(run))[-1].type == "run.finished"
    assert target.call("DELETE", f"/v1/contracts/{contract}").status_code == 204
    assert target.call("GET", f"/v1/runs/{run}").status_code == 404
    assert target.call("GET", f"/v1/runs/{run}/events").status_code == 404
    assert _count(target, b"select count(*) from run where subject = '%s'" % contract.encode()) == 0
    records = b"select count(*) from inference_record r where r.run_id = '%s'" % str(read_id("run", run)).encode()
    assert _count(target, records) > 0
    words = records + b" and exists (select from inference_payload p where p.record_id = r.id)"
    assert _until(lambda: _count(target, words) == 0)


def test_deleting_in_the_middle_of_several_runs_ends_them_all(target: Target):
    submitted = target.upload(_fresh()).json()
    contract = submitted["contract"]["id"]

    def act(number: int) -> httpx.Response:
        if number == 5:
            return target.call("DELETE", f"/v1/contracts/{contract}")
        return target.call("POST", f"/v1/contracts/{contract}/runs")

    answers = _at_once(10, act)
    assert {answer.status_code for answer in answers} <= {202, 204, 404}
    assert target.call("GET", f"/v1/runs?subject={contract}").json()["items"] == []
    assert _until(lambda: _count(target, b"select count(*) from step where status = 'running'") == 0)
    assert _count(target, _ORPHANS) == 0
    assert (
        _count(
            target, b"select count(*) from chunk c where not exists (select from document d where d.id = c.document_id)"
        )
        == 0
    )


def test_uploading_and_deleting_the_same_bytes_at_once_never_fails_or_dangles(target: Target):
    content = _fresh()

    def act(number: int) -> httpx.Response:
        answer = target.upload(content)
        if number % 2 or answer.status_code >= 300:
            return answer
        return target.call("DELETE", f"/v1/contracts/{answer.json()['contract']['id']}")

    for _ in range(3):
        assert {answer.status_code for answer in _at_once(12, act)} <= {200, 202, 204, 404}
    last = target.upload(content).json()
    with target.stack.client(target.owner) as client:
        assert list(client.events(last["run"]["id"]))[-1].data["status"] == "succeeded"
    assert _count(target, _ORPHANS) == 0
