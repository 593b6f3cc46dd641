"""Teams: who is in them, what a caller is to the readers of documents, and that both follow at the next request."""

import asyncio

import httpx
import pytest

from mainspring.application.identity import Identity, Role, TeamId, Tenant, operator
from mainspring.application.identity.errors import TeamNameTaken, TooManyTeams
from mainspring.application.identity.teams import MAX_TEAMS
from mainspring.application.identity.testing import Person, make_key, make_member
from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.pagination import page_request

FIRST_PAGE = page_request(200, None)


async def subjects_of(identity: Identity, person: Person) -> frozenset[str]:
    """Who the person is at their next request."""
    principal = await identity.authenticate(bearer=None, cookie=person.signed_in.token, csrf=None, unsafe=False)
    return principal.subjects


async def test_a_person_is_themselves_their_role_and_their_teams(identity: Identity, home: Tenant, owner: Person):
    analyst = await make_member(identity, home, Role.ANALYST)
    me, role = f"user:{show_id('usr', analyst.member.user.id)}", "role:analyst"
    assert await subjects_of(identity, analyst) == {me, role}
    teams = [await identity.teams.create(owner.principal, name) for name in ("Legal", "Sales")]
    for team in teams:
        await identity.teams.add_member(owner.principal, team.id, analyst.member.id)
    assert await subjects_of(identity, analyst) == {me, role, *(f"team:{show_id('team', team.id)}" for team in teams)}


async def test_leaving_a_team_or_changing_role_holds_from_the_next_request(
    identity: Identity, home: Tenant, owner: Person
):
    person = await make_member(identity, home, Role.VIEWER)
    team = await identity.teams.create(owner.principal, "Legal")
    await identity.teams.add_member(owner.principal, team.id, person.member.id)
    await identity.members.change_role(owner.principal, person.member.id, Role.REVIEWER)
    me, subject = f"user:{show_id('usr', person.member.user.id)}", f"team:{show_id('team', team.id)}"
    assert await subjects_of(identity, person) == {me, "role:reviewer", subject}
    await identity.teams.remove_member(owner.principal, team.id, person.member.id)
    await identity.teams.remove_member(owner.principal, team.id, person.member.id)
    assert await subjects_of(identity, person) == {me, "role:reviewer"}


async def test_a_deleted_team_is_nobody_and_a_namesake_is_another_team(identity: Identity, home: Tenant, owner: Person):
    person = await make_member(identity, home, Role.VIEWER)
    team = await identity.teams.create(owner.principal, "Legal")
    await identity.teams.add_member(owner.principal, team.id, person.member.id)
    await identity.teams.delete(owner.principal, team.id)
    again = await identity.teams.create(owner.principal, "Legal")
    await identity.teams.add_member(owner.principal, again.id, person.member.id)
    subjects = await subjects_of(identity, person)
    assert f"team:{show_id('team', again.id)}" in subjects
    assert f"team:{show_id('team', team.id)}" not in subjects
    with pytest.raises(NotFound):
        await identity.teams.delete(owner.principal, team.id)


async def test_an_api_key_is_itself_and_not_its_creator(identity: Identity, home: Tenant, owner: Person):
    team = await identity.teams.create(owner.principal, "Legal")
    await identity.teams.add_member(owner.principal, team.id, owner.member.id)
    made = await make_key(identity, owner.principal)
    principal = await identity.authenticate(bearer=made.secret, cookie=None, csrf=None, unsafe=False)
    assert principal.subjects == {f"key:{show_id('key', made.key.id)}"}
    assert operator(home.id).subjects == frozenset()


async def test_a_removed_member_is_in_no_team_when_they_come_back(identity: Identity, home: Tenant, owner: Person):
    person = await make_member(identity, home, Role.VIEWER)
    team = await identity.teams.create(owner.principal, "Legal")
    await identity.teams.add_member(owner.principal, team.id, person.member.id)
    await identity.members.remove(owner.principal, person.member.id)
    back = await identity.members.add(owner.principal, email=person.member.user.email, name="Back", role=Role.VIEWER)
    listed = await identity.teams.list_members(owner.principal, team.id, FIRST_PAGE)
    assert listed.items == ()
    assert back.member.user.id == person.member.user.id


async def test_a_name_is_taken_in_every_case_and_only_in_its_tenant(
    identity: Identity, owner: Person, elsewhere: Tenant
):
    legal = await identity.teams.create(owner.principal, " Legal ")
    sales = await identity.teams.create(owner.principal, "Sales")
    for taken in ("Legal", "LEGAL"):
        with pytest.raises(TeamNameTaken):
            await identity.teams.create(owner.principal, taken)
        with pytest.raises(TeamNameTaken):
            await identity.teams.rename(owner.principal, sales.id, taken)
    assert (await identity.teams.rename(owner.principal, legal.id, "LEGAL")).name == "LEGAL"
    assert (await identity.teams.create(operator(elsewhere.id), "Legal")).name == "Legal"
    with pytest.raises(InvalidInput):
        await identity.teams.create(owner.principal, "two\nlines")


