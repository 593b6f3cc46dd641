"""Trying again: only what has released nothing yet, only what may pass, only while there is time.

A provider's Retry-After is honoured in full; when it would outlast the deadline, the failure is
raised at once instead of waiting in vain. Once a piece of the reply was released, a failure is a
broken stream: the caller has half an answer and must decide.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from mainspring.inference.messages import Delta, Finished, Started, UsageUpdate

from .errors import ModelError, StreamBroken, TimedOut
from .types import RetryPolicy

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one call may be tried.

    deadline     on the event loop's clock, for the first token of the last attempt
    on_attempt   told the number of each attempt before it is made
    """

    policy: RetryPolicy
    deadline: float
    on_attempt: Callable[[int], None]
    jitter: Callable[[], float] = random.random

    async def wait_after(self, failure: ModelError, attempt: int) -> None:
        """Sleep before the next attempt, or raise `failure` when there must be none."""
        if not failure.retryable or attempt >= self.policy.attempts:
            raise failure
        longest = self.policy.longest_wait.total_seconds()
        wait = min(longest, self.policy.first_wait.total_seconds() * 2 ** (attempt - 1)) * (0.5 + self.jitter() / 2)
        wait = max(wait, failure.retry_after_seconds or 0.0)
        if asyncio.get_running_loop().time() + wait >= self.deadline:
            raise failure
        await asyncio.sleep(wait)

    async def before_deadline(self, awaitable: Awaitable[Result]) -> Result:
        """Wait no longer than the deadline; TimedOut then."""
        try:
            async with asyncio.timeout_at(self.deadline):
                return await awaitable
        except TimeoutError:
            raise TimedOut(
                "The model gave no answer before the call's deadline; try again or allow more time."
            ) from None


async def try_call(call: Callable[[], Awaitable[Result]], patience: Patience) -> Result:
    """The result of the first attempt that succeeds."""
    attempt = 0
    while True:
        attempt += 1
        patience.on_attempt(attempt)
        try:
            return await patience.before_deadline(call())
        except ModelError as failure:
            await patience.wait_after(failure, attempt)


async def try_stream(open_stream: Callable[[], AsyncGenerator[Delta]], patience: Patience) -> AsyncGenerator[Delta]:
    """The deltas of the first attempt whose reply begins; from then on there is no second attempt."""
    attempt, is_released = 0, False
    while True:
        attempt += 1
        patience.on_attempt(attempt)
        try:
            async with aclosing(open_stream()) as deltas:
                opening = await patience.before_deadline(_opening(deltas))
                is_released = True
                for delta in opening:
                    yield delta
                async for delta in deltas:
                    yield delta
            return
        except ModelError as failure:
            if is_released:
                raise _broken(failure) from failure
            await patience.wait_after(failure, attempt)


async def _opening(deltas: AsyncGenerator[Delta]) -> list[Delta]:
    """Everything up to the first piece of the reply, which is held back until there is one."""
    opening: list[Delta] = []
    async for delta in deltas:
        opening.append(delta)
        if isinstance(delta, Finished) or not isinstance(delta, Started | UsageUpdate):
            break
    return opening


def _broken(failure: ModelError) -> ModelError:
    if isinstance(failure, StreamBroken) or not failure.retryable:
        return failure
    detail = "The model's reply broke off before its end; what came is incomplete. Ask again."
    return StreamBroken(detail, vendor_text=failure.vendor_text or failure.detail)
