"""The stream of one run as LangGraph's first protocol has it: named parts, in the modes that were asked for.

Parts of graphs inside the graph carry their namespace in the name, `updates|node:task`, and are left out unless
asked for. `debug` and `events` are made from what the run told in the other modes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mainspring.orchestration.agents.types import Json, JsonObject

from .chunks import Chunks
from .emission import Emission

Part = tuple[str, Json]
"""The name of a server-sent event, and its data."""

_PLAIN = {"updates", "custom", "tasks", "checkpoints", "tools"}
_DEBUG = {"tasks": "task", "checkpoints": "checkpoint"}


@dataclass(frozen=True, slots=True)
class PartChoice:
    """What a client asked for."""

    modes: frozenset[str]
    subgraphs: bool = False


class Parts:
    """Turns one run's emissions into parts; fed from the beginning."""

    def __init__(self, run: str, graph: str, choice: PartChoice) -> None:
        self._run = run
        self._graph = graph
        self._choice = choice
        self._chunks = Chunks()
        self._messages: dict[str, JsonObject] = {}
        self._step: Json = None

    def feed(self, emission: Emission) -> list[Part]:
        """The parts to send for one emission."""
        if emission.is_omitted or (emission.namespace and not self._choice.subgraphs):
            return []
        parts = list(self._read(emission))
        if "debug" in self._choice.modes:
            parts += self._debug(emission)
        if "events" in self._choice.modes:
            parts += self._events(emission)
        return parts

    def _read(self, emission: Emission) -> Iterator[Part]:
        modes, mode = self._choice.modes, emission.mode
        if mode == "values" and mode in modes:
            yield _name(mode, emission), _with_interrupts(emission)
        elif mode in _PLAIN and mode in modes:
            yield _name(mode, emission), emission.data
        elif mode == "messages":
            chunk = self._chunks.feed(emission.data, emission.about)
            if chunk is not None and "messages-tuple" in modes:
                yield _name("messages", emission), [chunk, emission.about or {}]
            elif chunk is not None and "messages" in modes:
                yield from self._whole(chunk, emission.about or {})
        elif mode == "debug" and mode in modes:
            yield _name(mode, emission), emission.data

    def _whole(self, chunk: JsonObject, about: JsonObject) -> Iterator[Part]:
        """`messages`: each chunk as the whole message so far."""
        name = str(chunk.get("id") or "message")
        before = self._messages.get(name)
        self._messages[name] = _join(before, chunk) if before else chunk
        if before is None:
            yield "messages/metadata", {name: {"metadata": about}}
        is_partial = str(chunk.get("type", "")).endswith("Chunk")
        shown = _as_message(self._messages[name]) if is_partial else self._messages[name]
        yield ("messages/partial" if is_partial else "messages/complete"), [shown]

    def _debug(self, emission: Emission) -> Iterator[Part]:
        kind = _DEBUG.get(emission.mode)
        if kind is None or not isinstance(emission.data, dict):
            return
        if kind == "checkpoint":
            metadata = emission.data.get("metadata")
            self._step = metadata.get("step") if isinstance(metadata, dict) else self._step
        elif "result" in emission.data:
            kind = "task_result"
        step = self._step if kind == "checkpoint" or not isinstance(self._step, int) else self._step + 1
        at = emission.at.isoformat()
        yield _name("debug", emission), {"step": step, "timestamp": at, "type": kind, "payload": emission.data}

    def _events(self, emission: Emission) -> Iterator[Part]:
        if emission.mode in {"metadata", "end"}:
            return
        is_token = emission.mode == "messages" and isinstance(emission.data, dict)
        chunk: Json = emission.data if is_token else [emission.mode, emission.data]
        shown: JsonObject = {
            "event": "on_chat_model_stream" if is_token else "on_chain_stream",
            "run_id": self._run,
            "name": self._graph,
            "tags": [],
            "metadata": emission.about or {},
            "data": {"chunk": chunk},
            "parent_ids": [],
        }
        yield "events", shown


def _name(mode: str, emission: Emission) -> str:
    return "|".join((mode, *emission.namespace))


def _with_interrupts(emission: Emission) -> Json:
    if emission.interrupts and isinstance(emission.data, dict):
        return {**emission.data, "__interrupt__": list(emission.interrupts)}
    return emission.data


def _join(before: JsonObject, chunk: JsonObject) -> JsonObject:
    """A message and its next chunk: text is appended, of tool calls the arguments, the rest is taken as it comes."""
    joined = {**before, **{name: value for name, value in chunk.items() if value not in (None, "", [], {})}}
    old, new = before.get("content"), chunk.get("content")
    if isinstance(old, str) and isinstance(new, str):
        joined["content"] = old + new
    elif isinstance(old, list) and isinstance(new, list):
        joined["content"] = [*old, *new]
    joined["tool_call_chunks"] = _join_calls(before.get("tool_call_chunks"), chunk.get("tool_call_chunks"))
    return joined


def _join_calls(before: Json, after: Json) -> list[Json]:
    calls: dict[Json, JsonObject] = {}
    for each in [*(before if isinstance(before, list) else []), *(after if isinstance(after, list) else [])]:
        if not isinstance(each, dict):
            continue
        place = each.get("index") if isinstance(each.get("index"), int | str) else len(calls)
        there = calls.get(place)
        if there is None:
            calls[place] = dict(each)
        else:
            there["args"] = f"{there.get('args') or ''}{each.get('args') or ''}"
            there["name"], there["id"] = there.get("name") or each.get("name"), there.get("id") or each.get("id")
    return list(calls.values())


def _as_message(chunk: JsonObject) -> JsonObject:
    kind = str(chunk.get("type", "")).removesuffix("MessageChunk").lower() or "ai"
    return {name: value for name, value in chunk.items() if name != "chunk_position"} | {"type": kind}
