"""The event protocol of threads (LangGraph's newer one): numbered events of every run of a thread, by channel.

An event's number comes from where it stands in its run's story: the microsecond of the emission it was made from,
times 16, plus its place among the events made from it. So numbers grow over all runs of a thread, whoever reads them
reads the same ones, and no process has to remember any: `since` is compared, and that is all. Counted from 2025, they
stay exact in JavaScript until 2042.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from mainspring.orchestration.agents.types import AgentRunId, AgentRunStatus, Json, JsonObject
from mainspring.orchestration.pipelines.types import RunEvent

from .emission import Emission, Emissions
from .messages import Messages

_EPOCH_MICROSECONDS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_SHARE = 16
_LIFECYCLE = {
    AgentRunStatus.SUCCESS: "completed",
    AgentRunStatus.ERROR: "failed",
    AgentRunStatus.TIMEOUT: "failed",
    AgentRunStatus.INTERRUPTED: "failed",
}
"""Clients end what they read at `completed` and `failed`, and wait for an answer at `interrupted`: a run that was
cancelled asks nothing, so it failed."""
_CANCELLED = "The run was cancelled."
_AS_IT_IS = {"values", "tasks", "tools"}


@dataclass(frozen=True, slots=True)
class ProtocolEvent:
    """One event as subscribers get it. `name` is a custom event's own."""

    method: str
    namespace: tuple[str, ...]
    data: Json
    seq: int
    id: str
    at_milliseconds: int
    node: str | None = None

    @property
    def channel(self) -> str:
        """The channel it is told on."""
        return "input" if self.method == "input.requested" else self.method

    @property
    def name(self) -> str | None:
        """What a custom event calls itself."""
        name = self.data.get("name") if self.method == "custom" and isinstance(self.data, dict) else None
        return name if isinstance(name, str) else None

    def show(self) -> bytes:
        """The event as JSON."""
        params: dict[str, object] = {
            "namespace": list(self.namespace),
            "timestamp": self.at_milliseconds,
            "data": self.data,
        }
        if self.node:
            params["node"] = self.node
        return msgspec.json.encode(
            {"type": "event", "method": self.method, "params": params, "seq": self.seq, "event_id": self.id}
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as its row has it. `interrupts` wait in the thread since this run, its last."""

    status: AgentRunStatus
    error: str | None
    at: datetime
    interrupts: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    method: str
    namespace: tuple[str, ...]
    data: Json
    node: str | None = None


class RunStory:
    """Turns one run's story into protocol events. Fed from the beginning, it makes the same events for everybody."""

    def __init__(self, run: AgentRunId, graph: str) -> None:
        self._run = run
        self._graph = graph
        self._last = 0
        self._emissions = Emissions()
        self._has_begun = False
        self._has_heard = False
        self._messages = Messages()
        self._inner: dict[tuple[str, ...], str] = {}
        self._tool_calls: dict[str, str] = {}
        self._interrupts: dict[str, tuple[tuple[str, ...], JsonObject]] = {}

    def feed(self, event: RunEvent) -> list[ProtocolEvent]:
        """The events that follow from one event of the run's story; its end comes by `finish`."""
        emission = self._emissions.read(event)
        raw = [] if self._has_begun else [_Raw("lifecycle", (), {"event": "running", "graph_name": self._graph})]
        if emission is None and event.id.live == 0 and event.type.value != "run.started":
            return []
        self._has_begun = True
        if emission is not None:
            self._has_heard = True
            raw += self._read(emission)
        return self._number(raw, event.id.live or _microseconds(event.at), event.at)

    def asks(self, ending: Ending) -> bool:
        """Whether the run ended with a question to somebody."""
        return bool(self._interrupts or (ending.interrupts and not self._has_heard))

    def finish(self, ending: Ending) -> list[ProtocolEvent]:
        """What waits for a person, and how the run ended: always the last of it."""
        raw = [] if self._has_begun else [_Raw("lifecycle", (), {"event": "running", "graph_name": self._graph})]
        raw += [_Raw("messages", namespace, event) for namespace, event in self._messages.finish()]
        status = "interrupted" if self.asks(ending) else _LIFECYCLE.get(ending.status, "failed")
        error = ending.error or (_CANCELLED if ending.status is AgentRunStatus.INTERRUPTED else None)
        raw += [
            _Raw("lifecycle", namespace, {"event": "completed" if status == "completed" else status})
            for namespace in self._inner
        ]
        if status == "interrupted":
            raw += self._ask(() if self._has_heard else ending.interrupts)
        data: JsonObject = {"event": status, "graph_name": self._graph}
        raw.append(_Raw("lifecycle", (), {**data, "error": error} if error and status == "failed" else data))
        return self._number(raw, _microseconds(ending.at), ending.at)

    def _ask(self, waiting: tuple[JsonObject, ...]) -> Iterator[_Raw]:
        for interrupt in waiting:
            self._interrupts.setdefault(str(interrupt.get("id")), ((), interrupt))
        for name, (namespace, interrupt) in self._interrupts.items():
            value = interrupt.get("value")
            # The protocol says `payload`, the Python client reads `value`.
            yield _Raw("input.requested", namespace, {"interrupt_id": name, "payload": value, "value": value})

    def _read(self, emission: Emission) -> list[_Raw]:
        namespace = emission.namespace
        if emission.is_omitted:
            return []
        match emission.mode:
            case "messages":
                found = self._messages.feed(namespace, emission.data, emission.about)
                return [_Raw("messages", namespace, each) for each in found]
            case "updates":
                return list(self._read_updates(emission))
            case "custom":
                data = emission.data
                is_named = isinstance(data, dict) and isinstance(data.get("name"), str)
                return [_Raw("custom", namespace, data if is_named else {"payload": data})]
            case "checkpoints":
                return [_Raw("checkpoints", namespace, each) for each in _envelope(emission.data)]
            case "tasks":
                return [*self._read_task(emission), _Raw("tasks", namespace, emission.data)]
            case mode if mode in _AS_IT_IS:
                self._note_interrupts(emission.interrupts, namespace)
                data = emission.data
                if isinstance(data, dict):
                    data = {name: value for name, value in data.items() if name != "__interrupt__"}
                return [_Raw(mode, namespace, data)]
            case _:
                return []

    def _read_updates(self, emission: Emission) -> Iterator[_Raw]:
        for node, values in emission.data.items() if isinstance(emission.data, dict) else ():
            if node == "__interrupt__":
                waiting = values if isinstance(values, list) else []
                self._note_interrupts(tuple(each for each in waiting if isinstance(each, dict)), emission.namespace)
            else:
                for namespace, event in self._messages.finish(node):
                    yield _Raw("messages", namespace, event)
                shown: Json = values if isinstance(values, dict) else {"value": values}
                yield _Raw("updates", emission.namespace, {"node": node, "values": shown}, node)

    def _note_interrupts(self, interrupts: tuple[JsonObject, ...], namespace: tuple[str, ...]) -> None:
        for interrupt in interrupts:
            self._interrupts.setdefault(str(interrupt.get("id")), (namespace, interrupt))

    def _read_task(self, emission: Emission) -> Iterator[_Raw]:
        """The beginning and end of graphs inside the graph, from the tasks in them and of them."""
        task, namespace = emission.data, emission.namespace
        if not isinstance(task, dict):
            return
        identifier = str(task.get("id"))
        if "result" in task:
            for inner, parent in list(self._inner.items()):
                if inner[:-1] == namespace and parent == identifier:
                    del self._inner[inner]
                    yield _Raw("lifecycle", inner, _task_ending(task))
            return
        if call := _find_tool_call(task.get("input")):
            self._tool_calls[identifier] = call
        if namespace and namespace not in self._inner:
            name, _, parent = namespace[-1].partition(":")
            self._inner[namespace] = parent
            data: JsonObject = {"event": "started", "graph_name": name}
            if call := self._tool_calls.get(parent):
                data["cause"] = {"type": "toolCall", "tool_call_id": call}
            yield _Raw("lifecycle", namespace, data)

    def _number(self, raw: list[_Raw], microseconds: int, at: datetime) -> list[ProtocolEvent]:
        place = max(microseconds - _EPOCH_MICROSECONDS, self._last + 1)
        self._last = place
        return [
            ProtocolEvent(
                method=each.method,
                namespace=each.namespace,
                data=each.data,
                seq=place * _SHARE + min(index, _SHARE - 1),
                id=f"{place}-{index}",
                at_milliseconds=int(at.timestamp() * 1_000),
                node=each.node,
            )
            for index, each in enumerate(raw)
        ]


def seq_at(at: datetime) -> int:
    """A number that everything told by then is at or below."""
    return (_microseconds(at) - _EPOCH_MICROSECONDS) * _SHARE


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _envelope(checkpoint: Json) -> Iterator[Json]:
    """A checkpoint as the protocol tells it: its id, its parent's, its step and source."""
    if not isinstance(checkpoint, dict):
        return
    metadata = checkpoint.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    name, parent = _checkpoint_id(checkpoint.get("config")), _checkpoint_id(checkpoint.get("parent_config"))
    if name is None:
        return
    shown: JsonObject = {"id": name, "step": about.get("step"), "source": about.get("source")}
    yield {**shown, "parent_id": parent} if parent else shown


def _checkpoint_id(config: Json) -> str | None:
    configurable = config.get("configurable") if isinstance(config, dict) else None
    name = configurable.get("checkpoint_id") if isinstance(configurable, dict) else None
    return name if isinstance(name, str) else None


def _task_ending(task: JsonObject) -> JsonObject:
    if task.get("interrupts"):
        return {"event": "interrupted"}
    if error := task.get("error"):
        return {"event": "failed", "error": str(error)}
    return {"event": "completed"}


def _find_tool_call(task_input: Json) -> str | None:
    """The tool call that a task carries out, if it is one."""
    call = task_input.get("tool_call") if isinstance(task_input, dict) else None
    if call is None and isinstance(task_input, list) and task_input:
        call = task_input[0]
    name = call.get("id") if isinstance(call, dict) else None
    return name if isinstance(name, str) else None
