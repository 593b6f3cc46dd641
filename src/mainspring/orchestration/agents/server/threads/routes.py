"""HTTP: threads and their states."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.agents.server.keys import KeyRoute
from mainspring.orchestration.agents.server.words import RUN, QueryLimit, read_uuid, select
from mainspring.orchestration.agents.types import JsonObject, ThreadId

from .schemas import (
    BulkStateUpdate,
    CheckpointBody,
    HistoryWanted,
    StateShape,
    StateUpdate,
    StateWanted,
    Superstep,
    ThreadCount,
    ThreadCreate,
    ThreadPatch,
    ThreadPrune,
    ThreadSearch,
    ThreadShape,
    extract,
    read_ttl,
    show_thread,
)
from .service import NewThread, Threads
from .states import Edit, HistoryChoice, States


def build_router(threads: Threads, states: States) -> APIRouter:
    """The routes below /threads, without those of runs and streams."""
    router = APIRouter(prefix="/threads", tags=["agents: threads"], route_class=KeyRoute)
    _add_finding(router, threads)
    _add_editing(router, threads)
    _add_states(router, threads, states)
    _add_state_edits(router, threads, states)
    return router


def read_thread_id(text: str) -> ThreadId:
    """The thread in a path; text that is no UUID is a thread that does not exist."""
    return ThreadId(read_uuid(text, "thread"))


def _add_finding(router: APIRouter, threads: Threads) -> None:
    @router.post("/search", response_model=list[ThreadShape])
    async def search_threads(principal: CurrentPrincipal, wanted: ThreadSearch) -> Response:
        """Threads by metadata, values, status and id; `X-Pagination-Next` is the offset of the next page."""
        principal.require(RUN)
        found = await threads.search(principal, wanted.filter())
        shown: list[JsonObject] = []
        for thread in found:
            whole = show_thread(thread)
            part = select(whole, wanted.select)
            shown.append({**part, "extracted": extract(whole, wanted.extract)} if wanted.extract else part)
        headers = {"x-pagination-next": str(wanted.offset + wanted.limit)} if len(found) == wanted.limit else {}
        return JSONResponse(shown, headers=headers)

    @router.post("/count")
    async def count_threads(principal: CurrentPrincipal, wanted: ThreadCount) -> int:
        """How many threads fit, counted up to 10,000."""
        principal.require(RUN)
        return await threads.count(principal, wanted.filter())

    @router.get("/{thread}", response_model=ThreadShape)
    async def get_thread(principal: CurrentPrincipal, thread: str, include: str = "") -> Response:
        """One thread; `include=ttl` adds its time to live."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        return JSONResponse(show_thread(found, with_ttl="ttl" in include.split(",")))


def _add_editing(router: APIRouter, threads: Threads) -> None:
    @router.post("", response_model=ThreadShape)
    async def create_thread(principal: CurrentPrincipal, wanted: ThreadCreate) -> Response:
        """A new thread. 409 when its id is taken, unless `if_exists` is `do_nothing`."""
        principal.require(RUN)
        new = NewThread(
            id=None if wanted.thread_id is None else read_uuid(wanted.thread_id, "thread"),
            metadata=wanted.metadata,
            does_nothing_if_exists=wanted.if_exists == "do_nothing",
            ttl=read_ttl(wanted.ttl),
            supersteps=_read_steps(wanted.supersteps or []),
        )
        return JSONResponse(show_thread(await threads.create(principal, new)))

    @router.patch("/{thread}", response_model=ThreadShape)
    async def update_thread(
        principal: CurrentPrincipal, thread: str, change: ThreadPatch, prefer: Annotated[str, Header()] = ""
    ) -> Response:
        """Merge metadata and set the time to live; `Prefer: return=minimal` answers 204."""
        principal.require(RUN)
        updated = await threads.update(
            principal.tenant, read_thread_id(thread), metadata=change.metadata or {}, ttl=read_ttl(change.ttl)
        )
        if "return=minimal" in prefer:
            return Response(status_code=204)
        return JSONResponse(show_thread(updated))

    @router.delete("/{thread}", status_code=204)
    async def delete_thread(principal: CurrentPrincipal, thread: str) -> Response:
        """Stop what runs on the thread and delete it, with its runs and states."""
        principal.require(RUN)
        await threads.delete(principal.tenant, read_thread_id(thread))
        return Response(status_code=204)

    @router.post("/{thread}/copy", response_model=ThreadShape)
    async def copy_thread(principal: CurrentPrincipal, thread: str) -> Response:
        """A second thread with the same state and history."""
        principal.require(RUN)
        return JSONResponse(show_thread(await threads.copy(principal, read_thread_id(thread))))

    @router.post("/prune")
    async def prune_threads(principal: CurrentPrincipal, wanted: ThreadPrune) -> dict[str, int]:
        """Delete threads, or all of them but their latest state."""
        principal.require(RUN)
        named = [read_thread_id(each) for each in wanted.thread_ids]
        return {"pruned_count": await threads.prune(principal, named, wanted.strategy)}


