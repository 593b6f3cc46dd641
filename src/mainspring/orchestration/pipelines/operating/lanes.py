"""`Lanes`: what one tenant has waiting and running, lane by lane, and what holds it; of others nothing is counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId

from . import figures_store, holds_store
from .types import HoldKind


@dataclass(frozen=True, slots=True)
class OwnLane:
    """A tenant's part of a lane, `pipeline@version/step`.

    oldest_seconds  how long the first step that is ready has waited; None when none is
    is_paused       nothing of it is started, by the tenant's own hold or the operator's
    is_draining     its pipeline takes no new runs
    """

    lane: str
    pipeline: str
    version: int
    step: str
    ready: int
    running: int
    oldest_seconds: float | None
    is_paused: bool
    is_draining: bool


class Lanes:
    """The lanes in which a tenant has something."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, tenant: TenantId) -> tuple[OwnLane, ...]:
        """Those with steps that are ready or run, by name."""
        async with self._database.tenant(tenant) as transaction:
            rows = await figures_store.count_own_lanes(transaction)
        async with self._database.system() as transaction:  # the operator's holds bind the tenant as well
            holds = await holds_store.list_binding(transaction, tenant)
        return tuple(_lane(row, holds) for row in rows)


def split_lane(lane: str) -> tuple[str, int, str]:
    """Pipeline, version and step of a lane."""
    pipeline, _, rest = lane.partition("@")
    version, _, step = rest.partition("/")
    return pipeline, int(version) if version.isdigit() else 0, step


def _lane(row: Row, holds: Sequence[Row]) -> OwnLane:
    pipeline, version, step = split_lane(row["lane"])
    kinds = {
        each["kind"]
        for each in holds
        # A drain of a step keeps runs of its whole pipeline out.
        if each["pipeline"] in {None, pipeline} and (each["step"] in {None, step} or each["kind"] == HoldKind.DRAIN)
    }
    return OwnLane(
        lane=row["lane"],
        pipeline=pipeline,
        version=version,
        step=step,
        ready=row["ready"],
        running=row["running"],
        oldest_seconds=None if row["seconds"] is None else max(0.0, row["seconds"]),
        is_paused=HoldKind.PAUSE in kinds,
        is_draining=HoldKind.DRAIN in kinds,
    )
