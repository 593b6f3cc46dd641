"""What there is to run: versions that workers registered, joined with what is declared in this process."""

from collections.abc import Sequence

import msgspec

from mainspring.foundation.db import Row
from mainspring.orchestration.pipelines.pipeline import Pipeline

from .declared import Declared
from .types import PipelineShape, StepShape


def list_shapes(rows: Sequence[Row], declared: Declared) -> tuple[PipelineShape, ...]:
    """Every version by name, the newest first; `rows` are those of `runs_store.list_versions`."""
    registered = {(row["name"], row["version"]): row for row in rows}
    here = {(pipeline.name, pipeline.version): pipeline for pipeline in declared.pipelines}
    named = sorted(registered.keys() | here.keys(), key=lambda known: (known[0], -known[1]))
    return tuple(_shape(name, version, registered.get((name, version)), declared) for name, version in named)


def _shape(name: str, version: int, row: Row | None, declared: Declared) -> PipelineShape:
    pipeline = declared.find(name, version)
    schemas = {step["step"]: step for step in row["steps"]} if row else {}
    steps = _declared_steps(pipeline, schemas) if pipeline else _registered_steps(schemas)
    return PipelineShape(
        name=name,
        version=version,
        registered_at=row["registered_at"] if row else None,
        can_start=pipeline is not None and declared.can_start(name),
        input_schema=next((step.input_schema for step in steps if pipeline and not step.after), None),
        steps=steps,
    )


def _declared_steps(pipeline: Pipeline, schemas: dict[str, Row]) -> tuple[StepShape, ...]:
    return tuple(
        StepShape(
            name=step.name,
            title=step.title,
            after=step.after,
            input_schema=_schema(step.input_type, schemas.get(step.name, {}).get("input_schema")),
            output_schema=_schema(step.output_type, schemas.get(step.name, {}).get("output_schema")),
        )
        for step in pipeline.steps
    )


def _registered_steps(schemas: dict[str, Row]) -> tuple[StepShape, ...]:
    """Of a version that only workers know: the order of its steps is theirs."""
    return tuple(
        StepShape(name, None, (), _text(step["input_schema"]), _text(step["output_schema"]))
        for name, step in schemas.items()
    )


def _schema(kind: object, registered: object) -> str | None:
    if registered is not None:
        return _text(registered)
    try:
        return _text(msgspec.json.schema(kind))
    except (TypeError, ValueError, RuntimeError):  # a type without a JSON form, such as an open generic
        return None


def _text(schema: object) -> str:
    return msgspec.json.encode(schema).decode()
