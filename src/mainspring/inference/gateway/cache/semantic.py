"""Replies to calls of the same meaning, for features that opted in, within one tenant and never across.

Everything but the last user turn must be equal (`turns`); the turn itself must be near, pass the
guards (`guards`), and be nearer than what the entry has learned to demand (`threshold`). Until an
entry has learned, the model answers and its reply is compared with the kept one (`judge`), which is
what it learns from. A share of the hits is sent to the model as well: those shadow runs measure the
error rate in production, and teach.

A reply is kept with the features of its question, sealed under the tenant's key; the question itself
is not kept. Its vector is, in the clear, as a search needs it. No transaction is open while the
model, the embedder or the vault is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Literal, Protocol
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainspring.foundation.db import Database, DatabaseGone, Row
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.vault import Unreadable
from mainspring.inference.gateway.policy import CachePolicy
from mainspring.inference.messages import Completion, InferenceRequest

from . import store
from .codec import decode_reply, encode_reply
from .exact import MAX_BYTES
from .guards import Features, disagreement, read_features
from .judge import Judge
from .policy import may_be_kept
from .threshold import FLOOR, MOST_OBSERVATIONS, Observation, is_near_enough
from .turns import context_key, find_question
from .types import CachedReply, OpenSealer, ReplyScope, Sealer, SemanticFigures

Vector = NDArray[np.float32]
EmbedOne = Callable[[str], Awaitable[Vector]]
"""A text to its unit vector of 384 numbers."""

_KIND = "semantic reply"
_CANDIDATES = 8
_MOST_ENTRIES = 5_000  # of one context: an exact scan of them takes about 3 ms
_TRIM_SHARE = 0.02


class Sampler(Protocol):
    """Draws numbers from 0 to 1."""

    def random(self) -> float:
        """The next one."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What an entry is found by."""

    tenant: TenantId
    feature: str
    context: bytes
    vector: Vector
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class SemanticLookup:
    """What was found, and what `learn` needs.

    outcome      `hit`: give `reply`; `explore`: ask the model, then `learn`; `miss`: the same, nothing was
                 near; `left_alone`: the call is not for this cache
    is_shadowed  of a hit: ask the model as well, in the background, and `learn`
    reason       why there was no hit, for the record
    """

    outcome: Literal["hit", "explore", "miss", "left_alone"]
    question: Question | None = None
    entry: UUID | None = None
    similarity: float = 0.0
    reply: CachedReply | None = None
    is_shadowed: bool = False
    reason: str = ""


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    features: Features
    reply: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    id: UUID
    similarity: float
    observations: tuple[Observation, ...]
    reply: CachedReply


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)


