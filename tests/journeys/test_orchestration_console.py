"""Runs, dead letters, approvals and webhooks in a real browser, over a product that rehearses what may happen.

Pictures go to `.screenshots/` beside the Makefile; look at them when a screen was changed.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mainspring.application.identity import Role
from mainspring.entry.api import find_console
from mainspring.showcase.contracts import sample_path
from tests.journeys.rehearsal import NAME
from tests.journeys.rehearsed import has, order, stack
from tests.journeys.signed_in import api, page, sign_in, signed_in
from tests.journeys.test_console import CHROMIUM, browser, picture
from tests.stack import Person, RunningStack, wait_until

__all__ = ["api", "browser", "page", "signed_in", "stack"]

FIRM = "orders-firm"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(find_console() is None, reason="the console is not built: make console/dist/index.html"),
]


@pytest.fixture(scope="module")
def admin(stack: RunningStack) -> Person:
    return stack.person(FIRM, Role.ADMIN)


def test_a_run_is_found_by_filters_and_looked_into(page: Page, api: httpx.Client):
    run = order(api, "chair", "broken", "table", until="succeeded")
    page.goto("/runs")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_label("Pipeline").select_option("rehearsal.order")
    page.get_by_label("Status").select_option("succeeded")
    page.wait_for_url("**/runs?*pipeline=rehearsal.order*")
    row = page.locator("tr", has=page.locator(f"a[href*='{run}']"))
    expect(row.get_by_text("Succeeded")).to_be_visible()
    picture(page, "runs-list")
    row.get_by_role("link").click()
    page.get_by_role("button", name="Pack each item").click()
    page.get_by_role("group", name="Which items").get_by_role("button", name="Failed").click()
    items = page.get_by_role("list", name="Items")
    expect(items.get_by_role("listitem")).to_have_count(1)
    expect(items).to_contain_text("The item is broken")
    picture(page, "run-items")


def test_a_run_that_waits_says_for_what_is_signalled_and_goes_on_before_ones_eyes(page: Page, api: httpx.Client):
    run = order(api, wants="signal", until="suspended")
    page.goto(f"/runs/{run}")
    expect(page.get_by_text("Waits for the signal collected").first).to_be_visible()
    expect(page.get_by_test_id("stream-live")).to_be_visible()
    picture(page, "run-waiting")
    page.get_by_role("button", name="Signal", exact=True).click()
    expect(page.get_by_label("Name of the signal")).to_have_value("collected")
    page.get_by_label("What the step is told, as JSON").fill('{"number": ')
    page.get_by_role("button", name="Send the signal").click()
    expect(page.get_by_role("alert")).to_contain_text("No valid JSON")
    picture(page, "run-signal-wrong")
    page.get_by_label("What the step is told, as JSON").fill('{"number": "A-1"}')
    page.get_by_role("button", name="Send the signal").click()
    expect(page.locator("header").get_by_text("Succeeded")).to_be_visible()
    page.get_by_role("button", name="Wait for the carrier").click()
    expect(page.get_by_role("region", name="Output")).to_contain_text("A-1")


def test_a_failed_run_is_replayed_with_another_input_after_its_mistakes_are_named(page: Page, api: httpx.Client):
    run = order(api, wants="failure", until="failed")
    page.goto(f"/runs/{run}")
    expect(page.get_by_text("No carrier goes to 12 High Street").first).to_be_visible()
    expect(page.get_by_text("Undoes a step that had been done")).to_be_visible()
    picture(page, "run-failed")
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="With another input").click()
    editor = page.get_by_label("The input as JSON")
    expect(editor).to_have_value(
        '{\n  "items": [\n    "chair",\n    "table"\n  ],\n  "wants": "failure",\n  "address": "12 High Street"\n}'
    )
    editor.fill('{\n  "items": "chair"\n}')
    page.get_by_role("button", name="Replay", exact=True).last.click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("items")
    picture(page, "run-replay-wrong")
    editor.fill('{"items": ["lamp"]}')
    page.get_by_role("button", name="Replay", exact=True).last.click()
    expect(page.get_by_text("Replays", exact=True)).to_be_visible()
    expect(page.locator("header").get_by_text("Succeeded")).to_be_visible()
    assert run not in page.url


def test_a_run_is_cancelled_and_retried_from_where_it_stopped(page: Page, api: httpx.Client):
    run = order(api, wants="signal", until="suspended")
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("header").get_by_text("Cancelled")).to_be_visible()
    page.get_by_role("button", name="Retry from the failed step").click()
    expect(page.get_by_text("Retries", exact=True)).to_be_visible()
    expect(page.get_by_text("Waits for the signal collected").first).to_be_visible()
    wait_until(has(api, page.url.rsplit("/", 1)[1].split("?")[0], "suspended"))


def test_dead_letters_are_grouped_looked_into_discarded_with_a_reason_and_taken_back(page: Page, api: httpx.Client):
    order(api, wants="failure", until="failed")
    page.goto("/runs?tab=dead")
    group = page.locator("[data-group]", has_text="no_carrier")
    expect(group).to_contain_text("No carrier goes to 12 High Street")
    picture(page, "dead-letters")
    group.get_by_role("button", name="Look").click()
    group.get_by_role("button", name="Input and trace").first.click()
    expect(group.get_by_role("region", name="Input")).to_contain_text("High Street")
    expect(group.get_by_role("region", name="Trace")).to_contain_text("Abandon")
    picture(page, "dead-letter-open")
    letters = group.locator("[data-letter]")
    before = letters.count()
    letters.first.get_by_role("button", name="Discard this one").click()
    page.get_by_label("Reason").fill("The customer called it off")
    page.get_by_role("button", name="Discard", exact=True).last.click()
    expect(letters).to_have_count(before - 1)
    page.get_by_role("button", name="Discarded", exact=True).click()
    discarded = page.locator("[data-letter]", has_text="The customer called it off").first
    expect(discarded).to_be_visible()
    picture(page, "dead-letters-discarded")
    discarded.get_by_role("button", name="Undo the discard").click()
    page.get_by_role("button", name="Open, by cause").click()
    expect(page.locator("[data-group]", has_text="no_carrier")).to_be_visible()


def test_all_dead_letters_of_a_cause_are_replayed_at_once(page: Page, api: httpx.Client):
    order(api, wants="failure", until="failed")
    page.goto("/runs?tab=dead")
    page.locator("[data-group]", has_text="no_carrier").get_by_role("button", name="Replay these").click()
    expect(page.get_by_label("Notifications")).to_contain_text("replayed")
    page.get_by_role("button", name="Replayed", exact=True).click()
    expect(page.get_by_role("link", name="The run that replays it").first).to_be_visible()


def test_a_pipeline_is_paused_with_a_reason_and_let_go(page: Page, api: httpx.Client):
    page.goto("/runs?tab=lanes")
    expect(page.get_by_role("heading", name="Lanes", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause or drain").click()
    page.get_by_label("Pipeline").select_option("rehearsal.order")
    page.get_by_label("Step", exact=True).select_option("ship")
    page.get_by_label("Reason").fill("The carrier is on strike")
    picture(page, "hold-form")
    page.get_by_role("button", name="Pause", exact=True).last.click()
    row = page.get_by_role("list", name="Holds").locator("li", has_text="The carrier is on strike")
    expect(row).to_contain_text("rehearsal.order, step ship")
    run = order(api, until="ready")
    picture(page, "lanes")
    row.get_by_role("button", name="Let go").click()
    expect(row).to_have_count(0)
    wait_until(has(api, run, "succeeded"))


def test_a_schedule_shows_when_it_comes_before_and_after_it_is_made(page: Page):
    page.goto("/runs?tab=schedules")
    page.get_by_role("button", name="Add a schedule").click()
    page.get_by_label("Name").fill("nightly")
    page.get_by_label("Pipeline").select_option("rehearsal.order")
    page.get_by_label("Cron line").fill("61 * * * *")
    expect(page.get_by_text("That never comes")).to_be_visible()
    page.get_by_label("Cron line").fill("30 3 * * *")
    expect(page.get_by_role("group", name="Next firings").get_by_role("listitem")).to_have_count(5)
    page.get_by_label("The input as JSON").fill('{"items": []}')
    picture(page, "schedule-form")
    page.get_by_role("button", name="Add the schedule").click()
    row = page.get_by_role("list", name="Schedules").locator("li", has_text="nightly")
    expect(row).to_contain_text("Next")
    row.get_by_role("button", name="More for nightly").click()
    page.get_by_role("menuitem", name="Pause").click()
    expect(row.get_by_text("Paused")).to_be_visible()
    picture(page, "schedules")
    row.get_by_role("button", name="More for nightly").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete the schedule").click()
    expect(row).to_have_count(0)


@pytest.fixture(scope="module")
def reviewer(stack: RunningStack) -> Person:
    return stack.person(FIRM, Role.REVIEWER)


@pytest.fixture
def reviewing(browser: Browser, stack: RunningStack, reviewer: Person) -> Iterator[Page]:
    """A page of another person than the admin."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    opened = context.new_page()
    sign_in(opened, reviewer)
    yield opened
    context.close()


