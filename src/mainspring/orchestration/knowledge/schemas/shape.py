"""What the shapes of the room share. Offsets count characters of the document's text, `end` exclusive."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mainspring.orchestration.knowledge.types import Chunk

MAX_READERS = 100
MAX_METADATA = 50

NO_NUL = r"^[^\x00]*$"
"""Postgres keeps no text with NUL in it."""

_ID = "[0-9a-hjkmnp-tv-z]{26}"
ReaderName = Annotated[
    str,
    StringConstraints(pattern=rf"^(user:usr_{_ID}|team:team_{_ID}|key:key_{_ID}|role:[a-z]{{1,40}})$"),
    Field(examples=["team:team_01k9x3v2m4e0n8q5t7w1y6z3ab"], description="a user:, team:, role: or key:"),
]
Readers = Annotated[list[ReaderName], Field(max_length=MAX_READERS)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=NO_NUL)]
MetadataValue = Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=MAX_METADATA)]
DocumentType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Shape(BaseModel):
    """Read straight from frozen dataclasses."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What a caller sends; a field that nobody reads is a mistake and is refused."""

    model_config = ConfigDict(extra="forbid")


class FailureReason(Shape):
    """Why it failed: a stable code, and what was found and what to do."""

    code: str
    detail: str


class DocumentChunk(Shape):
    """A clause, a message, a section or a part of one: what is embedded, found and cited."""

    index: int
    start: int
    end: int
    text: str
    number: str | None
    heading_path: list[str]
    page: int | None
    tokens: Annotated[int, Field(description="an estimate")]
    attributes: dict[str, str]


def show_chunk(chunk: Chunk) -> DocumentChunk:
    """A chunk for the wire."""
    return DocumentChunk.model_validate(chunk)
