"""Questions and answers as the HTTP API has them."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from mainspring.foundation.ids import read_id, show_id
from mainspring.orchestration.knowledge.retrieval.types import (
    Answer,
    Filters,
    Mode,
    Passage,
    Period,
    Question,
    Reason,
    Searched,
)

from .shape import NO_NUL, Asked, Metadata, Shape

MAX_QUESTION = 20_000
MAX_FILTERED = 200
_Words = Annotated[list[Annotated[str, Field(max_length=200, pattern=NO_NUL)]], Field(max_length=MAX_FILTERED)]
_Ids = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MAX_FILTERED)]


class PeriodAsked(Asked):
    """From `since` on and before `until`."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class FiltersAsked(Asked):
    """What a passage must come from; several values of one field are alternatives."""

    sources: _Words = Field(default_factory=list[str])
    documents: _Ids = Field(default_factory=list[str], description="doc_...")
    document_types: _Words = Field(default_factory=list[str])
    labels: _Words = Field(
        default_factory=list[str], description="that products gave to the place, such as a type of clause"
    )
    metadata: Metadata = Field(default_factory=dict[str, str], description="all of these, letter for letter")
    created: PeriodAsked = PeriodAsked()
    updated: PeriodAsked = PeriodAsked()
    language: Annotated[str | None, Field(max_length=10, pattern=r"^[a-z]*$", description="ISO 639-1")] = None


class QuestionAsked(Asked):
    """A search; what is left out is as the tenant's settings say."""

    text: Annotated[
        str, Field(min_length=1, max_length=MAX_QUESTION, description='words, a sentence, identifiers, "a phrase"')
    ]
    mode: Mode = Mode.HYBRID
    filters: FiltersAsked = FiltersAsked()
    limit: Annotated[int | None, Field(ge=1, le=50, description="passages at most")] = None
    max_tokens: Annotated[int | None, Field(ge=100, le=100_000, description="of all passages together")] = None
    neighbours: Annotated[int | None, Field(ge=0, le=5, description="chunks before and after a hit")] = None
    explain: Annotated[bool, Field(description="whether each passage says why it was found")] = False
    rerank: Annotated[bool | None, Field(description="whether a model sorts the best passages")] = None
    rewrite: Annotated[bool | None, Field(description="whether a model rewords the question first")] = None
    index: Annotated[str | None, Field(max_length=40, description="idx_...; default: the active one")] = None


class TextSpan(Shape):
    """Characters [start, end) of the document's text."""

    start: int
    end: int


class PassageCitation(Shape):
    """A place to open: `quote` is the document's text at [start, end); `fragment` opens it in a document's page."""

    start: int
    end: int
    quote: str
    page: int | None
    fragment: str


class ListPlaceShape(Shape):
    """Where the chunk stood in one ranked list, and what that gave to the fused score."""

    name: str
    rank: int
    score: float
    weight: float
    contribution: float


class TermScoreShape(Shape):
    """What one term of the question adds to the BM25 of the chunk."""

    term: str
    score: float


class LabelScoreShape(Shape):
    """A label that the question names, found over the chunk."""

    label: str
    score: float


class ExplanationShape(Shape):
    """Why a passage was found, and why it stands where it stands."""

    places: list[ListPlaceShape]
    cosine: float | None
    bm25: float
    terms: list[TermScoreShape]
    exact: list[str]
    labels: list[LabelScoreShape]
    fused_rank: int
    rerank: int | None


class PassageDocument(Shape):
    """Where a passage comes from."""

    id: str
    name: str
    source: str
    uri: str | None


class PassageShape(Shape):
    """A hit with its neighbours, of one document, in reading order."""

    document: PassageDocument
    span: Annotated[TextSpan, Field(description="of the passage")]
    hit: Annotated[TextSpan, Field(description="of the chunk that was found, inside it")]
    text: str
    score: Annotated[float, Field(description="0 to 1, comparable within one answer only")]
    tokens: int
    citation: PassageCitation
    page: int | None
    number: str | None
    heading_path: list[str]
    attributes: dict[str, str]
    similar: Annotated[int, Field(description="other hits that say nearly the same and are left out")]
    similar_in: Annotated[list[str], Field(description="their documents, other than this one")]
    explanation: ExplanationShape | None


class SearchedShape(Shape):
    """What was searched, of that which the caller may read."""

    index: Annotated[int | None, Field(description="number of the index version; null when there is none yet")]
    model: str | None
    mode: Mode
    documents: int
    chunks: int
    terms: list[str]
    exact: list[str]
    concepts: list[str]
    rewritten: str | None
    timings: Annotated[dict[str, float], Field(description="milliseconds by part")]


class AnswerShape(Shape):
    """Passages, best first, or the reason why there are none: that nothing relevant is there is an answer too."""

    passages: list[PassageShape]
    searched: SearchedShape
    reason: Reason | None
    notes: list[str]


def read_question(asked: QuestionAsked) -> Question:
    """The question behind a request; NotFound for an id that is none."""
    filters = asked.filters
    return Question(
        text=asked.text,
        mode=asked.mode,
        filters=Filters(
            sources=tuple(filters.sources),
            document_ids=tuple(read_id("doc", each) for each in filters.documents),
            document_types=tuple(filters.document_types),
            labels=tuple(filters.labels),
            metadata=filters.metadata,
            created=_period(filters.created),
            updated=_period(filters.updated),
            language=filters.language,
        ),
        limit=asked.limit,
        max_tokens=asked.max_tokens,
        neighbours=asked.neighbours,
        explain=asked.explain,
        rerank=asked.rerank,
        rewrite=asked.rewrite,
        index=read_id("idx", asked.index) if asked.index is not None else None,
    )


def show_answer(answer: Answer) -> AnswerShape:
    """An answer for the wire."""
    return AnswerShape(
        passages=[_passage(each) for each in answer.passages],
        searched=_searched(answer.searched),
        reason=answer.reason,
        notes=list(answer.notes),
    )


def _period(asked: PeriodAsked) -> Period:
    return Period(asked.since, asked.until)


def _passage(passage: Passage) -> PassageShape:
    explanation = passage.explanation
    return PassageShape(
        document=PassageDocument(
            id=show_id("doc", passage.document_id),
            name=passage.document,
            source=passage.source,
            uri=passage.uri,
        ),
        span=TextSpan.model_validate(passage.span),
        hit=TextSpan.model_validate(passage.hit),
        text=passage.text,
        score=passage.score,
        tokens=passage.tokens,
        citation=PassageCitation.model_validate(passage.citation),
        page=passage.page,
        number=passage.number,
        heading_path=list(passage.heading_path),
        attributes=dict(passage.attributes),
        similar=passage.similar,
        similar_in=[show_id("doc", each) for each in passage.similar_in],
        explanation=ExplanationShape.model_validate(explanation) if explanation else None,
    )


def _searched(searched: Searched) -> SearchedShape:
    return SearchedShape(
        index=searched.index,
        model=searched.model,
        mode=searched.mode,
        documents=searched.documents,
        chunks=searched.chunks,
        terms=list(searched.terms),
        exact=list(searched.exact),
        concepts=list(searched.concepts),
        rewritten=searched.rewritten,
        timings=dict(searched.timings),
    )
