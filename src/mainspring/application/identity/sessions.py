"""Signing in and out, and turning a credential into a principal.

Every request reads the credential's row together with the role and the teams its person has now, so a
changed role, a removed member, a left team or a revoked key takes hold on the next request; nothing is cached. All
refusals of a credential read the same, whether it is unknown, expired or revoked.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import BadRequest, Unauthenticated
from mainspring.foundation.ids import TenantId, UserId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.telemetry import get_logger

from . import sessions_store, store
from .credentials import (
    Passwords,
    csrf_token,
    hash_secret,
    is_csrf_token,
    is_same,
    is_token,
    make_token,
    read_key_prefix,
)
from .errors import CsrfFailed, SignInRefused
from .events import SessionClosed, SessionOpened
from .inputs import normal_password, read_email, read_slug
from .last_use import LastUses
from .subjects import hands_of_key, hands_of_member, subjects_of_key, subjects_of_member
from .throttle import Throttle
from .types import ALL_PERMISSIONS, ROLE_PERMISSIONS, Caller, Role, SessionId, SignedIn

log = get_logger(__name__)

_DECOY_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What someone who wants to sign in sends.

    tenant    slug; None for the first tenant that the password may open
    address   where the attempt comes from, for the throttle
    previous  the session token that came along; that session ends when the attempt succeeds
    """

    email: str = field(repr=False)
    password: str = field(repr=False)
    address: str
    tenant: str | None = None
    previous: str | None = field(default=None, repr=False)


