"""The words of contract intelligence. Offsets are characters in the parsed text, end exclusive."""

from dataclasses import dataclass
from enum import StrEnum

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
    normalized  machine form: ISO date, ISO 8601 duration ("P12M"), amount "500000 USD",
                multiple of fees "12 months fees", party names joined by "; "; None when there is none
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
