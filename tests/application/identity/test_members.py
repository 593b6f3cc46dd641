"""Members: adding, roles, removal, the last owner, and that tenants learn nothing of each other."""

import asyncio

import httpx
import pytest

from mainspring.application.identity import Attempt, Identity, MemberId, Role, Tenant, operator
from mainspring.application.identity.errors import AlreadyMember, EmailTaken, LastOwner, SignInRefused
from mainspring.application.identity.testing import PASSWORD, Person, make_key, make_member, sign_in
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput, Unauthenticated
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.pagination import PageRequest, page_request


async def principal_of(identity: Identity, person: Person):
    return await identity.authenticate(bearer=None, cookie=person.signed_in.token, csrf=None, unsafe=False)


async def test_a_generated_password_signs_in_and_is_returned_once(identity: Identity, home: Tenant):
    new = await identity.members.add(operator(home.id), email="Ada@Example.com ", name="Ada", role=Role.ANALYST)
    assert new.password is not None
    assert new.member.user.email == "ada@example.com"
    signed_in = await identity.sessions.sign_in(Attempt("ADA@example.COM", new.password, "a", tenant=home.slug))
    assert signed_in.caller.role is Role.ANALYST
    given = await identity.members.add(
        operator(home.id), email="bob@example.com", name="Bob", role=Role.VIEWER, password=PASSWORD
    )
    assert given.password is None


async def test_the_same_person_twice_is_a_conflict_whatever_the_case_of_the_email(identity: Identity, owner: Person):
    with pytest.raises(AlreadyMember) as refused:
        await identity.members.add(
            owner.principal, email=owner.member.user.email.upper(), name="Again", role=Role.VIEWER
        )
    assert isinstance(refused.value, Conflict)


async def test_one_email_has_one_account(identity: Identity):
    email = f"{show_id('u', new_id())}@example.com"
    await identity.create_user(email, "First", password=PASSWORD)
    with pytest.raises(EmailTaken):
        await identity.create_user(email.title(), "Second")


async def test_a_changed_role_holds_from_the_next_request(identity: Identity, home: Tenant, owner: Person):
    person = await make_member(identity, home, Role.VIEWER)
    changed = await identity.members.change_role(owner.principal, person.member.id, Role.REVIEWER)
    assert changed.role is Role.REVIEWER
    assert "playbook.edit" in (await principal_of(identity, person)).permissions


async def test_a_removed_member_is_out_at_once_with_sessions_and_keys(identity: Identity, home: Tenant, owner: Person):
    person = await make_member(identity, home, Role.ADMIN)
    key = await make_key(identity, person.principal)
    await identity.members.remove(owner.principal, person.member.id)
    with pytest.raises(Unauthenticated):
        await principal_of(identity, person)
    with pytest.raises(Unauthenticated):
        await identity.authenticate(bearer=key.secret, cookie=None, csrf=None, unsafe=False)
    with pytest.raises(SignInRefused):
        await sign_in(identity, person.member, home)


async def test_adding_a_removed_member_again_revives_neither_session_nor_key(
    identity: Identity, home: Tenant, owner: Person
):
    person = await make_member(identity, home, Role.ADMIN)
    key = await make_key(identity, person.principal)
    await identity.members.remove(owner.principal, person.member.id)
    await identity.members.add(owner.principal, email=person.member.user.email, name="Back", role=Role.ADMIN)
    with pytest.raises(Unauthenticated):
        await principal_of(identity, person)
    with pytest.raises(Unauthenticated):
        await identity.authenticate(bearer=key.secret, cookie=None, csrf=None, unsafe=False)


async def test_the_last_owner_stays(identity: Identity, home: Tenant, owner: Person):
    with pytest.raises(LastOwner):
        await identity.members.remove(owner.principal, owner.member.id)
    with pytest.raises(LastOwner):
        await identity.members.change_role(owner.principal, owner.member.id, Role.ADMIN)
    second = await make_member(identity, home, Role.OWNER)
    await identity.members.change_role(second.principal, owner.member.id, Role.ADMIN)
    with pytest.raises(LastOwner):
        await identity.members.remove(second.principal, second.member.id)


async def test_two_owners_who_demote_each_other_at_once_leave_one(identity: Identity, home: Tenant, owner: Person):
    second = await make_member(identity, home, Role.OWNER)
    outcomes = await asyncio.gather(
        identity.members.change_role(owner.principal, second.member.id, Role.VIEWER),
        identity.members.change_role(second.principal, owner.member.id, Role.VIEWER),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "Member"]


async def test_an_admin_cannot_make_touch_or_become_an_owner(identity: Identity, home: Tenant, owner: Person):
    admin = await make_member(identity, home, Role.ADMIN)
    with pytest.raises(Forbidden, match=r"'owner'.*'tenant\.manage'"):
        await identity.members.change_role(admin.principal, admin.member.id, Role.OWNER)
    with pytest.raises(Forbidden):
        await identity.members.change_role(admin.principal, owner.member.id, Role.VIEWER)
    with pytest.raises(Forbidden):
        await identity.members.remove(admin.principal, owner.member.id)
    with pytest.raises(Forbidden):
        await identity.members.add(admin.principal, email="o@example.com", name="O", role=Role.OWNER)
    await identity.members.add(admin.principal, email="peer@example.com", name="Peer", role=Role.ADMIN)


