"""Sums of `gateway_spend`."""

from collections.abc import Mapping, Sequence
from datetime import date

from mainspring.foundation.db import Database, DatabaseGone, TenantTransaction
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId

from .types import Spent, Subject, month_of

_SUM_SPEND = """
    select scope, value,
           coalesce(sum(calls) filter (where spent_on = %(day)s), 0)::bigint as calls_of_day,
           sum(calls)::bigint as calls_of_month,
           coalesce(sum(cost_micros) filter (where spent_on = %(day)s), 0)::bigint as micros_of_day,
           sum(cost_micros)::bigint as micros_of_month
      from gateway_spend
     where tenant_id = %(tenant)s
       and (scope, value) in (select * from unnest(%(scopes)s::text[], %(values)s::text[]))
       and spent_on >= %(month)s and spent_on < %(next_month)s
     group by scope, value"""


async def sum_spend(transaction: TenantTransaction, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
    """What the subjects spent in the day and month of `day`; by primary key, at most 31 rows each."""
    month, next_month = month_of(day)
    rows = await transaction.all(
        _SUM_SPEND,
        tenant=transaction.tenant,
        scopes=[subject.scope for subject in subjects],
        values=[subject.value for subject in subjects],
        day=day,
        month=month,
        next_month=next_month,
    )
    return {Subject(row.pop("scope"), row.pop("value")): Spent(**row) for row in rows}


class StoredSpend:
    """`SpendTotals` over Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, tenant: TenantId, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
        """The sums; raises Unavailable while the database is away."""
        try:
            async with self._database.tenant(tenant) as transaction:
                return await sum_spend(transaction, subjects, day)
        except DatabaseGone as away:
            raise Unavailable("What was spent so far cannot be read now.", retry_after_seconds=2) from away
