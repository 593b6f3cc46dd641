"""What a step raises to steer the engine, and what the room refuses.

Retry, Abandon            control flow of a step, never shown to a caller
PipelineInvalid           500 pipeline_invalid: a declaration that cannot work, found at start-up
IdempotencyKeyReused      409 idempotency_key_reused
RunNotCancellable         409 run_finished
RunUnfinished             409 run_unfinished: only what has ended can be repeated
RunEnded                  409 run_finished: nothing can reach the run any more
CostCeilingReached        402 cost_ceiling_reached: the run may spend no more
StepCrashed               500 step_crashed: its process ended or was out of memory; the attempt is repeated
PipelineDraining          409 pipeline_draining: takes no new runs
BacklogFull               429 backlog_full: with retry_after
PayloadRefused            422 payload_refused: not storable, or over the limit
"""

from datetime import timedelta

from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, RateLimited


class Retry(Exception):
    """Raised by a step that wants to be run again `after` a while; counts against its retries.

    reason   safe to show to the tenant: says what is being waited for
    """

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Abandon(Exception):
    """Raised by a step that cannot succeed, however often it is run: the run fails at once.

    code     stable and snake_case, shown as `error.code` of the run
    reason   safe to show to the tenant: names the value, the limit and the next step
    """

    def __init__(self, reason: str, *, code: str = "abandoned") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class PipelineInvalid(MainspringError):
    """A pipeline is declared in a way that cannot run; raised where it is declared."""

    code = "pipeline_invalid"


class IdempotencyKeyReused(Conflict):
    """The key was used before, for another pipeline or another input."""

    code = "idempotency_key_reused"


class RunEnded(Conflict):
    """The run has ended, or is being undone: nothing can reach it any more."""

    code = "run_finished"


class RunNotCancellable(RunEnded):
    """The run has ended in another way already."""


class RunUnfinished(Conflict):
    """The run goes on by itself; only one that has failed or was cancelled can be retried."""

    code = "run_unfinished"


class CostCeilingReached(MainspringError):
    """The run spent more than its ceiling, or than that of a run that waits for it. It fails with this."""

    code = "cost_ceiling_reached"
    status = 402


class PayloadRefused(InvalidInput):
    """An input or output cannot be stored: too large, or not JSON that Postgres takes."""

    code = "payload_refused"


class PipelineDraining(Conflict):
    """The pipeline, or the tenant, takes no new runs until it is released."""

    code = "pipeline_draining"


class BacklogFull(RateLimited):
    """The tenant has too many steps waiting already."""

    code = "backlog_full"


class StepCrashed(MainspringError):
    """The process in which a step ran has ended, or took more memory than it may."""

    code = "step_crashed"
    retryable = True
