"""What a tenant has spent, day by day, from the counts that limits and budgets are settled with."""

from datetime import date

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal

from . import store
from .types import SpendDay, SpendQuery

MAX_DAYS = 366


class Spending:
    """Reads the spend of the principal's tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, principal: Principal, query: SpendQuery, page: PageRequest) -> Page[SpendDay]:
        """Days, newest first, each by scope and value; needs `gateway.view`.

        raises   InvalidInput when the days are in the wrong order or more than `MAX_DAYS`
        """
        principal.require("gateway.view")
        days = (query.last - query.first).days + 1
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(
                f"from {query.first} to {query.last} is {days} days; ask for 1 to {MAX_DAYS}, the earlier day first."
            )
        after = page.key(date.fromisoformat, str, str)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.list_spend(transaction, query, after=after, limit=page.limit + 1)
        items, has_more = cut_page(found, page)
        last = items[-1] if has_more else None
        return Page(tuple(items), make_cursor(last.spent_on.isoformat(), last.scope, last.value) if last else None)
