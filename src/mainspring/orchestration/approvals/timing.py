"""What the clock does: ends questions that nobody decided, and shows overdue ones to more people.

Both find their work across tenants and do it row by row inside each tenant, where the row is locked and looked at
again: several workers, a decision in the same second, or a crash in between change nothing.
"""

from collections.abc import Awaitable, Callable

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.pipelines import Pipelines

from . import store
from .events import ApprovalEscalated, ApprovalExpired
from .reading import read_decision, show_approval
from .record import Entry, announce, remember
from .signals import Calls
from .types import State

log = get_logger(__name__)

_Change = Callable[[Calls, TenantTransaction, Row], Awaitable[bool]]


async def expire_due(database: Database, pipelines: Pipelines, *, limit: int) -> int:
    """How many have expired now."""
    async with database.system() as transaction:
        due = await store.list_expiring(transaction, limit=limit)
    return await _change_each(database, pipelines, due, _expire)


async def escalate_due(database: Database, pipelines: Pipelines, *, limit: int) -> int:
    """How many have escalated now."""
    async with database.system() as transaction:
        due = await store.list_escalating(transaction, limit=limit)
    return await _change_each(database, pipelines, due, _escalate)


async def _change_each(database: Database, pipelines: Pipelines, due: list[Row], change: _Change) -> int:
    changed = 0
    for found in due:
        calls = Calls(pipelines)
        try:
            async with database.tenant(TenantId(found["tenant_id"])) as transaction:
                row = await store.lock(transaction, found["id"])
                changed += row is not None and await change(calls, transaction, row)
            await calls.make_known()
        except MainspringError as failure:  # of one tenant's row: the others are not to wait for it
            log.warning("approval_not_tended", approval=show_approval(found["id"]), code=failure.code)
    return changed


async def _expire(calls: Calls, transaction: TenantTransaction, row: Row) -> bool:
    if row["state"] != State.PENDING.value or not row["is_over"]:
        return False
    row = await store.close(transaction, row["id"], state=State.EXPIRED.value)
    await remember(transaction, row, Entry("expired"))
    await announce(transaction, ApprovalExpired, row)
    await calls.tell_if_waiting(transaction, row, read_decision(row))
    return True


async def _escalate(calls: Calls, transaction: TenantTransaction, row: Row) -> bool:
    if row["state"] != State.PENDING.value or row["is_over"] or row["escalated_at"] is not None:
        return False
    assigned = list(dict.fromkeys([*row["assigned"], *row["escalate_to"]]))
    row = await store.widen(transaction, row["id"], assigned=assigned, is_escalation=True)
    await remember(transaction, row, Entry("escalated", facts={"to": row["escalate_to"]}))
    await announce(transaction, ApprovalEscalated, row, assigned=tuple(assigned))
    return True
