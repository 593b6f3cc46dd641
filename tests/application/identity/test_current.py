"""A caller whose work goes on is asked about again: what it may do now, or that it is gone."""

from dataclasses import replace
from uuid import uuid4

from mainspring.application.identity import Identity, Role, Tenant, operator
from mainspring.application.identity.testing import make_member
from mainspring.foundation.principal import Principal, PrincipalKind


async def test_a_person_whose_role_changed_may_do_what_the_new_one_allows(identity: Identity, home: Tenant):
    person = await make_member(identity, home, Role.ADMIN)
    await identity.members.change_role(operator(home.id), person.member.id, Role.VIEWER)
    current = await identity.current(person.principal)
    assert current is not None
    assert "gateway.manage" in person.principal.permissions
    assert "gateway.manage" not in current.permissions
    assert (current.user, current.hands) == (person.principal.user, person.principal.hands)


async def test_a_person_who_left_is_nobody(identity: Identity, home: Tenant):
    person = await make_member(identity, home, Role.ANALYST)
    await identity.members.remove(operator(home.id), person.member.id)
    assert await identity.current(person.principal) is None


async def test_a_key_lives_until_it_is_revoked_and_never_holds_more_than_its_maker(identity: Identity, home: Tenant):
    maker = await make_member(identity, home, Role.ADMIN)
    made = await identity.keys.create(maker.principal, name="bot", scopes=frozenset({"gateway.manage"}))
    key = await identity.authenticate(bearer=made.secret, cookie=None, csrf=None, unsafe=True)
    assert await identity.current(key) == key
    await identity.members.change_role(operator(home.id), maker.member.id, Role.VIEWER)
    weaker = await identity.current(key)
    assert weaker is not None
    assert weaker.permissions == frozenset()
    await identity.keys.revoke(operator(home.id), made.key.id)
    assert await identity.current(key) is None


async def test_a_key_of_another_tenant_is_nobody_here(identity: Identity, home: Tenant):
    stranger = Principal(home.id, PrincipalKind.API_KEY, "bot", frozenset(), credential=uuid4())
    assert await identity.current(stranger) is None
    assert await identity.current(replace(stranger, kind=PrincipalKind.SYSTEM)) is not None
