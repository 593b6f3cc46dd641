"""What the API answers about contracts and playbooks. Offsets count characters of the text, `end` exclusive."""

from dataclasses import dataclass
from datetime import datetime

from .types import Run


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """Findings by severity, and how many nobody has decided yet."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    info: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract and where its newest analysis stands."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    created_by: str
    playbook: str
    pages: int | None = None
    language: str | None = None
    title: str | None = None
    latest_run: Run | None = None
    findings: FindingCounts | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an upload started; `duplicate` when these very bytes were there and nothing was started."""

    contract: Contract
    run: Run
    stream_url: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A page: its number and its characters."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph-sized piece of the text."""

    kind: str
    start: int
    end: int
    number: str | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A clause category and its probability in [0, 1]."""

    category: str
    probability: float
    method: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A clause."""

    index: int
    start: int
    end: int
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A defined term."""

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContractText:
    """The parsed text with its structure."""

    text: str
    pages: tuple[Span, ...] = ()
    blocks: tuple[Block, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    definitions: tuple[Definition, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in the contract; `quote` is its text."""

    start: int
    end: int
    quote: str
    page: int | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A reviewer's own words; None where the product's stand."""

    title: str | None = None
    severity: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A risk that a playbook rule found, and what a person decided about it."""

    id: str
    rule: str
    kind: str
    severity: str
    title: str
    why: str
    method: str
    confidence: float
    decision: str
    category: str | None = None
    citations: tuple[Citation, ...] = ()
    suggestion: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    edited: Edit | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the summary with its checked citations."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The executive summary; `dropped` sentences had nothing in the contract to stand on."""

    method: str
    dropped: int
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ModelText:
    """A small model's own words, unverified."""

    text: str
    model: str
    label: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A value read from the contract."""

    name: str
    value: str
    method: str
    confidence: float
    normalized: str | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryHeld:
    """A clause category that the contract holds."""

    category: str
    method: str
    probability: float
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaybookUsed:
    """The playbook, in its version, that a report holds the contract against."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Report:
    """A finished analysis; `methods` names the way that each part was produced."""

    contract: Contract
    run_id: str
    playbook: PlaybookUsed
    generated_at: datetime
    method: str
    ai_enabled: bool
    methods: dict[str, str]
    summary: Summary
    counts: FindingCounts
    model_text: ModelText | None = None
    facts: tuple[Fact, ...] = ()
    categories: tuple[CategoryHeld, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook in one version; `yaml` only where it was asked for by name."""

    name: str
    version: int
    title: str
    side: str
    rules: int
    is_default: bool
    updated_at: datetime | None = None
    yaml: str | None = None
