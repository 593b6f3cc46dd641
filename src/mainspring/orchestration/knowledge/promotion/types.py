"""The words of promotion: which indexes are large, what was built for them, and how well it answers."""

from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.types import IndexStatus


@dataclass(frozen=True, slots=True)
class Policy:
    """When a tenant's index is worth an approximate one. The numbers are measured: docs/decisions/0013.

    promote_at      chunks from which comparing every vector takes longer than a search should
    demote_below    chunks under which it is quick again; lower, so that an index near the border is left alone
    most            approximate indexes at a time: every one adds to what writing to its partition costs
    least_recall    of the ten nearest, the share that has to be found, before and after searches depend on it
    queries         asked of both ways to measure recall
    build_megabytes memory for one build; where the graph does not fit, building takes many times longer
    """

    promote_at: int = 15_000
    demote_below: int = 10_000
    most: int = 128
    least_recall: float = 0.95
    queries: int = 32
    build_megabytes: int = 1_024


@dataclass(frozen=True, slots=True)
class Held:
    """An index of a tenant as its record says; `is_promoted` when searches use its approximate index."""

    tenant: TenantId
    index: UUID
    status: IndexStatus
    dimensions: int
    chunks: int
    is_promoted: bool


@dataclass(frozen=True, slots=True)
class Built:
    """An approximate index that the database has; `is_valid` is false for what a killed build left behind."""

    name: str
    schema: str
    index: UUID
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the ten nearest an approximate search found, 0 to 1, and the median milliseconds of each way."""

    share: float
    queries: int
    exact_ms: float
    approximate_ms: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What one round of the duty did; all zero where another worker was at it."""

    promoted: int = 0
    refused: int = 0
    demoted: int = 0
    dropped: int = 0
    measured: int = 0
