"""Knowledge in a real browser: documents go in, are found, and open at their place; settings are tried before use.

Pictures go to `.screenshots/` beside the Makefile; look at them when a screen was changed.
"""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mainspring.application.identity import Role
from mainspring.entry.api import find_console
from mainspring.showcase.contracts import sample_path
from tests.journeys.signed_in import api, page, sign_in, signed_in
from tests.journeys.test_console import CHROMIUM, browser, picture
from tests.stack import Person, RunningStack, wait_until

__all__ = ["api", "browser", "page", "signed_in"]

FIRM = "knowledge-firm"
INDEXED = 60_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(find_console() is None, reason="the console is not built: make console/dist/index.html"),
]


@pytest.fixture(scope="module")
def admin(stack: RunningStack) -> Person:
    return stack.person(FIRM, Role.ADMIN)


def handbook(word: str) -> str:
    """A document of many sections; only one speaks of `word`, far below the first screen."""
    parts = [f"# The {word} handbook", "How things are done in this firm."]
    for number in range(1, 25):
        parts += [f"## Room {number}", f"Room {number} seats {number + 3} people and has a window. " * 9]
    parts += [f"## The {word}", f"Whoever wants to use the {word} asks the caretaker for the brass key beforehand."]
    for number in range(25, 30):
        parts += [f"## Room {number}", f"Room {number} seats {number + 3} people and has a door. " * 9]
    return "\n\n".join(parts)


def indexed(api: httpx.Client, word: str) -> str:
    """The id of a handbook that was uploaded and can be found."""
    file = {"file": (f"{word}.md", handbook(word).encode(), "text/markdown")}
    document = api.post("/v1/knowledge/documents", files=file).raise_for_status().json()["document"]["id"]
    wait_until(lambda: status_of(api, document) == "indexed", seconds=60)
    return document


def status_of(api: httpx.Client, document: str) -> str:
    return api.get(f"/v1/knowledge/documents/{document}").raise_for_status().json()["status"]


def new_word() -> str:
    """A word that no other test's document holds."""
    return f"zeppelin{uuid4().hex[:8]}"


def test_a_document_goes_in_is_watched_found_and_opens_at_its_place(page: Page, tmp_path: Path):
    word = new_word()
    file = tmp_path / f"{word}.md"
    file.write_text(handbook(word))
    page.goto("/")
    page.get_by_role("link", name="Knowledge", exact=True).click()
    page.locator("#knowledge-files").set_input_files(file)
    row = page.locator("tr", has_text=f"{word}.md")
    expect(row).to_be_visible()
    picture(page, "knowledge-uploading")
    expect(row.get_by_text("Indexed", exact=True)).to_be_visible(timeout=INDEXED)
    picture(page, "knowledge-documents")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_label("Search all documents").fill(f"Who has the key to the {word}?")
    page.keyboard.press("Enter")
    hit = page.get_by_role("list", name="Passages").get_by_role("listitem").first
    expect(hit.locator("mark")).to_contain_text("caretaker")
    hit.get_by_text("Explain").click()
    expect(hit.get_by_role("row", name="Words")).to_be_visible()
    picture(page, "knowledge-search")
    hit.get_by_role("link", name=word).click()
    mark = page.get_by_role("document", name=f"Text of {word}.md").locator("mark").filter(has_text="caretaker")
    expect(mark).to_be_in_viewport()
    picture(page, "knowledge-at-its-place")
    page.get_by_role("button", name="With chunks").click()
    expect(page.locator("[data-chunk]").first).to_be_attached()
    expect(mark).to_be_in_viewport()
    picture(page, "knowledge-chunks")