async def test_another_tenants_member_does_not_exist_here(
    identity: Identity, owner: Person, elsewhere: Tenant, browser: httpx.AsyncClient
):
    stranger = await make_member(identity, elsewhere, Role.OWNER)
    await make_member(identity, elsewhere, Role.OWNER)
    unknown = MemberId(new_id())
    browser.cookies.update(owner.cookies)
    answers: list[dict[str, str]] = []
    for identifier in (stranger.member.id, unknown):
        for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
            path = f"/v1/members/{show_id('mem', identifier)}"
            answer = await browser.request(method, path, json=body, headers=owner.headers)
            assert answer.status_code == 404
            detail = answer.json()["detail"].replace(show_id("mem", identifier), "ID")
            answers.append({**answer.json(), "detail": detail, "request_id": ""})
    assert all(answer == answers[0] for answer in answers)
    malformed = await browser.delete("/v1/members/mem_nope", headers=owner.headers)
    assert {**malformed.json(), "request_id": "", "detail": ""} == {**answers[0], "detail": ""}
    assert await principal_of(identity, stranger) == stranger.principal


async def test_members_page_in_the_order_of_joining(identity: Identity, home: Tenant, owner: Person):
    joined = [owner.member.id] + [(await make_member(identity, home, Role.VIEWER)).member.id for _ in range(4)]
    seen: list[MemberId] = []
    cursor: str | None = None
    while True:
        page = await identity.members.list(owner.principal, page_request(2, cursor))
        seen += [member.id for member in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == joined


@pytest.mark.parametrize("after", [("x",), ("a", "b"), ()])
async def test_a_cursor_of_another_list_is_refused(identity: Identity, owner: Person, after: tuple[str, ...]):
    with pytest.raises(InvalidInput, match="cursor"):
        await identity.members.list(owner.principal, PageRequest(after=after))


async def test_a_tenant_knows_a_person_only_by_the_name_it_gave(
    identity: Identity, home: Tenant, owner: Person, elsewhere: Tenant
):
    email = f"{show_id('u', new_id())}@example.com"
    await identity.members.add(operator(elsewhere.id), email=email, name="Secret Nickname", role=Role.VIEWER)
    here = await identity.members.add(owner.principal, email=email, name="Official Name", role=Role.VIEWER)
    assert here.password is not None
    page = await identity.members.list(owner.principal, page_request(200, None))
    assert "Secret Nickname" not in {member.user.name for member in page.items}


async def test_a_password_chosen_by_one_tenant_opens_no_other(identity: Identity, home: Tenant, elsewhere: Tenant):
    email = f"{show_id('u', new_id())}@example.com"
    await identity.members.add(
        operator(elsewhere.id), email=email, name="V", role=Role.OWNER, password="attacker's own"
    )
    await identity.members.add(operator(home.id), email=email, name="V", role=Role.OWNER, password=PASSWORD)
    with pytest.raises(SignInRefused):
        await identity.sessions.sign_in(Attempt(email, "attacker's own", "a", tenant=home.slug))
    intruder = await identity.sessions.sign_in(Attempt(email, "attacker's own", "a"))
    assert [choice.slug for choice in intruder.caller.tenants] == [elsewhere.slug]


async def test_ones_own_password_opens_every_tenant_joined_first_by_name(
    identity: Identity, home: Tenant, elsewhere: Tenant
):
    email = f"{show_id('u', new_id())}@example.com"
    user = await identity.create_user(email, "Ada", password=PASSWORD)
    await identity.members.join(operator(home.id), user, Role.VIEWER)
    await identity.members.join(operator(elsewhere.id), user, Role.ADMIN)
    signed_in = await identity.sessions.sign_in(Attempt(email, PASSWORD, "a"))
    assert signed_in.caller.tenant.name == "Elsewhere Ltd"
    assert [(choice.name, choice.role) for choice in signed_in.caller.tenants] == [
        ("Elsewhere Ltd", Role.ADMIN),
        ("Northwind Traders", Role.VIEWER),
    ]
    chosen = await identity.sessions.sign_in(Attempt(email, PASSWORD, "a", tenant=home.slug))
    assert chosen.caller.tenant == home


async def test_a_tenant_transaction_sees_people_of_its_own_and_no_hash_of_theirs(
    identity: Identity, database: Database, home: Tenant, owner: Person, elsewhere: Tenant
):
    await make_member(identity, elsewhere, Role.OWNER)
    async with database.tenant(home.id) as transaction:
        emails = [row["email"] for row in await transaction.all("select email from user_account")]
        columns = await transaction.one(
            "select has_column_privilege('mainspring_tenant', 'user_account', 'password_hash', 'select') as may_read"
        )
    assert emails == [owner.member.user.email]
    assert columns == {"may_read": False}
