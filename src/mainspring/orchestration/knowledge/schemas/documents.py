"""Documents as the HTTP API shows them."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import File, UploadFile
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema, model_validator

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page
from mainspring.orchestration.knowledge.documents.types import UPLOADS
from mainspring.orchestration.knowledge.types import Document, DocumentStatus, ParsedDocument
from mainspring.orchestration.pipelines import RUN_PREFIX, Run, RunShape, run_shape

from .shape import NO_NUL, Asked, DocumentChunk, DocumentType, FailureReason, Metadata, Readers, Shape

MAX_EXTERNAL_ID = 500
MAX_NAME = 200
MAX_URI = 2_000
_ADDRESS = r"^(https?://|s3://|gs://|az://|/)[^\x00-\x20]*$"  # nothing that a browser would run
_METADATA: TypeAdapter[dict[str, str]] = TypeAdapter(Metadata)


def _decode(value: object) -> object:
    """Bytes from base64; the framework's own type would pass over letters that are none of its alphabet."""
    if not isinstance(value, str):
        raise ValueError("send text in base64")
    return base64.b64decode(value, validate=True)


Base64 = Annotated[bytes, BeforeValidator(_decode), WithJsonSchema({"type": "string", "format": "byte"})]


class DocumentShape(Shape):
    """A document: what one source knows under one name, at its newest revision."""

    id: Annotated[str, Field(examples=["doc_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    source: str
    external_id: Annotated[str, Field(description="its name in the source; there is one document under it")]
    name: str
    media_type: Annotated[str, Field(description="detected from the bytes")]
    size_bytes: int
    sha256: str
    revision: Annotated[int, Field(description="goes up whenever the bytes change")]
    document_type: Annotated[str, Field(description="which chunking of the settings it is cut by")]
    status: Annotated[
        DocumentStatus, Field(description="pending or failed, an earlier revision that was indexed stays searchable")
    ]
    error: FailureReason | None
    uri: str | None
    metadata: dict[str, str]
    readers: Annotated[list[str] | None, Field(description="null: everybody in the tenant")]
    readable: Annotated[bool, Field(description="whether the caller may open it")]
    pages: int | None
    language: Annotated[str | None, Field(description="ISO 639-1; und when undetermined")]
    title: str | None
    run: Annotated[str | None, Field(description="the newest run about it")]
    stream_url: Annotated[str | None, Field(description="live events of that run")]
    created_at: datetime
    updated_at: datetime


class DocumentPage(Shape):
    """Documents, newest first."""

    items: list[DocumentShape]
    next_cursor: str | None = None


class DocumentSubmitted(Shape):
    """Accepted: follow `stream_url` for live events, or poll the run. Null when there is nothing to do."""

    document: DocumentShape
    run: RunShape | None
    stream_url: str | None


class ReadersChange(Asked):
    """Who may read the document from the next request on."""

    readers: Annotated[Readers | None, Field(description="null: everybody in the tenant; []: nobody")]


class UploadedDocument(Asked):
    """A document as the fields of a form."""

    file: Annotated[UploadFile, File(description="PDF, Office, HTML, mail, Markdown, CSV or text")]
    source: Annotated[str, Field(max_length=60, description="`uploads`, or one of kind `push`")] = UPLOADS
    external_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_EXTERNAL_ID,
            pattern=NO_NUL,
            description="its name in the source; default: told from the bytes, so that the same upload twice is one",
        ),
    ] = None
    document_type: Annotated[DocumentType | None, Field(description="default: told from the file")] = None
    uri: Annotated[str | None, Field(max_length=MAX_URI, pattern=_ADDRESS, description="where people find it")] = None
    metadata: Annotated[str | None, Field(max_length=50_000, description="JSON object of short texts")] = None
    readers: Annotated[Readers | None, Field(description="repeat for several; default: everybody")] = None


class RawDocument(Asked):
    """What is said of a document whose bytes are the whole body, as the query of its address."""

    name: Annotated[str | None, Field(min_length=1, max_length=MAX_NAME, description="default: the external id")] = None
    document_type: DocumentType | None = None
    uri: Annotated[str | None, Field(max_length=MAX_URI, pattern=_ADDRESS, description="where people find it")] = None


class PushedDocument(Asked):
    """A document as JSON: its content as `text`, or as bytes in `content` (base64)."""

    name: Annotated[str | None, Field(min_length=1, max_length=MAX_NAME, description="default: the external id")] = None
    text: str | None = None
    content: Annotated[Base64 | None, Field(description="base64")] = None
    document_type: DocumentType | None = None
    uri: Annotated[str | None, Field(max_length=MAX_URI, pattern=_ADDRESS, description="where people find it")] = None
    metadata: Metadata = Field(default_factory=dict[str, str])
    readers: Annotated[Readers | None, Field(description="null: everybody; of a known document: as they are")] = None

    @model_validator(mode="after")
    def _has_one_content(self) -> "PushedDocument":
        if (self.text is None) == (self.content is None):
            raise ValueError("send either `text` or `content`")
        return self

    @property
    def bytes(self) -> bytes:
        """The content, whichever way it came."""
        return self.content if self.content is not None else (self.text or "").encode("utf-8", "surrogatepass")


class TextPage(Shape):
    """A page of the source and the characters on it."""

    number: int
    start: int
    end: int


class TextBlock(Shape):
    """A paragraph-sized piece of the text, in reading order."""

    kind: Literal["heading", "paragraph", "list_item", "table_row", "message", "quote", "furniture"]
    start: int
    end: int
    number: str | None = None
    level: int | None = None
    attributes: dict[str, str] = Field(default_factory=dict[str, str])


class TextDefinition(Shape):
    """A term that the document defines, where it is defined first."""

    term: str
    start: int
    end: int


class TextBox(Shape):
    """Where a line stands on its page, in points (1/72 inch) from the upper left corner."""

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float


class DocumentText(Shape):
    """What parsing found: the text, its structure, and where its lines stand."""

    document: str
    revision: int
    text: str
    media_type: str
    title: str | None
    language: str
    warnings: list[str]
    pages: list[TextPage]
    blocks: list[TextBlock]
    definitions: list[TextDefinition]
    boxes: list[TextBox]


class ChunkPage(Shape):
    """Chunks in the order of the text."""

    items: list[DocumentChunk]
    next_cursor: str | None = None


def show_document(document: Document, *, readable: bool) -> DocumentShape:
    """A document for the wire; of one that the caller may not open, neither title nor metadata are told."""
    run = show_id(RUN_PREFIX, document.run_id) if document.run_id else None
    return DocumentShape(
        id=show_id("doc", document.id),
        source=document.source,
        external_id=document.external_id,
        name=document.name,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        revision=document.revision,
        document_type=document.document_type,
        status=document.status,
        error=FailureReason(code=document.error.code, detail=document.error.detail) if document.error else None,
        uri=document.uri,
        metadata=dict(document.metadata) if readable else {},
        readers=None if document.readers is None else list(document.readers),
        readable=readable,
        pages=document.pages,
        language=document.language,
        title=document.title if readable else None,
        run=run,
        stream_url=f"/v1/runs/{run}/events" if run else None,
        created_at=document.created_at,
        updated_at=document.updated_at,
    )


def show_documents(page: Page[Document], readable: Mapping[object, bool]) -> DocumentPage:
    """A page of documents; `readable` by document id."""
    items = [show_document(each, readable=readable[each.id]) for each in page.items]
    return DocumentPage(items=items, next_cursor=page.next_cursor)


def show_submitted(document: Document, run: Run | None, *, readable: bool) -> DocumentSubmitted:
    """What an upload answers."""
    shown = run_shape(run) if run else None
    return DocumentSubmitted(
        document=show_document(document, readable=readable),
        run=shown,
        stream_url=f"/v1/runs/{shown.id}/events" if shown else None,
    )


def show_text(document: Document, parsed: ParsedDocument, revision: int) -> DocumentText:
    """What parsing found in a revision."""
    return DocumentText(
        document=show_id("doc", document.id),
        revision=revision,
        text=parsed.text,
        media_type=parsed.media_type,
        title=parsed.title,
        language=parsed.language,
        warnings=list(parsed.warnings),
        pages=[TextPage.model_validate(each) for each in parsed.pages],
        blocks=[TextBlock.model_validate(each) for each in parsed.blocks],
        definitions=[TextDefinition.model_validate(each) for each in parsed.definitions],
        boxes=[TextBox.model_validate(each) for each in parsed.boxes],
    )


def read_metadata(text: str | None) -> dict[str, str]:
    """The metadata in a form field: a JSON object of short texts; InvalidInput says what is wrong with it."""
    if not text:
        return {}
    try:
        return _METADATA.validate_python(json.loads(text), strict=True)
    except (ValueError, RecursionError) as bad:
        first = bad.errors()[0]["msg"] if isinstance(bad, ValidationError) else str(bad)
        raise InvalidInput(
            f"metadata is {text[:60]!r}: {first}. Send a JSON object of at most 50 texts of at most 500 characters."
        ) from None
