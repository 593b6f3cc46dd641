"""What the platform itself offers as tools: a search of the tenant's documents, and runs of its pipelines.

Agents and MCP clients use them alike, with the caller's rights: documents that are closed to the caller are not found,
and of a run about one it tells how it stands and no more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec

from mainspring.foundation.ids import read_id, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge import Answer, Question, Reason
from mainspring.orchestration.knowledge.types import Reader
from mainspring.orchestration.pipelines import RUN_PREFIX, Pipeline, Pipelines, Run, RunId

from .declaring import tool
from .signatures import schema_of
from .types import Effects, Empty, Json, Tool, ToolContext

_MOST_PASSAGES = 20
_DOCUMENT = "doc"


class Searches(Protocol):
    """What is asked of knowledge; `knowledge.Search` answers."""

    async def search(self, reader: Reader, question: Question) -> Answer:
        """Passages that this reader may read."""
        ...


class ClosedRuns(Protocol):
    """Which subjects of runs are closed to a caller."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """Those of `subjects` that it may not read."""
        ...


@dataclass(frozen=True, slots=True)
class Startable:
    """A pipeline that may be started by a tool.

    input       the frozen dataclass that its first steps take; the tool's arguments are its fields
    permission  what the caller must hold
    describe    what it does, for a model
    """

    pipeline: Pipeline
    input: type[Any]
    permission: str
    describe: str


def search_tool(search: Searches) -> Tool:
    """`search_knowledge`: passages with citations, as untrusted content."""

    @tool(
        title="Search the documents",
        effects=Effects.READS,
        untrusted_output=True,
        permission="knowledge.view",
        retries=1,
    )
    async def search_knowledge(
        context: ToolContext,
        question: Annotated[str, 'words, a sentence, "a quoted phrase" or identifiers'],
        limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST_PASSAGES, description="passages at most")] = 5,
    ) -> Json:
        """Search the organization's documents. Each passage comes with the place that it can be cited by."""
        reader = Reader(context.tenant, context.principal.subjects)
        answer = await search.search(reader, Question(question, limit=limit))
        if not answer.passages:
            return Empty(_why_empty(answer.reason))
        return {"passages": [_passage(each) for each in answer.passages], "notes": list(answer.notes)}

    return search_knowledge


def run_tools(pipelines: Pipelines, startable: Iterable[Startable], closed: ClosedRuns | None = None) -> list[Tool]:
    """`get_run`, and `start_<pipeline>` for each pipeline that may be started."""
    return [_get_run(pipelines, closed), *(_start(pipelines, each) for each in startable)]


def _get_run(pipelines: Pipelines, closed: ClosedRuns | None) -> Tool:
    @tool(title="Look at a run", effects=Effects.READS, permission="ai.output.view", retries=1)
    async def get_run(context: ToolContext, run: Annotated[str, "the run's id, `run_...`"]) -> Json:
        """Tell how a run stands: its status, its steps, and why it failed."""
        found = await pipelines.get_run(context.tenant, RunId(read_id(RUN_PREFIX, run)))
        about = {found.subject} if found.subject else set[str]()
        is_closed = bool(closed and about and await closed.closed_to(context.principal, about))
        return _run(found, is_closed=is_closed)

    return get_run


def _start(pipelines: Pipelines, each: Startable) -> Tool:
    async def start(context: ToolContext, arguments: Mapping[str, Json]) -> Json:
        submitted = msgspec.convert(dict(arguments), each.input)
        run = await pipelines.submit(context.tenant, each.pipeline, submitted, idempotency_key=context.idempotency_key)
        return {"run": show_id(RUN_PREFIX, run.id), "status": run.status.value}

    name = each.pipeline.name
    return Tool(
        name=f"start_{name.replace('.', '_')}",
        title=f"Start {name}",
        description=f"{each.describe}\n\nStarts a run and answers at once with its id; look at it with get_run.",
        parameters=schema_of(each.input),
        invoke=start,
        effects=Effects.WRITES,
        permission=each.permission,
    )


def _run(run: Run, *, is_closed: bool) -> Json:
    shown: dict[str, Json] = {
        "run": show_id(RUN_PREFIX, run.id),
        "pipeline": run.pipeline,
        "status": run.status.value,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }
    if is_closed:
        return shown
    shown["steps"] = [{"name": step.name, "title": step.title, "status": step.status.value} for step in run.steps]
    shown["error"] = {"code": run.error.code, "detail": run.error.detail} if run.error else None
    return shown


def _passage(passage: Any) -> Json:
    return {
        "text": passage.text,
        "document": passage.document,
        "document_id": show_id(_DOCUMENT, passage.document_id),
        "source": passage.source,
        "number": passage.number,
        "headings": list(passage.heading_path),
        "page": passage.page,
        "score": round(passage.score, 4),
        "citation": {
            "start": passage.citation.start,
            "end": passage.citation.end,
            "quote": passage.citation.quote,
        },
    }


def _why_empty(reason: Reason | None) -> str:
    match reason:
        case Reason.NO_DOCUMENTS:
            return "There are no documents that this caller may read."
        case Reason.FILTERED_OUT:
            return "No document passes the filters."
        case _:
            return "Nothing in the documents has enough to do with the question."
