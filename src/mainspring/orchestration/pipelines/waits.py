"""What a step may wait for once its function is over: an instant, a signal, or another run.

    return for_time(timedelta(days=14))
    return for_signal("signed", expires=timedelta(days=30))
    return for_run(review, Upload(...))

The wait is a row in Postgres: no worker, connection or lease is held by it, and it outlives every deploy.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET

from .codec import encode
from .errors import PipelineInvalid
from .flow import Child, Elapsed, Wait
from .pipeline import Pipeline
from .plan import first_lanes, step_rows

_SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,127}")


def for_time(until: datetime | timedelta) -> Wait[Elapsed]:
    """Until an instant, or for so long; one that has passed already is over at once."""
    if isinstance(until, datetime) and until.tzinfo is None:
        raise PipelineInvalid(f"for_time({until.isoformat()}) has no time zone; use aware datetimes")
    return Wait("time", until)


def for_signal(name: str, *, expires: timedelta | None = None, default: object = UNSET) -> Wait[Any]:
    """For the first signal of that name which the run receives, be it before or after the step began to wait.

    Its payload becomes the step's output. Several steps that wait for one name are answered by the same signal.

    expires  so long from now; None waits for ever
    default  the output when it expires; without one the step fails with `wait_expired`
    """
    if not is_signal_name(name):
        raise PipelineInvalid(
            f"signal name {name[:80]!r} must start with a letter and have at most 128 of the characters a-z 0-9 _ . : -"
        )
    return Wait(f"signal:{name}", expires, _fallback(default, name))


def for_run(
    pipeline: Pipeline,
    submitted: object,
    *,
    subject: str | None = None,
    expires: timedelta | None = None,
    default: object = UNSET,
) -> Wait[Any]:
    """For a run of another pipeline, which starts in the transaction that suspends the step.

    What its last declared step gave becomes the output. The run is the tenant's, by the same initiator, spends of the
    same ceiling, and is cancelled when this run ends otherwise or the wait expires. When it fails, so does the step,
    with its error.

    submitted  the input, at most 1 MiB as JSON
    subject    what it is about; None for what this run is about
    default    the output when it fails, is cancelled or expires
    """
    last = pipeline.get_step(pipeline.steps[-1].name) if pipeline.steps else None
    if last is None or last.each:
        raise PipelineInvalid(f"pipeline {pipeline.name} must end with a step that gives one output, not a fan-out")
    child = Child(
        pipeline=pipeline.name,
        version=pipeline.version,
        input=encode(submitted, f"The input of {pipeline.name}"),
        steps=step_rows(pipeline),
        lanes=first_lanes(pipeline),
        yields=last.output_type,
        subject=subject,
        cost_ceiling_micros=pipeline.cost_ceiling_micros,
    )
    return Wait("run", expires, _fallback(default, pipeline.name), child)


def is_signal_name(name: str) -> bool:
    """Whether it can be the name of a signal."""
    return _SIGNAL_NAME.fullmatch(name) is not None


def _fallback(default: object, what: str) -> str | None:
    return None if default is UNSET else encode(default, f"The default of {what}")