async def test_two_who_make_the_same_team_at_once_make_one(identity: Identity, owner: Person):
    outcomes = await asyncio.gather(
        *(identity.teams.create(owner.principal, "Legal") for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Team"] + ["TeamNameTaken"] * 3


async def test_the_number_of_teams_is_limited(identity: Identity, database: Database, home: Tenant, owner: Person):
    async with database.tenant(home.id) as transaction:
        await transaction.run(
            "insert into team (tenant_id, id, name) select %(tenant)s, gen_random_uuid(), 'team ' || n"
            " from generate_series(1, %(most)s) n",
            tenant=home.id,
            most=MAX_TEAMS,
        )
    with pytest.raises(TooManyTeams, match=str(MAX_TEAMS)):
        await identity.teams.create(owner.principal, "One more")


async def test_teams_and_their_members_page_in_order(identity: Identity, home: Tenant, owner: Person):
    teams = [await identity.teams.create(owner.principal, f"Team {number}") for number in range(5)]
    people = [(await make_member(identity, home, Role.VIEWER)).member.id for _ in range(3)]
    for person in reversed(people):
        await identity.teams.add_member(owner.principal, teams[0].id, person)
    seen: list[TeamId] = []
    cursor: str | None = None
    while True:
        page = await identity.teams.list(owner.principal, page_request(2, cursor))
        seen += [team.id for team in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [team.id for team in teams]
    first = await identity.teams.list_members(owner.principal, teams[0].id, page_request(2, None))
    rest = await identity.teams.list_members(owner.principal, teams[0].id, page_request(2, first.next_cursor))
    assert [member.id for member in (*first.items, *rest.items)] == people


async def test_over_http_a_team_is_made_filled_shown_and_deleted(
    identity: Identity, home: Tenant, owner: Person, browser: httpx.AsyncClient
):
    person = await make_member(identity, home, Role.VIEWER)
    member = show_id("mem", person.member.id)
    browser.cookies.update(owner.cookies)
    made = await browser.post("/v1/teams", json={"name": "Legal"}, headers=owner.headers)
    assert made.status_code == 201
    path = f"/v1/teams/{made.json()['id']}"
    for _ in range(2):
        assert (await browser.put(f"{path}/members/{member}", headers=owner.headers)).status_code == 204
    assert [shown["id"] for shown in (await browser.get(f"{path}/members")).json()["items"]] == [member]
    renamed = await browser.patch(path, json={"name": "Law"}, headers=owner.headers)
    assert (renamed.json(), (await browser.get(path)).json()["name"]) == ({**made.json(), "name": "Law"}, "Law")
    assert [team["name"] for team in (await browser.get("/v1/teams")).json()["items"]] == ["Law"]
    twice = await browser.post("/v1/teams", json={"name": "LAW"}, headers=owner.headers)
    assert (twice.status_code, twice.json()["code"]) == (409, "team_name_taken")
    assert (await browser.delete(f"{path}/members/{member}", headers=owner.headers)).status_code == 204
    assert (await browser.delete(path, headers=owner.headers)).status_code == 204
    assert (await browser.get(path)).status_code == 404


async def test_another_tenants_teams_and_members_do_not_exist_here(
    identity: Identity, owner: Person, elsewhere: Tenant, browser: httpx.AsyncClient
):
    stranger = await make_member(identity, elsewhere, Role.OWNER)
    theirs = await identity.teams.create(stranger.principal, "Theirs")
    await identity.teams.add_member(stranger.principal, theirs.id, stranger.member.id)
    ours = await identity.teams.create(owner.principal, "Ours")
    browser.cookies.update(owner.cookies)
    member, mine = show_id("mem", stranger.member.id), show_id("mem", owner.member.id)
    answers: list[dict[str, str]] = []
    for identifier in (theirs.id, TeamId(new_id())):
        path = f"/v1/teams/{show_id('team', identifier)}"
        sent = [
            await browser.get(path),
            await browser.get(f"{path}/members"),
            await browser.patch(path, json={"name": "Mine"}, headers=owner.headers),
            await browser.delete(path, headers=owner.headers),
            await browser.put(f"{path}/members/{mine}", headers=owner.headers),
            await browser.delete(f"{path}/members/{mine}", headers=owner.headers),
        ]
        assert [answer.status_code for answer in sent] == [404] * len(sent)
        detail = sent[0].json()["detail"].replace(show_id("team", identifier), "ID")
        answers.append({**sent[0].json(), "detail": detail, "request_id": ""})
    assert answers[0] == answers[1]
    foreign = f"/v1/teams/{show_id('team', ours.id)}/members/{member}"
    assert (await browser.put(foreign, headers=owner.headers)).status_code == 404
    kept = await identity.teams.list_members(stranger.principal, theirs.id, FIRST_PAGE)
    assert [kept_member.id for kept_member in kept.items] == [stranger.member.id]
