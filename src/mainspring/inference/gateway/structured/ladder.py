"""From a reply that does not fit to one that does, by steps that cost more and more.

First a repair turn: the model sees its reply and the violations. Then models that are better at
it, each asked afresh. Then a clear error that carries the best attempt. A reply that was cut off
at its limit of tokens is not sent to repair, which would be cut off again; one that the model
refused, or that calls tools, is no misfit and is handed on as it is.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mainspring.inference.gateway.errors import InvalidOutput, ModelError
from mainspring.inference.messages import (
    Completion,
    Delta,
    Finished,
    FinishReason,
    InferenceRequest,
    TextDelta,
    ToolCallDelta,
    assistant,
    user,
)

from .check import Fit, Misfit, check
from .compiled import SCHEMAS, CompiledSchema, Schema
from .watch import Watcher

Ask = Callable[[InferenceRequest], Awaitable[Completion]]


class Outcome(StrEnum):
    """How a call for structured output ended, for its record."""

    VALID = "valid"
    REPAIRED = "repaired"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reply and its fault; None when it fits. Each attempt was paid for."""

    completion: Completion
    misfit: Misfit | None

    @property
    def outcome(self) -> Outcome:
        """Of this reply alone: what the rates per model are made of."""
        return Outcome.INVALID if self.misfit else Outcome.VALID


@dataclass(frozen=True, slots=True)
class StructuredReply:
    """A reply that fits, its value, and every attempt in order.

    outcome   None when there was nothing to check: a refusal or tool calls
    """

    completion: Completion
    value: Any
    outcome: Outcome | None
    attempts: tuple[Attempt, ...]


class UnfitReply(InvalidOutput):
    """No reply fits the schema; `best_attempt` is the text of the nearest, `places` where it is wrong."""

    def __init__(self, detail: str, attempts: Sequence[Attempt] = (), *, best_attempt: str = "") -> None:
        super().__init__(detail, vendor_text=best_attempt)
        self.attempts = tuple(attempts)
        self.best_attempt = best_attempt


async def obtain(
    request: InferenceRequest, ask: Ask, *, better: Sequence[Ask] = (), first: Completion | None = None
) -> StructuredReply:
    """A reply that fits `request.response_format`, after one repair turn and `better` models if need be.

    first    the reply, when it is there already
    raises   InvalidRequest before anything is asked when the schema cannot be used; UnfitReply at the
             end of the ladder; what `ask` raises on the first call. Later failures end only their step.
    """
    assert request.response_format is not None, "a schema must be asked for"
    compiled = SCHEMAS.compile(request.response_format.schema)
    completion = first or await ask(request)
    attempts: list[Attempt] = []
    if (reply := _judge(compiled, completion, attempts)) is not None:
        return reply
    if completion.finish_reason is not FinishReason.LENGTH:
        misfit = attempts[-1].misfit
        assert misfit is not None, "a reply that fits has been returned"
        if (reply := await _try(compiled, ask, repair_turn(request, completion, misfit), attempts)) is not None:
            return reply
    for ask_better in better:
        if (reply := await _try(compiled, ask_better, request, attempts)) is not None:
            return reply
    raise unfit(attempts)


def repair_turn(request: InferenceRequest, reply: Completion, misfit: Misfit) -> InferenceRequest:
    """The request again, with the reply that did not fit and its violations."""
    violations = "\n".join(f"- {line}" for line in misfit.lines)
    ask = (
        f"Your reply does not fit the JSON schema:\n{violations}\n"
        "Reply again with one JSON value that fits the schema and nothing else."
    )
    return replace(request, messages=(*request.messages, assistant(reply.text or "(nothing)"), user(ask)))


def unfit(attempts: Sequence[Attempt]) -> UnfitReply:
    """The error after the last step. The best attempt is JSON before not, then has the fewest violations."""
    best = min(attempts, key=lambda attempt: _distance(attempt.misfit))
    misfit = best.misfit
    assert misfit is not None, "a reply that fits is no error"
    is_cut = best.completion.finish_reason is FinishReason.LENGTH
    cut = " It was cut off at the limit of tokens; raise it." if is_cut else ""
    tries = f"after {len(attempts)} attempts " if len(attempts) > 1 else ""
    error = UnfitReply(
        f"The model's reply {tries}does not fit the JSON schema: {'; '.join(misfit.lines)}.{cut}",
        attempts,
        best_attempt=best.completion.text,
    )
    error.places = tuple((violation.pointer, violation.problem) for violation in misfit.violations)
    return error


async def watch(
    deltas: AsyncGenerator[Delta], schema: Schema | CompiledSchema, *, early: bool = True
) -> AsyncGenerator[Delta]:
    """The deltas as they come, while the text can still fit `schema`; a refusal or tool calls pass.

    early    stop at the first piece after which it cannot; else only the whole text is checked
    raises   UnfitReply with what had come, instead of the delta that made it so, or of `Finished`
    """
    watcher = Watcher(schema)
    is_exempt = False
    async for delta in deltas:
        if isinstance(delta, TextDelta):
            alarm = watcher.feed(delta.text)
            if alarm and early and not is_exempt:
                raise _broken_off(watcher, alarm)
        elif isinstance(delta, ToolCallDelta):
            is_exempt = True
        elif isinstance(delta, Finished) and not is_exempt and not _is_refusal(delta.reason):
            verdict = watcher.finish()
            if isinstance(verdict, Misfit):
                raise _broken_off(watcher, verdict)
        yield delta


async def _try(
    compiled: CompiledSchema, ask: Ask, request: InferenceRequest, attempts: list[Attempt]
) -> StructuredReply | None:
    try:
        completion = await ask(request)
    except ModelError:
        return None
    return _judge(compiled, completion, attempts)


def _judge(compiled: CompiledSchema, completion: Completion, attempts: list[Attempt]) -> StructuredReply | None:
    if _is_refusal(completion.finish_reason) or completion.tool_calls:
        return StructuredReply(completion, None, None, (*attempts, Attempt(completion, None)))
    verdict = check(compiled, completion.text)
    attempts.append(Attempt(completion, verdict if isinstance(verdict, Misfit) else None))
    if isinstance(verdict, Fit):
        outcome = Outcome.REPAIRED if len(attempts) > 1 else Outcome.VALID
        return StructuredReply(completion, verdict.value, outcome, tuple(attempts))
    return None


def _is_refusal(reason: FinishReason | None) -> bool:
    return reason in (FinishReason.REFUSED, FinishReason.FILTERED)


def _distance(misfit: Misfit | None) -> tuple[bool, int]:
    return (False, 0) if misfit is None else (not misfit.is_json, misfit.count)


def _broken_off(watcher: Watcher, misfit: Misfit) -> UnfitReply:
    error = UnfitReply(
        f"The model's reply does not fit the JSON schema: {'; '.join(misfit.lines)}.", best_attempt=watcher.text
    )
    error.places = tuple((violation.pointer, violation.problem) for violation in misfit.violations)
    return error