def _add_states(router: APIRouter, threads: Threads, states: States) -> None:
    @router.get("/{thread}/state", response_model=StateShape)
    async def get_state(
        principal: CurrentPrincipal,
        thread: str,
        subgraphs: bool = False,
        fields: Annotated[list[str] | None, Query(alias="select")] = None,
    ) -> Response:
        """The thread's latest state."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        return JSONResponse(_part(await states.get(found, subgraphs=subgraphs), fields))

    @router.get("/{thread}/state/{checkpoint}", response_model=StateShape)
    async def get_state_at(
        principal: CurrentPrincipal, thread: str, checkpoint: str, subgraphs: bool = False
    ) -> Response:
        """The thread's state at a checkpoint."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        return JSONResponse(await states.get(found, {"checkpoint_id": checkpoint}, subgraphs=subgraphs))

    @router.post("/{thread}/state/checkpoint", response_model=StateShape)
    async def get_state_of(principal: CurrentPrincipal, thread: str, wanted: StateWanted) -> Response:
        """The thread's state at a checkpoint, of a graph inside the graph as well."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        state = await states.get(found, _named(wanted.checkpoint), subgraphs=wanted.subgraphs)
        return JSONResponse(_part(state, wanted.select))

    @router.post("/{thread}/history", response_model=list[StateShape])
    async def list_history(principal: CurrentPrincipal, thread: str, wanted: HistoryWanted) -> Response:
        """States the thread went through, newest first."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        before = wanted.before
        choice = HistoryChoice(
            limit=wanted.limit,
            before={"checkpoint_id": before} if isinstance(before, str) else _named(before),
            metadata=wanted.metadata,
            checkpoint=_named(wanted.checkpoint),
        )
        return JSONResponse([_part(each, wanted.select) for each in await states.history(found, choice)])

    @router.get("/{thread}/history", response_model=list[StateShape])
    async def get_history(
        principal: CurrentPrincipal, thread: str, limit: QueryLimit = 10, before: str | None = None
    ) -> Response:
        """As the POST, by query."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        choice = HistoryChoice(limit=limit, before={"checkpoint_id": before} if before else None)
        return JSONResponse(list(await states.history(found, choice)))


def _add_state_edits(router: APIRouter, threads: Threads, states: States) -> None:
    @router.post("/{thread}/state")
    async def update_state(principal: CurrentPrincipal, thread: str, change: StateUpdate) -> JSONResponse:
        """Edit the state by hand, as if a node had; 409 while a run leads the thread."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        at = _named(change.checkpoint) or ({"checkpoint_id": change.checkpoint_id} if change.checkpoint_id else None)
        values = change.values
        edits = [Edit(each, change.as_node) for each in values] if isinstance(values, list) else None
        steps = [edits or [Edit(values, change.as_node)]]
        return JSONResponse({"checkpoint": await states.edit(found, steps, at)})

    @router.post("/{thread}/state/bulk")
    async def bulk_update_state(principal: CurrentPrincipal, thread: str, change: BulkStateUpdate) -> JSONResponse:
        """Edits one after the other, each a superstep; 409 while a run leads the thread."""
        principal.require(RUN)
        found = await threads.get(principal.tenant, read_thread_id(thread))
        return JSONResponse({"checkpoint": await states.edit(found, _read_steps(change.supersteps))})


def _read_steps(steps: list[Superstep]) -> list[list[Edit]]:
    return [[Edit(each.values, each.as_node, each.command) for each in step.updates] for step in steps]


def _named(checkpoint: CheckpointBody | None) -> dict[str, object] | None:
    """A checkpoint's name as LangGraph's config has it."""
    if checkpoint is None:
        return None
    return checkpoint.model_dump(exclude_none=True, exclude={"thread_id"})


def _part(state: JsonObject, fields: list[str] | None) -> JsonObject:
    """The fields asked for; `values.<key>` takes one value of the state."""
    if not fields:
        return state
    keys = {each.partition(".")[2] for each in fields if each.startswith("values.")}
    part = select(state, [each for each in fields if "." not in each] or ["values" if keys else ""])
    values = state.get("values")
    if keys and "values" not in fields and isinstance(values, dict):
        part["values"] = {name: value for name, value in values.items() if name in keys}
    return part
