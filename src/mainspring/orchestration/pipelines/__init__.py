"""Durable pipelines: declared steps, run by workers that may die at any instant, watched live."""

from .errors import (
    Abandon,
    CostCeilingReached,
    IdempotencyKeyReused,
    PayloadRefused,
    PipelineInvalid,
    Retry,
    RunEnded,
    RunNotCancellable,
    RunUnfinished,
)
from .events import RunFinished
from .flow import Elapsed, Gathered, ItemFailure, Undo, Wait
from .live import LiveEvents
from .pipeline import Pipeline
from .schemas import RunShape, run_shape
from .service import Pipelines
from .signals import Told
from .types import (
    ROUTINE,
    RUN_PREFIX,
    EventId,
    EventType,
    Failure,
    FindingAdded,
    Items,
    ProcessPool,
    Run,
    RunEvent,
    RunId,
    RunStatus,
    Step,
    StepRun,
    StepStatus,
    Urgency,
)
from .waits import for_run, for_signal, for_time
from .worker import Worker

__all__ = [
    "ROUTINE",
    "RUN_PREFIX",
    "Abandon",
    "CostCeilingReached",
    "Elapsed",
    "EventId",
    "EventType",
    "Failure",
    "FindingAdded",
    "Gathered",
    "IdempotencyKeyReused",
    "ItemFailure",
    "Items",
    "LiveEvents",
    "PayloadRefused",
    "Pipeline",
    "PipelineInvalid",
    "Pipelines",
    "ProcessPool",
    "Retry",
    "Run",
    "RunEnded",
    "RunEvent",
    "RunFinished",
    "RunId",
    "RunNotCancellable",
    "RunShape",
    "RunStatus",
    "RunUnfinished",
    "Step",
    "StepRun",
    "StepStatus",
    "Told",
    "Undo",
    "Urgency",
    "Wait",
    "Worker",
    "for_run",
    "for_signal",
    "for_time",
    "run_shape",
]
