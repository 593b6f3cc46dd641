"""Durable pipelines: declared steps, run by workers that may die at any instant, watched live."""

from .backlog import LanePace, Pace, Share, TenantLane, count_lanes, find_share, read_pace, set_share
from .errors import (
    Abandon,
    BacklogFull,
    CostCeilingReached,
    IdempotencyKeyReused,
    PayloadRefused,
    PipelineDraining,
    PipelineInvalid,
    Retry,
    RunEnded,
    RunNotCancellable,
    RunUnfinished,
    StepCrashed,
)
from .events import RunFinished
from .flow import Elapsed, Gathered, ItemFailure, Undo, Wait
from .live import LiveEvents
from .pipeline import Pipeline
from .pools import PooledRun
from .privacy import JoinedPrivacy, Privacy
from .schemas import RunShape, run_shape
from .service import Pipelines, callers_key
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
    "BacklogFull",
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
    "JoinedPrivacy",
    "LanePace",
    "LiveEvents",
    "Pace",
    "PayloadRefused",
    "Pipeline",
    "PipelineDraining",
    "PipelineInvalid",
    "Pipelines",
    "PooledRun",
    "Privacy",
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
    "Share",
    "Step",
    "StepCrashed",
    "StepRun",
    "StepStatus",
    "TenantLane",
    "Told",
    "Undo",
    "Urgency",
    "Wait",
    "Worker",
    "callers_key",
    "count_lanes",
    "find_share",
    "for_run",
    "for_signal",
    "for_time",
    "read_pace",
    "run_shape",
    "set_share",
]
