"""Odd and hostile values get a clear refusal, never a crash; secrets reach no log and no repr."""

import json
import logging

import httpx
import pytest

from mainspring.application.identity import Attempt, Identity, Tenant, operator
from mainspring.application.identity.errors import SignInRefused
from mainspring.application.identity.inputs import read_email, read_name, read_password
from mainspring.application.identity.testing import PASSWORD, Person, make_key
from mainspring.foundation.errors import InvalidInput, Unauthenticated
from mainspring.foundation.ids import new_id

BAD_EMAILS = [
    "a" * 300 + "@example.com",
    "",
    "plain",
    "two@@example.com",
    "a b@example.com",
    "a@",
    "@b",
    "a@b..c",
    "nul\x00@example.com",
    "line\nbreak@example.com",
    "a\x85b@example.com",
    "\u2028@example.com",
]


@pytest.mark.parametrize("email", BAD_EMAILS)
async def test_a_bad_email_is_refused_at_every_door(
    identity: Identity, owner: Person, browser: httpx.AsyncClient, email: str
):
    with pytest.raises(InvalidInput, match="email"):
        await identity.create_user(email, "Odd")
    browser.cookies.update(owner.cookies)
    for path, body in (
        ("/v1/session", {"email": email, "password": "x"}),
        ("/v1/members", {"email": email, "name": "N", "role": "viewer"}),
    ):
        answer = await browser.post(path, json=body, headers=owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("email", ["Ünïcode@exämple.com", "o'hara+tag@sub.example.co", "日本@例え.jp", "a@localhost"])
def test_unusual_addresses_are_addresses(email: str):
    assert read_email(f"  {email}\n") == email.lower()


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "nul\x00", "bell\x07", "two\nlines", "\ud800"])
async def test_a_bad_name_is_refused(owner: Person, browser: httpx.AsyncClient, name: str):
    with pytest.raises(InvalidInput):
        read_name(name)
    browser.cookies.update(owner.cookies)
    for path, method, body in (
        ("/v1/tenant", "PATCH", {"name": name}),
        ("/v1/api-keys", "POST", {"name": name}),
        ("/v1/members", "POST", {"email": "n@example.com", "name": name, "role": "viewer"}),
    ):
        content = json.dumps(body)
        headers = {**owner.headers, "Content-Type": "application/json"}
        answer = await browser.request(method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("password", ["short", "x" * 257, "nul\x00 in the middle", ""])
async def test_a_bad_new_password_is_refused_and_not_echoed(owner: Person, browser: httpx.AsyncClient, password: str):
    with pytest.raises(InvalidInput) as refused:
        read_password(password)
    assert not password or password not in refused.value.detail
    browser.cookies.update(owner.cookies)
    body = {"email": "p@example.com", "name": "P", "role": "viewer", "password": password}
    answer = await browser.post("/v1/members", json=body, headers=owner.headers)
    assert answer.status_code == 422
    assert not password or password not in answer.text


async def test_a_long_or_odd_password_at_sign_in_is_only_wrong(owner: Person, browser: httpx.AsyncClient):
    for password, status in (("nul\x00", 401), ("пароль " * 20, 401), ("x" * 257, 422), ("", 422)):
        answer = await browser.post("/v1/session", json={"email": owner.member.user.email, "password": password})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "token", ["", "x" * 100_000, "A" * 43, "ключ" * 10, "\x00" * 43, "../../etc/passwd", "A" * 42 + "\n"]
)
async def test_an_odd_session_token_is_unknown(identity: Identity, token: str):
    with pytest.raises(Unauthenticated, match="unknown, expired or revoked"):
        await identity.authenticate(bearer=None, cookie=token, csrf=None, unsafe=False)


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "{", '{"email": 1, "password": []}', '{"email": "a@b.c", "password": "x", "admin": true}'],
)
async def test_a_malformed_body_is_refused(browser: httpx.AsyncClient, body: str):
    answer = await browser.post("/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("query", ["limit=0", "limit=1000000", "limit=ten", "cursor=%00", "cursor=WyJ4Il0", "limit=-1"])
@pytest.mark.parametrize("path", ["/v1/members", "/v1/api-keys"])
async def test_an_odd_page_is_refused(owner: Person, browser: httpx.AsyncClient, path: str, query: str):
    browser.cookies.update(owner.cookies)
    answer = await browser.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "identifier", ["mem_", "x", "mem_" + "8" * 26, "mem_" + "u" * 26, "%00", "key_" + "0" * 26, "é"]
)
async def test_an_odd_id_does_not_exist(owner: Person, browser: httpx.AsyncClient, identifier: str):
    browser.cookies.update(owner.cookies)
    answer = await browser.delete(f"/v1/members/{identifier}", headers=owner.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_secrets_are_in_no_repr_and_no_log_line(
    identity: Identity, home: Tenant, owner: Person, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    key = await make_key(identity, owner.principal)
    added = await identity.members.add(
        operator(home.id), email=f"{new_id()}@example.com", name="N", role=owner.member.role
    )
    attempt = Attempt(
        owner.member.user.email, PASSWORD, str(new_id()), tenant=home.slug, previous=owner.signed_in.token
    )
    signed_in = await identity.sessions.sign_in(attempt)
    with pytest.raises(SignInRefused):
        await identity.sessions.sign_in(Attempt("nobody@example.com", "a wrong guess", str(new_id())))
    await identity.authenticate(bearer=key.secret, cookie=None, csrf=None, unsafe=False)
    with pytest.raises(Unauthenticated) as refused:
        await identity.authenticate(bearer=key.secret[:-1], cookie=None, csrf=None, unsafe=False)
    logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    shown = repr((key, added, attempt, signed_in, owner, refused.value))
    assert "sign_in_refused" in logged
    assert added.password is not None
    for secret in (key.secret[12:54], added.password, PASSWORD, "a wrong guess", signed_in.token, signed_in.csrf_token):
        assert secret not in logged
        assert secret not in shown