def order_in(page: Page, api: httpx.Client) -> str:
    """The id of an order that waits for an approval, begun by who is signed in."""
    page.goto("/runs")
    body = {"input": {"items": ["chair", "table"], "wants": "approval"}}
    headers = {"X-CSRF-Token": page.request.get("/v1/session").json()["csrf_token"]}
    begun = page.request.post(f"/v1/pipelines/{NAME}/runs", data=body, headers=headers)
    assert begun.status == 202, begun.text()
    wait_until(has(api, begun.json()["id"], "suspended"), seconds=60)
    return begun.json()["id"]


def approval_of(api: httpx.Client, run: str) -> str:
    return api.get("/v1/approvals", params={"run": run}).raise_for_status().json()["items"][0]["id"]


def test_an_approval_shows_exactly_what_will_be_done_and_the_run_goes_on_when_approved(
    page: Page, reviewing: Page, api: httpx.Client
):
    run = order_in(page, api)
    page.goto(f"/approvals/{approval_of(api, run)}")
    expect(page.get_by_text("You began this work")).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    reviewing.goto("/approvals")
    reviewing.get_by_role("list", name="Approvals").locator(f"a[href*='{approval_of(api, run)}']").click()
    expect(reviewing.get_by_role("region", name="Arguments")).to_contain_text("12 High Street")
    words = reviewing.get_by_role("region", name="In the words of who asks")
    expect(words).to_contain_text('<script>alert("never run")</script>')
    expect(words.get_by_role("link")).to_have_count(0)
    picture(reviewing, "approval")
    reviewing.get_by_role("button", name="Approve", exact=True).click()
    reviewing.get_by_label("Reason").fill("The address is right")
    reviewing.get_by_role("button", name="Approve", exact=True).last.click()
    expect(reviewing.get_by_role("main").get_by_text("The address is right").first).to_be_visible()
    wait_until(has(api, run, "succeeded"))
    picture(reviewing, "approval-decided")


