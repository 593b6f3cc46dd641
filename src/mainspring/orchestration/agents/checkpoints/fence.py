"""Who may write checkpoints: the attempt that leads a run, or somebody while no run leads the thread.

LangGraph knows no fencing: a worker that was thought dead would go on writing beside the one that took over.
So each write first locks the row of its run, in the same transaction, and is refused unless that row still
names this very attempt. Whoever takes the run over, rolls it back or ends it changes that row, and waits for
writes under way. A run that was interrupted is still open for what its attempt had reached, until that attempt has
stopped or the thread's next run begins.
"""

from dataclasses import dataclass

from mainspring.foundation.db import TenantTransaction
from mainspring.orchestration.agents.errors import AgentFenced, ThreadBusy
from mainspring.orchestration.agents.types import AgentRunId, ThreadId
from mainspring.orchestration.pipelines.types import RunId

from . import store


@dataclass(frozen=True, slots=True)
class Fence:
    """One attempt of one run."""

    run: AgentRunId
    pipeline_run: RunId
    attempt: int

    async def check(self, transaction: TenantTransaction) -> None:
        """Raise AgentFenced unless this attempt leads the run; hold it to the end of the transaction."""
        if not await store.leads(transaction, self.run, self.pipeline_run, self.attempt):
            raise AgentFenced(f"Attempt {self.attempt} of the run {self.run} leads it no more; nothing was written.")


@dataclass(frozen=True, slots=True)
class IdleOnly:
    """Somebody who changes a thread's state by hand."""

    thread: ThreadId

    async def check(self, transaction: TenantTransaction) -> None:
        """Raise ThreadBusy while a run leads the thread; keep runs from starting until the transaction ends."""
        if await store.lock_busy(transaction, self.thread):
            raise ThreadBusy(
                f"The thread {self.thread} has an unfinished run; its state can be changed when the run is done."
            )


Guard = Fence | IdleOnly
