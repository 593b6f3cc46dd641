"""The words of contract intelligence. Offsets are characters in the parsed text, end exclusive."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument


class Method(StrEnum):
    """Which way produced a result; shown beside it, always."""

    CLASSIFIER = "classifier"
    MODEL = "model"
    RULE = "rule"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class FactName(StrEnum):
    PARTIES = "parties"
    AGREEMENT_DATE = "agreement_date"
    EFFECTIVE_DATE = "effective_date"
    EXPIRATION_DATE = "expiration_date"
    TERM = "term"
    RENEWAL = "renewal"
    NOTICE_PERIOD = "notice_period"
    GOVERNING_LAW = "governing_law"
    LIABILITY_CAP = "liability_cap"
    PAYMENT_TERMS = "payment_terms"


class FindingKind(StrEnum):
    """Why a rule fired: a clause is absent, present though unwanted, or beyond a limit."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    LIMIT = "limit"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in the contract. Invariant: `quote` is the text at [start, end)."""

    start: int
    end: int
    quote: str
    page: int | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One of CUAD's 38 categories on a chunk; `probability` is calibrated, in [0, 1]."""

    category: str
    probability: float
    method: Method = Method.CLASSIFIER


@dataclass(frozen=True, slots=True)
class ClassifiedChunk:
    chunk: Chunk
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A value read from the contract.

    value       as a reader would write it: "12 months", "Delaware", "Acme Inc.; Beta LLC"
    normalized  machine form: ISO date ("perpetual" for an end that never comes), ISO 8601 duration in
                days or months ("P30D", "P12M"), amount "500000 USD", multiple of fees "12 months fees",
                "total fees", "unlimited", "greater of 100000 USD and 12 months fees", plain English name
                of a jurisdiction ("Delaware", "Ontario, Canada", "England and Wales"), party names
                joined by "; "; None when there is none (business days, ambiguous dates)
    """

    name: FactName
    value: str
    normalized: str | None
    citations: tuple[Citation, ...]
    method: Method
    confidence: float


@dataclass(frozen=True, slots=True)
class AssessedFinding:
    """What a playbook rule found. `citations` is empty only where a clause is absent."""

    rule: str
    kind: FindingKind
    severity: Severity
    title: str
    why: str
    category: str | None
    citations: tuple[Citation, ...]
    suggestion: str | None
    method: Method
    confidence: float


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence of the executive summary; every citation was checked against the text."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """dropped: sentences removed because they cited nothing, or what they cited does not support them."""

    sentences: tuple[SummarySentence, ...]
    method: Method
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything the deterministic rooms need about one contract."""

    document: ParsedDocument
    chunks: tuple[ClassifiedChunk, ...]


ContractId = NewType("ContractId", UUID)
FindingId = NewType("FindingId", UUID)


class Decision(StrEnum):
    """What a person made of a finding."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Counts:
    """Findings by severity, and how many wait for a decision."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    info: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Contract:
    """An uploaded contract; `counts` is None until an analysis has finished."""

    id: ContractId
    document_id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    pages: int | None
    language: str | None
    title: str | None
    playbook: str
    created_by: str
    created_at: datetime
    counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A reviewer's own words; None keeps ours."""

    title: str | None = None
    severity: Severity | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored finding with the decision on it. `place` orders a run's findings, most severe first."""

    id: FindingId
    contract_id: ContractId
    run_id: UUID
    place: int
    found: AssessedFinding
    decision: Decision = Decision.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    edited: Edit | None = None


@dataclass(frozen=True, slots=True)
class SavedPlaybook:
    """One version of a tenant's playbook; `created_at` is None for the ones that ship with the package."""

    name: str
    version: int
    yaml: str
    title: str
    side: str
    rules: int
    created_by: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelWords:
    """What the small local model wrote by itself: unverified, and shown as that."""

    text: str
    model: str
    label: str


@dataclass(frozen=True, slots=True)
class ReportBody:
    """What a run found, as stored; decisions on findings are joined when it is read.

    labels   for every chunk in order, its categories
    cut      which chunks these were: the fingerprint of the document's cut; None in reports of before it was kept
    """

    playbook: str
    playbook_version: int
    generated_at: datetime
    ai_enabled: bool
    classified_by: Method
    summary: Summary
    model_words: ModelWords | None
    facts: tuple[Fact, ...]
    labels: tuple[tuple[Label, ...], ...]
    warnings: tuple[str, ...]
    cut: str | None = None
