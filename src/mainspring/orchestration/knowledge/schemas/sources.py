"""Sources as the HTTP API shows them. A secret goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from pydantic import Field, JsonValue, SecretStr

from mainspring.foundation.ids import show_id
from mainspring.orchestration.knowledge.sources.types import (
    MAX_NAME,
    MAX_PAGES,
    MAX_URLS,
    MIN_EVERY_SECONDS,
    NewSource,
    Source,
    SourceConfig,
    SourceUpdate,
)
from mainspring.orchestration.pipelines import RUN_PREFIX, Run, RunShape, run_shape

from .shape import Asked, DocumentType, FailureReason, Readers, Shape

MAX_SECRET = 4_000
_Url = Annotated[str, Field(max_length=2_000)]
_Every = Annotated[int | None, Field(ge=MIN_EVERY_SECONDS, le=31 * 86_400, description="null: on demand only")]
_Secret = Annotated[
    SecretStr | None,
    Field(max_length=MAX_SECRET, description="sealed and never shown; of a URL, its Authorization header"),
]


class PushSource(Asked):
    """Others bring the documents, by PUT below the source."""

    kind: Literal["push"]


class UrlSource(Asked):
    """Pages of the web."""

    kind: Literal["url"]
    urls: list[_Url] = Field(max_length=MAX_URLS, default_factory=list[str])
    sitemap: Annotated[_Url | None, Field(description="its pages of the same host")] = None
    follows_links: Annotated[bool, Field(description="also pages of the same host that they link to")] = False
    max_pages: Annotated[int, Field(ge=1, le=MAX_PAGES)] = 200


class PrefixSource(Asked):
    """Objects of an object store."""

    kind: Literal["prefix"]
    url: Annotated[_Url | None, Field(description="null: inbox/<name>/ of the tenant's own area")] = None


class ConnectorSource(Asked):
    """What an installed connector reads."""

    kind: Literal["connector"]
    connector: Annotated[str, Field(max_length=60)]
    options: dict[str, JsonValue] = Field(max_length=100, default_factory=dict[str, JsonValue])


ConfigShape = Annotated[PushSource | UrlSource | PrefixSource | ConnectorSource, Field(discriminator="kind")]


class CreateSource(Asked):
    """A source to set up."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, examples=["handbook"])]
    config: ConfigShape
    secret: _Secret = None
    document_type: Annotated[DocumentType | None, Field(description="null: told from each document")] = None
    readers: Annotated[Readers | None, Field(description="of its documents; null: everybody in the tenant")] = None
    every_seconds: _Every = None


class ChangeSource(Asked):
    """What to change; absent fields stay as they are."""

    config: ConfigShape | None = None
    secret: Annotated[
        _Secret, Field(description='"" forgets the stored one; give it again for other hosts or options')
    ] = None
    document_type: DocumentType | None = None
    readers: Readers | None = None
    every_seconds: _Every = None
    is_paused: bool = False


class SourceShape(Shape):
    """A source as it stands."""

    name: str
    kind: Annotated[str, Field(description="push, url, prefix or connector:<name>")]
    config: ConfigShape
    has_secret: bool
    is_paused: bool
    document_type: str | None
    readers: list[str] | None
    every_seconds: int | None
    due_at: Annotated[datetime | None, Field(description="when it is synchronised next")]
    synced_at: Annotated[datetime | None, Field(description="when a synchronisation last went through")]
    error: Annotated[FailureReason | None, Field(description="what was wrong the last time")]
    run: str | None
    stream_url: str | None
    created_by: str
    created_at: datetime


class SourceRun(Shape):
    """What was started: follow `stream_url` for live events, or poll the run."""

    run: RunShape
    stream_url: str


class SourceList(Shape):
    """The tenant's sources, by name."""

    items: list[SourceShape]


def read_source(asked: CreateSource) -> NewSource:
    """The source that a request sets up."""
    return NewSource(
        name=asked.name,
        config=_config(asked.config),
        secret=asked.secret.get_secret_value() if asked.secret else None,
        document_type=asked.document_type,
        readers=None if asked.readers is None else tuple(asked.readers),
        every_seconds=asked.every_seconds,
    )


def read_change(asked: ChangeSource, source: Source) -> SourceUpdate:
    """The source with what a request names put in place."""
    named = asked.model_fields_set
    readers = None if asked.readers is None else tuple(asked.readers)
    return SourceUpdate(
        config=_config(asked.config) if asked.config is not None else source.config,
        secret=asked.secret.get_secret_value() if asked.secret is not None else None,
        document_type=asked.document_type if "document_type" in named else source.document_type,
        readers=readers if "readers" in named else source.readers,
        every_seconds=asked.every_seconds if "every_seconds" in named else source.every_seconds,
        is_paused=asked.is_paused if "is_paused" in named else source.is_paused,
    )


def show_source(source: Source, *, tells_items: bool) -> SourceShape:
    """A source for the wire.

    tells_items  whether what is wrong may name items, whose documents may be closed to the caller
    """
    error = source.error
    if error is not None and not tells_items:
        error = FailureReason(code=error.code, detail="Who manages knowledge sees what was wrong.")
    run = show_id(RUN_PREFIX, source.run_id) if source.run_id else None
    return SourceShape.model_validate(
        {
            "name": source.name,
            "kind": source.kind,
            "config": msgspec.to_builtins(source.config),
            "has_secret": source.has_secret,
            "is_paused": source.is_paused,
            "document_type": source.document_type,
            "readers": None if source.readers is None else list(source.readers),
            "every_seconds": source.every_seconds,
            "due_at": source.due_at,
            "synced_at": source.synced_at,
            "error": error,
            "run": run,
            "stream_url": f"/v1/runs/{run}/events" if run else None,
            "created_by": source.created_by,
            "created_at": source.created_at,
        }
    )


def show_source_run(run: Run) -> SourceRun:
    """What starting a synchronisation or a removal answers."""
    shown = run_shape(run)
    return SourceRun(run=shown, stream_url=f"/v1/runs/{shown.id}/events")


def _config(shape: PushSource | UrlSource | PrefixSource | ConnectorSource) -> SourceConfig:
    return msgspec.convert(shape.model_dump(), cast(type[SourceConfig], SourceConfig))
