"""The words of knowledge: what a parsed document is, and what a chunk of it is.

Every offset counts characters (Python string indices) in `ParsedDocument.text`,
`end` exclusive, so that any later claim can point at its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from mainspring.foundation.ids import TenantId


class BlockKind(StrEnum):
    """What a block is to a reader.

    message    the header of one message of a thread; its paragraphs follow
    quote      an earlier message repeated in a reply
    furniture  page numbers and running lines left in plain text
    """

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    MESSAGE = "message"
    QUOTE = "quote"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the source; documents without pages (DOCX, text) have none."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where a line of the text stands on its page, in points (1/72 inch) from the upper left corner."""

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph-sized piece of the text, in reading order, not overlapping.

    number      the clause number as a reader sees it ("4.2", "(a)", "Article IV"), also when
                Word generated it; it is part of `text` in every case
    level       nesting depth, 0 for top level; None where there is no numbering or heading
    attributes  what the source says of the piece: `author`, `sent_at` (ISO 8601) and `subject` of a message,
                `sheet` and `columns` of a table's row, `slide` of a presentation
    """

    kind: BlockKind
    start: int
    end: int
    number: str | None = None
    level: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Definition:
    """A term that the document defines, such as "Confidential Information".

    start, end  the term itself, without its quotation marks, where it is defined first
    """

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The text of a document with its structure.

    media_type  the type that was detected from the bytes, not the one that was claimed
    language    ISO 639-1 code of the main language, "und" when undetermined
    warnings    sentences for the reader, e.g. that pages 3 and 7 hold no text
    boxes       of every line, in reading order; empty where the source has no fixed pages
    """

    text: str
    media_type: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    definitions: tuple[Definition, ...] = ()
    title: str | None = None
    language: str = "und"
    warnings: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The page number that holds the character at `offset`, None without pages."""
        for page in self.pages:
            if page.start <= offset < page.end:
                return page.number
        return self.pages[-1].number if self.pages and offset >= self.pages[-1].end else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A clause, a message, a section or a part of one: the unit of embedding, classification and citation.

    index         0-based position in the document
    number        clause number as a reader sees it, None when unnumbered
    heading_path  headings above it, outermost first, the one that it opens with included
    tokens        an estimate, for packing
    attributes    of the blocks it was made of, such as `author`
    """

    index: int
    start: int
    end: int
    text: str
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    tokens: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, as far as documents care; `subjects` is None for the platform's own jobs, which see every document."""

    tenant: TenantId
    subjects: frozenset[str] | None


class DocumentStatus(StrEnum):
    """How a document stands. What was indexed before stays searchable while a newer revision is pending or failed."""

    PENDING = "pending"
    INDEXED = "indexed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a document could not be indexed: a stable code, and a detail that is safe to show to the tenant."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a tenant: what one source knows under one name, at its newest revision.

    source          name of the source it came from, such as `uploads`
    external_id     its name there, unique in the source
    revision        goes up whenever its bytes change
    sha256          of the bytes, 64 hexadecimal digits
    media_type      detected from the bytes
    document_type   which chunker it is cut by: `contract`, `thread`, `article`, `table`, `text`, ...
    readers         who may read it, as `user:...`, `team:...`, `role:...`; None is everybody in the tenant
    parser_version  None until this revision was parsed; pages, language and title come with it
    """

    id: UUID
    source: str
    external_id: str
    revision: int
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    document_type: str
    status: DocumentStatus
    created_at: datetime
    updated_at: datetime
    uri: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    readers: tuple[str, ...] | None = None
    error: Failure | None = None
    run_id: UUID | None = None
    pages: int | None = None
    language: str | None = None
    title: str | None = None
    parser_version: str | None = None


class IndexStatus(StrEnum):
    """Searches read the active one; a building one is filled beside it; a retired one is kept for undo, then goes."""

    BUILDING = "building"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """All of a tenant's chunks, cut by one version of its setup and embedded by one model.

    number      1, 2, 3, ... in the tenant
    dimensions  of its vectors
    promoted_at since when an approximate index serves its searches; None while vectors are compared one by one
    """

    id: UUID
    number: int
    status: IndexStatus
    embedding_model: str
    dimensions: int
    settings_version: int
    created_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    promoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What a product found a place of a document to be, such as the clause type `Governing Law`; score 0 to 1."""

    label: str
    start: int
    end: int
    score: float
