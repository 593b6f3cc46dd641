"""Wire shapes of contract intelligence. Offsets are characters in the contract's text, `end` exclusive."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mainspring.orchestration.pipelines import RunShape

Severity = Literal["critical", "high", "medium", "low", "info"]
Method = Literal["classifier", "model", "rule"]
Decision = Literal["open", "accepted", "dismissed", "edited"]


class Shape(BaseModel):
    """Read straight from frozen dataclasses."""

    model_config = ConfigDict(from_attributes=True)


class CitationShape(Shape):
    """A place in the contract: `quote` is the text at [start, end)."""

    start: int
    end: int
    quote: str
    page: int | None = None
    chunk: int | None = None


class FindingCounts(Shape):
    """Findings of the latest finished run by severity, and how many nobody decided yet."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    info: int = 0
    open: int = 0


class ContractShape(Shape):
    """A contract and where its newest analysis stands."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    pages: int | None
    language: str | None
    title: str | None
    playbook: str
    created_at: datetime
    created_by: str
    latest_run: RunShape | None
    findings: FindingCounts | None


class ContractPage(Shape):
    """Contracts, newest first."""

    items: list[ContractShape]
    next_cursor: str | None = None


class Submitted(Shape):
    """Accepted: follow `stream_url` for live events, or poll the run.

    `duplicate` is true when the tenant holds these very bytes already; nothing was started then.
    """

    contract: ContractShape
    run: RunShape
    stream_url: str
    duplicate: bool = False


class AnalyzeAgain(BaseModel):
    """Analyse a contract again, with the same playbook unless another is named."""

    playbook: str | None = Field(None, max_length=60)


class PageShape(Shape):
    """A page of the source and the characters on it."""

    number: int
    start: int
    end: int


class BlockShape(Shape):
    """A paragraph-sized piece of the text."""

    kind: str
    start: int
    end: int
    number: str | None = None
    level: int | None = None


class LabelShape(Shape):
    """A clause category with its calibrated probability in [0, 1]."""

    category: str
    probability: float
    method: Method


class ChunkShape(Shape):
    """A clause, as it was embedded and classified."""

    index: int
    start: int
    end: int
    number: str | None
    heading_path: list[str]
    page: int | None
    labels: list[LabelShape] = []


class DefinitionShape(Shape):
    """A term that the contract defines."""

    term: str
    start: int
    end: int


class TextShape(Shape):
    """The contract's text with its structure."""

    text: str
    pages: list[PageShape]
    blocks: list[BlockShape]
    chunks: list[ChunkShape]
    definitions: list[DefinitionShape]
    warnings: list[str]


class EditedFinding(Shape):
    """A reviewer's own words in place of the product's."""

    title: str | None = Field(None, max_length=500)
    severity: Severity | None = None
    suggestion: str | None = Field(None, max_length=5000)


class FindingShape(Shape):
    """A risk that a playbook rule found, and what a person decided about it."""

    id: str
    rule: str
    kind: Literal["missing", "forbidden", "limit", "notice"]
    severity: Severity
    title: str
    why: str
    category: str | None
    citations: list[CitationShape]
    suggestion: str | None
    method: Method
    confidence: float
    decision: Decision
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    edited: EditedFinding | None = None


class FindingPage(Shape):
    """Findings of the newest finished run, most severe first."""

    items: list[FindingShape]
    next_cursor: str | None = None


class DecideFinding(BaseModel):
    """Accept, dismiss or edit a finding; `open` undoes. Dismissing and editing need a reason."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision
    reason: str | None = Field(None, max_length=2000)
    edited: EditedFinding | None = None


class FactShape(Shape):
    """A value read from the contract, with the places it was read from."""

    name: str
    value: str
    normalized: str | None
    method: Method
    confidence: float
    citations: list[CitationShape]


class CategoryShape(Shape):
    """A clause category the contract holds."""

    category: str
    method: Method
    probability: float
    citations: list[CitationShape]


class SentenceShape(Shape):
    """A sentence of the summary; every citation was checked to be in the contract."""

    text: str
    citations: list[CitationShape]


class SummaryShape(Shape):
    """The executive summary. `dropped` counts sentences removed because nothing in the contract bears them."""

    method: Method
    dropped: int
    sentences: list[SentenceShape]


class ModelText(Shape):
    """The small local model's own words, unverified; shown beside the report, never as part of it."""

    text: str
    model: str
    label: str


class PlaybookUsed(Shape):
    """Which playbook, in which version, the contract was held against."""

    name: str
    version: int


class Methods(Shape):
    """Which way produced each part."""

    classify: Method
    assess: Method
    summarize: Method


class ReportShape(Shape):
    """The finished analysis."""

    contract: ContractShape
    run_id: str
    playbook: PlaybookUsed
    generated_at: datetime
    method: Literal["deterministic", "model"]
    ai_enabled: bool
    methods: Methods
    summary: SummaryShape
    model_text: ModelText | None
    facts: list[FactShape]
    categories: list[CategoryShape]
    findings: list[FindingShape]
    counts: FindingCounts
    warnings: list[str]


class PlaybookShape(Shape):
    """A playbook's newest version."""

    name: str
    version: int
    title: str
    side: str
    rules: int
    is_default: bool
    updated_at: datetime | None


class PlaybookPage(Shape):
    """The tenant's playbooks, the shipped ones among them."""

    items: list[PlaybookShape]
    next_cursor: str | None = None


class PlaybookText(PlaybookShape):
    """With its rules as YAML."""

    yaml: str


class SavePlaybook(BaseModel):
    """A new version of a playbook.

    `base_version` is the version that was edited; when it is no longer the newest the save is refused.
    """

    model_config = ConfigDict(extra="forbid")

    yaml: str = Field(max_length=200_000)
    is_default: bool | None = None
    base_version: int | None = None