def test_an_edit_needs_another_person_and_what_was_shown_before_is_void(page: Page, reviewing: Page, api: httpx.Client):
    run = order(api, wants="approval", until="suspended")
    address = f"/approvals/{approval_of(api, run)}"
    reviewing.goto(address)
    reviewing.get_by_role("button", name="Edit, then approve").click()
    expect(reviewing.get_by_text("Your edit will need another person")).to_be_visible()
    editor = reviewing.get_by_label("The arguments as JSON")
    editor.fill('{"address": "3 Low Street", "parcels": }')
    reviewing.get_by_role("button", name="Propose the edit").click()
    expect(reviewing.get_by_role("alert")).to_contain_text("No valid JSON")
    editor.fill('{"address": "3 Low Street", "parcels": 2}')
    picture(reviewing, "approval-edit")
    reviewing.get_by_role("button", name="Propose the edit").click()
    expect(reviewing.get_by_text("The words below were written for an earlier version")).to_be_visible()
    expect(reviewing.get_by_text("under four eyes another person has to decide it")).to_be_visible()
    picture(reviewing, "approval-stale")


def test_who_decides_too_late_is_told_who_was_faster(reviewing: Page, api: httpx.Client):
    run = order(api, wants="approval", until="suspended")
    reviewing.goto(f"/approvals/{approval_of(api, run)}")
    reviewing.get_by_role("button", name="Reject", exact=True).click()
    reviewing.get_by_label("Reason").fill("Not today")
    api.post(f"/v1/approvals/{approval_of(api, run)}/withdraw", json={"reason": "Called off"}).raise_for_status()
    reviewing.get_by_role("button", name="Reject", exact=True).last.click()
    expect(reviewing.get_by_role("alert")).to_contain_text("somebody was faster")
    expect(reviewing.get_by_text("Withdrawn").first).to_be_visible()
    picture(reviewing, "approval-too-late")


