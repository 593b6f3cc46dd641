"""Rows of runs as frozen values, and back."""

from typing import Any, cast

import msgspec

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.types import (
    AgentRun,
    AgentRunId,
    AgentRunStatus,
    AssistantId,
    Durability,
    Json,
    Multitask,
    OnCompletion,
    RunOrder,
    StreamChoice,
    StreamMode,
    ThreadId,
)
from mainspring.orchestration.pipelines.types import Failure, RunId


def read_run(row: Row) -> AgentRun:
    """A run from a row of `store.find_run`."""
    return AgentRun(
        id=AgentRunId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        thread=ThreadId(row["thread_id"]),
        assistant=AssistantId(row["assistant_id"]),
        graph=row["graph"],
        status=AgentRunStatus(row["status"]),
        order=_read_order(row),
        ordinal=row["ordinal"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        is_stateless=bool(row["is_stateless"]),
        pipeline_run=RunId(row["pipeline_run"]) if row["pipeline_run"] else None,
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None,
        cancel_reason=row["cancel_reason"],
    )


def _read_order(row: Row) -> RunOrder:
    return RunOrder(
        assistant=AssistantId(row["assistant_id"]),
        thread=ThreadId(row["thread_id"]),
        input=row["input"],
        command=row["command"],
        checkpoint=row["checkpoint"],
        config=row["config"],
        context=row["context"],
        metadata=row["metadata"],
        stream=StreamChoice(tuple(StreamMode(mode) for mode in row["stream_modes"]), row["stream_subgraphs"]),
        interrupt_before=tuple(row["interrupt_before"]),
        interrupt_after=tuple(row["interrupt_after"]),
        multitask=Multitask(row["multitask"]),
        durability=Durability(row["durability"]),
        on_completion=OnCompletion(row["on_completion"]),
        webhook=row["webhook"],
        key=row["key"],
        kwargs=row["kwargs"],
    )


def as_json(value: object) -> str:
    """JSON text for a column; NUL, which Postgres cannot keep, is dropped."""
    text = msgspec.json.encode(value).decode()
    return msgspec.json.encode(_without_nul(msgspec.json.decode(text))).decode() if "\\u0000" in text else text


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(each) for each in cast("list[Any]", value)]
        case dict():
            return {_without_nul(key): _without_nul(each) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def maybe_json(value: Json) -> str | None:
    """As `as_json`; None stays None, which is SQL's null."""
    return None if value is None else as_json(value)


def read_caller(value: object) -> Principal:
    """The principal that submitted a run, as it was then."""
    return msgspec.convert(value, Principal, strict=False)
