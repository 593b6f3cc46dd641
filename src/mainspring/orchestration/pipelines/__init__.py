"""Durable pipelines: declared steps, run by workers that may die at any instant, watched live."""

from .errors import Abandon, IdempotencyKeyReused, PayloadRefused, PipelineInvalid, Retry, RunNotCancellable
from .events import FindingAdded, RunFinished
from .pipeline import Pipeline
from .types import (
    ROUTINE,
    RUN_PREFIX,
    EventId,
    EventType,
    Failure,
    Run,
    RunEvent,
    RunId,
    RunStatus,
    Step,
    StepRun,
    StepStatus,
    Urgency,
)

__all__ = [
    "ROUTINE",
    "RUN_PREFIX",
    "Abandon",
    "EventId",
    "EventType",
    "Failure",
    "FindingAdded",
    "IdempotencyKeyReused",
    "PayloadRefused",
    "Pipeline",
    "PipelineInvalid",
    "Retry",
    "Run",
    "RunEvent",
    "RunFinished",
    "RunId",
    "RunNotCancellable",
    "RunStatus",
    "Step",
    "StepRun",
    "StepStatus",
    "Urgency",
]
