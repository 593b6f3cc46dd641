"""API keys: shown once, scoped by their maker, ended at once."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from mainspring.application.identity import Identity, KeyId, Role, Tenant
from mainspring.application.identity.testing import Person, make_key, make_member
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from mainspring.foundation.ids import new_id
from mainspring.foundation.pagination import page_request

from .conftest import TurnableClock


async def authenticate(identity: Identity, secret: str):
    return await identity.authenticate(bearer=secret, cookie=None, csrf=None, unsafe=True)


async def test_a_key_speaks_for_its_tenant_and_needs_no_csrf_token(identity: Identity, owner: Person):
    key = await make_key(identity, owner.principal)
    principal = await authenticate(identity, key.secret)
    assert (principal.tenant, principal.user, principal.credential) == (owner.principal.tenant, None, key.key.id)
    assert principal.permissions == owner.principal.permissions


async def test_a_secret_has_the_promised_form_and_is_stored_as_a_hash_only(
    identity: Identity, owner: Person, database: Database
):
    key = await make_key(identity, owner.principal)
    assert key.secret.startswith(key.key.prefix + "_")
    assert [len(part) for part in key.secret.split("_")] == [2, 8, 43]
    async with database.system() as transaction:
        row = await transaction.one("select k::text as text from api_key k where id = %(id)s", id=key.key.id)
    assert key.secret.rsplit("_", 1)[1] not in row["text"]


async def test_scopes_are_a_part_of_what_the_creator_holds(identity: Identity, home: Tenant):
    admin = await make_member(identity, home, Role.ADMIN)
    narrow = await make_key(identity, admin.principal, scopes=["contract.upload", "ai.output.view"])
    assert (await authenticate(identity, narrow.secret)).permissions == {"contract.upload", "ai.output.view"}
    with pytest.raises(Forbidden, match=r"'tenant\.manage'"):
        await make_key(identity, admin.principal, scopes=["tenant.manage"])
    with pytest.raises(InvalidInput, match=r"'fly\.plane'"):
        await make_key(identity, admin.principal, scopes=["fly.plane"])
    with pytest.raises(InvalidInput):
        await make_key(identity, admin.principal, scopes=[])


async def test_a_key_loses_what_its_creator_loses(identity: Identity, home: Tenant, owner: Person):
    admin = await make_member(identity, home, Role.ADMIN)
    key = await make_key(identity, admin.principal, scopes=["key.manage", "ai.output.view"])
    await identity.members.change_role(owner.principal, admin.member.id, Role.VIEWER)
    assert (await authenticate(identity, key.secret)).permissions == {"ai.output.view"}


async def test_a_revoked_key_is_refused_on_the_next_request(identity: Identity, owner: Person):
    key = await make_key(identity, owner.principal)
    await authenticate(identity, key.secret)
    await identity.keys.revoke(owner.principal, key.key.id)
    with pytest.raises(Unauthenticated):
        await authenticate(identity, key.secret)
    await identity.keys.revoke(owner.principal, key.key.id)
    listed = (await identity.keys.list(owner.principal, page_request(1, None))).items[0]
    assert listed.revoked_at is not None


async def test_an_expired_key_is_refused(identity: Identity, owner: Person, clock: TurnableClock):
    new = await identity.keys.create(owner.principal, name="Short", expires_at=clock() + timedelta(hours=1))
    await authenticate(identity, new.secret)
    clock.turn(timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        await authenticate(identity, new.secret)


@pytest.mark.parametrize("expires_at", [now() - timedelta(seconds=1), datetime(2999, 1, 1)])  # noqa: DTZ001 - naive on purpose
async def test_an_expiry_must_be_to_come_and_have_a_time_zone(identity: Identity, owner: Person, expires_at: datetime):
    with pytest.raises(InvalidInput, match="expires_at"):
        await identity.keys.create(owner.principal, name="Never valid", expires_at=expires_at)


async def test_a_key_made_with_a_key_ends_with_it_and_is_not_wider(
    identity: Identity, home: Tenant, owner: Person, clock: TurnableClock
):
    expires_at = clock() + timedelta(days=1)
    parent = await identity.keys.create(
        owner.principal, name="Parent", scopes=["key.manage", "ai.output.view"], expires_at=expires_at
    )
    by_parent = await authenticate(identity, parent.secret)
    child = await make_key(identity, by_parent)
    grandchild = await make_key(identity, await authenticate(identity, child.secret), scopes=["ai.output.view"])
    assert child.key.scopes == {"key.manage", "ai.output.view"}
    assert child.key.expires_at == expires_at
    with pytest.raises(Forbidden):
        await make_key(identity, by_parent, scopes=["contract.upload"])
    await identity.keys.revoke(owner.principal, parent.key.id)
    for secret in (child.secret, grandchild.secret):
        with pytest.raises(Unauthenticated):
            await authenticate(identity, secret)
    with pytest.raises(Unauthenticated):
        await make_key(identity, by_parent)


async def test_all_bad_keys_are_refused_in_one_wording(identity: Identity, owner: Person):
    key = await make_key(identity, owner.principal)
    wrong_secret = key.secret[:-1] + ("a" if key.secret[-1] != "a" else "b")
    details: set[str] = set()
    for secret in (
        wrong_secret,
        "ms_aaaaaaaa_" + "b" * 43,
        "",
        "ms_",
        "x" * 100_000,
        "ms_\x00",
        "ключ",
        key.key.prefix,
    ):
        with pytest.raises(Unauthenticated) as refused:
            await authenticate(identity, secret)
        details.add(refused.value.detail)
    await identity.keys.revoke(owner.principal, key.key.id)
    with pytest.raises(Unauthenticated) as refused:
        await authenticate(identity, key.secret)
    assert details == {refused.value.detail}


async def test_another_tenants_key_does_not_exist_here(identity: Identity, owner: Person, elsewhere: Tenant):
    theirs = await make_key(identity, elsewhere)
    for identifier in (theirs.key.id, KeyId(new_id())):
        with pytest.raises(NotFound):
            await identity.keys.revoke(owner.principal, identifier)
    await authenticate(identity, theirs.secret)
    listed = await identity.keys.list(owner.principal, page_request(200, None))
    assert theirs.key.id not in {key.id for key in listed.items}


async def test_the_last_use_is_noted_beside_the_request_and_once_a_minute(
    identity: Identity, owner: Person, clock: TurnableClock
):
    key = await make_key(identity, owner.principal)

    async def last_used_at() -> datetime | None:
        await identity.close()
        return (await identity.keys.list(owner.principal, page_request(1, None))).items[0].last_used_at

    assert await last_used_at() is None
    await asyncio.gather(*(authenticate(identity, key.secret) for _ in range(5)))
    first = await last_used_at()
    assert first is not None
    clock.turn(timedelta(seconds=30))
    await authenticate(identity, key.secret)
    assert await last_used_at() == first
    clock.turn(timedelta(seconds=31))
    await authenticate(identity, key.secret)
    second = await last_used_at()
    assert second is not None
    assert second > first


async def test_keys_over_http(identity: Identity, owner: Person, browser: httpx.AsyncClient):
    browser.cookies.update(owner.cookies)
    body = {"name": "CI", "scopes": ["ai.output.view"], "expires_at": "2999-01-01T00:00:00+02:00"}
    created = await browser.post("/v1/api-keys", json=body, headers=owner.headers)
    assert created.status_code == 201
    assert created.headers["cache-control"] == "no-store"
    assert created.json()["expires_at"] == "2998-12-31T22:00:00Z"
    secret = created.json()["secret"]
    session = await browser.get("/v1/session", headers={"Authorization": f"bearer {secret}"})
    assert session.json() == {
        "user": None,
        "tenant": session.json()["tenant"],
        "role": None,
        "permissions": ["ai.output.view"],
        "csrf_token": None,
        "tenants": [],
    }
    listed = (await browser.get("/v1/api-keys?limit=1")).json()["items"][0]
    assert listed == {
        **{k: v for k, v in created.json().items() if k != "secret"},
        "last_used_at": listed["last_used_at"],
    }
    gone = await browser.delete(f"/v1/api-keys/{listed['id']}", headers=owner.headers)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await browser.get("/v1/session", headers={"Authorization": f"Bearer {secret}"})).status_code == 401
