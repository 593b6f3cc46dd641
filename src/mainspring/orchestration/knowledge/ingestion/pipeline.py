"""The pipeline `knowledge.ingest`: one revision of one document, from bytes to search."""

from dataclasses import dataclass
from datetime import timedelta

from mainspring.orchestration.pipelines import Pipeline, StepRun

from .steps import IngestSteps
from .types import Chunked, DocumentRef, Embedded, Indexed, Parsed

INGEST = "knowledge.ingest"

_PARSING_TAKES = timedelta(minutes=15)
_EMBEDDING_TAKES = timedelta(hours=2)
"""Of one attempt; vectors are kept as they are made, so the next attempt goes on where this one stopped."""
_EMBEDDING_RETRIES = 50
"""With pauses that grow to two minutes this is an hour and a half: many documents that come in at once wait for each
other behind a limit of calls, and none of them is at fault."""


@dataclass(frozen=True, slots=True)
class _AfterParse:
    submitted: DocumentRef
    parse: Parsed


@dataclass(frozen=True, slots=True)
class _AfterChunk:
    submitted: DocumentRef
    chunk: Chunked


@dataclass(frozen=True, slots=True)
class _AfterEmbed:
    submitted: DocumentRef
    embed: Embedded


def build_ingest(steps: IngestSteps) -> Pipeline:
    """The pipeline over these steps."""
    ingest = Pipeline(INGEST, version=1)

    @ingest.step("parse", title="Read the document", timeout=_PARSING_TAKES)
    async def parse(submitted: DocumentRef, run: StepRun) -> Parsed:
        return await steps.parse(submitted, run)

    @ingest.step("chunk", title="Cut it into passages", after=("parse",))
    async def chunk(given: _AfterParse, run: StepRun) -> Chunked:
        if not given.parse.is_current:
            return Chunked(is_current=False)
        return await steps.chunk(given.submitted, run)

    @ingest.step(
        "embed",
        title="Compute what the passages mean",
        after=("chunk",),
        retries=_EMBEDDING_RETRIES,
        timeout=_EMBEDDING_TAKES,
    )
    async def embed(given: _AfterChunk, run: StepRun) -> Embedded:
        if not given.chunk.is_current:
            return Embedded(is_current=False)
        return await steps.embed(given.submitted, run)

    @ingest.step("index", title="Make it searchable", after=("embed",), retries=8)
    async def index(given: _AfterEmbed, run: StepRun) -> Indexed:
        if not given.embed.is_current:
            return Indexed(is_current=False)
        return await steps.index(given.submitted, run)

    return ingest
