"""The work of the fleet: five steps, two of which do something outside that must be done once.

What is outside is a service in the director's process. It is asked with the step's idempotency key, as a bank or a mail
service would be, and counts how often it was asked and under which keys.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import APIRouter, Header
from pydantic import BaseModel

from mainspring import Brought, CurrentPrincipal, Pipeline, Pipelines, Product, RunShape, Services, StepRun, run_shape
from mainspring.foundation.errors import Unavailable

PIPELINE = "chaos.order"
EFFECTS = ("charge", "ship")
STEPS = ("open", "charge", "ship", "check", "close")


@dataclass(frozen=True, slots=True)
class Order:
    number: int


@dataclass(frozen=True, slots=True)
class Done:
    number: int
    by: str


@dataclass(frozen=True, slots=True)
class Both:
    charge: Done
    ship: Done


class OrderIn(BaseModel):
    """What the submitters send."""

    number: int


def build_pipeline(version: int) -> Pipeline:
    """open -> charge and ship -> check -> close; version 2 is what is deployed in the middle."""
    pipeline, outside = Pipeline(PIPELINE, version=version), httpx.AsyncClient(timeout=10)
    url = os.environ.get("CHAOS_OUTSIDE_URL", "")

    async def work(number: int, run: StepRun) -> Done:
        await run.delta("progress", f"{run.step} ")
        await asyncio.sleep(0.02)
        await run.say(f"{run.step} of order {number}")
        return Done(number, f"v{version}")

    async def effect(number: int, run: StepRun) -> Done:
        try:
            answer = await outside.post(url, params={"key": run.idempotency_key, "run": str(run.run_id)})
            answer.raise_for_status()
        except httpx.HTTPError as failure:
            raise Unavailable(f"The outside service failed ({type(failure).__name__}).") from failure
        return await work(number, run)

    @pipeline.step("open", title="Open")
    async def open_order(order: Order, run: StepRun) -> Done:
        return await work(order.number, run)

    @pipeline.step("charge", title="Charge", after=("open",), retries=20)
    async def charge(opened: Done, run: StepRun) -> Done:
        return await effect(opened.number, run)

    @pipeline.step("ship", title="Ship", after=("open",), retries=20)
    async def ship(opened: Done, run: StepRun) -> Done:
        return await effect(opened.number, run)

    @pipeline.step("check", title="Check", after=("charge", "ship"))
    async def check(both: Both, run: StepRun) -> Done:
        return await work(both.charge.number, run)

    @pipeline.step("close", title="Close", after=("check",))
    async def close(checked: Done, run: StepRun) -> Done:
        return await work(checked.number, run)

    return pipeline


def make_product(newest: int) -> Product:
    """The product as deployed at some time: all versions up to `newest`, which new runs take."""
    versions = tuple(build_pipeline(version) for version in range(1, newest + 1))

    def build(services: Services) -> Brought:
        return Brought(pipelines=versions, routers=(_build_router(services.pipelines, versions[-1]),))

    return Product("chaos", title="Chaos", build=build)


def _build_router(pipelines: Pipelines, pipeline: Pipeline) -> APIRouter:
    router = APIRouter(prefix="/v1/chaos")

    @router.post("", status_code=202)
    async def submit(principal: CurrentPrincipal, body: OrderIn, idempotency_key: Annotated[str, Header()]) -> RunShape:
        """Begin an order."""
        principal.require("ai.analysis.trigger")
        run = await pipelines.submit(principal.tenant, pipeline, Order(body.number), idempotency_key=idempotency_key)
        return run_shape(run)

    return router
