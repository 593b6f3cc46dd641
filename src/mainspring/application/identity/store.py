"""All SQL of identity about a tenant and its people and keys; `sessions_store` has what opens and closes sessions.

Functions that take a `SystemTransaction` run before the tenant is known; all others are confined
to their transaction's tenant by row-level security.
"""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId, UserId

from .types import ApiKey, KeyId, Member, MemberId, Role, Tenant, User


async def insert_tenant(transaction: TenantTransaction, *, slug: str, name: str) -> Tenant | None:
    """The new tenant, or None when the slug is taken."""
    row = await transaction.first(
        "insert into tenant (id, slug, name) values (%(id)s, %(slug)s, %(name)s) on conflict (slug) do nothing"
        " returning id, slug, name, ai_enabled, created_at",
        id=transaction.tenant,
        slug=slug,
        name=name,
    )
    return read_tenant(row) if row else None


async def find_tenant(transaction: TenantTransaction) -> Tenant | None:
    """The transaction's own tenant."""
    row = await transaction.first(
        "select id, slug, name, ai_enabled, created_at from tenant where id = %(id)s", id=transaction.tenant
    )
    return read_tenant(row) if row else None


async def find_tenant_by_slug(transaction: SystemTransaction, slug: str) -> Tenant | None:
    """The tenant with this short name."""
    row = await transaction.first(
        "select id, slug, name, ai_enabled, created_at from tenant where slug = %(slug)s", slug=slug
    )
    return read_tenant(row) if row else None


async def list_tenants(transaction: SystemTransaction, *, after: str, limit: int) -> list[Tenant]:
    """Tenants by slug, after the given one."""
    rows = await transaction.all(
        "select id, slug, name, ai_enabled, created_at from tenant"
        " where slug > %(after)s order by slug limit %(limit)s",
        after=after,
        limit=limit,
    )
    return [read_tenant(row) for row in rows]


async def update_tenant(transaction: TenantTransaction, *, name: str | None, is_ai_enabled: bool | None) -> Tenant:
    """Change what is not None; LookupError when the tenant does not exist."""
    row = await transaction.one(
        "update tenant set name = coalesce(%(name)s::text, name),"
        " ai_enabled = coalesce(%(ai_enabled)s::boolean, ai_enabled)"
        " where id = %(id)s returning id, slug, name, ai_enabled, created_at",
        id=transaction.tenant,
        name=name,
        ai_enabled=is_ai_enabled,
    )
    return read_tenant(row)


async def insert_user(
    transaction: SystemTransaction, *, user: UserId, email: str, name: str, password_hash: str | None
) -> bool:
    """Whether the account was new."""
    inserted = await transaction.run(
        "insert into user_account (id, email, name, password_hash)"
        " values (%(id)s, %(email)s, %(name)s, %(password_hash)s) on conflict (lower(email)) do nothing",
        id=user,
        email=email,
        name=name,
        password_hash=password_hash,
    )
    return inserted == 1


async def find_user(transaction: SystemTransaction, email: str) -> User | None:
    """The account with this email."""
    row = await transaction.first(
        "select id as user_id, email, name from user_account where lower(email) = lower(%(email)s)", email=email
    )
    return read_user(row) if row else None


async def lock_members(transaction: TenantTransaction) -> None:
    """Let changes to the tenant's members happen one after the other, until the transaction ends."""
    await transaction.first("select id from tenant where id = %(id)s for update", id=transaction.tenant)


async def insert_member(
    transaction: TenantTransaction, member: MemberId, user: User, *, role: Role, password_hash: str | None
) -> Row | None:
    """Add the person under `user.name`; None when they are a member already."""
    return await transaction.first(
        "insert into membership (tenant_id, id, user_id, name, role, password_hash)"
        " values (%(tenant)s, %(id)s, %(user)s, %(name)s, %(role)s, %(password_hash)s)"
        " on conflict (tenant_id, user_id) do nothing returning id, created_at",
        tenant=transaction.tenant,
        id=member,
        user=user.id,
        name=user.name,
        role=role.value,
        password_hash=password_hash,
    )


async def find_member(transaction: TenantTransaction, member: MemberId) -> Member | None:
    """One member."""
    row = await transaction.first(
        "select m.id, m.user_id, m.name, m.role, m.created_at, u.email"
        " from membership m join user_account u on u.id = m.user_id where m.id = %(id)s",
        id=member,
    )
    return read_member(row) if row else None


async def find_member_of(transaction: TenantTransaction, user: UserId) -> Member | None:
    """The membership of a person."""
    row = await transaction.first(
        "select m.id, m.user_id, m.name, m.role, m.created_at, u.email"
        " from membership m join user_account u on u.id = m.user_id where m.user_id = %(user)s",
        user=user,
    )
    return read_member(row) if row else None


async def list_members(transaction: TenantTransaction, *, after: UUID | None, limit: int) -> list[Member]:
    """Members in the order they joined."""
    rows = await transaction.all(
        "select m.id, m.user_id, m.name, m.role, m.created_at, u.email"
        " from membership m join user_account u on u.id = m.user_id"
        " where (%(after)s::uuid is null or m.id > %(after)s::uuid) order by m.id limit %(limit)s",
        after=after,
        limit=limit,
    )
    return [read_member(row) for row in rows]


