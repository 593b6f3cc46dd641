"""The step that executes an agent's run: begin, stream the graph, end.

A worker may die at any instant. The run goes on at the latest checkpoint that it wrote itself, with nothing as
input; where it wrote none yet it begins again. Nodes that finished are not run again, as their writes are stored
with the checkpoint they started from.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_STREAM_MESSAGES_V2
from langgraph.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError, UnknownInterruptError
from langgraph.types import Command, Send

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import ValkeyGone
from mainspring.orchestration.agents.agent import Agents
from mainspring.orchestration.agents.checkpoints import Fence, TenantSaver, prune_thread
from mainspring.orchestration.agents.errors import AgentFailed, AgentFenced, AgentInputInvalid, AgentStepLimit
from mainspring.orchestration.agents.ports import AsSubmitted, Rights
from mainspring.orchestration.agents.runs import AgentJob, AgentRuns, Leading
from mainspring.orchestration.agents.runs import store as runs_store
from mainspring.orchestration.agents.runs.ending import Ending, Outcome
from mainspring.orchestration.agents.runs.reading import read_caller, read_run
from mainspring.orchestration.agents.runs.resuming import Resuming
from mainspring.orchestration.agents.runs.sweep import Sweeping
from mainspring.orchestration.agents.runs.threads import Threads
from mainspring.orchestration.agents.tools import Acting
from mainspring.orchestration.agents.types import PIPELINE, STEP, AgentRun, AgentRunStatus, JsonObject, StreamMode
from mainspring.orchestration.approvals import Approvals
from mainspring.orchestration.pipelines import Pipeline, Pipelines
from mainspring.orchestration.pipelines.errors import Abandon
from mainspring.orchestration.pipelines.types import Failure, StepRun

from .graphs import Graph, Graphs
from .outcomes import read_outcome
from .privately import privately
from .telling import Telling

log = get_logger(__name__)

LONGEST = timedelta(hours=24)
"""What one attempt of a run may take, whatever its agent allows."""

OPEN_SECONDS = 2.0
"""How long an interrupted run may take to store what it had reached."""

_ALWAYS = ("values", "updates", "messages", "custom", "tasks", "checkpoints", "tools")


@dataclass(frozen=True, slots=True)
class ActResult:
    """What the step returns: the run's status; all else is in the thread."""

    run: str
    status: str


@dataclass(frozen=True, slots=True)
class AgentParts:
    """What agents stand on."""

    database: Database
    pipelines: Pipelines
    graphs: Graphs
    rights: Rights = field(default_factory=AsSubmitted)
    approvals: Approvals | None = None


@dataclass(frozen=True, slots=True)
class AgentRuntime:
    """What came of putting agents together: a pipeline for workers, and the services for everybody."""

    pipeline: Pipeline
    runs: AgentRuns
    ending: Ending
    threads: Threads
    sweeping: Sweeping
    graphs: Graphs
    agents: Agents


def build_agent_runtime(parts: AgentParts) -> AgentRuntime:
    """The pipeline `agents.run` and the services around it."""
    agents = parts.graphs.agents
    pipeline = Pipeline(PIPELINE, version=1)
    leading = Leading(parts.pipelines, pipeline, agents)
    ending = Ending(parts.database, leading)
    runs = AgentRuns(parts.database, leading)
    resuming = Resuming(parts.database, runs, parts.approvals)
    threads = Threads(parts.database, parts.graphs.toolbox)
    sweeping = Sweeping(parts.database, parts.pipelines, resuming, ending, threads)
    acts = _Acts(parts, ending, resuming)

    @pipeline.step(STEP, title="Run the agent", timeout=LONGEST, retries=5)
    async def act(job: AgentJob, run: StepRun) -> ActResult:
        with privately():
            return await acts.act(job, run)

    return AgentRuntime(pipeline, runs, ending, threads, sweeping, parts.graphs, agents)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run that this attempt leads."""

    run: AgentRun
    fence: Fence
    acting: Acting
    left: float


class _Stop:
    """Ends the block with AgentFenced as soon as a checkpoint was refused, whatever it is doing."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._is_stopped = False

    def now(self) -> None:
        """Stop the block, once."""
        if self._task is not None and not self._is_stopped:
            self._is_stopped = True
            self._task.cancel()

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task, self._task = self._task, None
        if self._is_stopped and task is not None and task.uncancel() == 0 and kind is not None:
            raise AgentFenced("This attempt leads the run no more; it was stopped.")


