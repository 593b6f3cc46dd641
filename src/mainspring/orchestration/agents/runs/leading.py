"""Giving a thread's next run a pipeline run that leads it, in the transaction that found the thread free."""

from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.db import TenantTransaction
from mainspring.orchestration.agents.agent import Agents
from mainspring.orchestration.agents.ownership import SUBJECT
from mainspring.orchestration.agents.types import ThreadId
from mainspring.orchestration.pipelines import Pipeline, Pipelines
from mainspring.orchestration.pipelines.types import Urgency

from . import store
from .reading import read_caller


@dataclass(frozen=True, slots=True)
class AgentJob:
    """The input of a pipeline run that leads an agent's run: all else is read when it begins."""

    run: UUID


@dataclass(frozen=True, slots=True)
class Leading:
    """How runs are led: by runs of this pipeline."""

    pipelines: Pipelines
    pipeline: Pipeline
    agents: Agents

    async def lead_next_in(self, transaction: TenantTransaction, thread: ThreadId) -> bool:
        """Lead the thread's next run, if one waits and no other is led; the caller holds the thread's lock.

        Call `ring` after the commit where this answers True.
        """
        row = await store.next_due(transaction, thread)
        if row is None:
            return False
        agent = self.agents.find(row["graph"])
        ceiling = agent.limits.cost_ceiling_micros if agent else None
        run = await self.pipelines.submit_in(
            transaction,
            self.pipeline,
            AgentJob(row["id"]),
            idempotency_key=f"agent-run:{row['id']}",
            subject=f"{SUBJECT}{thread}",
            urgency=Urgency(cost_ceiling_micros=ceiling),
            by=read_caller(row["caller"]),
        )
        await store.lead(transaction, row["id"], run.id)
        return True

    async def ring(self) -> None:
        """Wake workers; only a hint."""
        await self.pipelines.ring(self.pipeline)
