"""The words of the reply cache."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.inference.messages import Completion


@dataclass(frozen=True, slots=True)
class CachedReply:
    """A reply given before, in the normal form, so that any caller's dialect can be made of it.

    kind   `exact`: given to the very same call; `semantic`: to one of the same meaning
    """

    completion: Completion
    created_at: datetime
    kind: Literal["exact", "semantic"] = "exact"


@dataclass(frozen=True, slots=True)
class ReplyScope:
    """What must be the same besides the call itself before a reply may be given again.

    dialect     of the caller
    model       what the asked name resolves to: a pinned version, or a class of models
    prompt      name and version of the prompt, such as `summary@7`
    residency   the rule the call is under, so that a stricter one never meets older replies
    """

    tenant: TenantId
    dialect: str
    model: str
    feature: str | None = None
    prompt: str | None = None
    residency: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller's `x-mainspring-cache` header asks for: whether replies may be read, kept, matched by meaning."""

    may_read: bool = True
    may_keep: bool = True
    may_match: bool = True


@dataclass(frozen=True, slots=True)
class ExactLookup:
    """What was found, and what `keep` needs: `stamp` is the state of purges before the call was made.

    reply   None is a miss; `is_away` says that Valkey did not answer, so that keeping is pointless
    """

    tenant: TenantId
    key: bytes
    feature: str | None
    stamp: bytes
    reply: CachedReply | None = None
    is_away: bool = False


@dataclass(frozen=True, slots=True)
class SemanticFigures:
    """Of the entries that have not ended: replies given, those also sent to the model, and those that were wrong."""

    feature: str
    hits: int
    shadowed: int
    wrong: int


class ByteStore(Protocol):
    """Bytes under keys, with an end. Raises one of `foundation.valkey.ValkeyGone` when it is away."""

    async def read(self, *keys: bytes) -> list[bytes | None]:
        """The values, in order, in one round trip."""
        ...

    async def write(self, key: bytes, value: bytes, *, ttl_seconds: int) -> None:
        """Keep a value for so long."""
        ...


class Sealer(Protocol):
    """Seals what is stored of a tenant; `foundation.vault.TenantVault` is one."""

    def seal(self, kind: str, identifier: str | UUID, plaintext: bytes) -> bytes:
        """The bytes encrypted, bound to kind and id."""
        ...

    def unseal(self, kind: str, identifier: str | UUID, sealed: bytes) -> bytes:
        """The bytes again; `foundation.vault.Unreadable` when they cannot be."""
        ...


OpenSealer = Callable[[TenantId], Awaitable[Sealer]]
"""A tenant's sealer; `Vault.open_tenant` is one."""
