"""A decided approval resumes the thread that waits for it, by a new run on behalf of who submitted the one before.

The run's key is the approval, so that a second delivery of the same fact starts nothing. What was decided is not
in the resume: the tool is called again under its old id, and the toolbox takes the decision, once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.types import (
    AgentRun,
    AssistantId,
    Durability,
    Multitask,
    RunOrder,
    StreamChoice,
    StreamMode,
    ThreadId,
)
from mainspring.orchestration.approvals import ApprovalId, Approvals

from . import store
from .reading import read_caller
from .service import AgentRuns


@dataclass(frozen=True, slots=True)
class Resuming:
    """Resumes threads.

    approvals  asked where a decision may have come before the thread waited for it; None where there are none
    """

    database: Database
    runs: AgentRuns
    approvals: Approvals | None = None

    async def look(self, tenant: TenantId, approvals: Iterable[UUID]) -> int:
        """Go on with threads whose approval was decided already, and return how many."""
        count = 0
        for approval in approvals:
            if self.approvals is not None and await self._is_decided(tenant, approval):
                count += await resume_decided(self.database, self.runs, tenant, approval) is not None
        return count

    async def _is_decided(self, tenant: TenantId, approval: UUID) -> bool:
        assert self.approvals is not None
        try:
            return await self.approvals.find_decision(tenant, ApprovalId(approval)) is not None
        except NotFound:
            return False


async def resume_decided(database: Database, runs: AgentRuns, tenant: TenantId, approval: UUID) -> AgentRun | None:
    """Go on with the thread that waits for this approval; None when none does."""
    async with database.tenant(tenant) as transaction:
        row = await store.find_awaiting(transaction, approval)
    if row is None:
        return None
    order = RunOrder(
        assistant=AssistantId(row["assistant_id"]),
        thread=ThreadId(row["thread_id"]),
        command={"resume": {row["interrupt_id"]: {"approval": str(approval)}}},
        config=row["config"],
        context=row["context"],
        metadata=row["metadata"],
        stream=StreamChoice(tuple(StreamMode(mode) for mode in row["stream_modes"]), row["stream_subgraphs"]),
        durability=Durability(row["durability"]),
        webhook=row["webhook"],
        multitask=Multitask.ENQUEUE,
        key=f"approval:{approval}",
    )
    principal = replace(read_caller(row["caller"]), tenant=tenant)
    return await runs.submit(principal, order)
