"""The words of indexing: a cut, how far a new index is, how it compares, and where record and rows differ."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mainspring.orchestration.knowledge.ports import GoldenRecall
from mainspring.orchestration.knowledge.types import Chunk


@dataclass(frozen=True, slots=True)
class Cut:
    """The chunks of one revision under one setup.

    language     of the parsed document, ISO 639-1, "und" when undetermined
    fingerprint  of parser, chunker and its settings; the same fingerprint, the same chunks
    """

    revision: int
    chunks: tuple[Chunk, ...]
    fingerprint: str
    language: str = "und"


@dataclass(frozen=True, slots=True)
class RebuildFailure:
    """A document that could not be brought into the new index, and why."""

    document_id: UUID
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far the index that is being built is.

    done     documents that this call brought into it, `chunks` and `embedded` of them
    left     documents that are still to come; failures are not among them
    blocking failures of documents that the active index holds: a switch is refused while there are some
    pause    how long to wait before the next call, so that the tenant's rate is kept
    """

    done: int
    chunks: int
    embedded: int
    left: int
    failures: tuple[RebuildFailure, ...]
    blocking: tuple[RebuildFailure, ...]
    pause: timedelta

    @property
    def is_complete(self) -> bool:
        """Nothing is left to do; a switch is possible when nothing is blocking either."""
        return self.left == 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two indexes asked the same, by vectors, and the tenant's golden questions, as people search.

    queries           how many texts were asked
    overlap           mean share of the first 10 documents' places that both find, 0 to 1
    rank_correlation  mean Spearman correlation of the ranks of what both found, -1 to 1; None without any
    golden            how well the active and the new index answer golden questions; None without any
    """

    queries: int
    overlap: float
    rank_correlation: float | None
    golden: tuple[GoldenRecall, GoldenRecall] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the record of an index and its rows do not agree.

    document_id  None where it is about the index as a whole
    kind         `not_indexed` and `stale` (said to be indexed, and is not, or at another revision); `chunks`,
                 `vectors`, `terms` (rows too few or too many); `texts` (vectors of other texts); `term_counts`
    """

    index_id: UUID
    document_id: UUID | None
    kind: str
    detail: str
