"""Signing in and out, CSRF, cookies, and what an attacker may try around them."""

import asyncio
import hashlib
from datetime import timedelta
from time import process_time

import httpx
import pytest

from mainspring.application.identity import (
    Allowance,
    Attempt,
    Identity,
    IdentitySettings,
    PasswordCost,
    Role,
    Tenant,
    operator,
)
from mainspring.application.identity.errors import CsrfFailed, SignInRefused, SignInThrottled
from mainspring.application.identity.testing import (
    CHEAP_PASSWORDS,
    PASSWORD,
    Person,
    make_key,
    make_member,
    make_tenant,
    sign_in,
)
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unauthenticated
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.valkey import Valkey

from .conftest import TurnableClock


async def authenticate(identity: Identity, person: Person, *, csrf: str | None = None, unsafe: bool = False):
    return await identity.authenticate(bearer=None, cookie=person.signed_in.token, csrf=csrf, unsafe=unsafe)


async def test_the_right_password_opens_a_session_over_http(owner: Person, browser: httpx.AsyncClient):
    answer = await browser.post("/v1/session", json={"email": owner.member.user.email, "password": PASSWORD})
    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("mainspring_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    session = await browser.get("/v1/session")
    assert session.json() == answer.json()
    assert session.json()["user"]["email"] == owner.member.user.email
    assert session.json()["role"] == "owner"
    assert session.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("email", "password", "tenant"),
    [
        (None, "wrong", None),
        (None, PASSWORD + " ", None),
        ("nobody@example.com", PASSWORD, None),
        (None, PASSWORD, "t-x"),
    ],
)
async def test_every_wrong_sign_in_reads_the_same(
    owner: Person, browser: httpx.AsyncClient, *, email: str | None, password: str, tenant: str | None
):
    body = {"email": email or owner.member.user.email, "password": password, "tenant": tenant}
    answer = await browser.post("/v1/session", json=body)
    assert answer.status_code == 401
    assert answer.json()["code"] == "sign_in_refused"
    assert answer.json()["detail"] == "Email, password and tenant do not go together; check them and try again."
    assert "set-cookie" not in answer.headers


async def test_an_unknown_email_costs_a_password_hash_too(database: Database, valkey: Valkey):
    costly = IdentitySettings(password_cost=PasswordCost(passes=8, memory_kib=8 * 1024))
    identity = Identity(database, valkey, settings=costly)
    email = f"{show_id('u', new_id())}@example.com"
    await identity.create_user(email, "Known", password=PASSWORD)
    tenant = await make_tenant(identity)
    await identity.members.add(operator(tenant.id), email=email, name="Known", role=Role.VIEWER, password=PASSWORD)
    cost: dict[str, float] = {}
    for who in (email, f"{show_id('u', new_id())}@example.com"):
        started = process_time()
        with pytest.raises(SignInRefused):
            await identity.sessions.sign_in(Attempt(who, "guess", str(new_id())))
        cost["known" if who == email else "unknown"] = process_time() - started
    assert 0.6 < cost["unknown"] / cost["known"] < 1.7


async def test_an_account_without_password_or_membership_cannot_sign_in(identity: Identity, home: Tenant):
    email = f"{show_id('u', new_id())}@example.com"
    await identity.create_user(email, "No password")
    other = f"{show_id('u', new_id())}@example.com"
    await identity.create_user(other, "No tenant", password=PASSWORD)
    for address in (email, other):
        with pytest.raises(SignInRefused):
            await identity.sessions.sign_in(Attempt(address, PASSWORD, str(new_id())))


async def test_signing_in_again_ends_the_session_that_came_along(
    identity: Identity, owner: Person, browser: httpx.AsyncClient
):
    body = {"email": owner.member.user.email, "password": PASSWORD}
    await browser.post("/v1/session", json=body, headers={"Cookie": f"mainspring_session={owner.signed_in.token}"})
    assert browser.cookies["mainspring_session"] != owner.signed_in.token
    with pytest.raises(Unauthenticated):
        await authenticate(identity, owner)


async def test_a_token_planted_before_the_sign_in_is_never_adopted(
    identity: Identity, owner: Person, browser: httpx.AsyncClient
):
    planted = "A" * 43
    body = {"email": owner.member.user.email, "password": PASSWORD}
    await browser.post("/v1/session", json=body, headers={"Cookie": f"mainspring_session={planted}"})
    with pytest.raises(Unauthenticated):
        await identity.authenticate(bearer=None, cookie=planted, csrf=None, unsafe=False)


async def test_a_session_expires(identity: Identity, owner: Person, clock: TurnableClock):
    clock.turn(timedelta(hours=11, minutes=59))
    await authenticate(identity, owner)
    clock.turn(timedelta(minutes=2))
    with pytest.raises(Unauthenticated, match="unknown, expired or revoked"):
        await authenticate(identity, owner)


async def test_sessions_long_over_are_cleared_away_at_the_next_sign_in(
    identity: Identity, home: Tenant, owner: Person, clock: TurnableClock, database: Database
):
    clock.turn(timedelta(days=8))
    await sign_in(identity, owner.member, home)
    async with database.tenant(home.id) as transaction:
        assert await transaction.one("select count(*) as n from session") == {"n": 1}


async def test_signing_out_ends_this_session_and_no_other(
    identity: Identity, home: Tenant, owner: Person, browser: httpx.AsyncClient
):
    second = await sign_in(identity, owner.member, home)
    browser.cookies.update(owner.cookies)
    answer = await browser.delete("/v1/session", headers=owner.headers)
    assert answer.status_code == 204
    assert 'mainspring_session=""' in answer.headers["set-cookie"]
    with pytest.raises(Unauthenticated):
        await authenticate(identity, owner)
    assert (await authenticate(identity, second)).user == owner.member.user.id


