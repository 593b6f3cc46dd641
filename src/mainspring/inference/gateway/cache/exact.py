"""Replies to identical calls, in Valkey: one round trip to look, one to keep, and none when it is away.

Entries lie under the tenant's hash tag and end with the tenant's `ttl_seconds`; where a sealer is
given they are sealed under the tenant's data key. A purge scans nothing: it changes a mark that
every entry carries as it was before its call was made, so a call that is under way while somebody
purges keeps nothing either. Marks live longer than any entry.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import ValkeyGone
from mainspring.foundation.vault import Unreadable
from mainspring.inference.messages import Completion

from .codec import decode_reply, encode_reply
from .policy import may_be_kept
from .types import ByteStore, CachedReply, ExactLookup, OpenSealer

MAX_BYTES = 256 * 1024
_KIND = "cached reply"
_MARK_SECONDS = 31 * 86400  # longer than the longest ttl a policy may set

_AWAY = (Unreadable, *ValkeyGone, *DatabaseGone)
"""Why an entry cannot be written or read now: Valkey, or the vault's database or key, is away."""


def reply_place(tenant: TenantId, key: bytes) -> bytes:
    """Owner: this room. A reply: its stamp's length, the stamp, and the (sealed) reply. Ends with its ttl."""
    return b"gateway:{%s}:reply:%s" % (str(tenant).encode(), key.hex().encode())


def mark_place(tenant: TenantId, feature: str | None = None) -> bytes:
    """Owner: this room. The mark of the last purge of a tenant or of one of its features. Ends after 31 days."""
    of = b"" if feature is None else b":" + blake2b(feature.encode(), digest_size=12).hexdigest().encode()
    return b"gateway:{%s}:purged%s" % (str(tenant).encode(), of)


@dataclass(frozen=True, slots=True)
class ExactCache:
    """Finds, keeps and purges. With `open_sealer` None entries are stored in clear."""

    store: ByteStore
    open_sealer: OpenSealer | None = None

    async def find(self, tenant: TenantId, key: bytes, feature: str | None = None) -> ExactLookup:
        """The reply kept under the key, or a miss; a miss also while Valkey is away."""
        try:
            tenant_mark, feature_mark, entry = await self.store.read(
                mark_place(tenant), mark_place(tenant, feature or ""), reply_place(tenant, key)
            )
        except ValkeyGone:
            return ExactLookup(tenant, key, feature, b"", is_away=True)
        stamp = (tenant_mark or b"") + b"/" + (feature_mark or b"")
        reply = await self._open(tenant, key, stamp, entry) if entry else None
        return ExactLookup(tenant, key, feature, stamp, reply)

    async def keep(
        self, lookup: ExactLookup, completion: Completion, *, ttl_seconds: int, however_ended: bool = False
    ) -> bool:
        """Keep the reply to the call that was looked up; False when it may not be, is too large, or Valkey is away.

        however_ended   also one that was cut off, refused or empty: for a call that must not be made twice
        """
        if lookup.is_away or not (however_ended or may_be_kept(completion)):
            return False
        data = encode_reply(completion, datetime.now(UTC))
        if data is None or len(data) > MAX_BYTES:
            return False
        try:
            if self.open_sealer is not None:
                data = (await self.open_sealer(lookup.tenant)).seal(_KIND, lookup.key.hex(), data)
            entry = bytes((len(lookup.stamp),)) + lookup.stamp + data
            await self.store.write(reply_place(lookup.tenant, lookup.key), entry, ttl_seconds=ttl_seconds)
        except _AWAY:
            return False
        return True

    async def purge(self, tenant: TenantId, feature: str | None = None) -> None:
        """Forget every reply of the tenant, or of one feature, at once; raises one of `ValkeyGone` when it cannot."""
        await self.store.write(mark_place(tenant, feature), secrets.token_bytes(8), ttl_seconds=_MARK_SECONDS)

    async def _open(self, tenant: TenantId, key: bytes, stamp: bytes, entry: bytes) -> CachedReply | None:
        length = entry[0]
        if entry[1 : 1 + length] != stamp:
            return None
        data = entry[1 + length :]
        if self.open_sealer is not None:
            try:
                data = (await self.open_sealer(tenant)).unseal(_KIND, key.hex(), data)
            except _AWAY:
                return None
        return decode_reply(data, "exact")
