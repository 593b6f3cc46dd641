"""The words of knowledge: what a parsed document is, and what a chunk of it is.

Every offset counts characters (Python string indices) in `ParsedDocument.text`,
`end` exclusive, so that any later claim can point at its place.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class BlockKind(StrEnum):
    """What a block is to a reader; furniture is page numbers and running lines left in plain text."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the source; documents without pages (DOCX, text) have none."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph-sized piece of the text, in reading order, not overlapping.

    number  the clause number as a reader sees it ("4.2", "(a)", "Article IV"), also when
            Word generated it; it is part of `text` in every case
    level   nesting depth, 0 for top level; None where there is no numbering or heading
    """

    kind: BlockKind
    start: int
    end: int
    number: str | None = None
    level: int | None = None


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
    """

    text: str
    media_type: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    definitions: tuple[Definition, ...] = ()
    title: str | None = None
    language: str = "und"
    warnings: tuple[str, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The page number that holds the character at `offset`, None without pages."""
        for page in self.pages:
            if page.start <= offset < page.end:
                return page.number
        return self.pages[-1].number if self.pages and offset >= self.pages[-1].end else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A clause, or a part of a long one: the unit of embedding, classification and citation.

    index         0-based position in the document
    number        clause number as a reader sees it, None when unnumbered
    heading_path  headings above it, outermost first, the one that it opens with included
    """

    index: int
    start: int
    end: int
    text: str
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that a tenant gave us, kept once however often it is sent.

    sha256          of the bytes, 64 hexadecimal digits
    media_type      detected from the bytes
    parser_version  None until the document was parsed; pages, language and title come with it
    """

    id: UUID
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    created_at: datetime
    pages: int | None = None
    language: str | None = None
    title: str | None = None
    parser_version: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that a search found. `score` is the cosine similarity, in [-1, 1], higher is nearer."""

    document_id: UUID
    chunk: Chunk
    score: float