@dataclass(frozen=True, slots=True)
class _Acts:
    parts: AgentParts
    ending: Ending
    resuming: Resuming

    async def act(self, job: AgentJob, run: StepRun) -> ActResult:
        """Run it to its end, or on from where it was."""
        begun = await self._begin(job, run)
        if isinstance(begun, ActResult):
            return begun
        telling = Telling(run, _asked_modes(begun.run))
        await telling.begin(str(begun.run.id), run.attempt)
        error: Exception | None = None
        try:
            outcome = await self._execute(begun, telling)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(self._close(begun)))
            raise
        except AgentFenced as fenced:
            raise Abandon(fenced.detail, code=fenced.code) from fenced
        except Exception as failure:
            if _may_pass(failure):
                raise
            error = failure
            outcome = await self._failed(begun, failure)
        await self._end(begun, outcome)
        await telling.end(outcome.status.value, _shown(error, outcome.failure))
        if error is not None:
            raise _as_final(error, outcome) from error
        return ActResult(str(begun.run.id), outcome.status.value)

    async def _begin(self, job: AgentJob, run: StepRun) -> "_Begun | ActResult":
        await self._wait_for_open(job, run)
        async with self.parts.database.tenant(run.tenant) as transaction:
            began = await runs_store.begin(transaction, job.run, run.run_id, run.attempt)
            row = await runs_store.find_run(transaction, job.run)
        if row is None:
            raise Abandon("The run was taken back before it began.", code="agent_run_gone")
        found = read_run(row)
        if began is None:
            if found.status.is_final:
                return ActResult(str(found.id), found.status.value)
            raise Abandon("Another attempt leads this run.", code=AgentFenced.code)
        fence = Fence(found.id, run.run_id, run.attempt)
        submitted = read_caller(row["caller"])
        principal = await self.parts.rights.current(submitted) or _stripped(submitted)
        limit = self.parts.graphs.agents.get(found.graph).limits.time
        left = (limit - began["elapsed"]).total_seconds()
        return _Begun(found, fence, Acting(run, found, _as_agent(principal, found.graph)), left)

    async def _wait_for_open(self, job: AgentJob, run: StepRun) -> None:
        """Give the run that this one interrupted the time to store what it had reached; its worker may be gone."""
        async with self.parts.database.tenant(run.tenant) as transaction:
            row = await runs_store.find_run(transaction, job.run)
        if row is None:
            return
        until = asyncio.get_running_loop().time() + OPEN_SECONDS
        while True:
            async with self.parts.database.tenant(run.tenant) as transaction:
                if not await runs_store.has_open(transaction, row["thread_id"]):
                    return
                if asyncio.get_running_loop().time() > until:
                    await runs_store.close_open(transaction, row["thread_id"])
                    return
            await asyncio.sleep(0.02)

    async def _close(self, begun: _Begun) -> None:
        """The attempt was stopped; if somebody interrupted its run, that has now stored all it will."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                graph = self.parts.graphs.open(begun.run.tenant, begun.run.graph)
                outcome = await read_outcome(graph, begun.run, AgentRunStatus.INTERRUPTED)
                await self.ending.close(begun.run, outcome)
        except (TimeoutError, MainspringError, *DatabaseGone) as late:
            log.info("agent_run_not_closed", run=str(begun.run.id), error=type(late).__name__)

    async def _execute(self, begun: _Begun, telling: Telling) -> Outcome:
        stop = _Stop()
        graph = await self.parts.graphs.for_run(begun.acting, begun.fence, stop.now)
        limit = asyncio.timeout(max(0.0, begun.left))
        try:
            async with limit, stop:
                await self._stream(graph, begun, telling)
        except TimeoutError:
            if not limit.expired():
                raise
            return await self._timed_out(graph, begun)
        return await read_outcome(graph, begun.run, AgentRunStatus.SUCCESS)

    async def _stream(self, graph: Graph, begun: _Begun, telling: Telling) -> None:
        order = begun.run.order
        goes_on = await self._has_progress(begun)
        config = self._config(begun, goes_on=goes_on)
        given = None if goes_on else order.input if order.command is None else read_command(order.command)
        asked = [mode.value for mode in order.stream.modes if mode is StreamMode.DEBUG]
        parts = graph.astream(
            given,
            config,
            context=order.context or None,
            stream_mode=cast("Any", [*_ALWAYS, *asked]),
            interrupt_before=_nodes(order.interrupt_before),
            interrupt_after=_nodes(order.interrupt_after),
            durability=order.durability.value,
            subgraphs=True,
            version="v2",
        )
        async with aclosing(cast("Any", parts)) as stream:
            async for part in stream:
                await telling.tell(part)

    def _config(self, begun: _Begun, *, goes_on: bool) -> RunnableConfig:
        run, order = begun.run, begun.run.order
        limits = self.parts.graphs.agents.get(run.graph).limits
        asked = order.config.get("configurable")
        known = asked.items() if isinstance(asked, dict) else ()
        configurable: dict[str, Any] = {key: value for key, value in known if not key.startswith("__")}
        configurable.pop("checkpoint_id", None)
        if order.checkpoint and not goes_on:
            configurable.update(order.checkpoint)
        configurable |= {
            "thread_id": str(run.thread),
            "run_id": str(run.id),
            "graph_id": run.graph,
            "assistant_id": str(run.assistant),
            CONFIG_KEY_STREAM_MESSAGES_V2: True,
        }
        wanted = order.config.get("recursion_limit")
        tags = order.config.get("tags")
        return {
            "configurable": configurable,
            "recursion_limit": min(wanted, limits.recursion) if isinstance(wanted, int) else limits.recursion,
            "metadata": {
                **order.metadata,
                "run_id": str(run.id),
                "graph_id": run.graph,
                "assistant_id": str(run.assistant),
                "run_attempt": begun.fence.attempt,
            },
            "tags": [str(tag) for tag in tags] if isinstance(tags, list) else [],
        }

    async def _has_progress(self, begun: _Begun) -> bool:
        """Whether an earlier attempt of this run got as far as a checkpoint."""
        saver = TenantSaver(self.parts.database, begun.run.tenant)
        latest = await saver.aget_tuple({"configurable": {"thread_id": str(begun.run.thread), "checkpoint_ns": ""}})
        return latest is not None and latest.metadata.get("run_id") == str(begun.run.id)

    async def _timed_out(self, graph: Graph, begun: _Begun) -> Outcome:
        limit = self.parts.graphs.agents.get(begun.run.graph).limits.time
        failure = Failure("agent_timed_out", f"The run was not done within {limit.total_seconds():g} s.")
        return await read_outcome(graph, begun.run, AgentRunStatus.TIMEOUT, failure)

    async def _failed(self, begun: _Begun, error: Exception) -> Outcome:
        failure = _failure_of(error, self.parts.graphs.agents.get(begun.run.graph).limits.recursion)
        log.info("agent_run_failed", run=str(begun.run.id), code=failure.code, error=type(error).__name__)
        try:
            graph = self.parts.graphs.open(begun.run.tenant, begun.run.graph)
            return await read_outcome(graph, begun.run, AgentRunStatus.ERROR, failure)
        except (MainspringError, ValueError, TypeError, LookupError):
            return Outcome(AgentRunStatus.ERROR, failure)

    async def _end(self, begun: _Begun, outcome: Outcome) -> None:
        try:
            await self.ending.end(begun.run, begun.fence, outcome)
        except AgentFenced as fenced:
            raise Abandon(fenced.detail, code=fenced.code) from fenced
        history = self.parts.graphs.agents.get(begun.run.graph).limits.history
        await self.resuming.look(begun.run.tenant, [approval for approval, _ in outcome.approvals])
        await prune_thread(self.parts.database, begun.run.tenant, str(begun.run.thread), history=history)


def read_command(command: JsonObject) -> Command[Any]:
    """A command as it was sent. `goto` is a node's name, `{"node", "input"}`, or a list of them."""
    goto: Any = command.get("goto") or ()
    targets: list[Any] = goto if isinstance(goto, list) else [goto] if goto else []
    update: Any = command.get("update")
    if isinstance(update, list):
        update = [tuple(pair) if isinstance(pair, list) else pair for pair in update]
    return Command(
        update=update,
        resume=command.get("resume"),
        goto=[Send(each["node"], each.get("input")) if isinstance(each, dict) else str(each) for each in targets],
    )


