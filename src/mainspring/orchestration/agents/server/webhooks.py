"""Webhooks of runs: whoever submitted one with an address is told there of its end, as the agent's clients expect it.

What is posted is the run as the routes show it, with the times it began and ended, what failed, and the values it left
its thread in. It goes out by the delivery room: at least once, signed, tried again for days.
"""

from dataclasses import dataclass

import msgspec

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import OutboxEvent
from mainspring.orchestration.agents.errors import AgentUnknown
from mainspring.orchestration.agents.events import AgentRunFinished
from mainspring.orchestration.agents.runs import AgentRuns
from mainspring.orchestration.agents.runs.reading import as_json
from mainspring.orchestration.agents.types import AgentRun, AgentRunId, Json, JsonObject
from mainspring.orchestration.delivery import DirectPost

from .posts import Posts
from .runs.schemas import show_run
from .threads.service import Threads
from .threads.states import HistoryChoice, States
from .words import read_uuid, show_instant

MAX_VALUES_BYTES = 1024 * 1024
"""Values above this are left out of what is posted; the thread has them."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Hears of ended runs, and writes what is to be posted."""

    runs: AgentRuns
    threads: Threads
    states: States
    posts: Posts

    async def tell(self, event: OutboxEvent) -> None:
        """Subscriber of `agent_run.finished`."""
        url = event.payload.get("webhook")
        if not url:
            return
        data = await self._describe(event.tenant, AgentRunId(read_uuid(str(event.payload["run"]), "run")))
        body = msgspec.json.decode(as_json(data or _gone(event)))  # without NUL, which Postgres cannot keep
        wanted = DirectPost(event.tenant, event.id, str(url), AgentRunFinished.TOPIC, body, event.created_at)
        await self.posts.post(wanted)

    async def _describe(self, tenant: TenantId, identifier: AgentRunId) -> JsonObject | None:
        """The run as it is posted; None when it is deleted."""
        try:
            run = await self.runs.get(tenant, identifier)
        except AgentUnknown:
            return None
        return {
            **show_run(run),
            "run_started_at": show_instant(run.started_at),
            "run_ended_at": show_instant(run.finished_at),
            "values": await self._values(run),
        }

    async def _values(self, run: AgentRun) -> Json:
        """What the run left its thread in, though another may have gone on from there since."""
        thread = await self.threads.find(run.tenant, run.thread)
        if thread is None:
            return None
        try:
            found = await self.states.history(thread, HistoryChoice(limit=1, metadata={"run_id": str(run.id)}))
        except NotFound:  # the graph was taken away
            return None
        if not found or len(msgspec.json.encode(found[0]["values"])) > MAX_VALUES_BYTES:
            return None
        values, waiting = found[0]["values"], found[0]["interrupts"]
        return {**values, "__interrupt__": waiting} if waiting and isinstance(values, dict) else values


def _gone(event: OutboxEvent) -> JsonObject:
    """What the fact itself knows of a run that was deleted meanwhile."""
    known = event.payload
    return {"run_id": str(known["run"]), "thread_id": str(known["thread"]), "status": str(known["status"])}
