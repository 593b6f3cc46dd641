"""A browser signed in as the module's fixture `admin`, and the API as the same person."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.stack import Person, RunningStack


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: RunningStack, admin: Person) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.url, color_scheme="light")
    page = context.new_page()
    sign_in(page, admin)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page that must not log a script error."""
    opened, errors = signed_in.new_page(), list[str]()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []


@pytest.fixture
def api(stack: RunningStack, admin: Person) -> Iterator[httpx.Client]:
    """The HTTP API as the same admin, with a key."""
    headers = {"authorization": f"Bearer {admin.key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
        yield client


def sign_in(page: Page, person: Person) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Contracts")).to_be_visible()