async def has_other_owner(transaction: TenantTransaction, member: MemberId) -> bool:
    """Whether someone else owns the tenant too; lock the members first."""
    row = await transaction.one(
        "select exists (select 1 from membership where role = 'owner' and id <> %(id)s) as has_other", id=member
    )
    return bool(row["has_other"])


async def update_role(transaction: TenantTransaction, member: MemberId, role: Role) -> None:
    """Give the member another role."""
    await transaction.run("update membership set role = %(role)s where id = %(id)s", id=member, role=role.value)


async def delete_member(transaction: TenantTransaction, member: Member) -> int:
    """Remove the membership, its sessions and the keys its person made; returns how many keys ended."""
    await transaction.run("delete from session where user_id = %(user)s", user=member.user.id)
    revoked = await transaction.run(
        "update api_key set revoked_at = now() where created_by = %(user)s and revoked_at is null", user=member.user.id
    )
    await transaction.run("delete from membership where id = %(id)s", id=member.id)
    return revoked


async def insert_key(
    transaction: TenantTransaction, key: ApiKey, *, secret_hash: bytes, created_by: UserId | None, parent: UUID | None
) -> None:
    """Store a new key."""
    await transaction.run(
        "insert into api_key"
        " (tenant_id, id, name, prefix, secret_hash, scopes, created_by, parent_id, created_at, expires_at) values"
        " (%(tenant)s, %(id)s, %(name)s, %(prefix)s, %(secret_hash)s, %(scopes)s, %(created_by)s, %(parent)s,"
        "  %(created_at)s, %(expires_at)s)",
        tenant=transaction.tenant,
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        secret_hash=secret_hash,
        scopes=sorted(key.scopes),
        created_by=created_by,
        parent=parent,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


async def list_keys(transaction: TenantTransaction, *, before: UUID | None, limit: int) -> list[ApiKey]:
    """Keys, newest first."""
    rows = await transaction.all(
        "select id, name, prefix, scopes, created_at, expires_at, revoked_at, last_used_at from api_key"
        " where (%(before)s::uuid is null or id < %(before)s::uuid) order by id desc limit %(limit)s",
        before=before,
        limit=limit,
    )
    return [read_key(row) for row in rows]


async def find_key(transaction: TenantTransaction, key: UUID) -> ApiKey | None:
    """One key."""
    row = await transaction.first(
        "select id, name, prefix, scopes, created_at, expires_at, revoked_at, last_used_at from api_key"
        " where id = %(id)s",
        id=key,
    )
    return read_key(row) if row else None


async def revoke_key(transaction: TenantTransaction, key: KeyId, now: datetime) -> int:
    """End the key and every key made with it; returns how many ended now."""
    return await transaction.run(
        "with recursive ended as ("
        "  select id from api_key where id = %(id)s"
        "  union select child.id from api_key child join ended on child.parent_id = ended.id)"
        " update api_key set revoked_at = %(now)s where id in (select id from ended) and revoked_at is null",
        id=key,
        now=now,
    )


async def find_key_holder(transaction: SystemTransaction, prefix: str) -> Row | None:
    """What a key's prefix leads to: the key, its hash, and the present role of its creator."""
    return await transaction.first(
        "select k.tenant_id, k.id, k.name, k.secret_hash, k.scopes, k.created_by, k.expires_at, k.revoked_at, m.role"
        " from api_key k left join membership m on m.tenant_id = k.tenant_id and m.user_id = k.created_by"
        " where k.prefix = %(prefix)s",
        prefix=prefix,
    )


async def touch_key(transaction: SystemTransaction, key: UUID, at: datetime) -> None:
    """Note when a key was last used, if that is news by a minute."""
    await transaction.run(
        "update api_key set last_used_at = %(at)s where id = %(id)s"
        " and (last_used_at is null or last_used_at <= %(at)s::timestamptz - interval '1 minute')",
        id=key,
        at=at,
    )


async def lock_key(transaction: TenantTransaction, key: UUID) -> Row | None:
    """Creator and end of a key that is not revoked, held so that it cannot be until the transaction ends."""
    return await transaction.first(
        "select created_by, expires_at from api_key where id = %(id)s and revoked_at is null for share", id=key
    )


def read_tenant(row: Row) -> Tenant:
    """A row of `tenant`."""
    return Tenant(TenantId(row["id"]), row["slug"], row["name"], row["ai_enabled"], row["created_at"])


def read_user(row: Row) -> User:
    """The person in a row that has user_id, email and name."""
    return User(UserId(row["user_id"]), row["email"], row["name"])


def read_member(row: Row) -> Member:
    """A membership joined with its person."""
    return Member(MemberId(row["id"]), read_user(row), Role(row["role"]), row["created_at"])


def read_key(row: Row) -> ApiKey:
    """A row of `api_key` without its hash."""
    return ApiKey(
        KeyId(row["id"]),
        row["name"],
        row["prefix"],
        frozenset(row["scopes"]),
        row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
