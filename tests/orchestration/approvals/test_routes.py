"""Approvals over HTTP, as people's browsers and programs' keys use them."""

from dataclasses import replace

import pytest

from mainspring.application.identity import Role
from mainspring.foundation.ids import show_id
from tests.orchestration.approvals.office import PAYMENT, Office

HOSTILE = "<script>alert(1)</script> [pay](javascript:alert(2)) ![x](https://tracker.example/p.png)"


async def test_a_person_finds_reads_and_approves(office: Office):
    analyst, reviewer = await office.member(Role.ANALYST), await office.person()
    asked = await office.ask(by=analyst)
    async with office.browser(reviewer) as browser:
        inbox = (await browser.get("/v1/approvals", params={"mine": True, "status": "pending"})).json()
        (item,) = inbox["items"]
        assert (item["title"], item["may_decide"], item["state"]) == (PAYMENT.title, True, "pending")
        assert "arguments" not in item
        path = f"/v1/approvals/{item['id']}"
        shown = (await browser.get(path)).json()
        assert (shown["action"], shown["arguments"]) == (PAYMENT.action, PAYMENT.arguments)
        assert (shown["output"], shown["shown"]) == (PAYMENT.output, PAYMENT.shown)
        assert shown["digest"] == shown["shown_digest"] == asked.digest
        said = {"verdict": "approve", "digest": shown["digest"], "reason": "Due."}
        decided = await browser.post(f"{path}/decide", json=said)
        assert decided.status_code == 200
        assert (decided.json()["state"], decided.json()["reason"]) == ("approved", "Due.")
        assert [entry["event"] for entry in decided.json()["history"]] == ["requested", "approved"]
        assert (await browser.get("/v1/approvals", params={"mine": True})).json()["items"] == []


async def test_an_edit_comes_back_with_its_new_digest(office: Office):
    first, second = await office.person(), await office.person()
    asked = await office.ask()
    path = f"/v1/approvals/{show_id('apr', asked.id)}/decide"
    async with office.browser(first) as browser:
        body = {"verdict": "edit", "digest": asked.digest, "edited_arguments": {"to": "Fabrikam", "amount_cents": 1}}
        edited = (await browser.post(path, json=body)).json()
        assert (edited["state"], edited["revision"], edited["may_decide"]) == ("pending", 2, False)
        assert edited["digest"] != edited["shown_digest"] == asked.digest
    async with office.browser(second) as browser:
        stale = await browser.post(path, json={"verdict": "approve", "digest": asked.digest})
        assert (stale.status_code, stale.json()["code"]) == (409, "approval_voided")
        done = await browser.post(path, json={"verdict": "approve", "digest": edited["digest"]})
        assert (done.json()["state"], done.json()["verdict"]) == ("approved", "edit")


async def test_delegating_and_withdrawing(office: Office):
    analyst, reviewer, admin = [await office.person(role) for role in (Role.ANALYST, Role.REVIEWER, Role.ADMIN)]
    asked = await office.ask(by=analyst.principal)
    path = f"/v1/approvals/{show_id('apr', asked.id)}"
    async with office.browser(reviewer) as browser:
        (hand,) = admin.principal.hands
        delegated = await browser.post(f"{path}/delegate", json={"to": hand, "reason": "On leave."})
        assert delegated.json()["assigned"] == ["role:reviewer", hand]
    async with office.browser(admin) as browser:
        assert len((await browser.get("/v1/approvals", params={"mine": True})).json()["items"]) == 1
    async with office.browser(analyst) as browser:
        withdrawn = await browser.post(f"{path}/withdraw")
        assert withdrawn.json()["state"] == "withdrawn"
        assert (await browser.post(f"{path}/withdraw", json={"reason": "again"})).json()["state"] == "withdrawn"


async def test_who_need_not_know_is_told_that_it_is_there(office: Office):
    viewer = await office.person(Role.VIEWER)
    asked = await office.ask(replace(PAYMENT, title="Secret merger", shown="Secret merger", output="Secret merger"))
    async with office.browser(viewer) as browser:
        listed = await browser.get("/v1/approvals")
        one = await browser.get(f"/v1/approvals/{show_id('apr', asked.id)}")
    assert (listed.status_code, one.status_code) == (200, 200)
    assert "Secret" not in listed.text + one.text
    assert "Fabrikam" not in listed.text + one.text
    shown = one.json()
    assert (shown["is_shown"], shown["title"], shown["arguments"], shown["history"]) == (False, None, None, [])


async def test_what_models_wrote_is_sent_as_it_is_and_as_json(office: Office):
    """Escaping is the console's: the API promises data, never a page, and no browser runs it."""
    reviewer = await office.person()
    asked = await office.ask(replace(PAYMENT, title=HOSTILE, shown=HOSTILE, arguments={HOSTILE: HOSTILE}))
    async with office.browser(reviewer) as browser:
        answer = await browser.get(f"/v1/approvals/{show_id('apr', asked.id)}")
    assert answer.json()["shown"] == HOSTILE
    assert answer.json()["arguments"] == {HOSTILE: HOSTILE}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "approve"},
        {"verdict": "expired", "digest": "0" * 64},
        {"verdict": "approve", "digest": "0" * 63},
        {"verdict": "approve", "digest": "0" * 64, "force": True},
        {"verdict": "approve", "digest": "0" * 64, "edited_arguments": {}},
        {"verdict": "edit", "digest": "0" * 64},
        {"verdict": "approve", "digest": "0" * 64, "reason": "x" * 2_001},
        {"verdict": "approve", "digest": "0" * 64, "reason": "\0"},
        {"verdict": "edit", "digest": "0" * 64, "edited_arguments": 2**60},
    ],
)
async def test_a_word_that_is_no_decision_is_refused(office: Office, body: dict[str, object]):
    reviewer, asked = await office.person(), await office.ask()
    async with office.browser(reviewer) as browser:
        answer = await browser.post(f"/v1/approvals/{show_id('apr', asked.id)}/decide", json=body)
    assert answer.status_code == 422
    assert (await office.approvals.get(reviewer.principal, asked.id)).may_decide
