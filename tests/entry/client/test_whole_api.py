"""The client against every process of the product: an upload, its live story, its results, its end."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mainspring.application.identity import Role
from mainspring.entry.client import ApiError, Edit, MainspringClient
from mainspring.showcase.contracts import sample_path
from tests.scene import Scene


@dataclass(frozen=True, slots=True)
class Analysed:
    """A contract that no other test touches."""

    content: bytes
    contract: str
    run: str


@pytest.fixture(scope="module")
def analysed(scene: Scene) -> Analysed:
    content = sample_path("msa.pdf").read_bytes() + b"\n% read through the client\n"
    with scene.stack.client(scene.people[Role.OWNER]) as client:
        submitted = client.upload_bytes(content, "client.pdf")
        assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"
        return Analysed(content, submitted.contract.id, submitted.run.id)


@pytest.fixture
def owner(scene: Scene) -> Iterator[MainspringClient]:
    with scene.stack.client(scene.people[Role.OWNER]) as made:
        yield made


def test_an_analysed_contract_is_read_typed_in_every_part(owner: MainspringClient, analysed: Analysed):
    contract = owner.get_contract(analysed.contract)
    assert contract in list(owner.iter_contracts(page_size=1))
    run = owner.get_run(analysed.run)
    assert contract.latest_run == run
    assert (run.status, run.is_finished) == ("succeeded", True)
    assert owner.download_contract(analysed.contract) == analysed.content

    text, report = owner.get_text(analysed.contract), owner.get_report(analysed.contract)
    assert report.contract.id == analysed.contract
    assert all(page.end <= len(text.text) for page in text.pages)
    cited = [citation for sentence in report.summary.sentences for citation in sentence.citations]
    cited += [citation for finding in report.findings for citation in finding.citations]
    assert cited
    assert all(text.text[each.start : each.end] == each.quote for each in cited)
    assert owner.download_report(analysed.contract, "md").startswith(b"#")
    assert owner.download_report(analysed.contract, "docx").startswith(b"PK")


def test_a_finished_run_tells_its_story_again_from_any_place(owner: MainspringClient, scene: Scene):
    story = list(owner.events(scene.run))
    assert story[-1].type == "run.finished"
    assert len({event.id for event in story}) == len(story)
    assert [event.id for event in owner.events(scene.run, after=story[-2].id)] == [story[-1].id]
    assert list(owner.events(scene.run, after=story[-1].id)) == []


def test_a_finding_is_decided_and_opened_again(owner: MainspringClient, analysed: Analysed):
    finding = next(owner.iter_findings(analysed.contract)).id
    edited = owner.decide_finding(
        analysed.contract, finding, "edited", reason="Our own words", edited=Edit(title="Mind the cap")
    )
    assert (edited.decision, edited.reason, edited.edited) == ("edited", "Our own words", Edit(title="Mind the cap"))
    assert edited.decided_at is not None
    assert [each.id for each in owner.iter_findings(analysed.contract, decision="edited")] == [finding]
    assert owner.decide_finding(analysed.contract, finding, "open").decision == "open"
    with pytest.raises(ApiError) as refused:
        owner.decide_finding(analysed.contract, finding, "dismissed")
    assert refused.value.status == 422


def test_the_same_bytes_again_start_nothing_and_a_deleted_contract_is_gone(owner: MainspringClient):
    content = b"1. Term. This agreement lasts one year.\n\n2. Law. The law of Bavaria governs it.\n"
    first = owner.upload_bytes(content, "small.txt")
    again = owner.upload_bytes(content, "renamed.txt")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.contract.id == first.contract.id
    assert [event.type for event in owner.events(first.run.id)][-1] == "run.finished"
    repeated = owner.analyze_again(first.contract.id)
    assert repeated.run.id != first.run.id
    assert [event.type for event in owner.events(repeated.run.id)][-1] == "run.finished"
    assert {run.id for run in owner.iter_runs(subject=first.contract.id)} == {first.run.id, repeated.run.id}
    with pytest.raises(ApiError) as over:
        owner.cancel_run(first.run.id)
    assert over.value.status == 409
    owner.delete_contract(first.contract.id)
    with pytest.raises(ApiError) as gone:
        owner.get_contract(first.contract.id)
    assert gone.value.code == "not_found"


def test_playbooks_are_read_and_written_through_the_client(owner: MainspringClient):
    default = next(playbook for playbook in owner.iter_playbooks() if playbook.is_default)
    full = owner.get_playbook(default.name)
    assert full.yaml is not None
    saved = owner.save_playbook(default.name, full.yaml + "\n# reviewed\n", base_version=full.version)
    assert saved.version == full.version + 1
    with pytest.raises(ApiError) as stale:
        owner.save_playbook(default.name, full.yaml, base_version=full.version)
    assert stale.value.status == 409
    with pytest.raises(ApiError) as broken:
        owner.save_playbook(default.name, "rules: [")
    assert broken.value.status == 422
    assert saved.version in {playbook.version for playbook in owner.iter_playbook_versions(default.name)}


def test_the_model_calls_of_a_run_are_listed(owner: MainspringClient, scene: Scene):
    of_run, everything = list(owner.iter_records(run=scene.run)), list(owner.iter_records())
    assert {record.id for record in of_run} <= {record.id for record in everything}
    assert all(record.run == scene.run for record in of_run)
