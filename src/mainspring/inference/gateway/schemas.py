"""The wire shape of an inference record."""

from datetime import datetime

from pydantic import BaseModel

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page

from .records import PREFIX
from .types import InferenceRecord


class RecordView(BaseModel):
    """One model call: what was asked of which model for what, how it ended, what it used."""

    id: str
    at: datetime
    run: str | None
    step: str | None
    feature: str | None
    operation: str
    model_asked: str
    model_served: str | None
    provider: str
    status: str
    finish_reason: str | None
    error_code: str | None
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    latency_ms: int | None
    ttft_ms: int | None
    stream: bool


class RecordPage(BaseModel):
    """Records, newest first."""

    items: list[RecordView]
    next_cursor: str | None


def show_records(page: Page[InferenceRecord]) -> RecordPage:
    """A page as the API shows it."""
    return RecordPage(items=[_show(record) for record in page.items], next_cursor=page.next_cursor)


def _show(record: InferenceRecord) -> RecordView:
    return RecordView(
        id=show_id(PREFIX, record.id),
        at=record.at,
        run=show_id("run", record.run_id) if record.run_id else None,
        step=record.step,
        feature=record.feature,
        operation=record.operation,
        model_asked=record.model_asked,
        model_served=record.model_served,
        provider=record.provider,
        status=record.status,
        finish_reason=record.finish_reason,
        error_code=record.error_code,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cost_micros=record.cost_micros,
        latency_ms=record.latency_ms,
        ttft_ms=record.ttft_ms,
        stream=record.stream,
    )
