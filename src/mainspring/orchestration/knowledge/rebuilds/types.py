"""The words of a rebuild: which index a run builds, and what its steps did."""

from dataclasses import dataclass
from uuid import UUID

from mainspring.orchestration.knowledge.types import IndexVersion
from mainspring.orchestration.pipelines.types import Run


@dataclass(frozen=True, slots=True)
class RebuildRef:
    """The index that is to be filled."""

    index: UUID


@dataclass(frozen=True, slots=True)
class Filled:
    """The index holds what can be held.

    is_current  False: it was abandoned or switched to meanwhile; nothing is left to do
    documents   that this attempt brought in, with `chunks`, and `embedded` texts that a model was asked for
    failed      documents that could not be brought in
    """

    is_current: bool
    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """How far both indexes agree; see `indexing.Comparison`."""

    queries: int = 0
    overlap: float | None = None
    rank_correlation: float | None = None


@dataclass(frozen=True, slots=True)
class StartedRebuild:
    """The index that is being built, and the run that fills it."""

    index: IndexVersion
    run: Run
