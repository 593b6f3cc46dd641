"""The services of operating put together: what the routes, the command line and the worker's loops work with."""

from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.orchestration.pipelines.privacy import Privacy
from mainspring.orchestration.pipelines.service import Pipelines

from .bulk import Bulk
from .declared import Declared
from .holds import Holds
from .lanes import Lanes
from .letters import DeadLetters
from .runs import RunDesk
from .schedules import Schedules
from .veil import Veil


@dataclass(frozen=True, slots=True)
class Operating:
    """Every service of the room."""

    database: Database
    pipelines: Pipelines
    declared: Declared
    runs: RunDesk
    letters: DeadLetters
    bulk: Bulk
    holds: Holds
    lanes: Lanes
    schedules: Schedules
    veil: Veil


def build_operating(
    database: Database, pipelines: Pipelines, declared: Declared, *, privacy: Privacy | None = None
) -> Operating:
    """The services on one database.

    declared  every pipeline that workers of this installation run, and which of them callers may start
    privacy   knows which subjects are closed to whom; None: nothing is
    """
    pipelines.know(declared.pipelines)
    runs = RunDesk(database, pipelines, declared)
    return Operating(
        database=database,
        pipelines=pipelines,
        declared=declared,
        runs=runs,
        letters=DeadLetters(database, runs),
        bulk=Bulk(database, pipelines, runs, privacy=privacy),
        holds=Holds(database),
        lanes=Lanes(database),
        schedules=Schedules(database, declared),
        veil=Veil(privacy),
    )
