"""Trying: which deployment next, how long to wait, when to stop.

Candidates are tried in the router's order, each moved on from at once; only when all have failed is
there a wait, and then the round begins anew while attempts, retry budget and deadline last. While
there are others to turn to, one that says nothing may use up half of the time that is left, no more.
Nothing here has released a piece of the reply: once that has happened, nobody tries again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from mainspring.inference.gateway.errors import (
    ContextTooLong,
    InvalidOutput,
    ModelError,
    Overloaded,
    TimedOut,
    Unauthorized,
)
from mainspring.inference.gateway.flight import Flight
from mainspring.inference.gateway.models.types import Deployment
from mainspring.inference.gateway.routing.measurements import Measurements
from mainspring.inference.gateway.types import RetryPolicy

from .breakers import Breakers, RetryBudget

Result = TypeVar("Result")
Try = Callable[[Deployment], Awaitable[Result]]
Drop = Callable[[Result], None]
"""Gives up a result that came too late to be used."""


@dataclass(slots=True)
class Attempts:
    """The way from candidates to one result."""

    breakers: Breakers
    measurements: Measurements
    policy: RetryPolicy
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random
    _budgets: dict[UUID, RetryBudget] = field(default_factory=dict[UUID, RetryBudget])

    async def first(self, flight: Flight, attempt: Try[Result], drop: Drop[Result]) -> Result:
        """The result of the first attempt that succeeds; raises the last ModelError."""
        budget = self._budget(flight)
        budget.count_call()
        ends_by = flight.deadline
        try:
            return await self._rounds(flight, attempt, drop, budget)
        except ContextTooLong as failure:
            flight.deadline = ends_by
            if not flight.larger:
                raise
            return await self._larger(flight, failure, attempt, drop)
        finally:
            flight.deadline = ends_by

    async def _rounds(self, flight: Flight, attempt: Try[Result], drop: Drop[Result], budget: RetryBudget) -> Result:
        """Round after round; `flight.deadline` is that of the attempt under way."""
        ends_by, share = flight.deadline, flight.policy.retry_share
        left, wait = self.policy.attempts + len(flight.candidates) - 1, 0
        while True:
            failure: ModelError | None = None
            waiting = self._open(flight)
            while waiting:
                tried = waiting.pop(0)
                if failure is not None:
                    if not self.breakers.may_try(_circuit(flight, tried)):
                        continue  # it failed others meanwhile
                    if self.clock() >= ends_by or not budget.may_retry(share):
                        raise failure
                left -= 1
                if waiting:
                    flight.deadline = (self.clock() + ends_by) / 2
                try:
                    if waiting and flight.policy.hedge_ms is not None:
                        return await self._hedged(flight, (tried, waiting), attempt, drop)
                    return await self._watched(flight, tried, attempt)
                except ModelError as failed:
                    failure = failed
                flight.deadline = ends_by
                if not _moves_on(failure, bool(waiting)) or left <= 0:
                    raise failure
            failure = failure or self._resting(flight)
            wait += 1
            await self._pause(flight, failure, wait, left)
            if not budget.may_retry(share):
                raise failure

    async def _larger(
        self, flight: Flight, failure: ContextTooLong, attempt: Try[Result], drop: Drop[Result]
    ) -> Result:
        """The provider found the call too long: larger models, once."""
        assert flight.larger is not None
        found = await flight.larger(flight)
        flight.larger = None
        if not found:
            raise failure
        flight.candidates = found
        flight.draft.route_reason = "larger"
        return await self.first(flight, attempt, drop)

    def _open(self, flight: Flight) -> list[Deployment]:
        """The candidates that may be tried now."""
        return [each for each in flight.candidates if self.breakers.may_try(_circuit(flight, each))]

    def _resting(self, flight: Flight) -> ModelError:
        rest = min(self.breakers.rests_for(_circuit(flight, each)) for each in flight.candidates)
        return Overloaded(
            "Every provider of this model failed a moment ago and is left alone for now; try again shortly.",
            retry_after_seconds=max(0.1, rest),
        )

    async def _watched(self, flight: Flight, deployment: Deployment, attempt: Try[Result]) -> Result:
        """One attempt, and what it says about its deployment."""
        breakers, name = self.breakers, _circuit(flight, deployment)
        breakers.tries(name)
        try:
            result = await attempt(deployment)
        except ModelError as failure:
            flight.failed(failure)
            if isinstance(failure, TimedOut) and flight.call.context.timeout is not None:
                breakers.left(name)  # the caller's own haste says nothing about the provider
            else:
                breakers.failed(name, failure)
            self.measurements.saw(deployment, None, ok=not failure.retryable)
            raise
        except BaseException:
            breakers.left(name)
            raise
        breakers.succeeded(name)
        return result

    async def _hedged(
        self, flight: Flight, who: tuple[Deployment, list[Deployment]], attempt: Try[Result], drop: Drop[Result]
    ) -> Result:
        """The first attempt, and after a while one of the others beside it: who answers first wins, and is recorded."""
        first, others = who
        tasks = [asyncio.ensure_future(self._watched(flight, first, attempt))]
        try:
            await asyncio.wait(tasks, timeout=(flight.policy.hedge_ms or 0) / 1000)
            if not tasks[0].done() and self.breakers.may_try(_circuit(flight, others[0])):
                tasks.append(asyncio.ensure_future(self._watched(flight, others.pop(0), attempt)))
            winner = await _fastest(tasks)
        except BaseException:
            _give_up(tasks, drop)
            raise
        _give_up([task for task in tasks if task is not winner], drop)
        if len(tasks) > 1 and winner is tasks[0]:
            _credit(flight, first)
        return winner.result()

    async def _pause(self, flight: Flight, failure: ModelError, wait: int, left: int) -> None:
        """Sleep before the next round, or raise `failure` when there must be none."""
        if left <= 0 or not failure.retryable:
            raise failure
        longest, first = self.policy.longest_wait.total_seconds(), self.policy.first_wait.total_seconds()
        seconds = min(longest, first * 2 ** (wait - 1)) * (0.5 + self.jitter() / 2)
        seconds = max(seconds, failure.retry_after_seconds or 0.0)
        if self.clock() + seconds >= flight.deadline:
            raise failure
        await asyncio.sleep(seconds)

    def _budget(self, flight: Flight) -> RetryBudget:
        tenant = flight.call.context.tenant
        budget = self._budgets.get(tenant)
        if budget is None:
            budget = self._budgets[tenant] = RetryBudget(self.clock)
        return budget


def _credit(flight: Flight, deployment: Deployment) -> None:
    """It was this one that answered, though another was asked after it."""
    flight.goes_to(deployment, own_key=flight.own_key(deployment) is not None)
    flight.draft.attempts -= 1


def _circuit(flight: Flight, deployment: Deployment) -> str:
    """Whose circuit it is: a tenant's own key has its own, since its limits say nothing about ours."""
    if flight.keys.provider_key(deployment.endpoint.provider) is None:
        return deployment.name
    return f"{deployment.name}@{flight.call.context.tenant}"


def _moves_on(failure: ModelError, has_others: bool) -> bool:
    """Whether another attempt may bring what this one did not."""
    return failure.retryable or (isinstance(failure, InvalidOutput | Unauthorized) and has_others)


async def _fastest(tasks: Sequence[asyncio.Future[Result]]) -> asyncio.Future[Result]:
    """The first attempt that succeeds; raises the last failure when none does."""
    pending = set(tasks)
    failure: BaseException | None = None
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            failure = task.exception()
            if failure is None:
                return task
    assert failure is not None
    raise failure


def _give_up(tasks: Sequence[asyncio.Future[Result]], drop: Drop[Result]) -> None:
    """Cancel attempts that are not needed, and drop what one of them may have brought all the same."""

    def let_go(task: asyncio.Future[Result]) -> None:
        if not task.cancelled() and task.exception() is None:
            drop(task.result())

    for task in tasks:
        task.cancel()
        task.add_done_callback(let_go)