DROP = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name, { type: "text/markdown" }));
    for (const type of ["dragenter", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
}"""


def test_files_are_dropped_anywhere_on_the_page(page: Page):
    word = new_word()
    page.goto("/knowledge?tab=sources")
    expect(page.get_by_role("button", name="Add a source")).to_be_visible()
    page.evaluate(DROP, [f"{word}.md", handbook(word)])
    expect(page.get_by_role("tab", name="Documents")).to_have_attribute("aria-selected", "true")
    row = page.locator("tr", has_text=f"{word}.md")
    expect(row.get_by_text("Indexed", exact=True)).to_be_visible(timeout=INDEXED)


def test_the_same_file_twice_is_said_and_a_bad_one_is_refused_with_its_reason(
    page: Page, api: httpx.Client, tmp_path: Path
):
    word = new_word()
    indexed(api, word)
    known, broken = tmp_path / f"{word}.md", tmp_path / "broken.pdf"
    known.write_text(handbook(word))
    broken.write_bytes(b"")
    page.goto("/knowledge")
    page.locator("#knowledge-files").set_input_files([known, broken])
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads.get_by_text("The same file is here already.")).to_be_visible()
    expect(uploads.get_by_role("alert")).to_contain_text("broken.pdf")
    picture(page, "knowledge-refused")


def test_a_document_that_cannot_be_read_says_what_to_do_and_is_deleted(page: Page, tmp_path: Path):
    name = f"{new_word()}.pdf"
    file = tmp_path / name
    file.write_bytes(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    page.goto("/knowledge")
    page.locator("#knowledge-files").set_input_files(file)
    row = page.locator("tr", has_text=name)
    expect(row.get_by_role("button", name="Try again")).to_be_visible(timeout=INDEXED)
    expect(row).to_contain_text("Trying again")
    picture(page, "knowledge-failed")
    row.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete the document").click()
    expect(row).to_have_count(0)


def test_readers_are_chosen_and_hold_at_once(page: Page, api: httpx.Client):
    word = new_word()
    document = indexed(api, word)
    page.goto(f"/knowledge?q={word}")
    page.get_by_role("button", name=f"More for {word}.md").click()
    page.get_by_role("menuitem", name="Who may read it").click()
    page.get_by_role("button", name="Only some").click()
    page.get_by_role("checkbox", name="Owners").check()
    picture(page, "knowledge-readers")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Not open to you")).to_be_visible()
    assert api.get(f"/v1/knowledge/documents/{document}/text").status_code in (403, 404)
    page.goto(f"/knowledge/documents/{document}")
    expect(page.get_by_text("Not open to you")).to_be_visible()


def test_settings_are_tried_on_a_document_before_they_are_saved(page: Page, api: httpx.Client):
    document = indexed(api, new_word())
    before = api.get("/v1/knowledge/settings").json()["version"]
    page.goto(f"/knowledge?tab=settings&try={document}")
    page.get_by_label("Article: Longest, characters").fill("300")
    page.get_by_label("Article: Joined below").fill("900")
    page.get_by_role("button", name="Cut it").click()
    expect(page.get_by_role("alert")).to_contain_text("min_chars")
    page.get_by_label("Article: Joined below").fill("100")
    page.get_by_role("button", name="Cut it").click()
    text = page.get_by_role("document", name="The document as it would be cut")
    expect(text.locator("[data-chunk]").first).to_be_visible()
    assert text.locator("[data-chunk]").count() > 40
    text.scroll_into_view_if_needed()
    picture(page, "knowledge-preview")
    assert api.get("/v1/knowledge/settings").json()["version"] == before


def test_settings_are_saved_undone_and_followed_by_a_new_index(browser: Browser, stack: RunningStack):
    person = stack.person("knowledge-setup-firm", Role.ADMIN)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    page = context.new_page()
    sign_in(page, person)
    with httpx.Client(base_url=stack.url, headers={"authorization": f"Bearer {person.key}"}, timeout=60) as api:
        indexed(api, new_word())
    page.goto("/knowledge?tab=settings")
    page.get_by_label("Article: Longest, characters").fill("20")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_text("must be between").first).to_be_visible()
    expect(page.get_by_label("Article: Joined below")).to_be_focused()
    picture(page, "knowledge-settings-wrong")
    page.get_by_label("Article: Longest, characters").fill("700")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_text("made by other settings")).to_be_visible()
    picture(page, "knowledge-settings")
    page.get_by_role("button", name="Build the new index").click()
    page.get_by_role("tab", name="Indexes").click()
    switch = page.get_by_role("button", name="Switch to it")
    expect(page.get_by_role("progressbar", name="Index 2: 100 percent filled")).to_be_visible(timeout=INDEXED)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("of the first ten places")).to_be_visible()
    picture(page, "knowledge-indexes")
    switch.click()
    page.get_by_role("button", name="Switch", exact=True).click()
    expect(page.get_by_role("button", name="Undo the switch")).to_be_visible()
    page.get_by_role("button", name="Undo the switch").click()
    expect(page.locator("li", has_text="Index 1").get_by_text("Searched", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("button", name="Save it again: version 0").click()
    expect(page.get_by_text("Version 2, as it is stored")).to_be_visible()
    context.close()


def test_a_source_is_set_up_and_paused(page: Page):
    name = f"feed-{uuid4().hex[:8]}"
    page.goto("/knowledge?tab=sources")
    page.get_by_role("button", name="Add a source").click()
    picture(page, "knowledge-source-form")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Kind").select_option("push")
    page.get_by_role("button", name="Add the source").click()
    row = page.locator("li", has_text=name)
    expect(row.get_by_text("Push")).to_be_visible()
    row.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name="Pause").click()
    expect(row.get_by_text("Paused")).to_be_visible()
    picture(page, "knowledge-sources")


def test_a_hit_in_a_contract_opens_the_contract_at_its_place(page: Page, stack: RunningStack, admin: Person):
    with stack.client(admin) as client:
        submitted = client.upload_contract(sample_path("msa.pdf"))
        assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"
    page.goto("/search?q=Which law governs the agreement%3F&source=contracts")
    hit = page.get_by_role("list", name="Passages").get_by_role("listitem").first
    hit.get_by_role("link").first.click()
    page.wait_for_url("**/contracts/ctr_*")
    expect(page.get_by_role("document", name="Text of msa.pdf").locator("mark").first).to_be_in_viewport()
    picture(page, "knowledge-contract-at-its-place")
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("document", name="Contract text")).to_be_visible()


def test_an_empty_firm_is_told_what_would_be_there(browser: Browser, stack: RunningStack):
    owner = stack.person("knowledge-empty-firm", Role.OWNER)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    page = context.new_page()
    sign_in(page, owner)
    page.goto("/knowledge")
    expect(page.get_by_text("Drop documents here to begin")).to_be_visible()
    picture(page, "knowledge-empty")
    page.goto("/knowledge?tab=sources")
    expect(page.get_by_text("No sources yet")).to_be_visible()
    page.goto("/knowledge?tab=indexes")
    expect(page.get_by_text("No index yet")).to_be_visible()
    page.goto("/search?q=anything")
    expect(page.get_by_text("There is nothing to search yet")).to_be_visible()
    context.close()


def test_nothing_relevant_is_an_answer(page: Page, api: httpx.Client):
    indexed(api, new_word())
    page.goto("/search?q=xqzvbnm qwrtpsdf")
    expect(page.get_by_text("Nothing relevant")).to_be_visible()
    picture(page, "knowledge-nothing")


def test_a_viewer_reads_and_searches_and_changes_nothing(browser: Browser, stack: RunningStack, api: httpx.Client):
    word = new_word()
    indexed(api, word)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url)
    page = context.new_page()
    sign_in(page, stack.person(FIRM, Role.VIEWER))
    page.goto(f"/knowledge?q={word}")
    upload = page.get_by_role("button", name="Upload documents").first
    expect(upload).to_have_attribute("aria-disabled", "true")
    upload.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("knowledge.edit")
    page.get_by_role("button", name=f"More for {word}.md").click()
    expect(page.get_by_role("menuitem", name="Delete")).to_have_attribute("aria-disabled", "true")
    picture(page, "knowledge-viewer")
    page.goto("/knowledge?tab=settings")
    expect(page.get_by_label("Article: Longest, characters")).not_to_be_editable()
    page.goto(f"/search?q={word}")
    expect(page.get_by_role("list", name="Passages")).to_be_visible()
    context.close()


def test_dark_and_phone_width_show_the_same_pages(
    browser: Browser, signed_in: BrowserContext, stack: RunningStack, api: httpx.Client
):
    word = new_word()
    document = indexed(api, word)
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        base_url=stack.url,
        color_scheme="dark",
        storage_state=signed_in.storage_state(),
    )
    page = context.new_page()
    pages = {
        "documents": "/knowledge",
        "sources": "/knowledge?tab=sources",
        "settings": "/knowledge?tab=settings",
        "indexes": "/knowledge?tab=indexes",
        "search": f"/search?q={word}",
        "reader": f"/knowledge/documents/{document}?start=20&end=60&chunks=shown",
    }
    for name, address in pages.items():
        page.goto(address)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="Searching")).to_have_count(0)
        picture(page, f"knowledge-{name}-phone-dark")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    context.close()
