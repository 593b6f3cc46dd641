"""HTTP: find runs, look into their steps, retry, replay and signal them; pipelines and starting them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, status

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.schemas import RunShape, run_shape
from mainspring.orchestration.pipelines.types import RUN_PREFIX, Run, RunId, RunStatus, StepStatus

from .operating import Operating
from .schemas import (
    PipelineList,
    ReplayAsked,
    RetryAsked,
    RunLinePage,
    SignalAsked,
    StartAsked,
    StepDetailShape,
    StepLinePage,
    encode_given,
    pipeline_shape,
    run_line_shape,
    step_detail_shape,
    step_line_shape,
)
from .types import RunFilter

READ = "ai.output.view"
OPERATE = "run.operate"
MAX_INTEGER = 2**31 - 1

Text = Annotated[str | None, Query(max_length=200)]
Number = Annotated[int | None, Query(ge=0, le=MAX_INTEGER)]
Key = Annotated[str | None, Header(max_length=200, description="The same key and work again answers the first run.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller wants to see, as it came."""

    status: Annotated[RunStatus | None, Query()] = None
    pipeline: Text = None
    version: Number = None
    step: Annotated[str | None, Query(max_length=200, description="Runs that stand at this step, or failed at it.")] = (
        None
    )
    error_code: Text = None
    subject: Text = None
    created_after: Annotated[datetime | None, Query()] = None
    created_before: Annotated[datetime | None, Query()] = None
    parent: Text = None

    def read(self) -> RunFilter:
        """The filter; NotFound for a parent that is no run's id."""
        return RunFilter(
            status=self.status,
            pipeline=self.pipeline,
            version=self.version,
            step=self.step,
            error_code=self.error_code,
            subject=self.subject,
            created_after=self.created_after,
            created_before=self.created_before,
            parent=read_run_id(self.parent) if self.parent else None,
        )


def add_runs(router: APIRouter, operating: Operating) -> None:
    """Runs and what they did."""

    @router.get("/runs")
    async def find_runs(
        principal: CurrentPrincipal, paging: Paging, asked: Annotated[_Asked, Depends()]
    ) -> RunLinePage:
        """The tenant's runs that match, newest first.

        Of what is closed to the caller they tell how they ended, without details.
        """
        principal.require(READ)
        page = await operating.runs.list(principal.tenant, paging, asked.read())
        shown = await operating.veil.cover_runs(principal, page.items)
        return RunLinePage(items=[run_line_shape(line) for line in shown], next_cursor=page.next_cursor)

    @router.get("/runs/{run}/steps")
    async def list_steps(
        principal: CurrentPrincipal, run: str, paging: Paging, step: Text = None, status: StepStatus | None = None
    ) -> StepLinePage:
        """The run's steps in order; with `step`, the items that this step fanned out over."""
        principal.require(READ)
        found = await operating.pipelines.get_run(principal.tenant, read_run_id(run))
        page = await operating.runs.list_steps(principal.tenant, found.id, paging, step=step, status=status)
        shown = await operating.veil.cover_steps(principal, found.subject, page.items)
        return StepLinePage(items=[step_line_shape(line) for line in shown], next_cursor=page.next_cursor)

    @router.get("/runs/{run}/steps/{step}")
    async def get_step(principal: CurrentPrincipal, run: str, step: str, item: Number = None) -> StepDetailShape:
        """One step, or with `item` one item of its fan-out, with input, output and trace up to 256 KiB each.

        Of a run about what is closed to the caller, neither input nor output nor trace is there.
        """
        principal.require(READ)
        detail = await operating.runs.get_step(principal.tenant, read_run_id(run), step, item=item)
        return step_detail_shape(await operating.veil.cover_step(principal, detail))


def add_run_actions(router: APIRouter, operating: Operating) -> None:
    """What can be done about one run."""

    @router.post("/runs/{run}/retry", status_code=status.HTTP_202_ACCEPTED)
    async def retry_run(principal: CurrentPrincipal, run: str, body: RetryAsked | None = None) -> RunShape:
        """Go on from where the run failed or was cancelled, in a new run; what is finished is not run again.

        Asked twice, it answers the same new run. 409 while the run goes on, or when it has succeeded.
        """
        found = await _may_operate(operating, principal, run)
        return run_shape(await operating.runs.retry(principal, found.id, version=body.version if body else None))

    @router.post("/runs/{run}/replay", status_code=status.HTTP_202_ACCEPTED)
    async def replay_run(
        principal: CurrentPrincipal, run: str, body: ReplayAsked | None = None, idempotency_key: Key = None
    ) -> RunShape:
        """Run it again from the beginning, in a new run: with its input or another, in its version or another.

        Another input is taken for pipelines that callers may start (403 for others), and must fit (422).
        """
        found = await _may_operate(operating, principal, run)
        asked = body or ReplayAsked()
        given = encode_given(asked.input) if "input" in asked.model_fields_set else None
        replayed = await operating.runs.replay(
            principal, found.id, given=given, version=asked.version, idempotency_key=idempotency_key
        )
        return run_shape(replayed)

    @router.post("/runs/{run}/signal/{name}", status_code=status.HTTP_202_ACCEPTED)
    async def signal_run(principal: CurrentPrincipal, run: str, name: str, body: SignalAsked | None = None) -> RunShape:
        """Tell the run what a step of it waits for, or will; the same `key` tells it once. 409 when it has ended."""
        found = await _may_operate(operating, principal, run)
        asked = body or SignalAsked()
        return run_shape(await operating.runs.signal(principal, found.id, name, asked.payload, key=asked.key or "api"))


def add_pipelines(router: APIRouter, operating: Operating) -> None:
    """What there is to run, and starting it."""

    @router.get("/pipelines")
    async def list_pipelines(principal: CurrentPrincipal) -> PipelineList:
        """Every version of every pipeline with its steps and the JSON Schemas of what they take and give."""
        principal.require(READ)
        return PipelineList(items=[pipeline_shape(each) for each in await operating.runs.list_pipelines()])

    @router.post("/pipelines/{name}/runs", status_code=status.HTTP_202_ACCEPTED)
    async def start_run(
        principal: CurrentPrincipal, name: str, body: StartAsked, idempotency_key: Key = None
    ) -> RunShape:
        """Start a pipeline; it is durable when this answers. 422 names what does not fit its input type.

        403 for pipelines that only the platform starts; `can_start` of the list tells which.
        """
        principal.require(OPERATE)
        run = await operating.runs.start(
            principal, name, encode_given(body.input), version=body.version, idempotency_key=idempotency_key
        )
        return run_shape(run)


def read_run_id(text: str) -> RunId:
    """The run of a public id; NotFound for anything else."""
    return RunId(read_id(RUN_PREFIX, text))


async def _may_operate(operating: Operating, principal: Principal, run: str) -> Run:
    """The run, when the caller may do something about it."""
    principal.require(OPERATE)
    found = await operating.pipelines.get_run(principal.tenant, read_run_id(run))
    await operating.veil.refuse(principal, found.subject)
    return found
