"""What the API answers about knowledge. Offsets count characters of a document's text, `end` exclusive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .types import Run


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Why something failed."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document at its newest revision; `status` is pending, indexed or failed.

    readers   None is everybody in the tenant
    readable  whether the key's subject may open it
    """

    id: str
    source: str
    external_id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    revision: int
    document_type: str
    status: str
    created_at: datetime
    updated_at: datetime
    error: FailureReason | None = None
    uri: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    readers: tuple[str, ...] | None = None
    readable: bool = True
    pages: int | None = None
    language: str | None = None
    title: str | None = None
    run: str | None = None
    stream_url: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentSubmitted:
    """What an upload started; `run` is None when these bytes are indexed under this name already."""

    document: Document
    run: Run | None = None
    stream_url: str | None = None


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page: its number and its characters."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A paragraph-sized piece of the text."""

    kind: str
    start: int
    end: int
    number: str | None = None
    level: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class TextDefinition:
    """A term that the document defines, where it is defined first."""

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where a line stands on its page, in points from the upper left corner."""

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The parsed text of one revision with its structure."""

    document: str
    revision: int
    text: str
    media_type: str
    language: str
    title: str | None = None
    warnings: tuple[str, ...] = ()
    pages: tuple[TextPage, ...] = ()
    blocks: tuple[TextBlock, ...] = ()
    definitions: tuple[TextDefinition, ...] = ()
    boxes: tuple[TextBox, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentChunk:
    """What is embedded, found and cited."""

    index: int
    start: int
    end: int
    text: str
    tokens: int
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Characters [start, end)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PassageCitation:
    """A place to open: `quote` is the document's text at [start, end)."""

    start: int
    end: int
    quote: str
    fragment: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where the chunk stood in one ranked list, and what that gave."""

    name: str
    rank: int
    score: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one term of the question adds to the BM25 of the chunk."""

    term: str
    score: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A label that the question names, found over the chunk."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a passage was found, and why it stands where it stands."""

    places: tuple[ListPlace, ...]
    bm25: float
    terms: tuple[TermScore, ...]
    fused_rank: int
    cosine: float | None = None
    exact: tuple[str, ...] = ()
    labels: tuple[LabelScore, ...] = ()
    rerank: int | None = None


@dataclass(frozen=True, slots=True)
class PassageDocument:
    """Where a passage comes from."""

    id: str
    name: str
    source: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit with its neighbours; `score` is 0 to 1 and comparable within one answer."""

    document: PassageDocument
    span: TextSpan
    hit: TextSpan
    text: str
    score: float
    tokens: int
    citation: PassageCitation
    page: int | None = None
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    similar: int = 0
    similar_in: tuple[str, ...] = ()
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched, of that which the caller may read; timings in milliseconds."""

    mode: str
    documents: int
    chunks: int
    index: int | None = None
    model: str | None = None
    terms: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    rewritten: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Answer:
    """Passages, best first, or the reason why there are none."""

    passages: tuple[Passage, ...]
    searched: Searched
    reason: str | None = None
    notes: tuple[str, ...] = ()
