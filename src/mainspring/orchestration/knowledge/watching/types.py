"""The words of the watch: what is checked each day, what moved, and questions with known answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.retrieval.types import Span

Figures = Mapping[str, float]
"""What was measured, by name; a figure that could not be measured is left out."""

Ranks = Mapping[str, int]
"""Where the answer of a golden question stood, by the question's id: 1 is first, 0 is not among the first ten."""


class CheckKind(StrEnum):
    """What is looked at.

    canary      whether the embedding model still makes the same vectors of the same texts; of a model
    vectors     lengths and neighbours of the vectors that are searched; of an index
    vocabulary  how many words of what came in were never seen before; of an index
    golden      how well the tenant's golden questions are answered; of the tenant
    """

    CANARY = "canary"
    VECTORS = "vectors"
    VOCABULARY = "vocabulary"
    GOLDEN = "golden"


class CheckStatus(StrEnum):
    """`learning` while there are too few days to tell what is usual."""

    LEARNING = "learning"
    NORMAL = "normal"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class SearchedIndex:
    """The index that searches of a tenant read, and holds documents."""

    tenant: TenantId
    id: UUID
    model: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that is looked at once a day: a model's name, an index's id, or `questions`."""

    kind: CheckKind
    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure that is not what it was: its value, and what was expected of it (a limit, or the usual value)."""

    figure: str
    value: float
    expected: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a day's figures mean."""

    status: CheckStatus
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a check found on one day, before it is judged."""

    figures: Figures = field(default_factory=dict[str, float])
    ranks: Ranks | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What was measured of a subject on one day, and what it means."""

    subject: Subject
    day: date
    status: CheckStatus
    figures: Figures


@dataclass(frozen=True, slots=True)
class Alert:
    """Something moved. Unresolved until the subject is back to normal, and so long no second alert of it opens.

    Acknowledged, its new state is the usual one from then on; only a canary stays held against a model's first
    vectors, for those that are stored do not change either.
    """

    id: UUID
    subject: Subject
    opened_on: date
    opened_at: datetime
    moved: tuple[Moved, ...]
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewGoldenQuestion:
    """A question and where its answer stands: a document, or a place in it."""

    question: str
    document_id: UUID
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question whose answer the tenant knows.

    revision   of the document that `span` was given for; when the document has another one by now, any place of it
               counts as the answer
    current    the document's revision now; None when it is gone, and then the question is not asked
    last_rank  where the answer stood the last time, 1 is first, 0 not among the first ten; None before
    """

    id: UUID
    question: str
    document_id: UUID
    revision: int
    span: Span | None
    created_by: str
    created_at: datetime
    current: int | None
    last_rank: int | None = None
