"""Durable pipelines: declared steps, run by workers that may die at any instant, watched live."""

from .errors import Abandon, IdempotencyKeyReused, PayloadRefused, PipelineInvalid, Retry, RunNotCancellable
from .events import RunFinished
from .live import LiveEvents
from .pipeline import Pipeline
from .schemas import RunShape, run_shape
from .service import Pipelines
from .types import (
    ROUTINE,
    RUN_PREFIX,
    EventId,
    EventType,
    Failure,
    FindingAdded,
    Run,
    RunEvent,
    RunId,
    RunStatus,
    Step,
    StepRun,
    StepStatus,
    Urgency,
)
from .worker import Worker

__all__ = [
    "ROUTINE",
    "RUN_PREFIX",
    "Abandon",
    "EventId",
    "EventType",
    "Failure",
    "FindingAdded",
    "IdempotencyKeyReused",
    "LiveEvents",
    "PayloadRefused",
    "Pipeline",
    "PipelineInvalid",
    "Pipelines",
    "Retry",
    "Run",
    "RunEvent",
    "RunFinished",
    "RunId",
    "RunNotCancellable",
    "RunShape",
    "RunStatus",
    "Step",
    "StepRun",
    "StepStatus",
    "Urgency",
    "Worker",
    "run_shape",
]
