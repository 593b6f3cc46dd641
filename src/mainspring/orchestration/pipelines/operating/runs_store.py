"""The SQL of looking at runs and steps. Statements with open questions are planned for their values, never kept."""

from collections.abc import Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.orchestration.pipelines import store

Transaction = SystemTransaction | TenantTransaction

# Purpose: one page of runs, newest first, of one tenant or, for the operator, of all. Rows: `limit`.
# Index: run_failed_of for a code, run_of_pipeline for a pipeline, run_children for a parent, run_by_subject for a
# subject, else run_newest, for the operator the primary key. Ids are times, so the bounds of creation are a range of
# the same indexes. A failed run has a code, which is said so that run_failed_of serves the status alone as well.
# Measured with 200,000 runs, 200 of them failed: newest 0.1 ms of a tenant and of all, failed 0.3 ms (4 to 12 ms
# without the code). Other statuses that are rare read every run, 15 to 45 ms: an index that names `status` or
# `finished_at` would cost each run more than such a page does (migration 0021).
_LIST_RUNS: LiteralString = (
    store._SELECT  # noqa: S608 - constants  # pyright: ignore[reportPrivateUsage] - a run is read in one way
    + """
      from run
     where (%(tenant)s::uuid is null or tenant_id = %(tenant)s)
       and (%(before)s::uuid is null or id < %(before)s)
       and (%(first)s::uuid is null or id >= %(first)s)
       and (%(end)s::uuid is null or id < %(end)s)
       and (%(status)s::text is null or status = %(status)s)
       and (%(status)s::text is distinct from 'failed' or error_code is not null)
       and (%(pipeline)s::text is null or pipeline = %(pipeline)s)
       and (%(version)s::integer is null or version = %(version)s)
       and (%(error_code)s::text is null or error_code = %(error_code)s)
       and (%(subject)s::text is null or subject = %(subject)s)
       and (%(parent)s::uuid is null or parent_run = %(parent)s)
       and (not %(only_unfinished)s::boolean or status in ('queued', 'running'))
       and (%(step)s::text is null or exists (
            select 1 from step
             where step.run_id = run.id and step.name = %(step)s
               and step.status in ('ready', 'running', 'suspended', 'gathering', 'failed')))
     order by id desc limit %(limit)s"""
)

_STEP: LiteralString = """
    select step.name, step.title, step.role, step.map_key, step.status, step.attempt, step.failures, step.losses,
           step.lane, step.after, step.started_at, step.finished_at, step.due_at, step.wake_at, step.awaited,
           step.error_code, step.error_detail, step.position, step.tenant_id """

# Purpose: one page of a run's steps, or of one step's items. Index: primary key. Rows: `limit`.
_LIST_STEPS: LiteralString = (
    _STEP
    + """
      from step
     where run_id = %(run)s and tenant_id = %(tenant)s
       and (case when %(step)s::text is null then map_key = '' else name = %(step)s and map_key <> '' end)
       and (%(status)s::text is null or status = %(status)s)
       and (%(place)s::integer is null
            or (position, length(map_key), map_key, name) > (%(place)s, length(%(key)s), %(key)s, %(name)s))
     order by position, length(map_key), map_key, name limit %(limit)s"""
)

# Purpose: one step with what went in and came out, each cut. A step that has not failed keeps no input of its own:
# it is the item, the run's input, or the outputs of the steps it follows. Index: primary keys. Rows: 1.
_FIND_STEP: LiteralString = (
    _STEP  # noqa: S608 - constants
    + """, run.subject, left(given.text, %(most)s) as input, octet_length(given.text) as input_size,
           left(step.output::text, %(most)s) as output, octet_length(step.output::text) as output_size,
           left(step.error_trace, %(most)s) as trace
      from step join run on run.id = step.run_id
           cross join lateral (select coalesce(
                step.input::text, step.item::text,
                case when cardinality(step.after) = 0 then run.input::text
                     when step.attempt > 0 then (
                          select jsonb_object_agg(earlier.name, earlier.output)::text from step as earlier
                           where earlier.run_id = step.run_id and earlier.map_key = ''
                             and earlier.name = any (step.after) and earlier.output is not null) end) as text) as given
     where step.run_id = %(run)s and step.tenant_id = %(tenant)s and step.name = %(step)s and step.map_key = %(key)s"""
)


async def list_runs(
    transaction: Transaction,
    asked: Mapping[str, object],
    *,
    tenant: UUID | None,
    before: UUID | None,
    limit: int,
    only_unfinished: bool = False,
) -> list[Row]:
    """Runs that match, newest first, from below `before`; `tenant` None is for the operator only.

    `asked` has the names of the statement: status, pipeline, version, step, error_code, subject, parent, first, end.
    """
    return await transaction.planned(
        _LIST_RUNS, tenant=tenant, before=before, limit=limit, only_unfinished=only_unfinished, **asked
    )


async def list_steps(
    transaction: TenantTransaction,
    run: UUID,
    *,
    step: str | None,
    status: str | None,
    after: tuple[int | None, str | None, str | None],
    limit: int,
) -> list[Row]:
    """The run's steps, or the items of `step`, in order; `after` is position, map key and name of the last one."""
    place, key, name = after
    return await transaction.planned(
        _LIST_STEPS,
        run=run,
        tenant=transaction.tenant,
        step=step,
        status=status,
        place=place,
        key=key,
        name=name,
        limit=limit,
    )


async def find_step(transaction: TenantTransaction, run: UUID, step: str, key: str, *, most: int) -> Row | None:
    """One row of the run's steps with input, output and trace, each of at most `most` characters."""
    return await transaction.first(_FIND_STEP, run=run, tenant=transaction.tenant, step=step, key=key, most=most)


async def find_tenant_of(transaction: SystemTransaction, run: UUID) -> UUID | None:
    """Whose run it is, for the operator."""
    row = await transaction.first("select tenant_id from run where id = %(run)s", run=run)
    return row["tenant_id"] if row else None


async def list_versions(transaction: SystemTransaction, names: Sequence[str] | None) -> list[Row]:
    """Every registered version of the pipelines, or of all, with its steps in order of registration."""
    return await transaction.all(
        """
        select name, version, min(registered_at) as registered_at,
               jsonb_agg(jsonb_build_object('step', step, 'input_schema', input_schema, 'output_schema', output_schema)
                         order by registered_at, step) as steps
          from pipeline_version
         where %(names)s::text[] is null or name = any (%(names)s)
         group by name, version order by name, version desc""",
        names=None if names is None else list(names),
    )
