"""The SQL of teams; every statement is confined to its transaction's tenant by row-level security."""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction

from .store import read_member
from .types import Member, MemberId, Team, TeamId


async def insert_team(transaction: TenantTransaction, team: TeamId, name: str) -> Team | None:
    """The new team; None when the name is taken."""
    row = await transaction.first(
        "insert into team (tenant_id, id, name) values (%(tenant)s, %(id)s, %(name)s)"
        " on conflict (tenant_id, lower(name)) do nothing returning id, name, created_at",
        tenant=transaction.tenant,
        id=team,
        name=name,
    )
    return _read(row) if row else None


async def count_teams(transaction: TenantTransaction) -> int:
    """How many the tenant has; their number is limited."""
    row = await transaction.one(
        "select count(*) as teams from team where tenant_id = %(tenant)s", tenant=transaction.tenant
    )
    return int(row["teams"])


async def find_team(transaction: TenantTransaction, team: TeamId) -> Team | None:
    """One team."""
    row = await transaction.first(
        "select id, name, created_at from team where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=team,
    )
    return _read(row) if row else None


async def find_namesake(transaction: TenantTransaction, name: str) -> Team | None:
    """The team with this name, in whatever case."""
    row = await transaction.first(
        "select id, name, created_at from team where tenant_id = %(tenant)s and lower(name) = lower(%(name)s)",
        tenant=transaction.tenant,
        name=name,
    )
    return _read(row) if row else None


async def list_teams(transaction: TenantTransaction, *, after: UUID | None, limit: int) -> list[Team]:
    """Teams in the order they were made."""
    rows = await transaction.all(
        "select id, name, created_at from team where tenant_id = %(tenant)s"
        " and (%(after)s::uuid is null or id > %(after)s::uuid) order by id limit %(limit)s",
        tenant=transaction.tenant,
        after=after,
        limit=limit,
    )
    return [_read(row) for row in rows]


async def rename_team(transaction: TenantTransaction, team: TeamId, name: str) -> None:
    """Give the team another name; it must be free."""
    await transaction.run(
        "update team set name = %(name)s where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=team,
        name=name,
    )


async def delete_team(transaction: TenantTransaction, team: TeamId) -> bool:
    """Whether there was such a team; who was in it goes with it."""
    deleted = await transaction.run(
        "delete from team where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=team
    )
    return deleted == 1


async def add_member(transaction: TenantTransaction, team: TeamId, member: MemberId) -> bool:
    """Whether the member was not in the team yet; both must be there."""
    added = await transaction.run(
        "insert into team_member (tenant_id, member_id, team_id) values (%(tenant)s, %(member)s, %(team)s)"
        " on conflict do nothing",
        tenant=transaction.tenant,
        member=member,
        team=team,
    )
    return added == 1


async def remove_member(transaction: TenantTransaction, team: TeamId, member: MemberId) -> bool:
    """Whether the member was in the team."""
    removed = await transaction.run(
        "delete from team_member where tenant_id = %(tenant)s and member_id = %(member)s and team_id = %(team)s",
        tenant=transaction.tenant,
        member=member,
        team=team,
    )
    return removed == 1


async def list_team_members(
    transaction: TenantTransaction, team: TeamId, *, after: UUID | None, limit: int
) -> list[Member]:
    """Members of the team, in the order they joined the tenant."""
    rows = await transaction.all(
        "select m.id, m.user_id, m.name, m.role, m.created_at, u.email"
        " from team_member t join membership m on m.tenant_id = t.tenant_id and m.id = t.member_id"
        " join user_account u on u.id = m.user_id"
        " where t.tenant_id = %(tenant)s and t.team_id = %(team)s"
        " and (%(after)s::uuid is null or t.member_id > %(after)s::uuid) order by t.member_id limit %(limit)s",
        tenant=transaction.tenant,
        team=team,
        after=after,
        limit=limit,
    )
    return [read_member(row) for row in rows]


def _read(row: Row) -> Team:
    created_at: datetime = row["created_at"]
    return Team(TeamId(row["id"]), row["name"], created_at)
