"""A run's story: milestones numbered without gaps, written in the transaction that makes them true.

The number comes from the run's own row, which is locked for the whole transaction. So numbers are
given in the order of commits, and who has seen number n can be sure that n + 1 is not yet visible
only because it does not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import publish, publish_all

from . import queue_store
from .codec import show_text
from .events import RunFinished
from .types import EventType, Failure, RunId, RunStatus


@dataclass(frozen=True, slots=True)
class Milestone:
    """One durable event. `attempt` is set where a step started: it fences older attempts out of the stream."""

    tenant: TenantId
    run: RunId
    seq: int
    type: EventType
    at: datetime
    facts: Mapping[str, object]
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends."""

    status: RunStatus
    failure: Failure | None = None


class Story:
    """Collects milestones of runs that `queue_store.lock_runs` has locked, and writes them at once."""

    def __init__(self, locked: Sequence[Row]) -> None:
        self._runs = {row["id"]: row for row in locked}
        self._keys: list[str | None] = []
        self._endings: dict[UUID, Ending] = {}
        self._undoing: dict[UUID, Ending] = {}
        self.milestones: list[Milestone] = []

    def tell(self, run: RunId, kind: EventType, facts: Mapping[str, object], *, key: str | None = None) -> None:
        """Append a milestone."""
        row = self._runs[run]
        row["event_seq"] += 1
        self._keys.append(key)
        self.milestones.append(Milestone(row["tenant_id"], run, row["event_seq"], kind, row["at"], facts))

    def end(self, run: RunId, ending: Ending) -> None:
        """Append `run.finished`: the last milestone there is."""
        failure = ending.failure
        texts = {RunStatus.SUCCEEDED: "Finished", RunStatus.CANCELLED: "Cancelled"}
        facts: dict[str, object] = {
            "status": ending.status.value,
            "text": show_text(failure.detail) if failure else texts.get(ending.status, "Failed"),
        }
        if failure:
            facts["error"] = {"code": failure.code, "detail": show_text(failure.detail)}
        self.tell(run, EventType.RUN_FINISHED, facts)
        self._endings[run] = ending

    def undo(self, run: RunId, ending: Ending) -> None:
        """Append `run.compensating`: the run ends as `ending` says once what succeeded has been undone."""
        failure = ending.failure
        facts: dict[str, object] = {"text": "Undoing what was done"}
        if failure:
            facts["error"] = {"code": failure.code, "detail": show_text(failure.detail)}
        self.tell(run, EventType.RUN_COMPENSATING, facts)
        self._undoing[run] = ending

    def row(self, run: UUID) -> Row:
        """The locked row of a run, as it was read."""
        return self._runs[run]

    @property
    def needs_kin(self) -> bool:
        """Whether a run has ended that others wait for, or whose own runs are to be cancelled."""
        return any(
            self._runs[run]["parent_run"] or self._runs[run]["has_children"] for run in (*self._endings, *self._undoing)
        )

    async def write(self, transaction: SystemTransaction | TenantTransaction) -> None:
        """Store milestones, positions, endings, and an outbox event for each ending."""
        if not self.milestones:
            return
        runs = list(dict.fromkeys(milestone.run for milestone in self.milestones))
        await queue_store.advance_runs(transaction, runs, self._run_rows(runs))
        await queue_store.write_events(transaction, self._event_rows())
        finished = [
            (self._runs[run]["tenant_id"], _payload(self._runs[run], end)) for run, end in self._endings.items()
        ]
        match transaction:
            case SystemTransaction() if finished:
                await publish_all(transaction, topic=RunFinished.TOPIC, payloads=finished)
            case TenantTransaction():
                for _, payload in finished:
                    await publish(transaction, topic=RunFinished.TOPIC, payload=payload)
            case _:
                pass

    def _run_rows(self, runs: Sequence[RunId]) -> str:
        rows: list[dict[str, object]] = []
        for run in runs:
            row, ending, undoing = self._runs[run], self._endings.get(run), self._undoing.get(run)
            known = ending or undoing
            failure = known.failure if known else None
            status = RunStatus.COMPENSATING if undoing else row["status"]
            rows.append(
                {
                    "id": run,
                    "status": ending.status if ending else status,
                    "event_seq": row["event_seq"],
                    "error_code": failure.code if failure else None,
                    "error_detail": show_text(failure.detail) if failure else None,
                    "ending": undoing.status if undoing else None,
                }
            )
        return msgspec.json.encode(rows).decode()

    def _event_rows(self) -> str:
        rows = [
            {
                "run_id": each.run,
                "seq": each.seq,
                "tenant_id": each.tenant,
                "type": each.type,
                "facts": each.facts,
                "key": key,
            }
            for each, key in zip(self.milestones, self._keys, strict=True)
        ]
        return msgspec.json.encode(rows).decode()


def _payload(row: Row, ending: Ending) -> dict[str, object]:
    return {
        "run": str(row["id"]),
        "pipeline": row["pipeline"],
        "version": row["version"],
        "status": ending.status.value,
        "subject": row["subject"],
    }
