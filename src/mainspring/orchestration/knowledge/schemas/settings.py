"""A tenant's settings as the HTTP API shows them. What may be sent, and every limit, is checked by `setup`."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import Field, JsonValue

from mainspring.orchestration.knowledge.setup import StoredSetup

from .shape import Asked, DocumentChunk, DocumentType, Shape

Fields = Annotated[
    dict[str, JsonValue],
    Field(description="as `value` of GET /v1/knowledge/settings; what is left out is as by default"),
]


class ClauseChunkingShape(Shape):
    """For contracts: a clause is a chunk."""

    chunker: Literal["clause"]
    max_chars: int
    item_chars: int
    min_chars: int


class MessageChunkingShape(Shape):
    """For tickets and mail threads: a message is a chunk, without what it quotes."""

    chunker: Literal["message"]
    max_chars: int


class SectionChunkingShape(Shape):
    """For technical documents: what stands below one heading is a chunk."""

    chunker: Literal["section"]
    max_chars: int
    min_chars: int


class RowChunkingShape(Shape):
    """For tables: rows that follow each other are a chunk, headed by the names of their columns."""

    chunker: Literal["rows"]
    max_chars: int
    max_rows: int


class FixedChunkingShape(Shape):
    """For anything else: as many whole sentences as fit."""

    chunker: Literal["fixed"]
    max_chars: int
    overlap_chars: int


ChunkingShape = Annotated[
    ClauseChunkingShape | MessageChunkingShape | SectionChunkingShape | RowChunkingShape | FixedChunkingShape,
    Field(discriminator="chunker"),
]


class WeightsShape(Shape):
    """How much each ranked list counts when they are fused; 0 leaves it out."""

    vector: float
    text: float
    exact: float
    labels: float


class RetrievalShape(Shape):
    """How searches rank and what they return, where the caller does not say."""

    limit: int
    candidates: int
    rrf_k: int
    weights: WeightsShape
    relevance_floor: float
    neighbours: int
    max_tokens: int
    rerank: Literal["off", "model"]
    rewrite: Literal["off", "model"]


class SetupShape(Shape):
    """Everything that a tenant may choose about its knowledge."""

    embedding_model: str
    chunking: Annotated[dict[str, ChunkingShape], Field(description="by document type; `text` serves all others")]
    reindex_chunks_per_minute: int
    retrieval: RetrievalShape


class SettingsShape(Shape):
    """One version of the settings."""

    version: Annotated[int, Field(description="0: the defaults, which nobody saved")]
    value: SetupShape
    note: str | None
    created_by: str
    created_at: datetime | None


class CurrentSettings(SettingsShape):
    """The newest version of the settings."""

    needs_rebuild: Annotated[
        bool, Field(description="whether the index that is searched was made by other settings: rebuild to follow them")
    ]


class SettingsPage(Shape):
    """Versions, newest first; the defaults come last."""

    items: list[SettingsShape]
    next_cursor: str | None = None


class SaveSettings(Asked):
    """Settings to save as a new version."""

    value: Fields
    base_version: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="the version that was read; 409 when it is not the newest any more")
    ]
    note: Annotated[str | None, Field(max_length=500, description="why")] = None


class TrySettings(Asked):
    """Settings to try on a document."""

    document: Annotated[str, Field(max_length=40, examples=["doc_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    value: Annotated[Fields | None, Field(description="default: the present settings")] = None
    document_type: Annotated[DocumentType | None, Field(description="default: the document's own")] = None


class PreviewShape(Shape):
    """The chunks that the settings make of the document; nothing was stored. At most the first 500 are shown."""

    document: str
    document_type: str
    total: Annotated[int, Field(description="how many chunks there are")]
    tokens: Annotated[int, Field(description="in all of them, an estimate")]
    chunks: list[DocumentChunk]


def show_settings(stored: StoredSetup) -> SettingsShape:
    """One version for the wire."""
    return SettingsShape(
        version=stored.version,
        value=SetupShape.model_validate(msgspec.to_builtins(stored.value)),
        note=stored.note,
        created_by=stored.created_by,
        created_at=stored.created_at,
    )


def show_current(stored: StoredSetup, *, needs_rebuild: bool) -> CurrentSettings:
    """The newest version for the wire."""
    return CurrentSettings(**dict(show_settings(stored)), needs_rebuild=needs_rebuild)
