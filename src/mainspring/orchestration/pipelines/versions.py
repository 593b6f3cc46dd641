"""What each version of a pipeline takes and returns, written once, by the first worker that holds it.

Runs outlive deploys: a run that was submitted to version 1 reads, weeks later, what version 1 stored. So a worker
whose version 1 has other types than the one before refuses to start, instead of failing such runs one by one.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from mainspring.foundation.db import Database, Row

from . import versions_store
from .errors import PipelineInvalid
from .pipeline import Pipeline, StepDefinition


async def register(database: Database, pipelines: Sequence[Pipeline]) -> None:
    """Keep the types of every step; PipelineInvalid when a version is known with others.

    raises   one of `DatabaseGone`; repeating it changes nothing
    """
    rows = [_row(pipeline, step) for pipeline in pipelines for step in pipeline.steps]
    if not rows:
        return
    async with database.system() as transaction:
        known = await versions_store.keep_versions(transaction, msgspec.json.encode(rows).decode())
    fresh = {(row["name"], row["version"], row["step"]): row["fingerprint"] for row in rows}
    for row in known:
        if row["fingerprint"] != fresh[row["name"], row["version"], row["step"]]:
            raise PipelineInvalid(
                f"Step {row['step']!r} of {row['name']} has other types than version {row['version']} had on "
                f"{row['registered_at']:%Y-%m-%d}, and runs of it may be waiting. Raise the version."
            )


def _row(pipeline: Pipeline, step: StepDefinition) -> Row:
    given, gives = _schema(step.input_type), _schema(step.gives)
    return {
        "name": pipeline.name,
        "version": pipeline.version,
        "step": step.name,
        "input_schema": given,
        "output_schema": gives,
        "fingerprint": hashlib.sha256(msgspec.json.encode([given, gives], order="sorted")).hexdigest(),
    }


def _schema(kind: Any) -> dict[str, Any]:
    """JSON Schema of a type; of one that cannot be described, its name."""
    try:
        return msgspec.json.schema(kind)
    except TypeError:
        return {"title": getattr(kind, "__qualname__", str(kind))}
