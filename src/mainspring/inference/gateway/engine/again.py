"""Replies given again: to the same call, to a call of the same meaning, to the same idempotency key.

Looking costs nothing for tenants and calls that do not ask for it. What is kept is a reply's normal
form, so it can be given in any caller's dialect, streamed or whole.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import Conflict, MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import ValkeyGone
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.inference.gateway.cache import (
    CachedReply,
    ExactCache,
    ExactLookup,
    ReplyScope,
    Wish,
    is_replayable,
    may_match_by_meaning,
    may_match_exactly,
    read_wish,
    scope_bytes,
    wire_key,
)
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.flight import Flight
from mainspring.inference.messages import Completion

from .orders import WireOrder

if TYPE_CHECKING:  # numpy, which only tenants with a semantic cache need
    from mainspring.inference.gateway.cache.semantic import SemanticCache, SemanticLookup

log = get_logger(__name__)

_IDEMPOTENT_SECONDS = 86400
_RUNNING_MS = 15 * 60 * 1000


@dataclass(slots=True)
class Lookup:
    """What was found, and what there is to keep when the model has answered."""

    reply: CachedReply | None = None
    status: str = "miss"
    exact: ExactLookup | None = None
    semantic: "SemanticLookup | None" = None
    repeated: ExactLookup | None = None
    lock: bytes | None = None

    @property
    def is_shadowed(self) -> bool:
        """Whether the model is to be asked as well, in the background, to see whether the hit was right."""
        return self.status == "semantic" and self.semantic is not None and self.semantic.is_shadowed

    @property
    def keeps(self) -> bool:
        """Whether a fresh reply is wanted here."""
        return self.exact is not None or self.semantic is not None or self.repeated is not None


@dataclass(slots=True)
class RepliesAgain:
    """Looks before a call, keeps after it."""

    exact: ExactCache
    semantic: "Callable[[TenantId], SemanticCache]"
    wire: ValkeyWire
    _learning: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def find(self, flight: Flight, order: WireOrder, headers: Mapping[bytes, bytes]) -> Lookup | None:
        """What may be given again; None when nothing is looked for or kept.

        raises   BadRequest for a header; Conflict while a call with the same idempotency key runs
        """
        policy, context = flight.policy.cache, flight.call.context
        wish = read_wish(headers.get(b"x-mainspring-cache", b"").decode("latin-1"))
        is_exact = policy.exact != "off" and wish.may_keep and self._may_match(flight, order)
        is_semantic = wish.may_keep and may_match_by_meaning(policy, context.feature, wish)
        if context.idempotency_key is None and not is_exact and not is_semantic:
            return None
        is_whole = _is_replayable(order)
        found = Lookup()
        scope = _scope(flight, order)
        if context.idempotency_key is not None and await self._find_repeated(found, flight, order, keeps=is_whole):
            return found
        is_exact, is_semantic = is_exact and is_whole, is_semantic and is_whole
        if is_exact:
            await self._find_exact(found, scope, order, wish)
        if is_semantic and found.reply is None:
            await self._find_alike(found, flight, scope, order, wish)
        return found

    async def keep(self, found: Lookup, flight: Flight, completion: Completion) -> None:
        """Keep a fresh reply wherever it is wanted; never raises, for the caller has it already."""
        ttl, context = flight.policy.cache.ttl_seconds, flight.call.context
        if found.exact:
            await self.exact.keep(found.exact, completion, ttl_seconds=ttl)
        if found.repeated:
            await self.exact.keep(found.repeated, completion, ttl_seconds=_IDEMPOTENT_SECONDS, however_ended=True)
        if found.semantic and found.semantic.outcome != "left_alone":
            task = asyncio.create_task(self._learn(context.tenant, found.semantic, completion, ttl))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)
        self.release(found)

    def release(self, found: Lookup | None) -> None:
        """The call with an idempotency key has ended: the next one may run."""
        if found and found.lock:
            self.wire.send(b"DEL", found.lock)
            found.lock = None

    def _may_match(self, flight: Flight, order: WireOrder) -> bool:
        temperature, seed = order.value("temperature"), order.value("seed")
        return may_match_exactly(
            flight.policy.cache,
            temperature=temperature if isinstance(temperature, int | float) else None,
            seed=seed if isinstance(seed, int) else None,
        )

    async def _find_exact(self, found: Lookup, scope: ReplyScope, order: WireOrder, wish: Wish) -> None:
        key = wire_key(scope_bytes(scope), order.content)
        if key is None:
            return
        found.exact = await self.exact.find(scope.tenant, key, scope.feature)
        if found.exact.reply and wish.may_read:
            found.reply, found.status = found.exact.reply, "exact"

    async def _find_alike(self, found: Lookup, flight: Flight, scope: ReplyScope, order: WireOrder, wish: Wish) -> None:
        if not wish.may_read:
            return
        try:
            found.semantic = await self.semantic(scope.tenant).find(scope, order.request(), flight.policy.cache)
        except MainspringError as failure:  # no embedder, no meaning: the call goes on
            log.warning("semantic_cache_away", error=failure.code)
            return
        if found.semantic.outcome == "hit":
            found.reply, found.status = found.semantic.reply, "semantic"

    async def _find_repeated(self, found: Lookup, flight: Flight, order: WireOrder, *, keeps: bool) -> bool:
        """Whether a call with the same key has been answered; else this one runs alone. Raises Conflict.

        The turn is taken first and the answer looked for after that: a call that ends keeps its reply
        before it gives its turn back, so whoever gets the turn sees the reply.

        keeps   whether the reply can be given again; one with several choices cannot
        """
        context = flight.call.context
        name = f"{order.inbound.name}:{context.idempotency_key}".encode()
        of = context.key.bytes if context.key else b""
        key = sha256(b"idempotency" + of + name + sha256(order.content).digest()).digest()
        lock = b"gateway:{%b}:running:%b" % (str(context.tenant).encode(), key.hex().encode())
        try:
            if await self.wire.call(b"SET", lock, b"1", b"NX", b"PX", b"%d" % _RUNNING_MS) is not None:
                found.lock = lock
        except ValkeyGone:
            return False
        repeated = await self.exact.find(context.tenant, key)
        if repeated.reply:
            self.release(found)
            found.reply, found.status = repeated.reply, "repeated"
            return True
        if found.lock is None:
            raise Conflict(
                "A call with this Idempotency-Key and body is running; wait for its answer, then send it again.",
                retry_after_seconds=1,
            )
        found.repeated = repeated if keeps else None
        return False

    async def _learn(self, tenant: TenantId, lookup: "SemanticLookup", completion: Completion, ttl: int) -> None:
        try:
            await self.semantic(tenant).learn(lookup, completion, ttl=timedelta(seconds=ttl))
        except (*DatabaseGone, MainspringError) as failure:
            log.warning("semantic_cache_not_taught", error=type(failure).__name__)


def _is_replayable(order: WireOrder) -> bool:
    """Whether the reply can be kept; what the normal form cannot say is passed on, and never kept."""
    try:
        return is_replayable(order.request())
    except ModelError:
        return False


def _scope(flight: Flight, order: WireOrder) -> ReplyScope:
    context = flight.call.context
    prompt = f"{context.prompt_name}@{context.prompt_version}" if context.prompt_name else None
    names = sorted({each.model.name for each in flight.candidates})
    return ReplyScope(
        context.tenant, order.inbound.name, ",".join(names), context.feature, prompt, flight.policy.residency
    )
