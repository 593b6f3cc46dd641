"""Replies given again: to the same call, to a call of the same meaning, to the same idempotency key.

Looking costs nothing for tenants and calls that do not ask for it. What is kept is a reply's normal
form, so it can be given in any caller's dialect, streamed or whole.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import Conflict, MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
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
_GIVE_BACK = b"if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
"""A turn that took too long has ended, and may be another call's by now."""


@dataclass(slots=True)
class Lookup:
    """What was found, and what there is to keep when the model has answered."""

    reply: CachedReply | None = None
    status: str = "miss"
    exact: ExactLookup | None = None
    semantic: "SemanticLookup | None" = None
    repeated: ExactLookup | None = None
    lock: bytes | None = None
    token: bytes = b""

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
    _behind: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

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
        try:
            if context.idempotency_key is not None and await self._find_repeated(found, flight, order, keeps=is_whole):
                return found
            scope = _scope(flight, order)
            if is_exact and is_whole:
                await self._find_exact(found, scope, order, wish)
            if is_semantic and is_whole and found.reply is None:
                await self._find_alike(found, flight, scope, order, wish)
            await self._keep_hit(found)
        except BaseException:  # nobody has the lookup yet who could give the turn back
            self.release(found)
            raise
        return found

    async def keep(self, found: Lookup, flight: Flight, completion: Completion) -> None:
        """Keep a fresh reply wherever it is wanted; never raises, for the caller has it already."""
        ttl, context = flight.policy.cache.ttl_seconds, flight.call.context
        if found.exact:
            await self.exact.keep(found.exact, completion, ttl_seconds=ttl)
        if found.repeated:
            await self.exact.keep(found.repeated, completion, ttl_seconds=_IDEMPOTENT_SECONDS, however_ended=True)
        if found.semantic and found.semantic.outcome != "left_alone":
            self.begin(self._learn(context.tenant, found.semantic, completion, ttl))
        self.release(found)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something behind a call that was answered; it is given up when the process ends."""
        task = asyncio.create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def close(self) -> None:
        """Give up what is done behind calls, and wait until it has ended."""
        await stop_all(self._behind)

    def release(self, found: Lookup | None) -> None:
        """The call with an idempotency key has ended: the next one may run."""
        if found and found.lock:
            self.wire.send(b"EVAL", _GIVE_BACK, b"1", found.lock, found.token)
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

    async def _keep_hit(self, found: Lookup) -> None:
        """A reply found by other means is the answer of its idempotency key too."""
        if found.reply and found.repeated:
            lookup, found.repeated = found.repeated, None
            await self.exact.keep(lookup, found.reply.completion, ttl_seconds=_IDEMPOTENT_SECONDS, however_ended=True)

    async def _find_repeated(self, found: Lookup, flight: Flight, order: WireOrder, *, keeps: bool) -> bool:
        """Whether a call with the same key has been answered; else this one runs alone. Raises Conflict.

        The turn is taken first and the answer looked for after that: a call that ends keeps its reply
        before it gives its turn back, so whoever gets the turn sees the reply.

        keeps   whether the reply can be given again; one with several choices cannot
        """
        context = flight.call.context
        name = f"{order.inbound.name}:{context.idempotency_key}".encode()
        of = context.key.bytes if context.key else b""
        content = sha256(order.content).digest() + sha256(_betas(order)).digest()
        key = sha256(b"idempotency" + of + name + content).digest()
        lock = b"gateway:{%b}:running:%b" % (str(context.tenant).encode(), key.hex().encode())
        try:
            found.lock, found.token = lock, secrets.token_hex(16).encode()  # before: a caller may leave meanwhile
            if await self.wire.call(b"SET", lock, found.token, b"NX", b"PX", b"%d" % _RUNNING_MS) is None:
                found.lock = None
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


def _betas(order: WireOrder) -> bytes:
    """The caller's headers that may change the reply, in one order; a trace changes nothing."""
    lines = [line for line in order.more.split(b"\r\n") if line and not line.startswith(b"traceparent:")]
    return b"\n".join(sorted(lines))


def _scope(flight: Flight, order: WireOrder) -> ReplyScope:
    context = flight.call.context
    prompt = f"{context.prompt_name}@{context.prompt_version}" if context.prompt_name else None
    names = sorted({each.model.name for each in flight.candidates})
    betas = _betas(order)
    dialect = f"{order.inbound.name}\n{betas.decode('latin-1')}" if betas else order.inbound.name
    return ReplyScope(context.tenant, dialect, ",".join(names), context.feature, prompt, flight.policy.residency)
