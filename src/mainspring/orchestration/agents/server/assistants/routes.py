"""HTTP: assistants, their versions, and what their graphs look like."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.agents.server.graphs import Shapes
from mainspring.orchestration.agents.server.keys import KeyRoute
from mainspring.orchestration.agents.server.words import EDIT, RUN, select

from .schemas import (
    AssistantCount,
    AssistantCreate,
    AssistantPatch,
    AssistantSearch,
    AssistantShape,
    GraphSchemas,
    VersionChoice,
    VersionSearch,
    show_assistant,
    show_version,
)
from .service import Assistants
from .store import AssistantFilter


def build_router(assistants: Assistants, shapes: Shapes) -> APIRouter:
    """The routes below /assistants."""
    router = APIRouter(prefix="/assistants", tags=["agents: assistants"], route_class=KeyRoute)
    _add_finding(router, assistants)
    _add_editing(router, assistants)
    _add_graphs(router, assistants, shapes)
    return router


def _add_finding(router: APIRouter, assistants: Assistants) -> None:
    @router.post("/search", response_model=list[AssistantShape])
    async def search_assistants(principal: CurrentPrincipal, wanted: AssistantSearch) -> Response:
        """Assistants by metadata, graph and name; `X-Pagination-Next` is the offset of the next page."""
        principal.require(RUN)
        found = await assistants.search(principal.tenant, wanted.filter())
        headers = {"x-pagination-next": str(wanted.offset + wanted.limit)} if len(found) == wanted.limit else {}
        return JSONResponse([select(show_assistant(each), wanted.select) for each in found], headers=headers)

    @router.post("/count")
    async def count_assistants(principal: CurrentPrincipal, wanted: AssistantCount) -> int:
        """How many assistants fit, counted up to 10,000."""
        principal.require(RUN)
        return await assistants.count(principal.tenant, wanted.filter())

    @router.get("/{assistant}", response_model=AssistantShape)
    async def get_assistant(principal: CurrentPrincipal, assistant: str) -> Response:
        """One assistant, by id or by the name of its graph."""
        principal.require(RUN)
        return JSONResponse(show_assistant(await assistants.get(principal.tenant, assistant)))

    @router.post("/{assistant}/versions", response_model=list[AssistantShape])
    async def list_versions(principal: CurrentPrincipal, assistant: str, wanted: VersionSearch) -> Response:
        """The assistant's versions, newest first."""
        principal.require(RUN)
        page = AssistantFilter(metadata=wanted.metadata, limit=wanted.limit, offset=wanted.offset)
        found = await assistants.list_versions(principal.tenant, assistant, page)
        return JSONResponse([show_version(each) for each in found])


def _add_editing(router: APIRouter, assistants: Assistants) -> None:
    @router.post("", response_model=AssistantShape)
    async def create_assistant(principal: CurrentPrincipal, wanted: AssistantCreate) -> Response:
        """A new assistant. 409 when its id is taken, unless `if_exists` is `do_nothing`."""
        principal.require(EDIT)
        return JSONResponse(show_assistant(await assistants.create(principal.tenant, wanted)))

    @router.patch("/{assistant}", response_model=AssistantShape)
    async def update_assistant(principal: CurrentPrincipal, assistant: str, change: AssistantPatch) -> Response:
        """A new version of the assistant, in force at once."""
        principal.require(EDIT)
        return JSONResponse(show_assistant(await assistants.update(principal.tenant, assistant, change)))

    @router.delete("/{assistant}", status_code=204)
    async def delete_assistant(principal: CurrentPrincipal, assistant: str, delete_threads: bool = False) -> Response:
        """Delete the assistant with its versions and crons; with `delete_threads` its idle threads too."""
        principal.require(EDIT)
        await assistants.delete(principal.tenant, assistant, delete_threads=delete_threads)
        return Response(status_code=204)

    @router.post("/{assistant}/latest", response_model=AssistantShape)
    async def set_latest(principal: CurrentPrincipal, assistant: str, choice: VersionChoice) -> Response:
        """Put an older version in force again."""
        principal.require(EDIT)
        return JSONResponse(show_assistant(await assistants.set_latest(principal.tenant, assistant, choice.version)))


def _add_graphs(router: APIRouter, assistants: Assistants, shapes: Shapes) -> None:
    @router.get("/{assistant}/graph")
    async def get_graph(principal: CurrentPrincipal, request: Request, assistant: str) -> JSONResponse:
        """Nodes and edges of the assistant's graph; `xray` opens the graphs inside it, to a depth if a number."""
        principal.require(RUN)
        found = await assistants.get(principal.tenant, assistant)
        return JSONResponse(shapes.draw(found, read_xray(request.query_params.get("xray", "false"))))

    @router.get("/{assistant}/schemas")
    async def get_schemas(principal: CurrentPrincipal, assistant: str) -> GraphSchemas:
        """JSON Schemas of the graph's input, output, state, configuration and context."""
        principal.require(RUN)
        return GraphSchemas.model_validate(shapes.describe(await assistants.get(principal.tenant, assistant)))

    @router.get("/{assistant}/subgraphs")
    async def get_subgraphs(principal: CurrentPrincipal, assistant: str, recurse: bool = False) -> JSONResponse:
        """The graphs inside the graph, by name space."""
        principal.require(RUN)
        found = await assistants.get(principal.tenant, assistant)
        return JSONResponse(shapes.describe_inner(found, None, recurse=recurse))

    @router.get("/{assistant}/subgraphs/{namespace}")
    async def get_subgraph(
        principal: CurrentPrincipal, assistant: str, namespace: str, recurse: bool = False
    ) -> JSONResponse:
        """The graphs below one name space."""
        principal.require(RUN)
        found = await assistants.get(principal.tenant, assistant)
        return JSONResponse(shapes.describe_inner(found, namespace, recurse=recurse))


def read_xray(text: str) -> bool | int:
    """True, false, or how deep."""
    if text.isdigit():
        return min(int(text), 20)
    return text.lower() == "true"
