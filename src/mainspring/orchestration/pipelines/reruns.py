"""Repeating a run as a new one: from where it failed, or as a whole.

A run ends once, for ever. What is repeated is a new run that takes over what the old one finished, in the
transaction that inserts it. What an effect is done for is the first run of the chain, so that nothing that may
have happened happens again; only what was undone since is done anew, in the new run's name.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import new_id, show_id

from . import rerun_store, store
from .codec import decode
from .errors import RunUnfinished
from .pipeline import Pipeline
from .plan import declared_rows, step_rows
from .run_rows import run_not_found
from .types import RUN_PREFIX, RunId, RunStatus


def retry_key(run: RunId) -> str:
    """The idempotency key of a run's retry: there is one, and whoever retries the same run again is shown it."""
    return f"retry:{run}"


async def retry(transaction: TenantTransaction, earlier: Row, pipeline: Pipeline, terms: Row) -> RunId | None:
    """Insert a run that goes on where `earlier`, of `rerun_store.read_terms`, failed; None when there is one."""
    status = RunStatus(earlier["status"])
    if status not in {RunStatus.FAILED, RunStatus.CANCELLED}:
        raise RunUnfinished(
            f"The run {show_id(RUN_PREFIX, earlier['id'])} is {status.value}; only one that has failed or was "
            "cancelled can be retried. Replay it to run it anew."
        )
    if pipeline.name != earlier["pipeline"]:
        raise InvalidInput(f"The run is of {earlier['pipeline']}; it cannot be retried as {pipeline.name}.")
    states = {row["name"]: row for row in await rerun_store.read_states(transaction, earlier["id"])}
    taken = _taken_over(pipeline, states)
    if len(taken) == len(pipeline.steps):
        raise InvalidInput("Every step of this version has succeeded already; there is nothing to retry.")
    run = RunId(new_id())
    row = {**terms, "id": run, "origin": earlier["origin"], "retry_of": earlier["id"], "replay_of": None}
    kept, fresh = _divide(pipeline, states, taken, run)
    if await store.insert_run(transaction, row, msgspec.json.encode(fresh).decode()) is None:
        return None
    await rerun_store.take_over(transaction, earlier["id"], run, msgspec.json.encode(kept).decode())
    return run


async def replay(transaction: TenantTransaction, earlier: Row, pipeline: Pipeline, terms: Row) -> RunId | None:
    """Insert a run that does all of it again; None when its idempotency key is taken."""
    for step in pipeline.steps:
        if not step.after and not step.each:
            decode(terms["input"], step.input_type)  # another version may take something else
    run = RunId(new_id())
    row = {**terms, "id": run, "origin": run, "retry_of": None, "replay_of": earlier["id"]}
    return run if await store.insert_run(transaction, row, step_rows(pipeline)) is not None else None


async def read_earlier(transaction: TenantTransaction, run: UUID) -> Row:
    """The run to be repeated, with its terms."""
    row = await rerun_store.read_terms(transaction, run)
    if row is None:
        raise run_not_found(run)
    return row


def _taken_over(pipeline: Pipeline, states: Mapping[str, Row]) -> set[str]:
    """Steps that need not run again: succeeded, not undone, and after nothing that runs again."""
    taken: set[str] = set()
    for step in pipeline.steps:
        state = states.get(step.name)
        if not state or state["status"] != "succeeded" or state["is_undone"] or not set(step.after) <= taken:
            continue
        # Another version may run it for each item of a list where this one did not, or the other way round.
        if (state["items"] is not None) == (step.each is not None):
            taken.add(step.name)
    return taken


def _divide(
    pipeline: Pipeline, states: Mapping[str, Row], taken: Collection[str], run: RunId
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of steps that are taken over, as a whole or for a part of their items, and of those that are not."""
    kept: list[dict[str, object]] = []
    fresh: list[dict[str, object]] = []
    for position, (step, row) in enumerate(zip(pipeline.steps, declared_rows(pipeline), strict=True)):
        row["position"] = position
        state = states.get(step.name)
        is_next = set(step.after) <= set(taken)
        if step.name in taken:
            kept.append({**row, "is_resumed": False})
        elif state and step.each and is_next and state["items"] is not None and not state["is_undone"]:
            kept.append({**row, "is_resumed": True})
        else:
            origin = run if state and state["is_undone"] else state["origin"] if state else None
            fresh.append({**row, "status": "ready" if is_next else "waiting", "origin": origin})
    return kept, fresh
