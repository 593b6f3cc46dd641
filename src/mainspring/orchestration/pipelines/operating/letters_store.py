"""The SQL of dead letters: found, grouped, read, decided."""

from collections.abc import Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

Transaction = SystemTransaction | TenantTransaction

_SELECT: LiteralString = """
    select letter.id, letter.tenant_id, letter.run_id, run.subject, letter.pipeline, letter.version, letter.step,
           letter.map_key, letter.error_code, letter.error_detail, letter.fingerprint, letter.failed_at, letter.state,
           letter.reason, letter.decided_by, letter.decided_at, letter.replayed_as,
           letter.map_key <> '' and run.status in ('queued', 'running', 'succeeded') as is_tolerated """

_MATCHES: LiteralString = """
           (%(tenant)s::uuid is null or letter.tenant_id = %(tenant)s)
       and (%(state)s::text is null or letter.state = %(state)s)
       and (%(pipeline)s::text is null or letter.pipeline = %(pipeline)s)
       and (%(version)s::integer is null or letter.version = %(version)s)
       and (%(step)s::text is null or letter.step = %(step)s)
       and (%(error_code)s::text is null or letter.error_code = %(error_code)s)
       and (%(fingerprint)s::text is null or letter.fingerprint = %(fingerprint)s)
       and (%(run)s::uuid is null or letter.run_id = %(run)s) """

# Purpose: one page of dead letters, newest first. Index: dead_letter_newest, or of the group. Rows: `limit`.
# For the operator the primary key: 0.8 ms with 100,000 letters, one in 200 of them open (0.1 ms with an index of its
# own, which every decision would have to keep).
_LIST: LiteralString = (
    _SELECT
    + """
      from dead_letter as letter join run on run.id = letter.run_id
     where """
    + _MATCHES
    + """
       and (%(before)s::uuid is null or letter.id < %(before)s)
     order by letter.id desc limit %(limit)s"""
)

# Purpose: the causes of what is open, the most frequent first. Reads the newest `most` open letters, so that the
# answer comes in time however many there are. Index: of the open letters. Rows: `limit`.
_GROUPS: LiteralString = """
    with letter as (
        select * from dead_letter as letter
         where letter.state = 'open' and (%(tenant)s::uuid is null or letter.tenant_id = %(tenant)s)
           and (%(pipeline)s::text is null or letter.pipeline = %(pipeline)s)
           and (%(step)s::text is null or letter.step = %(step)s)
         order by letter.id desc limit %(most)s
    )
    select letter.tenant_id, letter.fingerprint, count(*) as count, min(letter.failed_at) as first_at,
           max(letter.failed_at) as last_at, (array_agg(letter.id order by letter.id desc))[1] as example
      from letter
     group by letter.tenant_id, letter.fingerprint
     order by count(*) desc, max(letter.failed_at) desc, letter.fingerprint limit %(limit)s"""

# Purpose: one letter with what its step was given and where it failed. Index: primary keys. Rows: 1.
_FIND: LiteralString = (
    _SELECT
    + """, left(given.text, %(most)s) as input, octet_length(given.text) as input_size,
           left(step.error_trace, %(most)s) as trace
      from dead_letter as letter join run on run.id = letter.run_id
           left join step on step.run_id = letter.run_id and step.name = letter.step and step.map_key = letter.map_key
           cross join lateral (select coalesce(step.input::text, step.item::text,
                case when cardinality(step.after) = 0 then run.input::text end) as text) as given
     where letter.id = %(letter)s and letter.tenant_id = %(tenant)s"""
)


async def list_letters(
    transaction: Transaction, asked: Mapping[str, object], *, tenant: UUID | None, before: UUID | None, limit: int
) -> list[Row]:
    """Dead letters that match, newest first, from below `before`; `tenant` None is for the operator only."""
    return await transaction.planned(_LIST, tenant=tenant, before=before, limit=limit, **asked)


async def list_groups(
    transaction: Transaction, *, tenant: UUID | None, pipeline: str | None, step: str | None, most: int, limit: int
) -> list[Row]:
    """Causes of the newest `most` open letters with count, first and last, and the id of the newest."""
    return await transaction.planned(_GROUPS, tenant=tenant, pipeline=pipeline, step=step, most=most, limit=limit)


async def read_letters(transaction: Transaction, letters: Sequence[UUID]) -> list[Row]:
    """The letters of these ids, without input and trace."""
    return await transaction.all(
        _SELECT + "from dead_letter as letter join run on run.id = letter.run_id where letter.id = any (%(letters)s)",
        letters=list(letters),
    )


async def find_letter(transaction: TenantTransaction, letter: UUID, *, most: int) -> Row | None:
    """One letter with input and trace, each of at most `most` characters."""
    return await transaction.first(_FIND, letter=letter, tenant=transaction.tenant, most=most)


async def find_tenant_of(transaction: SystemTransaction, letter: UUID) -> UUID | None:
    """Whose letter it is, for the operator."""
    row = await transaction.first("select tenant_id from dead_letter where id = %(letter)s", letter=letter)
    return row["tenant_id"] if row else None


async def mark_replayed(transaction: TenantTransaction, run: UUID, *, replayed_as: UUID, by: str) -> int:
    """The open letters of a run were replayed with it: one run took them all over. How many they were."""
    return await transaction.run(
        """
        update dead_letter
           set state = 'replayed', replayed_as = %(replayed_as)s, decided_by = %(by)s, decided_at = mainspring_now()
         where run_id = %(run)s and tenant_id = %(tenant)s and state = 'open'""",
        run=run,
        tenant=transaction.tenant,
        replayed_as=replayed_as,
        by=by,
    )


async def discard(transaction: TenantTransaction, letters: Sequence[UUID], *, reason: str, by: str) -> int:
    """Discard those of the letters that are open; how many they were."""
    return await transaction.run(
        """
        update dead_letter
           set state = 'discarded', reason = %(reason)s, decided_by = %(by)s, decided_at = mainspring_now()
         where id = any (%(letters)s) and tenant_id = %(tenant)s and state = 'open'""",
        letters=list(letters),
        tenant=transaction.tenant,
        reason=reason,
        by=by,
    )


async def restore(transaction: TenantTransaction, letter: UUID) -> int:
    """Take a discard back: the letter is open again; 0 when it was not discarded."""
    return await transaction.run(
        """
        update dead_letter set state = 'open', reason = null, decided_by = null, decided_at = null
         where id = %(letter)s and tenant_id = %(tenant)s and state = 'discarded'""",
        letter=letter,
        tenant=transaction.tenant,
    )
