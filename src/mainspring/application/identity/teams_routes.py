"""The HTTP routes of teams; permissions are checked by the use cases."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id

from .schemas import MemberPage, TeamName, TeamPage, TeamView, show_members, show_team, show_teams
from .teams import Teams
from .types import MemberId, TeamId


def add_teams(router: APIRouter, teams: Teams) -> None:
    """Every route below /v1/teams."""
    _add_reading(router, teams)
    _add_changing(router, teams)


def _add_reading(router: APIRouter, teams: Teams) -> None:
    @router.get("/teams", tags=["teams"])
    async def list_teams(principal: CurrentPrincipal, paging: Paging) -> TeamPage:
        """Teams in the order they were made. Needs `member.view`."""
        return show_teams(await teams.list(principal, paging))

    @router.get("/teams/{team}", tags=["teams"])
    async def get_team(team: str, principal: CurrentPrincipal) -> TeamView:
        """One team. Needs `member.view`."""
        return show_team(await teams.get(principal, _team(team)))

    @router.get("/teams/{team}/members", tags=["teams"])
    async def list_team_members(team: str, principal: CurrentPrincipal, paging: Paging) -> MemberPage:
        """Who is in a team, in the order they joined the tenant. Needs `member.view`."""
        return show_members(await teams.list_members(principal, _team(team), paging))


def _add_changing(router: APIRouter, teams: Teams) -> None:
    @router.post("/teams", status_code=201, tags=["teams"])
    async def create_team(body: TeamName, principal: CurrentPrincipal) -> TeamView:
        """Make a team without members. Needs `member.manage`; 409 `team_name_taken`, `too_many_teams`."""
        return show_team(await teams.create(principal, body.name))

    @router.patch("/teams/{team}", tags=["teams"])
    async def rename_team(team: str, body: TeamName, principal: CurrentPrincipal) -> TeamView:
        """Rename a team; what it may read stays. Needs `member.manage`; 409 `team_name_taken`."""
        return show_team(await teams.rename(principal, _team(team), body.name))

    @router.delete("/teams/{team}", status_code=204, tags=["teams"])
    async def delete_team(team: str, principal: CurrentPrincipal) -> None:
        """Delete a team. What was opened to it alone stays closed to all others. Needs `member.manage`."""
        await teams.delete(principal, _team(team))

    @router.put("/teams/{team}/members/{member}", status_code=204, tags=["teams"])
    async def add_team_member(team: str, member: str, principal: CurrentPrincipal) -> None:
        """Put a member into a team; repeating it changes nothing. Needs `member.manage`."""
        await teams.add_member(principal, _team(team), MemberId(read_id("mem", member)))

    @router.delete("/teams/{team}/members/{member}", status_code=204, tags=["teams"])
    async def remove_team_member(team: str, member: str, principal: CurrentPrincipal) -> None:
        """Take a member out of a team, from their next request on. Needs `member.manage`."""
        await teams.remove_member(principal, _team(team), MemberId(read_id("mem", member)))


def _team(text: str) -> TeamId:
    return TeamId(read_id("team", text))
