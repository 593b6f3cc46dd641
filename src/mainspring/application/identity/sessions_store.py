"""The SQL that signs people in and out. Sessions are found by the hash of their token, across tenants."""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId, UserId

from .types import Role, SessionId, TenantChoice


async def find_account(transaction: SystemTransaction, *, email: str, slug: str | None) -> Row | None:
    """The membership that an email opens, with the hash that its password must match.

    Without a slug, tenants that the person's own password opens come first, by name. A password that
    a tenant set for its member opens that tenant alone, and such tenants follow in the order of
    joining: a tenant added later by strangers cannot put itself in front.
    """
    return await transaction.first(
        "select m.tenant_id, m.user_id, m.id as member_id, coalesce(m.password_hash, u.password_hash) as password_hash"
        " from user_account u join membership m on m.user_id = u.id join tenant t on t.id = m.tenant_id"
        " where lower(u.email) = lower(%(email)s) and (%(slug)s::text is null or t.slug = %(slug)s::text)"
        " order by m.password_hash is not null,"
        " case when m.password_hash is null then t.name end, m.id limit 1",
        email=email,
        slug=slug,
    )


async def insert_session(
    transaction: TenantTransaction,
    session: SessionId,
    *,
    token_hash: bytes,
    user: UserId,
    lasts: tuple[datetime, datetime],
) -> None:
    """Open a session for the interval `lasts`, and clear away those of the person that ended long ago."""
    created_at, expires_at = lasts
    await transaction.run(
        "delete from session where user_id = %(user)s and expires_at < %(now)s::timestamptz - interval '7 days'",
        user=user,
        now=created_at,
    )
    await transaction.run(
        "insert into session (tenant_id, id, token_hash, user_id, created_at, expires_at)"
        " values (%(tenant)s, %(id)s, %(token_hash)s, %(user)s, %(created_at)s, %(expires_at)s)",
        tenant=transaction.tenant,
        id=session,
        token_hash=token_hash,
        user=user,
        created_at=created_at,
        expires_at=expires_at,
    )


async def find_session(transaction: SystemTransaction, token_hash: bytes, now: datetime) -> Row | None:
    """The open session with this token, and the role and teams its person has now; None once they left the tenant.

    The teams are one look into an index that holds them all: nothing is cached, and there is no second query.
    """
    return await transaction.first(
        "select s.tenant_id, s.id, s.user_id, m.name, m.role,"
        " array(select t.team_id from team_member t where t.tenant_id = m.tenant_id and t.member_id = m.id) as teams"
        " from session s join membership m on m.tenant_id = s.tenant_id and m.user_id = s.user_id"
        " where s.token_hash = %(token_hash)s and s.revoked_at is null and s.expires_at > %(now)s",
        token_hash=token_hash,
        now=now,
    )


async def find_person(transaction: TenantTransaction, user: UserId) -> Row | None:
    """The name, role and teams that a person has in the tenant now; None once they left it."""
    return await transaction.first(
        "select m.name, m.role,"
        " array(select t.team_id from team_member t where t.tenant_id = m.tenant_id and t.member_id = m.id) as teams"
        " from membership m where m.tenant_id = %(tenant)s and m.user_id = %(user)s",
        tenant=transaction.tenant,
        user=user,
    )


async def find_key_of(transaction: TenantTransaction, key: UUID, now: datetime) -> Row | None:
    """A key that may be used now, with the present role of its creator; None when it was revoked or is over."""
    return await transaction.first(
        "select k.scopes, k.created_by, m.role"
        " from api_key k left join membership m on m.tenant_id = k.tenant_id and m.user_id = k.created_by"
        " where k.tenant_id = %(tenant)s and k.id = %(key)s and k.revoked_at is null"
        " and (k.expires_at is null or k.expires_at > %(now)s)",
        tenant=transaction.tenant,
        key=key,
        now=now,
    )


async def close_session(transaction: TenantTransaction, session: UUID, now: datetime) -> bool:
    """Whether it was open until now."""
    closed = await transaction.run(
        "update session set revoked_at = %(now)s where id = %(id)s and revoked_at is null", id=session, now=now
    )
    return closed == 1


async def close_session_by_token(transaction: SystemTransaction, token_hash: bytes, now: datetime) -> None:
    """Close whichever session has this token; none is fine."""
    await transaction.run(
        "update session set revoked_at = %(now)s where token_hash = %(token_hash)s and revoked_at is null",
        token_hash=token_hash,
        now=now,
    )


async def list_choices(transaction: SystemTransaction, *, user: UserId, tenant: TenantId) -> list[TenantChoice]:
    """Tenants that the password behind a session in `tenant` opens, by name."""
    rows = await transaction.all(
        "select t.id, t.slug, t.name, m.role from membership m join tenant t on t.id = m.tenant_id"
        " where m.user_id = %(user)s and (m.tenant_id = %(tenant)s or (m.password_hash is null and exists"
        "  (select 1 from membership own where own.user_id = %(user)s and own.tenant_id = %(tenant)s"
        "   and own.password_hash is null)))"
        " order by t.name, t.id limit 200",
        user=user,
        tenant=tenant,
    )
    return [TenantChoice(TenantId(row["id"]), row["slug"], row["name"], Role(row["role"])) for row in rows]
