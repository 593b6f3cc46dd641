"""Commands of the event protocol: start a run, answer what waits, look at states, go back to one.

A start on a thread that waits for an answer is the answer: so clients resume that know no more than the thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput, MainspringError, NotFound
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.server.runs.schemas import EVERYTHING
from mainspring.orchestration.agents.server.runs.service import RunDesk, gather_interrupts
from mainspring.orchestration.agents.server.threads.service import Threads
from mainspring.orchestration.agents.server.threads.states import HistoryChoice, States
from mainspring.orchestration.agents.server.words import RUN
from mainspring.orchestration.agents.types import (
    AgentRun,
    AssistantId,
    IfNotExists,
    Json,
    JsonObject,
    Multitask,
    RunOrder,
    StreamChoice,
    Thread,
    ThreadId,
    ThreadStatus,
)


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A command that cannot be done, in the protocol's words."""

    code: str
    message: str


class Commands:
    """Carries out the commands on threads."""

    def __init__(self, desk: RunDesk, threads: Threads, states: States) -> None:
        self._desk = desk
        self._threads = threads
        self._states = states

    async def answer(self, principal: Principal, thread: ThreadId, command: Mapping[str, Json]) -> JsonObject:
        """The protocol's answer to a command; what goes wrong is an answer, too."""
        identifier = command.get("id")
        params = command.get("params")
        try:
            principal.require(RUN)
            if not isinstance(identifier, int) or not isinstance(command.get("method"), str):
                raise Refused("invalid_argument", "A command has an integer id and the name of a method.")
            given = params if isinstance(params, dict) else dict[str, Json]()
            result = await self._do(principal, thread, str(command["method"]), given)
        except Refused as refused:
            return _error(identifier, refused.code, refused.message)
        except MainspringError as refused:
            return _error(identifier, _code(refused), refused.detail)
        return {"type": "success", "id": identifier, "result": result}

    async def _do(self, principal: Principal, thread: ThreadId, method: str, params: JsonObject) -> JsonObject:
        match method:
            case "run.start":
                run = await self._start(principal, thread, params)
                return {"run_id": str(run.id)}
            case "input.respond":
                run = await self._respond(principal, thread, params)
                return {"run_id": str(run.id)}
            case "state.get":
                state = await self._states.get(await self._threads.get(principal.tenant, thread))
                return {"values": _keys(state.get("values"), params), "checkpoint": _reference(state)}
            case "state.listCheckpoints":
                return await self._list_checkpoints(principal, thread, params)
            case "state.fork":
                run = await self._fork(principal, thread, params)
                return {"run_id": str(run.id), "thread_id": str(thread)}
            case "agent.getTree":
                return await self._tree(principal, thread)
            case "input.inject":
                raise Refused("not_supported", "Messages cannot be injected into a running graph; start a run.")
            case _:
                raise Refused("unknown_command", f"There is no command {method[:60]!r} here.")

    async def _start(self, principal: Principal, thread: ThreadId, params: JsonObject) -> AgentRun:
        assistant = params.get("assistant_id")
        if not isinstance(assistant, str) or not assistant:
            raise Refused("invalid_argument", "run.start needs an assistant_id.")
        order = _order(thread, assistant, params)
        given = params.get("input")
        there = await self._threads.find(principal.tenant, thread)
        if given is not None and there is not None and _waits(there):
            return await self._desk.submit(principal, replace(order, command={"resume": given}))
        return await self._desk.submit(principal, replace(order, input=given))

    async def _respond(self, principal: Principal, thread: ThreadId, params: JsonObject) -> AgentRun:
        found = await self._threads.get(principal.tenant, thread)
        waiting = {str(each.get("id")) for each in gather_interrupts(found.interrupts)}
        answers: JsonObject = {}
        entries = params.get("responses")
        for entry in entries if isinstance(entries, list) else [params]:
            name = entry.get("interrupt_id") if isinstance(entry, dict) else None
            if not isinstance(name, str) or not isinstance(entry, dict):
                raise Refused("invalid_argument", "Each response names the interrupt_id that it answers.")
            if name not in waiting:
                raise Refused("no_such_interrupt", f"Nothing waits under {name[:60]!r}; it may be answered already.")
            answers[name] = entry.get("response")
        command: JsonObject = {"resume": answers}
        command |= {name: params[name] for name in ("update", "goto") if params.get(name) is not None}
        assistant = await self._last_assistant(principal, thread)
        return await self._desk.submit(principal, replace(_order(thread, assistant, params), command=command))

    async def _fork(self, principal: Principal, thread: ThreadId, params: JsonObject) -> AgentRun:
        checkpoint = params.get("checkpoint_id")
        if not isinstance(checkpoint, str):
            raise Refused("invalid_argument", "state.fork needs the checkpoint_id to go on from.")
        order = _order(thread, await self._last_assistant(principal, thread), params)
        return await self._desk.submit(
            principal, replace(order, input=params.get("input"), checkpoint={"checkpoint_id": checkpoint})
        )

    async def _list_checkpoints(self, principal: Principal, thread: ThreadId, params: JsonObject) -> JsonObject:
        limit, before = params.get("limit"), params.get("before")
        choice = HistoryChoice(
            limit=limit if isinstance(limit, int) and 1 <= limit <= 1_000 else 10,
            before={"checkpoint_id": before} if isinstance(before, str) else None,
        )
        found = await self._states.history(await self._threads.get(principal.tenant, thread), choice)
        return {"checkpoints": [_summary(state) for state in found]}

    async def _tree(self, principal: Principal, thread: ThreadId) -> JsonObject:
        found = await self._threads.get(principal.tenant, thread)
        status = {ThreadStatus.BUSY: "running", ThreadStatus.INTERRUPTED: "interrupted", ThreadStatus.ERROR: "failed"}
        root: JsonObject = {"namespace": [], "status": status.get(found.status, "completed"), "children": []}
        return {"tree": {**root, "graph_name": found.graph or "root"}}

    async def _last_assistant(self, principal: Principal, thread: ThreadId) -> AssistantId:
        runs = await self._desk.list_of_thread(principal.tenant, thread, status=None, limit=1, offset=0)
        if not runs:
            raise Refused("no_such_run", f"The thread {thread} has had no run.")
        return runs[0].assistant


