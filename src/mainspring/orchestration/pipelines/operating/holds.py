"""Holds: a pipeline, one of its steps or a whole tenant stands still until somebody lets go.

A pause starts nothing that waits and still takes runs in; a drain finishes what is queued and refuses new runs, of a
step's whole pipeline when it is on one. What runs is finished in both. A hold says why and by whom, and a claim
honours it from the commit on.
"""

import re

from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import Conflict, InvalidInput, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id

from . import holds_store
from .letters import check_reason
from .types import HOLD_PREFIX, Hold, HoldId, HoldKind

MAX_HOLDS = 500
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}")


class Holds:
    """What is held. A tenant of None is the operator's: its holds bind everybody, and it sees all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(
        self, tenant: TenantId | None, kind: HoldKind, held: tuple[str | None, str | None], *, reason: str, by: str
    ) -> Hold:
        """Hold `held`, a pipeline and a step of it, either None for all; repeating it answers the hold that is there.

        raises   InvalidInput without a reason, for a step without a pipeline, for names that no pipeline can have
        """
        pipeline, step = held
        _check_names(pipeline, step)
        said = check_reason(reason)
        terms = (pipeline, step, kind.value)
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            if await holds_store.count_holds(transaction, tenant) >= MAX_HOLDS:
                raise Conflict(f"There are {MAX_HOLDS} holds; release some, or hold a whole pipeline.")
            row = await holds_store.add_hold(transaction, new_id(), tenant=tenant, held=terms, reason=said, by=by)
        return read_hold(row)

    async def list(self, tenant: TenantId | None) -> tuple[Hold, ...]:
        """What the tenant holds, or for the operator what anybody holds; the newest first, at most 1,000."""
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            return tuple(map(read_hold, await holds_store.list_holds(transaction, tenant)))

    async def release(self, tenant: TenantId | None, hold: HoldId) -> Hold:
        """Let go; NotFound for one that is gone already, another tenant's or the operator's."""
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            row = await holds_store.release(transaction, hold)
        if row is None:
            raise NotFound(f"There is no {HOLD_PREFIX}_... with the id {show_id(HOLD_PREFIX, hold)!r}.")
        return read_hold(row)


def read_hold(row: Row) -> Hold:
    """A hold from its row."""
    return Hold(
        id=HoldId(row["id"]),
        kind=HoldKind(row["kind"]),
        tenant=TenantId(row["tenant_id"]) if row["tenant_id"] else None,
        pipeline=row["pipeline"],
        step=row["step"],
        reason=row["reason"],
        held_by=row["held_by"],
        held_at=row["held_at"],
    )


def _check_names(pipeline: str | None, step: str | None) -> None:
    if step is not None and pipeline is None:
        raise InvalidInput(f"To hold the step {step[:63]!r}, name its pipeline too.")
    for what, name in (("pipeline", pipeline), ("step", step)):
        if name is not None and (len(name) > 100 or not _NAME.fullmatch(name)):
            raise InvalidInput(f"No {what} can have the name {name[:100]!r}; GET /v1/pipelines lists them.")
