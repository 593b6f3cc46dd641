"""Teams: members who belong together, named once and then given documents to read.

Whoever is in a team now is `team:team_...` among the subjects of their next request. A deleted team takes
nobody along and opens nothing: documents that name it stay closed to everybody else, and its id is never
given again.
"""

from uuid import UUID

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal

from . import store, teams_store
from .authority import show_actor
from .errors import TeamNameTaken, TooManyTeams
from .events import IdentityEvent, TeamCreated, TeamDeleted, TeamMemberAdded, TeamMemberRemoved, TeamRenamed
from .inputs import read_name
from .types import Member, MemberId, Permission, Team, TeamId

MAX_TEAMS = 1_000


class Teams:
    """Use cases on the teams of the principal's tenant: reading needs `member.view`, changing `member.manage`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, principal: Principal, request: PageRequest) -> Page[Team]:
        """Teams in the order they were made."""
        principal.require(Permission.MEMBER_VIEW.value)
        async with self._database.tenant(principal.tenant) as transaction:
            (after,) = request.key(UUID)
            found = await teams_store.list_teams(transaction, after=after, limit=request.limit + 1)
        items, has_more = cut_page(found, request)
        return Page(tuple(items), make_cursor(str(items[-1].id)) if has_more else None)

    async def get(self, principal: Principal, team: TeamId) -> Team:
        """One team; raises NotFound."""
        principal.require(Permission.MEMBER_VIEW.value)
        async with self._database.tenant(principal.tenant) as transaction:
            return await _get(transaction, team)

    async def create(self, principal: Principal, name: str) -> Team:
        """A team without members.

        raises  TeamNameTaken; TooManyTeams above `MAX_TEAMS`
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        name = read_name(name)
        async with self._database.tenant(principal.tenant) as transaction:
            await store.lock_members(transaction)
            if await teams_store.count_teams(transaction) >= MAX_TEAMS:
                raise TooManyTeams(f"The tenant has {MAX_TEAMS} teams, the most there may be; delete one first.")
            team = await teams_store.insert_team(transaction, TeamId(new_id()), name)
            if team is None:
                raise _taken(name)
            await _tell(transaction, TeamCreated(show_actor(principal), _show(team.id)))
        return team

    async def rename(self, principal: Principal, team: TeamId, name: str) -> Team:
        """Another name for the team; who is in it, and what it may read, stays.

        raises  NotFound; TeamNameTaken
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        name = read_name(name)
        async with self._database.tenant(principal.tenant) as transaction:
            await store.lock_members(transaction)
            found = await _get(transaction, team)
            if found.name == name:
                return found
            namesake = await teams_store.find_namesake(transaction, name)
            if namesake is not None and namesake.id != team:
                raise _taken(name)
            await teams_store.rename_team(transaction, team, name)
            await _tell(transaction, TeamRenamed(show_actor(principal), _show(team)))
        return Team(team, name, found.created_at)

    async def delete(self, principal: Principal, team: TeamId) -> None:
        """End a team from the next request on; what was opened to it alone is then open to nobody.

        raises  NotFound
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            await store.lock_members(transaction)
            if not await teams_store.delete_team(transaction, team):
                raise _unknown(team)
            await _tell(transaction, TeamDeleted(show_actor(principal), _show(team)))

    async def list_members(self, principal: Principal, team: TeamId, request: PageRequest) -> Page[Member]:
        """Who is in the team, in the order they joined the tenant; raises NotFound."""
        principal.require(Permission.MEMBER_VIEW.value)
        async with self._database.tenant(principal.tenant) as transaction:
            await _get(transaction, team)
            (after,) = request.key(UUID)
            found = await teams_store.list_team_members(transaction, team, after=after, limit=request.limit + 1)
        items, has_more = cut_page(found, request)
        return Page(tuple(items), make_cursor(str(items[-1].id)) if has_more else None)

    async def add_member(self, principal: Principal, team: TeamId, member: MemberId) -> None:
        """Put a member into the team from their next request on; doing it again changes nothing.

        raises  NotFound for the team or the member
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            await store.lock_members(transaction)
            await _get(transaction, team)
            if await store.find_member(transaction, member) is None:
                raise NotFound(f"There is no mem_... with the id {show_id('mem', member)!r}.")
            if await teams_store.add_member(transaction, team, member):
                event = TeamMemberAdded(show_actor(principal), _show(team), show_id("mem", member))
                await _tell(transaction, event)

    async def remove_member(self, principal: Principal, team: TeamId, member: MemberId) -> None:
        """Take a member out of the team from their next request on; one who is not in it is fine.

        raises  NotFound for the team
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            await _get(transaction, team)
            if await teams_store.remove_member(transaction, team, member):
                event = TeamMemberRemoved(show_actor(principal), _show(team), show_id("mem", member))
                await _tell(transaction, event)


async def _get(transaction: TenantTransaction, team: TeamId) -> Team:
    found = await teams_store.find_team(transaction, team)
    if found is None:
        raise _unknown(team)
    return found


async def _tell(transaction: TenantTransaction, event: IdentityEvent) -> None:
    await publish(transaction, topic=event.topic, payload=event.payload())


def _unknown(team: TeamId) -> NotFound:
    return NotFound(f"There is no team_... with the id {_show(team)!r}.")


def _taken(name: str) -> TeamNameTaken:
    return TeamNameTaken(f"There is a team {name!r} already; choose another name.")


def _show(team: TeamId) -> str:
    return show_id("team", team)
