"""Golden questions, and what is checked each day, as the HTTP API shows them."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from mainspring.foundation.ids import read_id, show_id
from mainspring.orchestration.knowledge.retrieval import Span
from mainspring.orchestration.knowledge.watching import (
    MOST_CHARACTERS,
    Alert,
    Check,
    CheckKind,
    CheckStatus,
    GoldenQuestion,
    NewGoldenQuestion,
)

from .shape import NO_NUL, Asked, Shape

_Offset = Annotated[int, Field(ge=0, le=2**31 - 1)]


class GoldenAsked(Asked):
    """A question, the document that answers it and, if you know it, the place of the answer in its text."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS, pattern=NO_NUL)]
    document: Annotated[str, Field(max_length=100, examples=["doc_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    start: _Offset | None = None
    end: _Offset | None = None

    @model_validator(mode="after")
    def _is_a_place(self) -> "GoldenAsked":
        if (self.start is None) != (self.end is None):
            raise ValueError("give both start and end, or neither")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("start must be less than end")
        return self


class GoldenShape(Shape):
    """A question whose answer you know; it is asked once a day, as a search asks it."""

    id: Annotated[str, Field(examples=["gold_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    question: str
    document: str
    revision: Annotated[int, Field(description="of the document when the place was given")]
    start: int | None
    end: int | None
    asked: Annotated[bool, Field(description="false once the document is gone")]
    exact: Annotated[bool, Field(description="whether the place counts, or any place of the document does")]
    last_rank: Annotated[int | None, Field(description="1 is first, 0 not among the first ten, null not asked yet")]
    created_by: str
    created_at: datetime


class GoldenList(Shape):
    """Every golden question, oldest first."""

    items: list[GoldenShape]


class MovedShape(Shape):
    """A figure that is not what it was."""

    figure: str
    value: float
    expected: Annotated[float, Field(description="the limit for canary, else what is usual")]


class AlertShape(Shape):
    """Something moved. Open until somebody acknowledges it or it is back to normal."""

    id: Annotated[str, Field(examples=["alert_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    kind: CheckKind
    subject: Annotated[str, Field(description="a model's name, an idx_..., or questions")]
    moved: list[MovedShape]
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None


class CheckShape(Shape):
    """What was measured on one day."""

    kind: CheckKind
    subject: str
    day: date
    status: CheckStatus
    figures: dict[str, float]


class ChecksShape(Shape):
    """The last hundred alerts, unresolved ones first; the checks of fourteen days, newest first."""

    alerts: list[AlertShape]
    checks: list[CheckShape]


def read_golden(asked: GoldenAsked) -> NewGoldenQuestion:
    """NotFound for a document's id that is none."""
    span = Span(asked.start, asked.end) if asked.start is not None and asked.end is not None else None
    return NewGoldenQuestion(asked.question, read_id("doc", asked.document), span)


def show_golden(golden: GoldenQuestion) -> GoldenShape:
    """A question for the wire."""
    return GoldenShape(
        id=show_id("gold", golden.id),
        question=golden.question,
        document=show_id("doc", golden.document_id),
        revision=golden.revision,
        start=golden.span.start if golden.span else None,
        end=golden.span.end if golden.span else None,
        asked=golden.current is not None,
        exact=golden.span is not None and golden.current == golden.revision,
        last_rank=golden.last_rank,
        created_by=golden.created_by,
        created_at=golden.created_at,
    )


def show_alert(alert: Alert) -> AlertShape:
    """An alert for the wire."""
    return AlertShape(
        id=show_id("alert", alert.id),
        kind=alert.subject.kind,
        subject=alert.subject.name,
        moved=[MovedShape.model_validate(each) for each in alert.moved],
        opened_at=alert.opened_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        resolved_at=alert.resolved_at,
    )


def show_check(check: Check) -> CheckShape:
    """A check for the wire."""
    return CheckShape(
        kind=check.subject.kind,
        subject=check.subject.name,
        day=check.day,
        status=check.status,
        figures=dict(check.figures),
    )
