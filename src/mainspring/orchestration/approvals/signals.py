"""How whoever waits hears of a decision: its run is signalled in the transaction that decides, and woken after it.

The approval is locked before the run, always: who holds a run's lock asks and decides nothing.
"""

from contextlib import suppress

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import Conflict, NotFound
from mainspring.orchestration.pipelines import Pipelines, RunId, Told

from .reading import show_approval
from .types import Decision


class Calls:
    """The runs that are told something in one transaction; call `make_known` after its commit."""

    def __init__(self, pipelines: Pipelines) -> None:
        self._pipelines = pipelines
        self._told: list[Told] = []

    async def tell(self, transaction: TenantTransaction, row: Row, decision: Decision) -> None:
        """Signal the run that waits for the approval, if one does; Conflict when it has ended."""
        if row["run_id"] is None:
            return
        run, key = RunId(row["run_id"]), show_approval(row["id"])
        try:
            self._told.append(await self._pipelines.signal_in(transaction, run, row["signal"], decision, key=key))
        except NotFound:
            raise Conflict(f"The run that waited for {key} was deleted; there is nothing to decide any more.") from None

    async def tell_if_waiting(self, transaction: TenantTransaction, row: Row, decision: Decision) -> None:
        """As `tell`; a run that has ended needs to hear nothing."""
        with suppress(Conflict):
            await self.tell(transaction, row, decision)

    async def make_known(self) -> None:
        """Let the runs go on at once; without this they do a second later."""
        for told in self._told:
            await self._pipelines.make_known(told)
