"""HTTP for who operates: runs and their steps, pipelines, dead letters, bulk actions, holds and schedules."""

from fastapi import APIRouter

from .decision_routes import add_bulk, add_holds, add_letters
from .lane_routes import add_lanes
from .metrics_routes import build_metrics_router
from .operating import Operating
from .run_routes import add_pipelines, add_run_actions, add_runs
from .schedule_routes import add_schedules

__all__ = ["build_metrics_router", "build_router"]


def build_router(operating: Operating) -> APIRouter:
    """Every route of the room but the metrics. Include it before the router of runs, whose list it replaces."""
    router = APIRouter(prefix="/v1", tags=["operating"])
    add_runs(router, operating)
    add_run_actions(router, operating)
    add_pipelines(router, operating)
    add_letters(router, operating)
    add_bulk(router, operating)
    add_holds(router, operating)
    add_lanes(router, operating)
    add_schedules(router, operating)
    return router