def test_a_webhook_is_added_its_secret_shown_once_tested_and_its_attempts_looked_at(page: Page):
    page.goto("/settings/webhooks")
    page.get_by_role("button", name="Add an endpoint").click()
    page.get_by_label("Address").fill("http://127.0.0.1:9/hooks")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_role("alert")).to_be_visible()
    picture(page, "webhook-refused")
    page.get_by_label("Address").fill("https://hooks.example.invalid/orders")
    page.get_by_label("Events").fill("run.finished\napproval.*")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_test_id("secret")).to_contain_text("whsec_")
    picture(page, "webhook-secret")
    page.get_by_role("button", name="I have stored it").click()
    page.get_by_role("link", name="https://hooks.example.invalid/orders").first.click()
    page.get_by_role("button", name="Send a test event").click()
    delivery = page.get_by_role("list", name="Deliveries").get_by_role("listitem").first
    expect(delivery).to_contain_text("webhook.test")
    delivery.get_by_role("button", name="Attempts").click()
    attempts = delivery.get_by_role("list", name="Attempts").get_by_role("listitem")
    expect(attempts.first).to_contain_text("no answer", timeout=30_000)
    picture(page, "webhook-deliveries")
    page.get_by_role("button", name="Rotate the secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.get_by_test_id("secret")).to_contain_text("whsec_")
    page.get_by_role("button", name="I have stored it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete the endpoint").click()
    page.wait_for_url("**/settings/webhooks")


def test_a_question_is_answered_with_clauses_that_open_at_their_place(page: Page, stack: RunningStack, admin: Person):
    with stack.client(admin) as client:
        submitted = client.upload_contract(sample_path("msa.pdf"))
        assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"
    page.goto("/ask")
    picture(page, "ask-empty")
    page.get_by_label("Your question").fill("Which law governs the agreement?")
    page.keyboard.press("Enter")
    answer = page.get_by_role("article", name="Answer")
    expect(answer).to_be_visible(timeout=60_000)
    picture(page, "ask-answer")
    answer.get_by_role("list", name="Clauses cited").get_by_role("link").first.click()
    expect(page.get_by_role("document", name="Text of msa.pdf").locator("mark").first).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("navigation", name="Conversations")).to_contain_text("Which law governs the agreement?")


def test_a_viewer_looks_and_changes_nothing(browser: Browser, stack: RunningStack, api: httpx.Client):
    run = order(api, wants="failure", until="failed")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    page = context.new_page()
    sign_in(page, stack.person(FIRM, Role.VIEWER))
    page.goto(f"/runs/{run}")
    retry = page.get_by_role("button", name="Retry from the failed step")
    expect(retry).to_have_attribute("aria-disabled", "true")
    retry.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("run.operate")
    picture(page, "run-viewer")
    page.goto("/settings/webhooks")
    expect(page.get_by_text("Not for your role")).to_be_visible()
    page.goto("/approvals")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    context.close()


def test_an_empty_firm_is_told_what_would_be_there(browser: Browser, stack: RunningStack):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    page = context.new_page()
    sign_in(page, stack.person("orders-empty-firm", Role.OWNER))
    for address, words in {
        "/runs": "Nothing has run yet",
        "/runs?tab=dead": "No dead letters",
        "/runs?tab=schedules": "No schedules yet",
        "/approvals": "Nothing waits for you",
        "/settings/webhooks": "No webhooks yet",
        "/ask": "Every answer cites the clauses",
    }.items():
        page.goto(address)
        expect(page.get_by_text(words)).to_be_visible()
    context.close()


def test_dark_and_phone_width_show_the_same_pages(
    browser: Browser, signed_in: BrowserContext, stack: RunningStack, api: httpx.Client
):
    run, waiting = order(api, "chair", "broken", until="succeeded"), order(api, wants="approval", until="suspended")
    order(api, wants="failure", until="failed")
    state = signed_in.storage_state()
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=stack.url, color_scheme="dark", storage_state=state
    )
    page = context.new_page()
    pages = {
        "runs": "/runs",
        "run": f"/runs/{run}?step=pack",
        "dead": "/runs?tab=dead",
        "lanes": "/runs?tab=lanes",
        "schedules": "/runs?tab=schedules",
        "approvals": "/approvals",
        "approval": f"/approvals/{approval_of(api, waiting)}",
        "webhooks": "/settings/webhooks",
        "ask": "/ask",
    }
    for name, address in pages.items():
        page.goto(address)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
        picture(page, f"orchestration-{name}-phone-dark")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    context.close()
