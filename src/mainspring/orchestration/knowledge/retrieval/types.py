"""The words of a search: what is asked, what is found, and why it was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Mode(StrEnum):
    """Which ranked lists are fused: all of them, nearness in meaning alone, or words and exact terms alone."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on and before `until`; None is open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a passage must come from. Empty is no condition; several values of one field are alternatives.

    labels     the passage overlaps a place that a product labelled so
    metadata   every one of these is the document's, letter for letter
    language   ISO 639-1 code of the document
    """

    sources: tuple[str, ...] = ()
    document_ids: tuple[UUID, ...] = ()
    document_types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    created: Period = Period()
    updated: Period = Period()
    language: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every document that the reader may read is searched."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class Question:
    """A search; what is None is as the tenant's setup says.

    text        words, a sentence, `"a quoted phrase"` or identifiers; the first 4,000 characters count
    limit       passages at most, 1 to 50
    max_tokens  of all passages together, 100 to 100,000, as `estimate_tokens` counts; the first passage always comes
    neighbours  chunks before and after a hit that its passage may show, 0 to 5
    explain     whether each passage says why it was found
    rerank      whether a capable model sorts the best passages
    rewrite     whether a capable model rewords the question first
    index       an index version other than the active one, to compare them
    """

    text: str
    mode: Mode = Mode.HYBRID
    filters: Filters = Filters()
    limit: int | None = None
    max_tokens: int | None = None
    neighbours: int | None = None
    explain: bool = False
    rerank: bool | None = None
    rewrite: bool | None = None
    index: UUID | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A place to open. Invariant: `quote` is the document's text at [start, end), letter for letter.

    fragment  of a URL that opens there: `#start-end`
    """

    start: int
    end: int
    quote: str
    page: int | None

    @property
    def fragment(self) -> str:
        """Behind the address of the document's page."""
        return f"#{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a chunk stood in one ranked list, and what that gave.

    name          `vector`, `text`, `exact` or `labels`
    rank          1 is the best
    score         cosine, BM25, BM25 of the exact terms (phrases counted apart), or the label's score
    contribution  to the fused score
    """

    name: str
    rank: int
    score: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one term of the question adds to the BM25 of a chunk; `term` is as it was analysed."""

    term: str
    score: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A label that the question names, found over a chunk; score 0 to 1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a passage was found, and why it stands where it stands.

    places   in every list that held it; the fused score is the sum of their contributions, over the most there can be
    cosine   of question and chunk, -1 to 1; None when the question has no vector
    bm25     the sum of `terms`; 0 without a common term
    exact    identifiers and phrases of the question that the chunk holds as they are written
    labels   that the question names and that products found in the chunk
    fused_rank, rerank  1-based places before and after a model sorted; `rerank` is None when none did
    """

    places: tuple[ListPlace, ...]
    cosine: float | None
    bm25: float
    terms: tuple[TermScore, ...]
    exact: tuple[str, ...]
    labels: tuple[LabelScore, ...]
    fused_rank: int
    rerank: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """What a reader is shown: a hit with its neighbours, of one document, in reading order.

    span         of the passage in the document
    hit          of the chunk that was found, inside it
    text         of the passage; chunks that do not touch are joined by an empty line
    score        0 to 1: 1 is first in every list that was searched; comparable within one answer only. It falls from
                 passage to passage, unless a model sorted them
    attributes   of the hit, such as `author`
    similar      how many other hits say nearly the same, which are left out
    similar_in   their documents, other than this one
    """

    document_id: UUID
    document: str
    source: str
    uri: str | None
    span: Span
    hit: Span
    text: str
    score: float
    tokens: int
    citation: Citation
    page: int | None = None
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    similar: int = 0
    similar_in: tuple[UUID, ...] = ()
    explanation: Explanation | None = None


class Reason(StrEnum):
    """Why an answer holds no passage."""

    NO_DOCUMENTS = "no_documents"
    FILTERED_OUT = "filtered_out"
    NOTHING_RELEVANT = "nothing_relevant"


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched, and how; it counts only what the reader may read.

    index      number of the index version; None when the tenant has none yet
    documents  that the filters let through
    chunks     of those documents
    terms      of the question, as analysed; `exact` the identifiers and phrases, as written
    concepts   labels that the question names
    rewritten  what a model made of the question; None when it was searched as it is
    timings    milliseconds by part: `embed`, `measure`, `analyse`, `vector`, `text`, `read`, ..., `total`
    """

    index: int | None
    model: str | None
    mode: Mode
    documents: int
    chunks: int
    terms: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    rewritten: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Answer:
    """Passages, best first, or the reason why there are none.

    notes   sentences for the reader: that a model was away, that the question was cut, and the like
    """

    passages: tuple[Passage, ...]
    searched: Searched
    reason: Reason | None = None
    notes: tuple[str, ...] = ()