def _asked_modes(run: AgentRun) -> frozenset[str]:
    modes = frozenset(mode.value for mode in run.order.stream.modes)
    return modes | {"messages"} if StreamMode.MESSAGES_TUPLE in modes else modes


def _nodes(names: tuple[str, ...]) -> Any:
    return "*" if names == ("*",) else list(names)


def _may_pass(error: Exception) -> bool:
    """Whether the engine should try again, from the last checkpoint."""
    return (isinstance(error, MainspringError) and error.retryable) or isinstance(error, (*DatabaseGone, *ValkeyGone))


def _failure_of(error: Exception, steps: int) -> Failure:
    match error:
        case MainspringError():
            return Failure(error.code, error.detail)
        case GraphRecursionError():
            return Failure(
                AgentStepLimit.code, f"The agent took {steps} steps, as many as it may, and had not finished."
            )
        case UnknownInterruptError() | EmptyInputError() | InvalidUpdateError():
            return Failure(AgentInputInvalid.code, str(error)[:500])
        case _:
            return Failure(AgentFailed.code, f"{type(error).__name__}: {str(error)[:500]}")


def _shown(error: Exception | None, failure: Failure | None) -> JsonObject | None:
    if failure is None:
        return None
    if error is None or failure.code != AgentFailed.code:
        return {"error": failure.code, "message": failure.detail}
    return {"error": type(error).__name__, "message": str(error)[:500]}


def _as_final(error: Exception, outcome: Outcome) -> Exception:
    """The error for the engine: one that it does not repeat."""
    if isinstance(error, MainspringError):
        return error
    if isinstance(error, GraphRecursionError) and outcome.failure:
        return AgentStepLimit(outcome.failure.detail)
    failure = outcome.failure
    return AgentFailed(failure.detail if failure else "The agent failed.")


def _as_agent(principal: Principal, agent: str) -> Principal:
    """The caller's rights in the agent's hand, which is the caller's as well."""
    return replace(principal, kind=PrincipalKind.AGENT, hands=principal.hands | {f"agent:{agent}"})


def _stripped(principal: Principal) -> Principal:
    """A caller that is gone: it may do nothing any more."""
    return replace(principal, permissions=frozenset())
