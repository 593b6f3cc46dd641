"""The people of a tenant: who is in, in which role, and that an owner always remains.

A password set here opens this tenant alone, also for a person who is in other tenants: the
administrators of one tenant must not be able to choose a password that opens another. For the same
reason adding a person tells nothing about whether they have an account elsewhere.
"""

from uuid import UUID

from mainspring.foundation.changes import announce
from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import UserId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey

from . import store
from .authority import require_over, show_actor
from .credentials import Passwords, make_password
from .errors import AlreadyMember, LastOwner
from .events import MemberAdded, MemberRemoved, MemberRoleChanged
from .inputs import read_email, read_name, read_password
from .types import Member, MemberId, NewMember, Permission, Role, User


class Members:
    """Use cases on the members of the principal's tenant."""

    def __init__(self, database: Database, valkey: Valkey, passwords: Passwords) -> None:
        self._database = database
        self._valkey = valkey
        self._passwords = passwords

    async def list(self, principal: Principal, request: PageRequest) -> Page[Member]:
        """Members in the order they joined; needs `member.view`."""
        principal.require(Permission.MEMBER_VIEW.value)
        async with self._database.tenant(principal.tenant) as transaction:
            (after,) = request.key(UUID)
            found = await store.list_members(transaction, after=after, limit=request.limit + 1)
        items, has_more = cut_page(found, request)
        return Page(tuple(items), make_cursor(str(items[-1].id)) if has_more else None)

    async def add(
        self, principal: Principal, *, email: str, name: str, role: Role, password: str | None = None
    ) -> NewMember:
        """Add a person by email, with a password for this tenant; one is generated when none is given.

        needs   `member.manage`, and every permission that the role holds
        raises  AlreadyMember
        """
        _require_manage(principal, role)
        email, name = read_email(email), read_name(name)
        chosen = read_password(password) if password is not None else make_password()
        password_hash = await self._passwords.hash(chosen)
        async with self._database.system() as transaction:
            await store.insert_user(transaction, user=UserId(new_id()), email=email, name=name, password_hash=None)
            account = await store.find_user(transaction, email)
        assert account is not None
        member = await self._insert(principal, User(account.id, account.email, name), role, password_hash)
        return NewMember(member, chosen if password is None else None)

    async def join(self, principal: Principal, user: User, role: Role) -> Member:
        """Add a person who signs in with a password of their own; raises AlreadyMember."""
        _require_manage(principal, role)
        return await self._insert(principal, user, role, None)

    async def change_role(self, principal: Principal, member: MemberId, role: Role) -> Member:
        """Give a member another role, from their next request on.

        needs   `member.manage`, and every permission of the old and the new role
        raises  NotFound; LastOwner when no owner would be left
        """
        _require_manage(principal, role)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await _lock(transaction, principal, member)
            if found.role == role:
                return found
            await _keep_an_owner(transaction, found)
            await store.update_role(transaction, member, role)
            event = MemberRoleChanged(
                show_actor(principal), _show(found), show_id("usr", found.user.id), found.role.value, role.value
            )
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)
        return Member(found.id, found.user, role, found.created_at)

    async def remove(self, principal: Principal, member: MemberId) -> None:
        """End a membership, its sessions, and the API keys the person made, from the next request on.

        needs   `member.manage`, and every permission of the member's role
        raises  NotFound; LastOwner when no owner would be left
        """
        principal.require(Permission.MEMBER_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await _lock(transaction, principal, member)
            await _keep_an_owner(transaction, found)
            revoked = await store.delete_member(transaction, found)
            event = MemberRemoved(show_actor(principal), _show(found), show_id("usr", found.user.id), revoked)
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)

    async def _insert(self, principal: Principal, user: User, role: Role, password_hash: str | None) -> Member:
        identifier = MemberId(new_id())
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.insert_member(transaction, identifier, user, role=role, password_hash=password_hash)
            if row is None:
                raise AlreadyMember(f"{user.email} is a member already; change the role instead.")
            member = Member(identifier, user, role, row["created_at"])
            event = MemberAdded(show_actor(principal), _show(member), show_id("usr", user.id), role.value)
            await publish(transaction, topic=event.topic, payload=event.payload())
        return member


def _require_manage(principal: Principal, role: Role) -> None:
    principal.require(Permission.MEMBER_MANAGE.value)
    require_over(principal, role)


async def _lock(transaction: TenantTransaction, principal: Principal, member: MemberId) -> Member:
    """The member, held still together with all others: two owners must not demote each other at once."""
    await store.lock_members(transaction)
    found = await store.find_member(transaction, member)
    if found is None:
        raise NotFound(f"There is no mem_... with the id {show_id('mem', member)!r}.")
    require_over(principal, found.role)
    return found


async def _keep_an_owner(transaction: TenantTransaction, member: Member) -> None:
    if member.role is Role.OWNER and not await store.has_other_owner(transaction, member.id):
        raise LastOwner(f"{member.user.name} is the last owner; make another member an owner first.")


def _show(member: Member) -> str:
    return show_id("mem", member.id)
