"""Index versions as the HTTP API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from mainspring.foundation.ids import show_id
from mainspring.orchestration.knowledge.indexing import Comparison
from mainspring.orchestration.knowledge.overview import IndexFilling
from mainspring.orchestration.knowledge.types import IndexStatus, IndexVersion
from mainspring.orchestration.pipelines import Run, RunShape, run_shape

from .shape import Asked, Shape


class IndexShape(Shape):
    """All of the tenant's chunks, cut by one version of the settings and embedded by one model."""

    id: Annotated[str, Field(examples=["idx_01k9x3v2m4e0n8q5t7w1y6z3ab"])]
    number: Annotated[int, Field(description="1, 2, 3, ... in the tenant")]
    status: Annotated[IndexStatus, Field(description="searches read the active one; a retired one is there for undo")]
    embedding_model: str
    dimensions: int
    settings_version: int
    documents: Annotated[int, Field(description="that it holds")]
    current: Annotated[int, Field(description="of these, in their newest revision")]
    chunks: int
    tokens: Annotated[int, Field(description="an estimate")]
    approximate: Annotated[bool, Field(description="whether an approximate index serves its searches")]
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


class IndexList(Shape):
    """Every index that is there, newest first; `total_documents` are what a complete one would hold, failures aside."""

    items: list[IndexShape]
    total_documents: int


class StartRebuild(Asked):
    """By which settings to build the next index."""

    settings_version: Annotated[int | None, Field(ge=0, le=2**31 - 1, description="default: the present one")] = None


class RebuildStarted(Shape):
    """The index that is being built, and the run that fills it: follow `stream_url`, or poll the index."""

    index: IndexShape
    run: RunShape
    stream_url: str


class SwitchIndex(Asked):
    """How to switch."""

    force: Annotated[
        bool, Field(description="switch although documents are missing; they are found again once indexed anew")
    ] = False


class GoldenRecallShape(Shape):
    """How well an index answers the tenant's golden questions; each figure 0 to 1."""

    questions: int
    recall_5: Annotated[float, Field(description="share whose answer is among the first 5 passages")]
    recall_10: float
    mrr: Annotated[float, Field(description="mean of 1 / rank of the answer, 0 where it is not among the first 10")]


class GoldenComparisonShape(Shape):
    """The golden questions asked of both."""

    active: GoldenRecallShape
    building: GoldenRecallShape


class ComparisonShape(Shape):
    """The active index and the one being built, asked the same."""

    index: str
    queries: int
    overlap: Annotated[float, Field(description="mean share of the first 10 places that both find, 0 to 1")]
    rank_correlation: Annotated[float | None, Field(description="Spearman's, of what both find, -1 to 1")]
    golden: Annotated[GoldenComparisonShape | None, Field(description="null without golden questions")]


def show_index(index: IndexVersion, filling: IndexFilling | None) -> IndexShape:
    """An index version with what it holds."""
    held = filling or IndexFilling()
    return IndexShape(
        id=show_id("idx", index.id),
        number=index.number,
        status=index.status,
        embedding_model=index.embedding_model,
        dimensions=index.dimensions,
        settings_version=index.settings_version,
        documents=held.documents,
        current=held.current,
        chunks=held.chunks,
        tokens=held.tokens,
        approximate=index.promoted_at is not None,
        created_at=index.created_at,
        activated_at=index.activated_at,
        retired_at=index.retired_at,
    )


def show_started(index: IndexVersion, filling: IndexFilling | None, run: Run) -> RebuildStarted:
    """What starting a rebuild answers."""
    shown = run_shape(run)
    return RebuildStarted(index=show_index(index, filling), run=shown, stream_url=f"/v1/runs/{shown.id}/events")


def show_comparison(index: IndexVersion, compared: Comparison) -> ComparisonShape:
    """How far the index being built agrees with the active one."""
    return ComparisonShape(
        index=show_id("idx", index.id),
        queries=compared.queries,
        overlap=compared.overlap,
        rank_correlation=compared.rank_correlation,
        golden=_golden(compared),
    )


def _golden(compared: Comparison) -> GoldenComparisonShape | None:
    if compared.golden is None:
        return None
    active, building = map(GoldenRecallShape.model_validate, compared.golden)
    return GoldenComparisonShape(active=active, building=building)
