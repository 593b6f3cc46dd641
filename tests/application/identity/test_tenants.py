"""Tenants: slugs, the AI switch, what is announced, and that no other tenant is touched."""

import httpx
import pytest

from mainspring.application.identity import Identity, Role, Tenant, operator
from mainspring.application.identity.errors import SlugTaken
from mainspring.application.identity.testing import Person, make_key, make_member, make_tenant, sign_in
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, InvalidInput, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import page_request


async def test_a_slug_belongs_to_one_tenant(identity: Identity, home: Tenant):
    with pytest.raises(SlugTaken, match=home.slug):
        await identity.create_tenant(home.slug, "Copycat")
    assert await identity.find_tenant(home.slug) == home
    assert await identity.find_tenant("nobody-has-this") is None


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a b", "ä", "a" * 41, "a\x00", "a/../b", "a\n"])
async def test_an_odd_slug_is_refused(identity: Identity, slug: str):
    with pytest.raises(InvalidInput, match="slug"):
        await identity.create_tenant(slug, "Odd")


async def test_tenants_page_by_slug(identity: Identity):
    made = sorted([(await make_tenant(identity)).slug for _ in range(3)])
    first = await identity.list_tenants(page_request(1, None))
    assert first.next_cursor is not None
    slugs, cursor = [first.items[0].slug], first.next_cursor
    while cursor:
        page = await identity.list_tenants(page_request(2, cursor))
        slugs += [tenant.slug for tenant in page.items]
        cursor = page.next_cursor
    assert slugs == sorted(set(slugs))
    assert set(made) <= set(slugs)


async def test_ai_is_switched_per_tenant_by_those_who_may(identity: Identity, home: Tenant, elsewhere: Tenant):
    owner = await make_member(identity, home, Role.OWNER)
    admin = await make_member(identity, home, Role.ADMIN)
    assert await identity.is_enabled(home.id)
    with pytest.raises(Forbidden, match=r"tenant\.manage"):
        await identity.set_ai_enabled(admin.principal, False)
    await identity.set_ai_enabled(owner.principal, False)
    assert not await identity.is_enabled(home.id)
    assert await identity.is_enabled(elsewhere.id)
    await identity.set_ai_enabled(owner.principal, True)
    assert await identity.is_enabled(home.id)


async def test_an_unknown_tenant_has_no_ai_and_is_not_found(identity: Identity):
    unknown = TenantId(new_id())
    assert not await identity.is_enabled(unknown)
    with pytest.raises(NotFound):
        await identity.get_tenant(unknown)


async def test_the_tenant_over_http(owner: Person, home: Tenant, browser: httpx.AsyncClient):
    browser.cookies.update(owner.cookies)
    before = (await browser.get("/v1/tenant")).json()
    assert before == {
        "id": show_id("ten", home.id),
        "slug": home.slug,
        "name": "Northwind Traders",
        "ai_enabled": True,
        "created_at": before["created_at"],
    }
    assert before["created_at"].endswith("Z")
    unchanged = await browser.patch("/v1/tenant", json={}, headers=owner.headers)
    assert unchanged.json() == before
    changed = await browser.patch("/v1/tenant", json={"ai_enabled": False}, headers=owner.headers)
    assert changed.json() == {**before, "ai_enabled": False}


async def test_what_happens_is_announced_without_emails_names_or_secrets(
    identity: Identity, database: Database, home: Tenant, owner: Person
):
    person = await make_member(identity, home, Role.ADMIN)
    again = await sign_in(identity, person.member, home)
    await identity.sessions.sign_out(again.principal)
    key = await make_key(identity, person.principal, scopes=["ai.output.view"])
    await identity.keys.revoke(owner.principal, key.key.id)
    await identity.members.change_role(owner.principal, person.member.id, Role.ANALYST)
    await identity.members.remove(operator(home.id), person.member.id)
    await identity.set_ai_enabled(owner.principal, False)
    async with database.tenant(home.id) as transaction:
        rows = await transaction.all("select topic, payload from outbox order by created_at, id")
    facts = {row["topic"]: row["payload"] for row in rows}
    assert [row["topic"] for row in rows] == [
        "tenant.created",
        "member.added",
        "session.opened",
        "member.added",
        "session.opened",
        "session.opened",
        "session.closed",
        "api_key.created",
        "api_key.revoked",
        "member.role_changed",
        "member.removed",
        "tenant.changed",
    ]
    member, user = show_id("mem", person.member.id), show_id("usr", person.member.user.id)
    by_owner = show_id("usr", owner.member.user.id)
    assert facts["member.role_changed"] == {
        "by": by_owner,
        "member": member,
        "user": user,
        "before": "admin",
        "after": "analyst",
    }
    assert facts["member.removed"] == {"by": "operator", "member": member, "user": user, "keys_revoked": 0}
    assert facts["api_key.revoked"] == {"by": by_owner, "key": show_id("key", key.key.id), "keys_revoked": 1}
    assert facts["tenant.changed"] == {"by": by_owner, "changed": ["ai_enabled"], "is_ai_enabled": False}
    written = str(rows)
    for private in ("@example.com", "Person", key.secret, person.signed_in.token):
        assert private not in written


async def test_a_refused_change_announces_nothing(identity: Identity, database: Database, owner: Person, home: Tenant):
    async with database.tenant(home.id) as transaction:
        before = await transaction.one("select count(*) as n from outbox")
    with pytest.raises(SlugTaken):
        await identity.create_tenant(home.slug, "Copycat")
    with pytest.raises(Forbidden):
        await make_key(identity, (await make_member(identity, home, Role.VIEWER)).principal)
    async with database.tenant(home.id) as transaction:
        after = await transaction.one(
            "select count(*) as n from outbox where topic not in ('member.added', 'session.opened')"
        )
    assert (before["n"], after["n"]) == (3, 1)
