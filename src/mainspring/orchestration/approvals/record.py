"""What every change of an approval leaves behind, in its transaction: an entry of its history, and an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.ids import show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.types import RUN_PREFIX

from . import store
from .events import ApprovalEvent
from .eyes import show_hand
from .reading import show_approval

Event = TypeVar("Event", bound=ApprovalEvent)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the history.

    by     who did it; None for the platform and for producers of work
    hands  where there is no `by`: whose work it was
    """

    event: str
    by: Principal | None = None
    reason: str | None = None
    hands: frozenset[str] = frozenset()
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


async def remember(transaction: TenantTransaction, row: Row, entry: Entry) -> None:
    """Append the entry, with the content as it is now."""
    values = {
        "event": entry.event,
        "by": show_hand(entry.by) if entry.by else None,
        "name": entry.by.name if entry.by else None,
        "hands": sorted(entry.by.hands if entry.by else entry.hands),
        "reason": entry.reason,
        "facts": dict(entry.facts),
    }
    await store.remember(transaction, row, values)


async def announce(transaction: TenantTransaction, kind: type[Event], row: Row, **facts: object) -> None:
    """Write the event of that kind about the approval, with its own fields in `facts`."""
    event = kind(
        approval=show_approval(row["id"]),
        key=row["key"],
        action=row["action"],
        digest=row["digest"],
        revision=row["revision"],
        run=show_id(RUN_PREFIX, row["run_id"]) if row["run_id"] else None,
        **facts,
    )
    await publish(transaction, topic=event.topic, payload=event.payload())
