"""A tenant's admin at the gateway in a real browser: a budget, a call that counts, a key, and two who edit at once.

Pictures go to `.screenshots/` beside the Makefile; look at them when a screen was changed.
"""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mainspring.application.identity import Role
from mainspring.entry.api import find_console
from tests.journeys.signed_in import api, page, sign_in, signed_in
from tests.journeys.test_console import CHROMIUM, browser, picture
from tests.stack import Person, RunningStack, wait_until

__all__ = ["api", "browser", "page", "signed_in"]

MODEL = "local/smollm2-135m-instruct"
KEY = "sk-proj-0123456789abcdefWXYZ"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(find_console() is None, reason="the console is not built: make console/dist/index.html"),
]


@pytest.fixture(scope="module")
def admin(stack: RunningStack) -> Person:
    return stack.person("gateway-firm", Role.ADMIN)


def policy_of(api: httpx.Client) -> dict[str, Any]:
    return api.get("/v1/gateway/policy").raise_for_status().json()


def test_the_models_that_may_be_called_are_a_click_away(page: Page):
    page.goto("/")
    page.get_by_role("link", name="AI gateway").click()
    page.get_by_role("button", name=MODEL).click()
    expect(page.get_by_role("list", name=f"Endpoints of {MODEL}")).to_be_visible()
    picture(page, "gateway-models")


def test_a_budget_is_set_and_a_call_counts_against_it(page: Page, api: httpx.Client, stack: RunningStack):
    before = policy_of(api)["policy"]
    page.goto("/gateway?tab=limits")
    page.get_by_role("button", name="Add a limit").click()
    page.get_by_label("Calls a day").fill("4")
    page.get_by_label("Budget a month, USD").fill("12.50")
    page.get_by_role("button", name="Add the limit").last.click()
    expect(page.get_by_role("meter", name="Calls a day, used")).to_have_attribute("aria-valuetext", "0 of 4")
    limits = [{"scope": "tenant", "calls_per_day": 4, "budget_per_month_micros": 12_500_000}]
    assert policy_of(api)["policy"] == {**before, "limits": limits}
    question = {"model": MODEL, "max_tokens": 4, "messages": [{"role": "user", "content": "Say yes."}]}
    api.post(f"{stack.gateway_url}/v1/chat/completions", json=question).raise_for_status()
    wait_until(lambda: bool(api.get("/v1/gateway/spend").json()["items"]))
    page.reload()
    expect(page.get_by_role("meter", name="Calls a day, used")).to_have_attribute("aria-valuetext", "1 of 4")
    picture(page, "gateway-limits")
    page.get_by_role("tab", name="Spend").click()
    page.get_by_role("button", name="Model", exact=True).click()
    expect(page.get_by_role("rowheader", name=MODEL)).to_be_visible()
    picture(page, "gateway-spend")


def test_two_who_change_the_policy_at_once_both_keep_their_change(page: Page, api: httpx.Client):
    page.goto("/gateway?tab=limits")
    page.get_by_role("switch", name="Require pinned versions").click()
    before = policy_of(api)
    other = {"policy": {**before["policy"], "payloads": "drop"}, "version": before["version"]}
    api.put("/v1/gateway/policy", json=other).raise_for_status()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_role("alert")).to_contain_text("changed meanwhile")
    picture(page, "gateway-policy-stale")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("As it is stored")).to_be_visible()
    after = policy_of(api)["policy"]
    assert (after["payloads"], after["require_pinned"]) == ("drop", True)


def test_what_is_wrong_in_the_whole_policy_is_shown_at_its_line(page: Page, api: httpx.Client):
    before = policy_of(api)
    page.goto("/gateway?tab=limits")
    page.get_by_role("button", name="Edit as JSON").click()
    page.get_by_label("The policy as JSON").fill('{\n  "limits": [\n    {\n      "scope": "everyone"\n    }\n  ]\n}')
    page.get_by_role("button", name="Save the policy").click()
    expect(page.locator("[data-line='4']")).to_contain_text("it must be one of")
    picture(page, "gateway-policy-wrong")
    assert policy_of(api) == before


def test_a_key_goes_in_shows_its_end_and_is_deleted(page: Page):
    page.goto("/gateway?tab=keys")
    page.get_by_role("button", name="Set a key").click()
    page.get_by_label("Provider", exact=True).select_option("openai")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Store the key").click()
    expect(page.get_by_text("••••WXYZ")).to_be_visible()
    assert KEY not in page.content()
    picture(page, "gateway-keys")
    page.get_by_role("button", name="Delete the key for OpenAI").click()
    page.get_by_role("button", name="Delete the key", exact=True).click()
    expect(page.get_by_text("No keys of your own")).to_be_visible()


def test_dark_and_phone_width_show_the_same_pages(browser: Browser, signed_in: BrowserContext, stack: RunningStack):
    state = signed_in.storage_state()
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=stack.url, color_scheme="dark", storage_state=state
    )
    page = context.new_page()
    for tab in ("models", "limits", "keys", "spend"):
        page.goto(f"/gateway?tab={tab}")
        expect(page.get_by_role("tabpanel")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
        picture(page, f"gateway-{tab}-phone-dark")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), tab
    context.close()


def test_who_may_not_see_the_gateway_has_no_way_there(browser: Browser, stack: RunningStack):
    viewer = stack.person("gateway-firm", Role.VIEWER)
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    sign_in(page, viewer)
    expect(page.get_by_role("link", name="AI gateway")).to_have_count(0)
    page.goto("/gateway")
    expect(page.get_by_text("Not for your role")).to_be_visible()
    context.close()
