"""One attempt of one step: from the claimed row to an outcome.

    returned                        succeeded; a `Wait`: suspended
    a list to be run for            fanned out
    Abandon, an error that no
    repetition mends                failed
    anything else                   retried with backoff and jitter, until the step's retries are used up

Cancellation of the task is not an outcome: it passes through, and the worker knows why it came.
"""

import asyncio
import random
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.valkey import ValkeyGone

from .backoff import retry_delay
from .codec import encode
from .errors import Abandon, PipelineInvalid, Retry
from .flow import Wait
from .inputs import Claim, find_items, read_input
from .kin import id_after
from .outcomes import Outcome, Suspension, failed, fanned_out, retried, succeeded, suspended
from .pipeline import StepDefinition
from .step_run import LiveStepRun
from .types import Failure

MAX_TRACE = 16_000


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an exception means for the step."""

    failure: Failure
    is_retryable: bool
    delay: float | None = None
    at_least: float = 0.0


async def execute(claim: Claim, run: LiveStepRun, chance: random.Random, database: Database) -> Outcome:
    """Run the step's function once and say what became of it."""
    definition = claim.definition
    limit = asyncio.timeout(definition.timeout.total_seconds())
    try:
        run.check_ceiling()
        if claim.is_fan_out:
            return fanned_out(claim.lease, await find_items(claim, database))
        given = await read_input(claim, database)
        async with limit:
            returned = await definition.function(given, run)
        return _accept(claim, run, returned)
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        detail = f"{definition.title}: something it waited for was cancelled."
        verdict, trace = _Verdict(Failure("internal_error", detail), is_retryable=True), _trace(error)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the edge of a task: whatever a step raises becomes its outcome
        # What is no `Exception` as well: SystemExit ends a worker, and native code that panics would be held for ever.
        verdict = _judge(error, definition, has_timed_out=limit.expired())
        trace = _trace(error)
    if not verdict.is_retryable or claim.failures >= definition.retries:
        return failed(claim.lease, verdict.failure, trace=trace, given=claim.given)
    delay = verdict.delay
    if delay is None:
        delay = retry_delay(claim.failures, chance, at_least=verdict.at_least)
    return retried(claim.lease, verdict.failure, delay=delay, trace=trace)


def _accept(claim: Claim, run: LiveStepRun, returned: object) -> Outcome:
    """The outcome of a function that has returned."""
    definition = claim.definition
    if not isinstance(returned, Wait):
        text = encode(returned, f"The output of step {definition.name!r}")
        return succeeded(claim.lease, text, run.last_said or definition.title)
    wait = cast("Wait[object]", returned)
    if not definition.can_wait:
        raise PipelineInvalid(f"step {definition.name!r} returned a Wait; declare that it returns Wait[Output]")
    if wait.child and wait.child.yields != definition.output_type:
        raise PipelineInvalid(
            f"step {definition.name!r} returns Wait[{definition.output_type}], but {wait.child.pipeline} gives "
            f"{wait.child.yields}"
        )
    child = id_after(claim.lease.run) if wait.child else None
    until = wait.until.total_seconds() if isinstance(wait.until, timedelta) else wait.until
    suspension = Suspension(wait.place(child), until, wait.fallback, wait.child, definition.output_type)
    return suspended(claim.lease, suspension, run.last_said or definition.title)


def _judge(error: BaseException, definition: StepDefinition, *, has_timed_out: bool) -> _Verdict:
    match error:
        case Abandon():
            return _Verdict(Failure(error.code, error.reason), is_retryable=False)
        case Retry():
            return _Verdict(Failure("retries_exhausted", error.reason), is_retryable=True, delay=_seconds(error.after))
        case TimeoutError() if has_timed_out:
            detail = f"{definition.title}: not done within {definition.timeout.total_seconds():g} s."
            return _Verdict(Failure("step_timed_out", detail), is_retryable=True)
        case MainspringError():
            return _Verdict(
                Failure(error.code, error.detail),
                is_retryable=error.retryable,
                at_least=error.retry_after_seconds or 0.0,
            )
        case _ if isinstance(error, (*DatabaseGone, *ValkeyGone)):
            detail = f"{definition.title}: an engine was away ({type(error).__name__})."
            return _Verdict(Failure("engine_away", detail), is_retryable=True)
        case _:
            detail = f"{definition.title}: failed unexpectedly ({type(error).__name__})."
            return _Verdict(Failure("internal_error", detail), is_retryable=True)


def _seconds(after: timedelta | None) -> float | None:
    return None if after is None else max(0.0, after.total_seconds())


def _trace(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))[-MAX_TRACE:]
    return text.replace("\0", "").encode("utf-8", "replace").decode()
