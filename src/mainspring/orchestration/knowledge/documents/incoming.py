"""What a document is as it comes in: under which name, and as which next revision."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from mainspring.orchestration.knowledge.setup import document_type_of
from mainspring.orchestration.knowledge.types import Document, DocumentStatus

from .types import NewDocument

_UNWRITTEN = datetime.min.replace(tzinfo=UTC)  # the database says when


def name_of(new: NewDocument, digest: str) -> str:
    """Its name in the source: the one that was given, else one made of its bytes and readers.

    With the readers in it, who uploads for themselves what somebody else keeps to themselves gets a document
    of their own, and does not learn of the other.
    """
    if new.external_id is not None:
        return new.external_id
    if new.readers is None:
        return digest
    return f"{digest}:{sha256(' '.join(sorted(set(new.readers))).encode()).hexdigest()[:16]}"


def as_new(identifier: UUID, new: NewDocument, digest: str, media_type: str) -> Document:
    """The first revision."""
    return Document(
        id=identifier,
        source=new.source,
        external_id=new.external_id or digest,
        revision=1,
        sha256=digest,
        name=new.name,
        media_type=media_type,
        size_bytes=len(new.content),
        document_type=new.document_type or document_type_of(media_type, new.name),
        status=DocumentStatus.PENDING,
        created_at=_UNWRITTEN,
        updated_at=_UNWRITTEN,
        uri=new.uri,
        metadata=new.metadata,
        readers=new.readers,
    )


def as_changed(known: Document, new: NewDocument, digest: str, media_type: str) -> Document:
    """The next revision. A type that is not named stays, and readers are left to the row."""
    changed = as_new(known.id, new, digest, media_type)
    return replace(
        changed,
        revision=known.revision + 1,
        document_type=known.document_type
        if new.document_type is None and known.media_type == media_type
        else changed.document_type,
    )
