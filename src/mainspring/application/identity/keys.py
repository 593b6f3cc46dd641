"""API keys: made with at most the rights of their maker, shown once, ended at once.

A key holds its scopes, cut down to what its creator's role holds at each request. A key that was
made with another key belongs to the same creator, does not outlast its parent, and ends with it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mainspring.foundation.changes import announce
from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import InvalidInput, NotFound, Unauthenticated
from mainspring.foundation.ids import UserId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey

from . import store
from .authority import require_scopes, show_actor
from .credentials import hash_secret, make_key
from .events import KeyCreated, KeyRevoked
from .inputs import read_expiry, read_name
from .types import ALL_PERMISSIONS, ApiKey, KeyId, NewKey, Permission


@dataclass(frozen=True, slots=True)
class _Maker:
    """Whose rights a new key is measured by, the key it was made with, and when that one ends."""

    user: UserId | None
    parent: UUID | None = None
    expires_at: datetime | None = None


class Keys:
    """Use cases on the API keys of the principal's tenant; all need `key.manage`."""

    def __init__(self, database: Database, valkey: Valkey, clock: Clock) -> None:
        self._database = database
        self._valkey = valkey
        self._clock = clock

    async def list(self, principal: Principal, request: PageRequest) -> Page[ApiKey]:
        """Keys, newest first, the ended ones too."""
        principal.require(Permission.KEY_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            (before,) = request.key(UUID)
            found = await store.list_keys(transaction, before=before, limit=request.limit + 1)
        items, has_more = cut_page(found, request)
        return Page(tuple(items), make_cursor(str(items[-1].id)) if has_more else None)

    async def create(
        self,
        principal: Principal,
        *,
        name: str,
        scopes: Collection[str] | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key; the secret in the answer is not kept.

        scopes   permissions, each held by the principal; None for all of them
        raises   InvalidInput for unknown scopes or a past `expires_at`; Forbidden for scopes not held
        """
        principal.require(Permission.KEY_MANAGE.value)
        granted = _read_scopes(principal, scopes)
        now = self._clock()
        prefix, secret = make_key()
        async with self._database.tenant(principal.tenant) as transaction:
            maker = await _find_maker(transaction, principal)
            ends = [end for end in (read_expiry(expires_at, now), maker.expires_at) if end is not None]
            key = ApiKey(KeyId(new_id()), read_name(name), prefix, granted, now, expires_at=min(ends, default=None))
            await store.insert_key(
                transaction, key, secret_hash=hash_secret(secret), created_by=maker.user, parent=maker.parent
            )
            event = KeyCreated(show_actor(principal), show_id("key", key.id), tuple(sorted(granted)))
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)
        return NewKey(key, secret)

    async def revoke(self, principal: Principal, key: KeyId) -> None:
        """End a key, and those made with it, before their next request; doing it again changes nothing."""
        principal.require(Permission.KEY_MANAGE.value)
        async with self._database.tenant(principal.tenant) as transaction:
            if await store.find_key(transaction, key) is None:
                raise NotFound(f"There is no key_... with the id {show_id('key', key)!r}.")
            revoked = await store.revoke_key(transaction, key, self._clock())
            if revoked:
                event = KeyRevoked(show_actor(principal), show_id("key", key), revoked)
                await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)


async def _find_maker(transaction: TenantTransaction, principal: Principal) -> _Maker:
    if principal.kind is not PrincipalKind.API_KEY:
        return _Maker(principal.user)
    assert principal.credential is not None
    row = await store.lock_key(transaction, principal.credential)
    if row is None:
        raise Unauthenticated("The API key was revoked a moment ago; use another one.")
    return _Maker(row["created_by"], principal.credential, row["expires_at"])


def _read_scopes(principal: Principal, scopes: Collection[str] | None) -> frozenset[str]:
    if scopes is None:
        return principal.permissions
    wanted = frozenset(scopes)
    unknown = sorted(wanted - ALL_PERMISSIONS)
    if unknown or not wanted:
        named = ", ".join(repr(scope[:60]) for scope in unknown[:5]) or "none"
        raise InvalidInput(f"scopes: {named} given; choose from {', '.join(sorted(ALL_PERMISSIONS))}.")
    require_scopes(principal, wanted)
    return wanted
