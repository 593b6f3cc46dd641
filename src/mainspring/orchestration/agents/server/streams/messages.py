"""Chat messages as the event protocol has them: start, blocks that grow, finish; made from LangChain's chunks.

A message's chunks carry its id. The last one says so (`chunk_position`); should it not come, the message is
finished when its node is. Messages that were never streamed are in the state only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mainspring.orchestration.agents.types import Json, JsonObject

from .arguments import read_arguments


@dataclass(slots=True)
class _Open:
    """A message on its way: the text and tool calls so far, by the index of their block."""

    namespace: tuple[str, ...]
    node: Json
    texts: dict[int, JsonObject] = field(default_factory=dict[int, JsonObject])
    usage: JsonObject | None = None


class Messages:
    """The messages of one run."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._by_run: dict[str, str] = {}

    def feed(self, namespace: tuple[str, ...], data: Json, about: JsonObject | None) -> Iterator[JsonObject]:
        """Protocol events for one part of the `messages` stream."""
        if not isinstance(data, dict):
            return
        if isinstance(data.get("event"), str):
            yield self._pass_on(data, about or {})
        elif data.get("type") == "AIMessageChunk":
            yield from self._grow(namespace, data, about or {})

    def finish(self, node: str | None = None) -> Iterator[tuple[tuple[str, ...], JsonObject]]:
        """Finish what is open, of one node or of all; each with its namespace."""
        for name, message in list(self._open.items()):
            if node is None or message.node == node:
                for event in self._close(name):
                    yield message.namespace, event

    def _pass_on(self, event: JsonObject, about: JsonObject) -> JsonObject:
        run = str(about.get("run_id", ""))
        if event["event"] == "message-start":
            self._by_run[run] = str(event.get("id") or event.get("message_id") or run)
            node = about.get("langgraph_node")
            known = event.get("metadata")
            metadata: JsonObject = {**(known if isinstance(known, dict) else {}), "langgraph_node": node}
            return {**event, "id": self._by_run[run], "metadata": metadata}
        return {**event, "id": self._by_run.get(run, run)}

    def _grow(self, namespace: tuple[str, ...], chunk: JsonObject, about: JsonObject) -> Iterator[JsonObject]:
        name = str(chunk.get("id") or about.get("run_id") or "message")
        message = self._open.get(name)
        if message is None:
            message = self._open[name] = _Open(namespace, about.get("langgraph_node"))
            start: JsonObject = {"event": "message-start", "role": "ai", "id": name}
            yield {**start, "metadata": {"langgraph_node": message.node}}
        for index, kind, text, call in _pieces(chunk):
            yield from self._add(message, name, index, _Piece(kind, text, call))
        usage = chunk.get("usage_metadata")
        if isinstance(usage, dict):
            message.usage = usage
        if chunk.get("chunk_position") == "last":
            yield from self._close(name)

    def _add(self, message: _Open, name: str, index: int, piece: "_Piece") -> Iterator[JsonObject]:
        block = message.texts.get(index)
        if block is None:
            block = message.texts[index] = piece.begin()
            yield {"event": "content-block-start", "id": name, "index": index, "content": dict(block)}
        if piece.kind == "text":
            block["text"] = f"{block.get('text', '')}{piece.text}"
            delta: JsonObject = {"type": "text-delta", "text": piece.text}
        elif piece.kind == "reasoning":
            block["reasoning"] = f"{block.get('reasoning', '')}{piece.text}"
            delta = {"type": "reasoning-delta", "reasoning": piece.text}
        else:
            block["args"] = f"{block.get('args', '')}{piece.text}"
            delta = {"type": "tool-call-delta", "args": piece.text}
        if piece.text:
            yield {"event": "content-block-delta", "id": name, "index": index, "delta": delta}

    def _close(self, name: str) -> Iterator[JsonObject]:
        message = self._open.pop(name)
        for index, block in sorted(message.texts.items()):
            yield {"event": "content-block-finish", "id": name, "index": index, "content": _finish_block(block)}
        finish: JsonObject = {"event": "message-finish", "id": name}
        yield {**finish, "usage": message.usage} if message.usage else finish


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    text: str
    call: JsonObject | None

    def begin(self) -> JsonObject:
        """The block that this piece is the first of."""
        if self.call is not None:
            return {"type": "tool_call_chunk", "id": self.call.get("id"), "name": self.call.get("name"), "args": ""}
        return {"type": self.kind, self.kind: ""}


def _pieces(chunk: JsonObject) -> Iterator[tuple[int, str, str, JsonObject | None]]:
    """What a chunk adds: block index, kind, text, and the tool call it belongs to."""
    content = chunk.get("content")
    if isinstance(content, str) and content:
        yield 0, "text", content, None
    for position, block in enumerate(content if isinstance(content, list) else []):
        if isinstance(block, dict) and block.get("type") in {"text", "reasoning"}:
            kind = str(block["type"])
            index = block.get("index")
            yield (index if isinstance(index, int) else position), kind, str(block.get(kind) or ""), None
    calls = chunk.get("tool_call_chunks")
    for position, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            index = call.get("index")
            place = 1 + (index if isinstance(index, int) else position)
            yield place, "tool_call_chunk", str(call.get("args") or ""), call


def _finish_block(block: JsonObject) -> JsonObject:
    if block.get("type") != "tool_call_chunk":
        return block
    return read_arguments(block)
