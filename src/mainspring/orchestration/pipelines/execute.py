"""One attempt of one step: from the claimed row to an outcome.

    returned                        succeeded
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

from mainspring.foundation.db import DatabaseGone, Row
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import ValkeyGone

from .backoff import retry_delay
from .codec import assemble, encode
from .errors import Abandon, Retry
from .outcomes import Lease, Outcome, failed, retried, succeeded
from .pipeline import StepDefinition
from .step_run import LiveStepRun
from .types import Failure, RunId

MAX_TRACE = 16_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased step with what it needs to run.

    submitted, earlier  JSON of the run's input, and of the outputs of the steps it follows by name
    failures            attempts that raised before this one
    """

    lease: Lease
    definition: StepDefinition
    seq: int
    failures: int
    submitted: str
    earlier: str | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an exception means for the step."""

    failure: Failure
    is_retryable: bool
    delay: float | None = None
    at_least: float = 0.0


def read_claim(row: Row, definition: StepDefinition) -> Claim:
    """A claim from a row of `claiming.claim_steps`."""
    lease = Lease(
        TenantId(row["tenant_id"]), RunId(row["run_id"]), row["name"], row["map_key"], row["token"], row["attempt"]
    )
    return Claim(lease, definition, row["seq"], row["failures"], row["input"], row["earlier"])


async def execute(claim: Claim, run: LiveStepRun, chance: random.Random) -> Outcome:
    """Run the step's function once and say what became of it."""
    definition = claim.definition
    limit = asyncio.timeout(definition.timeout.total_seconds())
    try:
        given = assemble(definition, claim.submitted, claim.earlier)
        async with limit:
            output = await definition.function(given, run)
        text = encode(output, f"The output of step {definition.name!r}")
        return succeeded(claim.lease, text, run.last_said or definition.title)
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        detail = f"{definition.title}: something it waited for was cancelled."
        verdict, trace = _Verdict(Failure("internal_error", detail), is_retryable=True), _trace(error)
    except Exception as error:  # noqa: BLE001 - the edge of a task: whatever a step raises becomes its outcome
        verdict = _judge(error, definition, has_timed_out=limit.expired())
        trace = _trace(error)
    if not verdict.is_retryable or claim.failures >= definition.retries:
        return failed(claim.lease, verdict.failure, trace=trace, given=_dead_letter(claim))
    delay = verdict.delay
    if delay is None:
        delay = retry_delay(claim.failures, chance, at_least=verdict.at_least)
    return retried(claim.lease, verdict.failure, delay=delay, trace=trace)


def _judge(error: Exception, definition: StepDefinition, *, has_timed_out: bool) -> _Verdict:
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


def _dead_letter(claim: Claim) -> str:
    return f'{{"submitted": {claim.submitted}, "earlier": {claim.earlier or "{}"}}}'
