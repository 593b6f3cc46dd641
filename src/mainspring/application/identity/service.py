"""Identity as one object: tenants and accounts here, the rest by what it decides.

`members` decides who is in, `teams` who belongs together, `keys` which programs may call, `sessions`
who is calling. Identity also fills three ports of lower rooms by their shape: the authenticator of HTTP
requests, the gateway's question whether AI is switched on for a tenant, and with `directory` its list
of callers.
"""

from mainspring.foundation.changes import announce
from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, UserId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey

from . import store
from .authority import operator, show_actor
from .credentials import Passwords
from .directory import KeyDirectory
from .errors import EmailTaken, SlugTaken
from .events import TenantChanged, TenantCreated
from .inputs import read_email, read_name, read_password, read_slug
from .keys import Keys
from .members import Members
from .sessions import Sessions
from .settings import IdentitySettings
from .teams import Teams
from .throttle import Throttle
from .types import Permission, Tenant, User


class Identity:
    """Tenants, people, credentials."""

    def __init__(
        self, database: Database, valkey: Valkey, *, settings: IdentitySettings | None = None, clock: Clock = now
    ) -> None:
        settings = settings or IdentitySettings()
        self._database = database
        self._passwords = Passwords(settings.password_cost)
        throttle = Throttle(valkey, settings.allowance)
        self._valkey = valkey
        self.members = Members(database, valkey, self._passwords)
        self.teams = Teams(database)
        self.keys = Keys(database, valkey, clock)
        self.directory = KeyDirectory(database)
        self.sessions = Sessions(database, throttle, self._passwords, lasts=settings.session_lasts, clock=clock)

    async def close(self) -> None:
        """Finish what runs in the background; call it before the database is closed."""
        await self.sessions.close()

    async def create_tenant(self, slug: str, name: str) -> Tenant:
        """A new tenant without members; raises SlugTaken."""
        slug, name = read_slug(slug), read_name(name)
        identifier = TenantId(new_id())
        async with self._database.tenant(identifier) as transaction:
            tenant = await store.insert_tenant(transaction, slug=slug, name=name)
            if tenant is None:
                raise SlugTaken(f"There is a tenant {slug!r} already; choose another slug.")
            event = TenantCreated(show_actor(operator(identifier)), slug)
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, identifier)
        return tenant

    async def create_user(self, email: str, name: str, *, password: str | None = None) -> User:
        """An account whose own password opens every tenant it joins; raises EmailTaken."""
        email, name = read_email(email), read_name(name)
        password_hash = await self._passwords.hash(read_password(password)) if password is not None else None
        user = UserId(new_id())
        async with self._database.system() as transaction:
            is_new = await store.insert_user(
                transaction, user=user, email=email, name=name, password_hash=password_hash
            )
        if not is_new:
            raise EmailTaken(f"There is an account for {email} already.")
        return User(user, email, name)

    async def find_user(self, email: str) -> User | None:
        """The account with this email."""
        email = read_email(email)
        async with self._database.system() as transaction:
            return await store.find_user(transaction, email)

    async def get_tenant(self, tenant: TenantId) -> Tenant:
        """The tenant; raises NotFound."""
        async with self._database.tenant(tenant) as transaction:
            found = await store.find_tenant(transaction)
        if found is None:
            raise NotFound(f"There is no ten_... with the id {show_id('ten', tenant)!r}.")
        return found

    async def find_tenant(self, slug: str) -> Tenant | None:
        """The tenant with this slug, for the operator."""
        async with self._database.system() as transaction:
            return await store.find_tenant_by_slug(transaction, read_slug(slug))

    async def list_tenants(self, request: PageRequest) -> Page[Tenant]:
        """All tenants by slug, for the operator."""
        after = read_slug(request.after[0]) if request.after else ""
        async with self._database.system() as transaction:
            found = await store.list_tenants(transaction, after=after, limit=request.limit + 1)
        items, has_more = cut_page(found, request)
        return Page(tuple(items), make_cursor(items[-1].slug) if has_more else None)

    async def update_tenant(
        self, principal: Principal, *, name: str | None = None, is_ai_enabled: bool | None = None
    ) -> Tenant:
        """Change what is not None of the principal's tenant; needs `tenant.manage`."""
        principal.require(Permission.TENANT_MANAGE.value)
        name = read_name(name) if name is not None else None
        offered = {"name": name, "ai_enabled": is_ai_enabled}
        changed = tuple(field for field, value in offered.items() if value is not None)
        if not changed:
            return await self.get_tenant(principal.tenant)
        async with self._database.tenant(principal.tenant) as transaction:
            tenant = await store.update_tenant(transaction, name=name, is_ai_enabled=is_ai_enabled)
            event = TenantChanged(show_actor(principal), changed, tenant.is_ai_enabled)
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)
        return tenant

    async def set_ai_enabled(self, principal: Principal, enabled: bool) -> Tenant:
        """Switch model calls on or off for the tenant, from the next call on; needs `tenant.manage`."""
        return await self.update_tenant(principal, is_ai_enabled=enabled)

    async def is_enabled(self, tenant: TenantId) -> bool:
        """Whether model calls may be made for the tenant; an unknown tenant's may not (port of the gateway)."""
        async with self._database.tenant(tenant) as transaction:
            found = await store.find_tenant(transaction)
        return found is not None and found.is_ai_enabled

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        """The caller of a request (port of `foundation.http`); see `Sessions.authenticate`."""
        return await self.sessions.authenticate(bearer=bearer, cookie=cookie, csrf=csrf, unsafe=unsafe)

    async def current(self, principal: Principal) -> Principal | None:
        """The caller with the rights it holds now (port of agents); see `Sessions.current`."""
        return await self.sessions.current(principal)
