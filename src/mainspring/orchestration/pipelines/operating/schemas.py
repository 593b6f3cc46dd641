"""Runs, steps and pipelines as the HTTP API of operating shows and takes them."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, StringConstraints

from mainspring.foundation.ids import show_id
from mainspring.orchestration.pipelines.schemas import ErrorShape, RunShape, run_shape
from mainspring.orchestration.pipelines.types import RUN_PREFIX, Failure, Run, RunId, StepStatus
from mainspring.orchestration.pipelines.wire import show_instant

from .lanes import OwnLane
from .runs import find_standing
from .types import (
    MAX_REASON,
    Payload,
    PipelineShape,
    StepDetail,
    StepLine,
)

Instant = Annotated[datetime, PlainSerializer(show_instant, return_type=str)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Asked(BaseModel):
    """What a caller sends: a field that nobody knows is a mistake, and is said to be."""

    model_config = ConfigDict(extra="forbid")


class RunLineShape(RunShape):
    """A run in a list; `at_steps` are those it stands at now or failed at. Items of fan-outs are at /steps."""

    at_steps: list[str]


class RunLinePage(BaseModel):
    """One page of runs, newest first."""

    items: list[RunLineShape]
    next_cursor: str | None


class LaneShape(BaseModel):
    """What the tenant has in a lane. `oldest_seconds` is how long the first ready step has waited."""

    lane: str = Field(examples=["shop.order@1/pack"])
    pipeline: str
    version: int
    step: str
    ready: int
    running: int
    oldest_seconds: float | None
    is_paused: bool
    is_draining: bool


class LaneList(BaseModel):
    """Lanes in which something is ready or runs, by name."""

    items: list[LaneShape]


class StepLineShape(BaseModel):
    """A step, or with `item` one item of a fan-out. `awaited` and `wake_at` are of a suspended one."""

    name: str
    title: str
    role: str
    item: int | None
    status: StepStatus
    attempt: int
    failures: int
    losses: int
    lane: str
    after: list[str]
    started_at: Instant | None
    finished_at: Instant | None
    due_at: Instant | None
    wake_at: Instant | None
    awaited: str | None
    error: ErrorShape | None


class StepLinePage(BaseModel):
    """One page of a run's steps in order, or of one step's items."""

    items: list[StepLineShape]
    next_cursor: str | None


class PayloadShape(BaseModel):
    """Stored JSON: its `value`, or when it is over the limit the beginning of its `text`. `size` is of the whole."""

    value: JsonValue = None
    text: str | None = None
    size: int
    is_cut: bool


class StepDetailShape(StepLineShape):
    """A step with what went in and came out. `trace` is of its last failure."""

    input: PayloadShape | None
    output: PayloadShape | None
    trace: str | None


class StartAsked(Asked):
    """The input is JSON of the pipeline's input type; `version` None is the newest."""

    input: JsonValue
    version: Version | None = None


class RetryAsked(Asked):
    """Absent `version`: the run's own."""

    version: Version | None = None


class ReplayAsked(Asked):
    """Absent `input`: the run's own. Absent `version`: the run's own."""

    input: JsonValue = None
    version: Version | None = None


class SignalAsked(Asked):
    """What the waiting step is told; `key` makes that happen once."""

    payload: JsonValue = None
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class PipelineStepShape(BaseModel):
    """A step as it is declared; `title` None: no process here knows it, its workers do."""

    name: str
    title: str | None
    after: list[str]
    input_schema: JsonValue
    output_schema: JsonValue


class PipelineVersionShape(BaseModel):
    """One version of a pipeline; `can_start` says whether callers may start it with an input of their own."""

    name: str
    version: int
    registered_at: Instant | None
    can_start: bool
    input_schema: JsonValue
    steps: list[PipelineStepShape]


class PipelineList(BaseModel):
    """Every version of every pipeline, by name, the newest first."""

    items: list[PipelineVersionShape]


def run_line_shape(run: Run) -> RunLineShape:
    """A run of a list for the wire."""
    return RunLineShape(**run_shape(run).model_dump(), at_steps=list(find_standing(run)))


def step_line_shape(step: StepLine) -> StepLineShape:
    """A step of a list for the wire."""
    return StepLineShape(**_step_facts(step))


def step_detail_shape(detail: StepDetail) -> StepDetailShape:
    """A step with its content for the wire."""
    return StepDetailShape(
        **_step_facts(detail.line),
        input=payload_shape(detail.input),
        output=payload_shape(detail.output),
        trace=detail.trace,
    )


def pipeline_shape(pipeline: PipelineShape) -> PipelineVersionShape:
    """A pipeline's version for the wire."""
    steps = [
        PipelineStepShape(
            name=step.name,
            title=step.title,
            after=list(step.after),
            input_schema=read_json(step.input_schema),
            output_schema=read_json(step.output_schema),
        )
        for step in pipeline.steps
    ]
    return PipelineVersionShape(
        name=pipeline.name,
        version=pipeline.version,
        registered_at=pipeline.registered_at,
        can_start=pipeline.can_start,
        input_schema=read_json(pipeline.input_schema),
        steps=steps,
    )


def payload_shape(payload: Payload | None) -> PayloadShape | None:
    """Stored JSON for the wire: as a value when it is whole."""
    if payload is None:
        return None
    if payload.is_cut:
        return PayloadShape(text=payload.text, size=payload.size, is_cut=True)
    return PayloadShape(value=read_json(payload.text), size=payload.size, is_cut=False)


def encode_given(value: JsonValue) -> bytes:
    """What a caller sent as JSON, as it came."""
    return json.dumps(value).encode()


def _step_facts(step: StepLine) -> dict[str, Any]:
    return {**fields_of(step), "error": error_shape(step.error), "after": list(step.after)}


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass by name."""
    return {name: getattr(value, name) for name in value.__slots__}


def error_shape(error: Failure | None) -> ErrorShape | None:
    """A failure for the wire."""
    return ErrorShape(code=error.code, detail=error.detail) if error else None


def run_id(run: RunId | None) -> str | None:
    """A run's public id."""
    return show_id(RUN_PREFIX, run) if run else None


def read_json(text: str | None) -> Any:
    """The value behind stored JSON."""
    return None if text is None else msgspec.json.decode(text)


def lane_shape(lane: OwnLane) -> LaneShape:
    """A lane for the wire."""
    return LaneShape(**asdict(lane))
