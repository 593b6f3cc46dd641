"""Deleting a thread: its runs, its checkpoints, and what its tools kept of it."""

from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.checkpoints import delete_thread_in
from mainspring.orchestration.agents.errors import ThreadBusy
from mainspring.orchestration.agents.types import ThreadId
from mainspring.orchestration.tools import Toolbox

from . import store


@dataclass(frozen=True, slots=True)
class Threads:
    """Deletes threads."""

    database: Database
    toolbox: Toolbox | None = None

    async def delete(self, tenant: TenantId, thread: ThreadId) -> bool:
        """Delete a thread with everything of it; whether there was one.

        raises   ThreadBusy while it has an unfinished run: cancel that first
        """
        async with self.database.tenant(tenant) as transaction:
            if await store.lock_thread(transaction, thread) is None:
                return False
            if await store.unfinished(transaction, thread):
                raise ThreadBusy(f"The thread {thread} has an unfinished run; cancel it before deleting the thread.")
            await delete_thread_in(transaction, str(thread))
            await store.delete_thread(transaction, thread)
        if self.toolbox is not None:
            await self.toolbox.forget(tenant, f"thread:{thread}")
        return True
