"""What is handed in to become a document, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mainspring.orchestration.knowledge.types import Document

UPLOADS = "uploads"
"""The source of documents that were uploaded one by one."""


class Change(StrEnum):
    """What a put did."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class NewDocument:
    """Bytes under a name in a source.

    external_id    the name in the source; None names it by its bytes (and by its readers, where it has some),
                   so that the same upload twice is one document
    document_type  None is told from the bytes and the name
    readers        None is everybody in the tenant; of a document that is there already, None leaves them as they are
    """

    source: str
    external_id: str | None
    name: str
    content: bytes
    document_type: str | None = None
    uri: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    readers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The document as it is now, and what the put did to it."""

    document: Document
    change: Change
