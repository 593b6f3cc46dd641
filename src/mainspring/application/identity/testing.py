"""Factories of real tenants, members and keys, for the tests of any room; and a price of hashing that tests can pay."""

from collections.abc import Collection
from dataclasses import dataclass, field

from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.principal import Principal

from .authority import operator
from .credentials import PasswordCost
from .service import Identity
from .sessions import Attempt
from .types import Member, NewKey, Role, SignedIn, Tenant

CHEAP_PASSWORDS = PasswordCost(passes=1, memory_kib=64, lanes=1)
"""Hashes in microseconds; never for real passwords."""

PASSWORD = "correct horse battery"  # noqa: S105 - the password of every person that is made here


@dataclass(frozen=True, slots=True)
class Person:
    """A member who has signed in, as a browser holds it."""

    member: Member
    principal: Principal
    signed_in: SignedIn = field(repr=False)

    @property
    def cookies(self) -> dict[str, str]:
        """What a browser sends with every request."""
        return {"mainspring_session": self.signed_in.token}

    @property
    def headers(self) -> dict[str, str]:
        """What our own page adds to changing requests."""
        return {"X-CSRF-Token": self.signed_in.csrf_token}


async def make_tenant(identity: Identity, name: str = "Northwind Traders") -> Tenant:
    """A fresh tenant with a slug of its own."""
    return await identity.create_tenant(show_id("t", new_id()).replace("_", "-"), name)


async def make_member(identity: Identity, tenant: Tenant, role: Role) -> Person:
    """A fresh person in the tenant, signed in with `PASSWORD`."""
    email = f"{show_id(role.value, new_id())}@example.com"
    added = await identity.members.add(
        operator(tenant.id), email=email, name=f"{role.value.title()} Person", role=role, password=PASSWORD
    )
    return await sign_in(identity, added.member, tenant)


async def sign_in(identity: Identity, member: Member, tenant: Tenant) -> Person:
    """Open one more session of a member whose password is `PASSWORD`."""
    attempt = Attempt(member.user.email, PASSWORD, address=str(new_id()), tenant=tenant.slug)
    signed_in = await identity.sessions.sign_in(attempt)
    principal = await identity.authenticate(bearer=None, cookie=signed_in.token, csrf=None, unsafe=False)
    return Person(member, principal, signed_in)


async def make_key(identity: Identity, by: Principal | Tenant, *, scopes: Collection[str] | None = None) -> NewKey:
    """An API key made by a principal, or by the operator in a tenant."""
    principal = operator(by.id) if isinstance(by, Tenant) else by
    return await identity.keys.create(principal, name="Test key", scopes=scopes)
