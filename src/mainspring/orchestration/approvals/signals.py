"""How whoever waits hears of a decision: the run is signalled in the transaction that decides."""

from contextlib import suppress
from typing import Protocol

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import Conflict
from mainspring.orchestration.pipelines.types import RunId

from .reading import show_approval
from .types import Decision


class Signals(Protocol):
    """What is needed of `Pipelines`."""

    async def signal_in(
        self, transaction: TenantTransaction, run: RunId, name: str, payload: object, *, key: str
    ) -> object:
        """Wake the run with a payload, once for each key; Conflict when it has ended."""
        ...


async def tell(signals: Signals, transaction: TenantTransaction, row: Row, decision: Decision) -> None:
    """Signal the run that waits for the approval, if one does; Conflict when it has ended."""
    if row["run_id"] is not None:
        run, name = RunId(row["run_id"]), row["signal"]
        await signals.signal_in(transaction, run, name, decision, key=show_approval(row["id"]))


async def tell_if_waiting(signals: Signals, transaction: TenantTransaction, row: Row, decision: Decision) -> None:
    """As `tell`; a run that has ended needs to hear nothing."""
    with suppress(Conflict):
        await tell(signals, transaction, row, decision)