@dataclass(frozen=True, slots=True)
class SemanticCache:
    """Looks and learns.

    embedder   name and version of what `embed` uses; entries of another one are not found
    patience   how long a lookup may take in Postgres before the call goes on without it
    """

    database: Database
    embed: EmbedOne
    embedder: str
    judge: Judge
    open_sealer: OpenSealer
    sampler: Sampler = field(default_factory=SystemRandom)
    patience: timedelta = timedelta(milliseconds=500)

    async def find(self, scope: ReplyScope, request: InferenceRequest, policy: CachePolicy) -> SemanticLookup:
        """Look for a reply; `scope.feature` must be one of the policy's. Without Postgres the call is left alone.

        raises   what `embed` raises
        """
        text = find_question(request)
        if scope.feature is None or scope.feature not in policy.semantic_features or text is None:
            return SemanticLookup("left_alone", reason="not for this cache")
        features = read_features(text)
        if features is None:
            return SemanticLookup("left_alone", reason="script")
        key = context_key(scope, request, self.embedder)
        question = Question(scope.tenant, scope.feature, key, await self.embed(text), features)
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await self._look(question, policy)
        except (TimeoutError, Unreadable, *DatabaseGone):
            return SemanticLookup("left_alone", reason="away")

    async def learn(self, lookup: SemanticLookup, fresh: Completion, *, ttl: timedelta) -> bool | None:
        """Take in what the model replied after a lookup: was the kept reply right? None when nothing was compared.

        A reply to something new, or that proves the kept one wrong, is kept as an entry of its own. Do it after
        the caller has its reply. Raises one of `DatabaseGone`, and what the judge raises.
        """
        if lookup.question is None:
            return None
        if lookup.reply is None or lookup.entry is None:
            await self.keep(lookup, fresh, ttl=ttl)
            return None
        if not may_be_kept(fresh):
            return None
        was_right = await self.judge.is_same(lookup.reply.completion, fresh)
        observation = msgspec.json.encode([round(lookup.similarity, 5), was_right]).decode()
        async with self.database.tenant(lookup.question.tenant) as transaction:
            await store.add_observation(
                transaction,
                lookup.entry,
                f"[{observation}]",
                most=MOST_OBSERVATIONS,
                shadowed=lookup.outcome == "hit",
                wrong=not was_right,
            )
        if not was_right and lookup.outcome == "explore":
            await self.keep(lookup, fresh, ttl=ttl)
        return was_right

    async def keep(self, lookup: SemanticLookup, completion: Completion, *, ttl: timedelta) -> bool:
        """Keep a reply as an entry that has learned nothing; False when it may not be kept or calls tools."""
        question = lookup.question
        if question is None or not may_be_kept(completion) or completion.tool_calls:
            return False
        data = encode_reply(completion, datetime.now(UTC))
        if data is None or len(data) > MAX_BYTES:
            return False
        entry = new_id()
        sealer = await self.open_sealer(question.tenant)
        sealed = sealer.seal(_KIND, entry, _encoder.encode(_Kept(question.features, data)))
        row: Row = {
            "id": entry,
            "context": question.context,
            "feature": question.feature,
            "embedding": _as_text(question.vector),
            "reply": sealed,
        }
        most = _MOST_ENTRIES if self.sampler.random() < _TRIM_SHARE else None
        async with self.database.tenant(question.tenant) as transaction:
            await store.insert_entry(transaction, row, expires_at=datetime.now(UTC) + ttl, most=most)
        return True

    async def purge(self, tenant: TenantId, feature: str | None = None) -> int:
        """Forget the tenant's entries, or those of one feature; how many they were."""
        async with self.database.tenant(tenant) as transaction:
            return await store.delete_entries(transaction, feature)

    async def figures(self, tenant: TenantId) -> list[SemanticFigures]:
        """What the shadow runs say, by feature."""
        async with self.database.tenant(tenant) as transaction:
            return [SemanticFigures(**row) for row in await store.figures(transaction)]

    async def _look(self, question: Question, policy: CachePolicy) -> SemanticLookup:
        sealer = await self.open_sealer(question.tenant)
        async with self.database.tenant(question.tenant) as transaction:
            rows = await store.nearest(transaction, question.context, _as_text(question.vector), limit=_CANDIDATES)
            lookup = self._decide(question, rows, sealer, policy)
            if lookup.outcome == "hit" and lookup.entry is not None:
                await store.count_hit(transaction, lookup.entry)
        return lookup

    def _decide(self, question: Question, rows: list[Row], sealer: Sealer, policy: CachePolicy) -> SemanticLookup:
        reason = "nothing near"
        for row in rows:
            if row["similarity"] < FLOOR:
                break
            found = _open(question, row, sealer)
            if isinstance(found, str):
                reason = found
                continue
            lookup = SemanticLookup("explore", question, found.id, found.similarity, found.reply, reason="learning")
            if is_near_enough(found.observations, found.similarity, policy.semantic_error):
                is_shadowed = self.sampler.random() < policy.shadow_share
                return replace(lookup, outcome="hit", is_shadowed=is_shadowed, reason="")
            return lookup
        return SemanticLookup("miss", question, reason=reason)


def _open(question: Question, row: Row, sealer: Sealer) -> _Candidate | str:
    """The entry, or why it is none for this question."""
    try:
        kept = _decoder.decode(sealer.unseal(_KIND, row["id"], bytes(row["reply"])))
    except (Unreadable, msgspec.DecodeError):
        return "unreadable"
    apart = disagreement(question.features, kept.features)
    reply = decode_reply(kept.reply, "semantic")
    if apart or reply is None:
        return f"guard: {apart}" if apart else "unreadable"
    observations = tuple(Observation(float(near), bool(right)) for near, right in row["observations"])
    return _Candidate(row["id"], float(row["similarity"]), observations, reply)


def _as_text(vector: Vector) -> str:
    return "[" + ",".join(f"{number:.5f}" for number in vector.tolist()) + "]"
