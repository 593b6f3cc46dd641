"""The main journey in a real browser: sign in, drop a contract, watch it run, read, decide. Screenshots are kept.

Pictures go to `.screenshots/` beside the Makefile; look at them when a screen was changed.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from mainspring.application.identity import Role
from mainspring.entry.api import find_console
from mainspring.showcase.contracts import sample_path
from tests.stack import Person, RunningStack

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PICTURES = Path(__file__).resolve().parents[2] / ".screenshots"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(find_console() is None, reason="the console is not built: make console/dist/index.html"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, "--disable-component-update", "--disable-quic"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def reviewer(stack: RunningStack) -> Person:
    return stack.person("browser-firm", Role.REVIEWER)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: RunningStack, reviewer: Person) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url, color_scheme="light")
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Email").fill(reviewer.email)
    page.get_by_label("Password", exact=True).fill("wrong on purpose")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    picture(page, "sign-in-refused")
    page.get_by_label("Password", exact=True).fill(reviewer.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Contracts")).to_be_visible()
    picture(page, "empty-list")
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="module")
def analysed(signed_in: BrowserContext, stack: RunningStack, reviewer: Person) -> None:
    """The services agreement, analysed, for the tests that read its report."""
    with stack.client(reviewer) as client:
        submitted = client.upload_contract(sample_path("msa.pdf"))
        assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"


@pytest.fixture
def page(signed_in: BrowserContext, analysed: None) -> Iterator[Page]:
    """A page that must not log a script error."""
    opened, errors = signed_in.new_page(), list[str]()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def upload(page: Page, path: Path) -> None:
    page.goto("/")
    page.locator("#upload-input").set_input_files(path)


def open_report(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Master Services Agreement").first.click()
    expect(page.get_by_role("document", name="Contract text")).to_be_visible()


def test_a_contract_is_dropped_watched_and_its_report_opens(page: Page):
    upload(page, sample_path("saas.pdf"))
    page.get_by_role("link", name="Watch").first.click()
    expect(page.get_by_role("list", name="Steps")).to_be_visible()
    expect(page.locator("li[data-step=parse][data-status=succeeded]")).to_be_visible(timeout=60_000)
    picture(page, "live-run")
    # The page turns into the report by itself when the run has ended.
    expect(page.get_by_role("document", name="Contract text")).to_be_visible(timeout=90_000)
    picture(page, "report")


def test_a_finding_and_its_place_in_the_text_are_linked_both_ways(page: Page):
    open_report(page)
    finding = page.get_by_role("list", name="Findings").locator("li[id^=finding-]").first
    identifier = (finding.get_attribute("id") or "").removeprefix("finding-")
    finding.click()
    mark = page.locator(f'mark[data-marks~="{identifier}"]').first
    expect(mark).to_be_in_viewport()
    picture(page, "finding-at-its-place")
    other = page.locator("mark[data-marks]").nth(3)
    wanted = (other.get_attribute("data-marks") or "").split()[0]
    other.scroll_into_view_if_needed()
    other.click()
    expect(page.locator(f"#finding-{wanted}")).to_be_in_viewport()


def test_findings_are_accepted_dismissed_and_undone_by_keyboard_and_mouse(page: Page):
    open_report(page)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text("Finding accepted")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.get_by_label("Reason").fill("Agreed with the business")
    picture(page, "dismiss")
    page.get_by_role("button", name="Dismiss finding").click()
    expect(page.locator("li[data-decision=dismissed]")).to_have_count(1)
    expect(page.locator("li[data-decision=accepted]")).to_have_count(1)
    page.reload()
    expect(page.locator("li[data-decision=dismissed]")).to_have_count(1)


def test_the_summary_cites_and_the_local_models_words_are_marked_unverified(page: Page):
    open_report(page)
    page.get_by_role("tab", name="Summary").click()
    expect(page.get_by_role("button", name="Source 1").first).to_be_visible()
    expect(page.get_by_text("unverified", exact=False).first).to_be_visible()
    picture(page, "summary")


def test_a_bad_file_is_refused_with_its_reason(page: Page, tmp_path: Path):
    empty = tmp_path / "empty.pdf"
    empty.write_bytes(b"")
    upload(page, empty)
    expect(page.get_by_text("is empty", exact=False).first).to_be_visible()
    picture(page, "refused-file")


def test_dark_and_phone_width_show_the_same_report(
    browser: Browser, signed_in: BrowserContext, analysed: None, stack: RunningStack
):
    state = signed_in.storage_state()
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=stack.url, color_scheme="dark", storage_state=state
    )
    page = context.new_page()
    page.goto("/")
    picture(page, "phone-list-dark")
    page.get_by_role("link", name="Master Services Agreement").first.click()
    expect(page.get_by_role("tab", name="Text")).to_be_visible()
    picture(page, "phone-report-dark")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_another_tenants_contract_is_not_found(browser: Browser, stack: RunningStack, page: Page):
    open_report(page)
    address = page.url
    stranger = stack.person("browser-rival")
    context = browser.new_context(base_url=stack.url)
    other = context.new_page()
    other.goto("/")
    other.get_by_label("Email").fill(stranger.email)
    other.get_by_label("Password", exact=True).fill(stranger.password)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="Contracts")).to_be_visible()
    other.goto(address)
    expect(other.get_by_text("There is no contract", exact=False).first).to_be_visible()
    picture(other, "foreign-contract")
    context.close()
