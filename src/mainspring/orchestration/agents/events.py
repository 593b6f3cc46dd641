"""Facts that this room announces through the outbox."""

from dataclasses import dataclass
from typing import ClassVar

from .types import AgentRunId, AgentRunStatus, ThreadId


@dataclass(frozen=True, slots=True)
class AgentRunFinished:
    """An agent's run is over; written in the transaction that ended it.

    webhook  where its submitter wants to be told, if anywhere
    """

    TOPIC: ClassVar[str] = "agent_run.finished"

    run: AgentRunId
    thread: ThreadId
    graph: str
    status: AgentRunStatus
    webhook: str | None = None

    def payload(self) -> dict[str, object]:
        """The fields of the event, ids as text."""
        return {
            "run": str(self.run),
            "thread": str(self.thread),
            "graph": self.graph,
            "status": self.status.value,
            "webhook": self.webhook,
        }
