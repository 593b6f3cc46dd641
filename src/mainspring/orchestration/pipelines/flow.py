"""What steps take and return beside plain values: gathered lists, waits, and what is to be undone.

async def assess(labels: Gathered[Label], run: StepRun) -> Assessed: ...       # after a fan-out
async def sign(draft: Draft, run: StepRun) -> Wait[Signed]: ...                # over now, done when it was signed
async def undo_draft(undo: Undo[Clause, Draft], run: StepRun) -> None: ...     # the run failed later
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from .types import Failure

Value = TypeVar("Value")
Given = TypeVar("Given")

MAX_ITEMS = 10_000
"""Upper bound of the items of one fan-out; put several things into one item beyond it."""


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """An item of a fan-out that failed for good. `index` counts from 0, in the order of the list."""

    index: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Gathered(Generic[Value]):
    """What a fan-out gave, once every item has ended.

    outputs   of the items that succeeded, in the order of the list
    failures  of the others, at most the step's tolerance
    total     length of the list
    """

    outputs: tuple[Value, ...]
    failures: tuple[ItemFailure, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Undo(Generic[Given, Value]):
    """What a compensation is told: the input its step had, and the output it gave."""

    input: Given
    output: Value


@dataclass(frozen=True, slots=True)
class Elapsed:
    """What a wait for time gives: the instant that was waited for."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Child:
    """A run that a step starts and waits for, ready to be inserted.

    input   the run's input as JSON
    steps   its steps as rows of JSON (see `plan.step_rows`)
    lanes   where its first steps will be ready
    yields  the type of its last step's output
    """

    pipeline: str
    version: int
    input: str
    steps: str
    lanes: frozenset[str]
    yields: Any
    subject: str | None
    cost_ceiling_micros: int | None


@dataclass(frozen=True, slots=True)
class Wait(Generic[Value]):
    """Returned by a step that is done only when something has happened; made by `for_time`, `for_signal`, `for_run`.

    The function is over with it and nothing is held meanwhile, for weeks if need be. What it waited for
    becomes the step's output, of type `Value`.

    awaited   `time`, `signal:<name>` or `run`
    until     when it stops waiting: an instant, or so long from now; None for never
    fallback  JSON of the output when it stops without; None: the step fails with `wait_expired`
    """

    awaited: str
    until: datetime | timedelta | None = None
    fallback: str | None = None
    child: Child | None = None

    def place(self, child: UUID | None) -> str:
        """What is awaited, as the step's row names it."""
        return f"run:{child}" if child else self.awaited
