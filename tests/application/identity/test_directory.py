"""What identity tells the gateway of tenants and keys: only live ones, and whether they may call models."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from mainspring.application.identity import Identity, NewKey, Role, Tenant, operator
from mainspring.application.identity.credentials import hash_secret
from mainspring.application.identity.testing import make_key, make_member, make_tenant
from mainspring.foundation.changes import ChangeLog
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.pagination import PageRequest
from mainspring.inference.gateway.ports import CallerFacts, Directory


async def find(identity: Identity, key: NewKey) -> CallerFacts | None:
    """The key as it is found alone, which is as it is among all and among its tenant's."""
    directory: Directory = identity.directory
    alone = await directory.find_caller(hash_secret(key.secret))
    everyone = {caller.secret_hash: caller for caller in await directory.load_callers()}
    assert everyone.get(hash_secret(key.secret)) == alone
    return alone


async def test_a_key_speaks_for_its_tenant_under_its_name(identity: Identity, home: Tenant):
    key = await make_key(identity, home, scopes=["ai.model.call"])
    assert await find(identity, key) == CallerFacts(
        hash_secret(key.secret), key.key.id, home.id, "Test key", may_call=True, expires_at=None
    )
    of_home = await identity.directory.load_callers(home.id)
    assert [caller.key for caller in of_home] == [key.key.id]


async def test_without_the_scope_a_key_may_not_call(identity: Identity, home: Tenant):
    caller = await find(identity, await make_key(identity, home, scopes=["ai.output.view", "gateway.manage"]))
    assert caller is not None
    assert not caller.may_call


@pytest.mark.parametrize("role", Role)
async def test_a_key_may_call_only_while_its_makers_role_may(identity: Identity, home: Tenant, role: Role):
    await make_member(identity, home, Role.OWNER)
    person = await make_member(identity, home, Role.ADMIN)
    key = await make_key(identity, person.principal, scopes=["ai.model.call"])
    await identity.members.change_role(operator(home.id), person.member.id, role)
    caller = await find(identity, key)
    assert caller is not None
    assert caller.may_call is (role is not Role.VIEWER)


async def test_a_revoked_key_and_those_made_with_it_are_nobody(identity: Identity, home: Tenant):
    parent = await make_key(identity, home)
    principal = await identity.authenticate(bearer=parent.secret, cookie=None, csrf=None, unsafe=True)
    child = await make_key(identity, principal)
    assert await find(identity, child) is not None
    await identity.keys.revoke(operator(home.id), parent.key.id)
    assert await find(identity, parent) is None
    assert await find(identity, child) is None


async def test_the_keys_of_a_person_who_left_are_nobodys(identity: Identity, home: Tenant, engines: EngineUrls):
    await make_member(identity, home, Role.OWNER)
    person = await make_member(identity, home, Role.ADMIN)
    key = await make_key(identity, person.principal)
    with psycopg.connect(engines.database_admin_url) as admin:  # past the service, which revokes them as well
        admin.execute("delete from membership where id = %s", (person.member.id,))
    assert await find(identity, key) is None


async def test_an_expiring_key_says_when_and_an_expired_one_is_nobody(
    identity: Identity, home: Tenant, engines: EngineUrls
):
    ends = now() + timedelta(hours=1)
    key = await identity.keys.create(operator(home.id), name="k", expires_at=ends)
    caller = await find(identity, key)
    assert caller is not None
    assert caller.expires_at == pytest.approx(ends.timestamp(), abs=0.001)
    with psycopg.connect(engines.database_admin_url) as admin:
        admin.execute("update api_key set expires_at = now() where id = %s", (key.key.id,))
    assert await find(identity, key) is None


async def test_every_key_is_told_once_however_many_pages_they_fill(
    identity: Identity, home: Tenant, engines: EngineUrls
):
    with psycopg.connect(engines.database_admin_url) as admin:
        admin.execute(
            "insert into api_key (tenant_id, id, name, prefix, secret_hash, scopes)"
            " select %s, uuidv7(), 'many', 'p_' || n || %s::text, sha256((n || %s::text)::bytea), '{}'"
            " from generate_series(1, 1200) n",
            (home.id, str(home.id), str(home.id)),
        )
    try:
        callers = await identity.directory.load_callers(home.id)
        assert len(callers) == len({caller.key for caller in callers}) == 1200
        assert len({id(caller.tenant) for caller in callers}) == 1
        assert len({caller.key for caller in await identity.directory.load_callers()}) >= 1200
    finally:
        with psycopg.connect(engines.database_admin_url) as admin:
            admin.execute("delete from api_key where tenant_id = %s", (home.id,))


async def test_tenants_are_told_with_their_ai_switch(identity: Identity, home: Tenant):
    await identity.set_ai_enabled(operator(home.id), False)
    told = {facts.tenant: facts.is_ai_enabled for facts in await identity.directory.load_tenants()}
    assert told[home.id] is False
    facts = await identity.directory.find_tenant_facts(home.id)
    assert facts is not None
    assert not facts.is_ai_enabled
    assert await identity.directory.find_tenant_facts(TenantId(new_id())) is None


async def test_every_change_of_identity_is_in_the_log_of_changes(identity: Identity, database: Database):
    log = ChangeLog(database)
    await log.look()

    async def is_logged(tenant: Tenant) -> bool:
        return tenant.id in (await log.look()).tenants

    home = await make_tenant(identity)
    assert await is_logged(home)
    await make_member(identity, home, Role.OWNER)
    person = await make_member(identity, home, Role.ADMIN)
    await is_logged(home)
    key = await make_key(identity, person.principal)
    assert await is_logged(home)
    await identity.authenticate(bearer=key.secret, cookie=None, csrf=None, unsafe=False)
    async with asyncio.timeout(10):
        while not await _is_noted(identity, home):  # noqa: ASYNC110 - the use is noted beside the request
            await asyncio.sleep(0.01)
    assert not await is_logged(home), "that a key was used is no change"
    await identity.set_ai_enabled(operator(home.id), False)
    assert await is_logged(home)
    await identity.keys.revoke(operator(home.id), key.key.id)
    assert await is_logged(home)
    await identity.members.change_role(operator(home.id), person.member.id, Role.VIEWER)
    assert await is_logged(home)
    await identity.members.remove(operator(home.id), person.member.id)
    assert await is_logged(home)


async def _is_noted(identity: Identity, tenant: Tenant) -> bool:
    keys = await identity.keys.list(operator(tenant.id), PageRequest())
    return any(key.last_used_at for key in keys.items)


def test_the_directory_fits_the_gateways_port(identity: Identity):
    fits: Callable[[Directory], Directory] = lambda directory: directory  # noqa: E731 - checked by pyright
    assert fits(identity.directory) is identity.directory
