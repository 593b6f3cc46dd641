"""How well a call was answered, as its caller found out later: what routing learns from.

The question is read again from the record's own payload and embedded then, so that calls pay nothing
for outcomes that may never come, and one may come as long as the payload is kept.
"""

from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.db import Row
from mainspring.foundation.errors import Conflict, MainspringError, NotFound, Unavailable
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal

from .engine.engine import Engine
from .engine.learning import find_question
from .engine.tenants import unsealed
from .models import Resolution
from .records import PREFIX
from .routing.store import find_answered
from .types import Operation


@dataclass(frozen=True, slots=True)
class Feedback:
    """Takes outcomes of calls."""

    engine: Engine

    async def record(self, principal: Principal, call: UUID, *, score: float) -> None:
        """Keep the outcome of a call, 0 (useless) to 1 (right); said again, the later score counts.

        raises   Forbidden without `ai.model.call`; NotFound for what is no call of the tenant; Conflict
                 where its question or the model that answered is not known any more; InvalidInput for a
                 score out of range; one of ModelError, Unavailable when the question cannot be embedded
        """
        principal.require("ai.model.call")
        learning = self.engine.learning
        if learning is None:
            raise Unavailable("This process embeds no questions, so it cannot take outcomes.")
        async with learning.database.tenant(principal.tenant) as transaction:
            found = await find_answered(transaction, call)
        if found is None:
            raise NotFound(f"There is no call with the id {show_id(PREFIX, call)!r}.")
        model = await self._model(principal.tenant, found)
        question = await self._question(principal.tenant, call, found)
        embedding = await learning.embed(principal.tenant, question)
        await learning.outcomes.record_outcome(principal.tenant, call, model=model, embedding=embedding, score=score)

    async def _question(self, tenant: TenantId, call: UUID, found: Row) -> str:
        sealed: bytes | None = found["input"]
        snapshot = await self.engine.tenants.get(tenant)
        question = find_question(None if sealed is None else unsealed(snapshot, call, bytes(sealed)))
        if question is None:
            raise Conflict(
                "The question of this call is not kept (by policy or age), or holds no words; "
                "routing learns from calls whose payloads are kept only."
            )
        return question

    async def _model(self, tenant: TenantId, found: Row) -> str:
        """The catalogue's name of the model that answered."""
        policy = (await self.engine.tenants.get(tenant)).policy
        served: str | None = found["model_served"]
        if served is None or found["operation"] != Operation.CHAT:
            raise Conflict("No chat model answered this call, so there is nothing to learn from it.")
        provider: str = found["provider"]
        for asked in (found["model_asked"], f"{provider}/{served}"):
            try:
                name = _name_of(self.engine.resolve(asked, policy), provider, served)
            except MainspringError:  # no name any more, for this tenant
                continue
            if name:
                return name
        raise Conflict(f"The catalogue has no {served!r} of {provider} any more, so calls cannot be sent to it.")


def _name_of(resolution: Resolution, provider: str, served: str) -> str | None:
    """Which of the models asked for it was: by its name there, which providers lengthen by a date or build."""
    there = [each for each in resolution.deployments if each.endpoint.provider == provider]
    if len({each.model.name for each in there}) == 1:
        return there[0].model.name
    matching = [each for each in there if served.startswith(each.wire_model) or each.wire_model.endswith(served)]
    return max(matching, key=lambda each: len(each.wire_model)).model.name if matching else None