def _order(thread: ThreadId, assistant: AssistantId | str, params: JsonObject) -> RunOrder:
    config, metadata = params.get("config"), params.get("metadata")
    configured = config if isinstance(config, dict) else dict[str, Json]()
    configurable = configured.get("configurable")
    checkpoint = configurable.get("checkpoint_id") if isinstance(configurable, dict) else None
    asked = params.get("multitaskStrategy") or params.get("multitask_strategy")
    if asked is not None and asked not in set(Multitask):
        raise Refused("invalid_argument", f"{str(asked)[:40]!r} is no multitask strategy.")
    return RunOrder(
        assistant=assistant,
        thread=thread,
        config=configured,
        metadata=metadata if isinstance(metadata, dict) else {},
        checkpoint={"checkpoint_id": checkpoint} if isinstance(checkpoint, str) else None,
        stream=StreamChoice(EVERYTHING, subgraphs=True),
        multitask=Multitask(str(asked)) if asked else Multitask.ENQUEUE,
        if_not_exists=IfNotExists.CREATE,
        kwargs={"stream_mode": ["values"], "stream_subgraphs": True},
    )


def _waits(thread: Thread) -> bool:
    return thread.status is ThreadStatus.INTERRUPTED and bool(gather_interrupts(thread.interrupts))


def _keys(values: Json, params: JsonObject) -> Json:
    keys = params.get("keys")
    if not isinstance(keys, list) or not isinstance(values, dict):
        return values
    return {name: value for name, value in values.items() if name in keys}


def _reference(state: JsonObject) -> Json:
    checkpoint = state.get("checkpoint")
    if not isinstance(checkpoint, dict):
        return None
    return {"id": checkpoint.get("checkpoint_id"), "ns": checkpoint.get("checkpoint_ns", "")}


def _summary(state: JsonObject) -> JsonObject:
    metadata = state.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    reference = _reference(state)
    name = reference.get("id") if isinstance(reference, dict) else None
    return {"id": name, "timestamp": state.get("created_at"), "step": about.get("step"), "metadata": about}


def _error(identifier: Json, code: str, message: str) -> JsonObject:
    return {"type": "error", "id": identifier, "error": code, "message": message}


def _code(error: MainspringError) -> str:
    match error:
        case Forbidden():
            return "permission_denied"
        case NotFound():
            return "no_such_run"
        case InvalidInput() | Conflict():
            return "invalid_argument"
        case _:
            return "unknown_error"
