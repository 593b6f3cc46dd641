"""Using a decision: one conditional update, so that of any number of consumers one gets it."""

from mainspring.foundation.db import TenantTransaction

from . import store
from .errors import AlreadyConsumed, ContentChanged, NotApproved
from .reading import approval_not_found, read_decision, show_approval
from .record import Entry, remember
from .types import ApprovalId, Decision, State


async def consume(
    transaction: TenantTransaction, approval: ApprovalId, digest: str, *, consumer: str | None
) -> Decision:
    """The decision, for this consumer alone. Raises as `Approvals.consume`."""
    row = await store.consume(transaction, approval, digest=digest, by=consumer)
    if row is not None:
        await remember(transaction, row, Entry("consumed", facts={"by": consumer} if consumer else {}))
        return read_decision(row)
    row = await store.find(transaction, approval)
    if row is None:
        raise approval_not_found(approval)
    name, state = show_approval(approval), State(row["state"])
    if state is State.VOIDED or (row["verdict"] and row["digest"] != digest):
        raise ContentChanged(f"What is about to be done is not what was approved as {name}; ask for it anew.")
    if state is State.CONSUMED:
        if consumer is not None and row["consumed_by"] == consumer:
            return read_decision(row)
        raise AlreadyConsumed(f"The decision of {name} was used already; ask again to do it again.")
    raise NotApproved(f"{name} is {state.value}; the action may not be done.")
