"""The SQL of letting go of old runs."""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction


async def delete_finished(transaction: SystemTransaction, before: datetime, *, after: UUID, limit: int) -> Row:
    """Delete the next `limit` old runs above `after`, as far as they may go; how many went, and the last one seen.

    Runs are read in the order of their ids, which is that of their submission. Steps, stories, signals and dead
    letters go with a run. It stays while it goes on, while it has an open dead letter, and while its parent goes on
    or is younger than `before`. Index: the primary key; one statement reads `limit` rows.
    """
    return await transaction.one(
        """
        with old as materialized (
            select id, finished_at, parent_run from run
             where id > %(after)s and created_at < %(before)s order by id limit %(limit)s
        ),
        gone as (
            delete from run using old
             where run.id = old.id and run.id = any (array(select id from old)) and old.finished_at < %(before)s
               and not exists (select 1 from dead_letter where run_id = old.id and state = 'open')
               and not exists (select 1 from run as child where child.parent_run = old.id)
               and not exists (select 1 from run as parent where parent.id = old.parent_run
                                  and (parent.finished_at is null or parent.finished_at >= %(before)s))
            returning run.id
        )
        select (select count(*) from gone) as gone, (select max(id::text)::uuid from old) as last,
               (select count(*) from old) as seen""",
        before=before,
        after=after,
        limit=limit,
    )


async def delete_bulks(transaction: SystemTransaction, before: datetime) -> int:
    """Delete bulk actions that ended before then."""
    return await transaction.run("delete from bulk_action where finished_at < %(before)s", before=before)