async def test_a_key_cannot_sign_out(identity: Identity, owner: Person, browser: httpx.AsyncClient):
    key = await make_key(identity, owner.principal)
    answer = await browser.delete("/v1/session", headers={"Authorization": f"Bearer {key.secret}"})
    assert answer.status_code == 400
    assert "revoke the key" in answer.json()["detail"]


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "ключ", "\ud800"])
async def test_a_changing_request_with_the_cookie_alone_is_refused(identity: Identity, owner: Person, csrf: str | None):
    with pytest.raises(CsrfFailed, match="X-CSRF-Token"):
        await authenticate(identity, owner, csrf=csrf, unsafe=True)
    await authenticate(identity, owner, csrf=owner.signed_in.csrf_token, unsafe=True)


async def test_the_csrf_token_of_another_session_does_not_fit(identity: Identity, home: Tenant, owner: Person):
    second = await sign_in(identity, owner.member, home)
    with pytest.raises(CsrfFailed):
        await authenticate(identity, owner, csrf=second.signed_in.csrf_token, unsafe=True)


async def test_csrf_over_http(owner: Person, browser: httpx.AsyncClient):
    browser.cookies.update(owner.cookies)
    refused = await browser.patch("/v1/tenant", json={"name": "Taken over"})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    allowed = await browser.patch("/v1/tenant", json={"name": "Renamed"}, headers=owner.headers)
    assert allowed.json()["name"] == "Renamed"


async def test_a_bad_key_does_not_fall_back_to_a_good_cookie(owner: Person, browser: httpx.AsyncClient):
    browser.cookies.update(owner.cookies)
    answer = await browser.get("/v1/session", headers={"Authorization": "Bearer ms_wrong"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 201),
        ("http://mainspring.test", 201),
        ("https://console.example.com", 201),
        ("https://evil.example", 403),
        ("http://mainspring.test.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
async def test_a_sign_in_from_a_page_of_another_site_is_refused(
    owner: Person, browser: httpx.AsyncClient, origin: str | None, status: int
):
    headers = {"Origin": origin} if origin else {}
    body = {"email": owner.member.user.email, "password": PASSWORD}
    answer = await browser.post("/v1/session", json=body, headers=headers)
    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "origin_refused"


async def test_a_form_of_another_site_cannot_sign_in_without_an_origin_either(
    owner: Person, browser: httpx.AsyncClient
):
    body = f'{{"email": "{owner.member.user.email}", "password": "{PASSWORD}"}}'
    answer = await browser.post("/v1/session", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


async def test_a_password_counts_as_typed_whichever_way_its_letters_are_composed(identity: Identity, home: Tenant):
    email = f"{show_id('u', new_id())}@example.com"
    user = await identity.create_user(email, "José", password="Jose\u0301 likes tea")
    await identity.members.join(operator(home.id), user, Role.VIEWER)
    await identity.sessions.sign_in(Attempt(email, "Jos\u00e9 likes tea", str(new_id())))


async def test_only_the_hash_of_a_token_is_stored(identity: Identity, owner: Person, database: Database):
    digest = hashlib.sha256(owner.signed_in.token.encode()).digest()
    async with database.system() as transaction:
        row = await transaction.one("select s::text as text from session s where token_hash = %(h)s", h=digest)
    assert owner.signed_in.token not in row["text"]
    assert owner.signed_in.csrf_token not in row["text"]


async def test_guesses_are_throttled_by_email_and_forgiven_after_a_success(
    database: Database, valkey: Valkey, home: Tenant, owner: Person
):
    settings = IdentitySettings(allowance=Allowance(per_email=3), password_cost=CHEAP_PASSWORDS)
    identity = Identity(database, valkey, settings=settings)
    email = owner.member.user.email

    async def attempt(password: str) -> None:
        await identity.sessions.sign_in(Attempt(email, password, address=str(new_id()), tenant=home.slug))

    for _ in range(2):
        with pytest.raises(SignInRefused):
            await attempt("wrong")
    await attempt(PASSWORD)
    outcomes = await asyncio.gather(*(attempt("wrong") for _ in range(5)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SignInRefused"] * 3 + ["SignInThrottled"] * 2
    with pytest.raises(SignInThrottled) as throttled:
        await attempt(PASSWORD)
    assert throttled.value.retry_after_seconds is not None
    assert 290 < throttled.value.retry_after_seconds <= 300


async def test_a_throttled_sign_in_over_http_says_when_to_come_back(
    identity: Identity, owner: Person, browser: httpx.AsyncClient
):
    body = {"email": f"{show_id('u', new_id())}@example.com", "password": "guess"}
    statuses = [(await browser.post("/v1/session", json=body)).status_code for _ in range(10)]
    assert statuses == [401] * 10
    answer = await browser.post("/v1/session", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (429, "sign_in_throttled", True)
    assert 290 < int(answer.headers["retry-after"]) <= 300
    other = await browser.post("/v1/session", json={"email": owner.member.user.email, "password": PASSWORD})
    assert other.status_code == 201


async def test_a_removed_role_of_a_signed_in_member_shows_in_the_session(
    identity: Identity, home: Tenant, owner: Person, browser: httpx.AsyncClient
):
    person = await make_member(identity, home, Role.REVIEWER)
    await identity.members.change_role(owner.principal, person.member.id, Role.VIEWER)
    browser.cookies.update(person.cookies)
    session = (await browser.get("/v1/session")).json()
    assert (session["role"], session["permissions"]) == ("viewer", ["ai.output.view", "knowledge.view"])
