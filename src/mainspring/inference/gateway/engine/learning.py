"""Routing that learns, as calls meet it: the question's embedding in time or not at all, and outcomes kept fresh.

Only calls of tenants that asked for it come here, and only those whose model is left open. Nothing here
can fail a call: without an embedding in time it is routed as if nothing had been learned, and after an
embedder has failed, it is left alone for a moment, so that not every call waits for it in vain.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.flight import Call
from mainspring.inference.gateway.providers.wire import read_object
from mainspring.inference.gateway.routing.outcomes import Outcomes
from mainspring.inference.gateway.routing.types import Demand, Predictor

log = get_logger(__name__)

PATIENCE_SECONDS = 0.3
"""How long a call waits for its question's embedding."""
REFRESH_SECONDS = 30.0
_REST_SECONDS = 5.0
_MOST_CHARACTERS = 2000  # the bundled embedder reads 256 tokens

Embed = Callable[[TenantId, str], Awaitable[Sequence[float]]]
"""(tenant, text) to 384 numbers of length 1; raises MainspringError."""


class Learning:
    """What tenants' outcomes teach.

    clock             monotonic seconds
    patience          seconds that a call waits for an embedding
    refresh_seconds   between two looks for outcomes that are new
    """

    def __init__(
        self,
        database: Database,
        embed: Embed,
        clock: Callable[[], float],
        *,
        patience: float = PATIENCE_SECONDS,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self.database = database
        self.outcomes = Outcomes(database, clock)
        self.embed = embed
        self._clock = clock
        self._patience = patience
        self._refresh_seconds = refresh_seconds
        self._rests_until = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def advise(self, call: Call) -> tuple[Demand, Predictor | None]:
        """What the call needs, with its embedding, and what to ask about it; no predictor where nothing is known."""
        tenant = call.context.tenant
        predictor = self.outcomes.predictor(tenant)
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._keep_refreshing())
        if predictor is None or self._clock() < self._rests_until:
            return call.demand, None
        question = find_question(call.payload)
        if question is None:
            return call.demand, None
        embedding = await self._embed_in_time(tenant, question)
        if embedding is None:
            return call.demand, None
        return msgspec.structs.replace(call.demand, embedding=embedding), predictor

    async def close(self) -> None:
        """Stop refreshing."""
        task, self._refreshing = self._refreshing, None
        if task:
            await stop_all([task])

    async def _embed_in_time(self, tenant: TenantId, question: str) -> Sequence[float] | None:
        try:
            async with asyncio.timeout(self._patience):
                return await self.embed(tenant, question)
        except (TimeoutError, MainspringError) as failure:
            if isinstance(failure, TimeoutError | ModelError):
                self._rests_until = self._clock() + _REST_SECONDS
            log.warning("routed_without_learning", tenant=str(tenant), error=type(failure).__name__)
            return None

    async def _keep_refreshing(self) -> None:
        """Until no tenant asks any more; the next call that does begins anew."""
        while self.outcomes.held:
            try:
                await self.outcomes.refresh()
            except Exception as failure:  # noqa: BLE001 - the edge of a task: what is in memory goes on being used
                log.warning("outcomes_not_refreshed", error=type(failure).__name__)
            await asyncio.sleep(self._refresh_seconds)
        self._refreshing = None


def find_question(payload: bytes | None) -> str | None:
    """The last words of a user in a recorded request, of whichever dialect; None where there are none."""
    wire = read_object(payload) if payload else None
    turns: Any = (wire.get("messages") or wire.get("input")) if wire else None
    if isinstance(turns, str):
        return _cut(turns)
    for turn in reversed(turns) if isinstance(turns, list) else ():
        if isinstance(turn, dict) and turn.get("role") == "user":
            text = _cut(_words(turn.get("content") or turn.get("parts")))
            if text:
                return text
    return None


def _words(content: object) -> str:
    """The text of a turn; results of tools and pictures are no words of the user."""
    if isinstance(content, str):
        return content
    parts: list[Any] = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _cut(text: str) -> str | None:
    return text.strip()[:_MOST_CHARACTERS] or None