class Sessions:
    """Use cases around credentials."""

    def __init__(self, database: Database, throttle: Throttle, passwords: Passwords, *, lasts: timedelta, clock: Clock):
        self._database = database
        self._throttle = throttle
        self._passwords = passwords
        self._lasts = lasts
        self._clock = clock
        self._last_uses = LastUses(database)

    async def close(self) -> None:
        """Finish what runs in the background."""
        await self._last_uses.close()

    async def sign_in(self, attempt: Attempt) -> SignedIn:
        """Open a session under a fresh token.

        raises  SignInThrottled; SignInRefused with one wording for every reason
        costs   one password hash, also for an email that nobody has
        """
        email = read_email(attempt.email)
        slug = read_slug(attempt.tenant) if attempt.tenant is not None else None
        await self._throttle.admit(email=email, address=attempt.address)
        async with self._database.system() as transaction:
            account = await sessions_store.find_account(transaction, email=email, slug=slug)
        stored = account["password_hash"] if account else None
        if not await self._passwords.is_correct(stored, normal_password(attempt.password)) or account is None:
            log.warning("sign_in_refused")
            raise SignInRefused("Email, password and tenant do not go together; check them and try again.")
        await self._throttle.forgive(email=email)
        return await self._open(account, attempt.previous)

    async def sign_out(self, principal: Principal) -> None:
        """End the principal's session before its next request."""
        if principal.kind is not PrincipalKind.USER or principal.credential is None:
            raise BadRequest("An API key has no session to end; revoke the key instead.")
        async with self._database.tenant(principal.tenant) as transaction:
            if await sessions_store.close_session(transaction, principal.credential, self._clock()):
                event = SessionClosed(_show_user(principal.user), show_id("ses", principal.credential))
                await publish(transaction, topic=event.topic, payload=event.payload())

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        """Who is calling, with the permissions they hold now; a bearer key goes before a cookie.

        raises  Unauthenticated; CsrfFailed for a cookie with an unsafe method and no matching token
        """
        if bearer is not None:
            return await self._by_key(bearer)
        if cookie is not None:
            principal = await self._by_token(cookie)
            if unsafe and not is_csrf_token(cookie, csrf or ""):
                raise CsrfFailed(
                    "A changing request with the session cookie needs the header X-CSRF-Token; "
                    "read the token from GET /v1/session."
                )
            return principal
        raise Unauthenticated(
            "No credential came with the request; sign in at POST /v1/session or send "
            "'Authorization: Bearer ms_...' with an API key."
        )

    async def current(self, principal: Principal) -> Principal | None:
        """The same caller with the rights it holds now, for work that goes on long after it called.

        None once a person has left the tenant, or a key was revoked or is over. Sessions may end meanwhile: the
        work is the person's, not their browser's. The system, and callers that an application vouches for, stay.
        """
        if principal.kind is PrincipalKind.USER and principal.user is not None:
            async with self._database.tenant(principal.tenant) as transaction:
                row = await sessions_store.find_person(transaction, principal.user)
            return _person(principal.tenant, principal.user, row, principal.credential) if row else None
        if principal.kind is PrincipalKind.API_KEY and principal.credential is not None:
            async with self._database.tenant(principal.tenant) as transaction:
                row = await sessions_store.find_key_of(transaction, principal.credential, self._clock())
            if row is None or (row["created_by"] is not None and row["role"] is None):
                return None
            return replace(principal, permissions=frozenset[str](row["scopes"]) & _creator_permissions(row))
        return principal

    async def describe(self, principal: Principal) -> Caller:
        """The tenant, person, role and permissions behind a principal."""
        async with self._database.tenant(principal.tenant) as transaction:
            tenant = await store.find_tenant(transaction)
            member = await store.find_member_of(transaction, principal.user) if principal.user else None
        if tenant is None or (principal.user and member is None):
            raise _refused()
        if member is None:
            return Caller(tenant, principal.permissions)
        async with self._database.system() as transaction:
            choices = await sessions_store.list_choices(transaction, user=member.user.id, tenant=tenant.id)
        return Caller(tenant, principal.permissions, member.user, member.role, tuple(choices))

    async def _open(self, account: Row, previous: str | None) -> SignedIn:
        tenant, user = TenantId(account["tenant_id"]), UserId(account["user_id"])
        session, token, now = SessionId(new_id()), make_token(), self._clock()
        if previous is not None and is_token(previous):
            async with self._database.system() as transaction:
                await sessions_store.close_session_by_token(transaction, hash_secret(previous), now)
        async with self._database.tenant(tenant) as transaction:
            await sessions_store.insert_session(
                transaction, session, token_hash=hash_secret(token), user=user, lasts=(now, now + self._lasts)
            )
            event = SessionOpened(_show_user(user), show_id("ses", session))
            await publish(transaction, topic=event.topic, payload=event.payload())
        caller = await self.describe(await self._by_token(token))
        return SignedIn(caller, token, csrf_token(token), now + self._lasts)

    async def _by_token(self, token: str) -> Principal:
        if not is_token(token):
            raise _refused()
        async with self._database.system() as transaction:
            row = await sessions_store.find_session(transaction, hash_secret(token), self._clock())
        if row is None:
            raise _refused()
        return _person(TenantId(row["tenant_id"]), UserId(row["user_id"]), row, row["id"])

    async def _by_key(self, secret: str) -> Principal:
        prefix, now = read_key_prefix(secret), self._clock()
        if prefix is None:
            raise _refused()
        async with self._database.system() as transaction:
            row = await store.find_key_holder(transaction, prefix)
        is_right = is_same(row["secret_hash"] if row else _DECOY_HASH, secret)
        if row is None or not is_right or row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= now):
            raise _refused()
        key: UUID = row["id"]
        permissions = frozenset[str](row["scopes"]) & _creator_permissions(row)
        self._last_uses.note(key, now)
        return Principal(
            TenantId(row["tenant_id"]),
            PrincipalKind.API_KEY,
            row["name"],
            permissions,
            credential=key,
            subjects=subjects_of_key(key),
            hands=hands_of_key(key, row["created_by"]),
        )


def _person(tenant: TenantId, user: UserId, row: Row, credential: UUID | None) -> Principal:
    role = Role(row["role"])
    return Principal(
        tenant,
        PrincipalKind.USER,
        row["name"],
        ROLE_PERMISSIONS[role],
        user=user,
        credential=credential,
        subjects=subjects_of_member(user, role, row["teams"]),
        hands=hands_of_member(user),
    )


def _creator_permissions(row: Row) -> frozenset[str]:
    """What the key's creator holds now; the operator's keys have no creator and keep their scopes."""
    if row["created_by"] is None:
        return ALL_PERMISSIONS
    if row["role"] is None:
        raise _refused()
    return ROLE_PERMISSIONS[Role(row["role"])]


def _refused() -> Unauthenticated:
    return Unauthenticated("The credential is unknown, expired or revoked; sign in again or use another API key.")


def _show_user(user: UserId | None) -> str:
    assert user is not None
    return show_id("usr", user)
