"""Tools as people look at them: which there are, what they may, how they did, and each call."""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import read_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal

from . import store
from .access import ToolAccess
from .types import CALL_PREFIX, ResultStatus, ToolCallFacts, ToolListing, ToolStats

RUN, MANAGE, VIEW = "agent.run", "tool.manage", "ai.output.view"
_BATCH = 1000


class ToolOverview:
    """What there is to see of tools and their calls."""

    def __init__(self, database: Database, access: ToolAccess) -> None:
        self._database = database
        self._access = access

    async def list_tools(self, principal: Principal) -> list[ToolListing]:
        """The tools that the caller may use, by name; all of the tenant's for who holds `tool.manage`.

        Needs `agent.run`. The calls are those of seven days.
        """
        principal.require(RUN)
        async with self._database.tenant(principal.tenant) as transaction:
            stats = {row["tool"]: _stats(row) for row in await store.count_calls(transaction)}
        return [
            ToolListing(each.tool, each.policy, stats.get(each.tool.name, ToolStats()), may)
            for each, may in await self._access.list_all(principal)
            if may or MANAGE in principal.permissions
        ]

    async def list_calls(
        self, principal: Principal, request: PageRequest, *, run: UUID | None = None, scope: str | None = None
    ) -> Page[ToolCallFacts]:
        """Calls of the tenant, newest first, or those of one run or scope. Needs `ai.output.view`."""
        principal.require(VIEW)
        before = read_id(CALL_PREFIX, request.after[0]) if request.after else None
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_calls(transaction, run=run, scope=scope, before=before, limit=request.limit + 1)
        shown, has_more = cut_page(rows, request)
        cursor = make_cursor(show_id(CALL_PREFIX, shown[-1]["id"])) if has_more else None
        return Page(tuple(map(_facts, shown)), cursor)


async def purge_tool_calls(database: Database, *, before: datetime) -> int:
    """Delete the calls that were done before an instant, and return how many.

    After that the same call would be made again: keep them for longer than any run or thread may be resumed.
    """
    purged = 0
    while True:
        async with database.system() as transaction:
            count = await store.purge_calls(transaction, before=before, limit=_BATCH)
        purged += count
        if count < _BATCH:
            return purged


def _stats(row: Row) -> ToolStats:
    return ToolStats(row["calls"], row["failed"], row["empty"], row["awaiting"], row["last_at"])


def _facts(row: Row) -> ToolCallFacts:
    return ToolCallFacts(
        id=row["id"],
        scope=row["scope"],
        call_id=row["call_id"],
        tool=row["tool"],
        status=row["status"],
        result=ResultStatus(row["result_status"]) if row["result_status"] else None,
        error_code=row["error_code"],
        is_untrusted=row["is_untrusted"],
        attempt=row["fence"],
        approval=row["approval_id"],
        record=row["record_id"],
        principal=row["principal"],
        run=row["run_id"],
        step=row["step"],
        agent=row["agent"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )
