"""`GET /metrics` for Prometheus and `GET /metrics/autoscaling` for whoever starts workers, such as KEDA.

They tell of all tenants together, names and contents of none. With a token they ask for it as a bearer; without one
they answer this machine alone, and nobody whom a proxy brings.
"""

import asyncio
import secrets
import time
from ipaddress import ip_address
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, Unauthenticated
from mainspring.foundation.valkey import Valkey

from .exposition import CONTENT_TYPE, expose
from .figures import Figures, More, StepDemand, demands, read_figures

KEPT_SECONDS = 1.0
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class StepDemandShape(BaseModel):
    """How many workers a step asks for. `backlog` is ready to run, `oldest_seconds` how long the first has waited."""

    step: str
    desired_workers: int
    backlog: int
    running: int
    oldest_seconds: float


class Demand(BaseModel):
    """What every step asks for; `desired_workers` is of workers that run all steps."""

    desired_workers: int
    steps: list[StepDemandShape]


class _Watch:
    """Figures read at most once in KEPT_SECONDS, however many ask."""

    def __init__(self, database: Database, valkey: Valkey, more: More | None) -> None:
        self._database = database
        self._valkey = valkey
        self._more = more
        self._read_at = -KEPT_SECONDS
        self._figures: Figures | None = None
        self._lock = asyncio.Lock()

    async def look(self) -> Figures:
        async with self._lock:
            if self._figures is None or time.monotonic() - self._read_at >= KEPT_SECONDS:
                self._figures = await read_figures(self._database, self._valkey, more=self._more)
                self._read_at = time.monotonic()
            return self._figures


def build_metrics_router(
    database: Database, valkey: Valkey, *, token: str | None, places_per_worker: int, more: More | None = None
) -> APIRouter:
    """Both routes.

    token              what callers must send as a bearer; None: only this machine is answered
    places_per_worker  steps at once in one worker process
    more               what other rooms tell of themselves
    """
    watch = _Watch(database, valkey, more)

    async def admit(request: Request) -> None:
        _admit(request, token)

    router = APIRouter(tags=["operations"], dependencies=[Depends(admit)])

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def show_metrics() -> Response:
        """Backlog, ages, rates, dead letters and holds in Prometheus' text format, for the setting `metrics_token`."""
        return Response(expose(await watch.look()), media_type=CONTENT_TYPE)

    @router.get("/metrics/autoscaling")
    async def show_demand(
        step: Annotated[str | None, Query(max_length=100, description="This step alone, as an object.")] = None,
    ) -> Demand | StepDemandShape:
        """How many workers each step asks for; with `step`, `desired_workers` of that one at the top."""
        found = demands(await watch.look(), places_per_worker=places_per_worker)
        if step is not None:
            none = StepDemand(step=step, places=0.0, desired_workers=0, backlog=0, running=0, oldest_seconds=0.0)
            return _shape(next((each for each in found if each.step == step), none))
        together = ceil(sum(each.places for each in found) / places_per_worker)
        return Demand(desired_workers=together, steps=[_shape(each) for each in found])

    return router


def _shape(demand: StepDemand) -> StepDemandShape:
    return StepDemandShape(
        step=demand.step,
        desired_workers=demand.desired_workers,
        backlog=demand.backlog,
        running=demand.running,
        oldest_seconds=round(demand.oldest_seconds, 3),
    )


def _admit(request: Request, token: str | None) -> None:
    """Raise unless the caller may watch."""
    if token is None:
        if not _is_local(request):
            raise Forbidden("Set metrics_token and send it as a bearer; without it, only this machine is answered.")
        return
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(sent.strip().encode(), token.encode()):
        raise Unauthenticated("Send the setting metrics_token as `Authorization: Bearer ...`.")


def _is_local(request: Request) -> bool:
    """Whether it came from this machine, and not through a proxy on it."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
