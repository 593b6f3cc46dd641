"""Dead letters, bulk actions and holds as the HTTP API shows and takes them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from mainspring.foundation.ids import show_id
from mainspring.orchestration.pipelines.schemas import ErrorShape
from mainspring.orchestration.pipelines.types import RunStatus

from .schemas import (
    Asked,
    Instant,
    Name,
    PayloadShape,
    Reason,
    Version,
    error_shape,
    fields_of,
    payload_shape,
    run_id,
)
from .types import (
    BULK_PREFIX,
    HOLD_PREFIX,
    LETTER_PREFIX,
    BulkAction,
    BulkKind,
    Hold,
    HoldKind,
    Letter,
    LetterGroup,
    LetterState,
)


class LetterShape(BaseModel):
    """A dead letter: a step, or with `item` one item of a fan-out, that failed for good."""

    id: str = Field(examples=["dead_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    run: str
    subject: str | None
    pipeline: str
    version: int
    step: str
    item: int | None
    error: ErrorShape
    fingerprint: str
    failed_at: Instant
    state: LetterState
    reason: str | None
    decided_by: str | None
    decided_at: Instant | None
    replayed_as: str | None


class LetterDetailShape(LetterShape):
    """A dead letter with what its step was given and where it failed."""

    input: PayloadShape | None
    trace: str | None


class LetterPage(BaseModel):
    """One page of dead letters, newest first."""

    items: list[LetterShape]
    next_cursor: str | None


class LetterGroupShape(BaseModel):
    """Open dead letters of one cause; `example` is the newest of them."""

    fingerprint: str
    pipeline: str
    step: str
    error_code: str
    count: int
    first_at: Instant
    last_at: Instant
    example: LetterShape


class LetterGroupList(BaseModel):
    """Causes, the most frequent first."""

    items: list[LetterGroupShape]


class LettersAsked(Asked):
    """Which open dead letters; with nothing said, all of them. `fingerprint` names a group."""

    pipeline: Name | None = None
    version: Version | None = None
    step: Name | None = None
    error_code: Name | None = None
    fingerprint: Name | None = None
    run: str | None = None


class DiscardManyAsked(LettersAsked):
    """Which open dead letters, and why nothing will be done about them."""

    reason: Reason


class DiscardAsked(Asked):
    """Why nothing will be done about it."""

    reason: Reason


class CancelManyAsked(Asked):
    """Which unfinished runs; `all` must be true when nothing else is said."""

    status: RunStatus | None = None
    pipeline: Name | None = None
    version: Version | None = None
    step: Name | None = None
    subject: Name | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    parent: str | None = None
    all: bool = False
    reason: Reason | None = None


class BulkShape(BaseModel):
    """One decision about many, as far as it has come; ask again until `state` is `finished`."""

    id: str = Field(examples=["bulk_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    kind: BulkKind
    state: str
    done: int
    skipped: int
    asked_by: str
    asked_at: Instant
    finished_at: Instant | None
    reason: str | None
    last_problem: str | None


class BulkPage(BaseModel):
    """One page of bulk actions, newest first."""

    items: list[BulkShape]
    next_cursor: str | None


class HoldAsked(Asked):
    """Hold a pipeline, one step of it, or with neither everything of the tenant."""

    kind: HoldKind = HoldKind.PAUSE
    pipeline: Name | None = None
    step: Name | None = None
    reason: Reason


class HoldShape(BaseModel):
    """What is held, why and by whom."""

    id: str = Field(examples=["hold_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    kind: HoldKind
    pipeline: str | None
    step: str | None
    reason: str
    held_by: str
    held_at: Instant


class HoldList(BaseModel):
    """What is held, the newest first."""

    items: list[HoldShape]


def letter_shape(letter: Letter) -> LetterShape:
    """A dead letter of a list for the wire."""
    return LetterShape(**_letter_facts(letter))


def letter_detail_shape(letter: Letter) -> LetterDetailShape:
    """A dead letter with its content for the wire."""
    return LetterDetailShape(**_letter_facts(letter), input=payload_shape(letter.input), trace=letter.trace)


def letter_group_shape(group: LetterGroup) -> LetterGroupShape:
    """A cause for the wire."""
    return LetterGroupShape(
        fingerprint=group.fingerprint,
        pipeline=group.pipeline,
        step=group.step,
        error_code=group.error_code,
        count=group.count,
        first_at=group.first_at,
        last_at=group.last_at,
        example=letter_shape(group.example),
    )


def bulk_shape(bulk: BulkAction) -> BulkShape:
    """A bulk action for the wire."""
    return BulkShape(
        id=show_id(BULK_PREFIX, bulk.id),
        kind=bulk.kind,
        state=bulk.state,
        done=bulk.done,
        skipped=bulk.skipped,
        asked_by=bulk.asked_by,
        asked_at=bulk.asked_at,
        finished_at=bulk.finished_at,
        reason=bulk.reason,
        last_problem=bulk.last_problem,
    )


def hold_shape(hold: Hold) -> HoldShape:
    """A hold for the wire."""
    return HoldShape(
        id=show_id(HOLD_PREFIX, hold.id),
        kind=hold.kind,
        pipeline=hold.pipeline,
        step=hold.step,
        reason=hold.reason,
        held_by=hold.held_by,
        held_at=hold.held_at,
    )


def _letter_facts(letter: Letter) -> dict[str, Any]:
    kept = {name: value for name, value in fields_of(letter).items() if name not in ("tenant", "input", "trace")}
    return {
        **kept,
        "id": show_id(LETTER_PREFIX, letter.id),
        "run": run_id(letter.run),
        "replayed_as": run_id(letter.replayed_as),
        "error": error_shape(letter.error),
    }
