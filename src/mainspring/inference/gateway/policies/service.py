"""A tenant's policy: read, and replaced as a whole by someone who has seen the version before."""

import msgspec

from mainspring.foundation.changes import announce
from mainspring.foundation.db import Database, Row
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway.policy import DEFAULT_POLICY, TenantPolicy

from . import store
from .documents import read_policy
from .errors import PolicyStale, PolicyUnreadable
from .events import PolicyChanged
from .types import StoredPolicy, show_actor


class Policies:
    """Use cases on the policy of the principal's tenant."""

    def __init__(self, database: Database, valkey: Valkey) -> None:
        self._database = database
        self._valkey = valkey

    async def get(self, principal: Principal) -> StoredPolicy:
        """The policy as it stands; needs `gateway.view`. Raises PolicyUnreadable."""
        principal.require("gateway.view")
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.find_policy(transaction)
        return _stored(row)

    async def replace(self, principal: Principal, document: object, *, over: int) -> StoredPolicy:
        """Put a whole document in the place of version `over`; every process knows it within a second.

        document  decoded JSON with the fields of `TenantPolicy`; absent ones mean their defaults
        needs     `gateway.manage`
        raises    InvalidPolicy; PolicyStale when `over` is not the present version. Nothing is changed then
        """
        principal.require("gateway.manage")
        policy = read_policy(document)
        text = msgspec.json.encode(policy).decode()
        by = show_actor(principal)
        async with self._database.tenant(principal.tenant) as transaction:
            before = await store.find_policy(transaction)
            row = await store.replace_policy(transaction, over=over, document=text, by=by)
            if row is None:
                now = await store.find_policy(transaction)
                raise PolicyStale(
                    f"The policy is at version {now['version'] if now else 0} and not {over}: read it again with "
                    "GET /v1/gateway/policy, bring your change into it, and send that version."
                )
            event = PolicyChanged(by, row["version"], _differences(before, policy))
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)
        return _stored(row)


def decode_policy(document: str) -> TenantPolicy:
    """A stored document; PolicyUnreadable when this version of the platform does not know it."""
    try:
        return msgspec.json.decode(document, type=TenantPolicy)
    except msgspec.ValidationError as unknown:
        raise PolicyUnreadable(
            f"The tenant's gateway policy is not one that this version knows ({unknown}); update this process, "
            "or put a policy with PUT /v1/gateway/policy that it knows."
        ) from None


def _stored(row: Row | None) -> StoredPolicy:
    if row is None:
        return StoredPolicy(0, DEFAULT_POLICY)
    return StoredPolicy(row["version"], decode_policy(row["document"]), row["updated_at"], row["updated_by"])


def _differences(before: Row | None, after: TenantPolicy) -> tuple[str, ...]:
    try:
        old = _stored(before).policy
    except PolicyUnreadable:
        return tuple(after.__struct_fields__)
    return tuple(name for name in after.__struct_fields__ if getattr(old, name) != getattr(after, name))
