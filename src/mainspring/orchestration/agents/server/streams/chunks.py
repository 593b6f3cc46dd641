"""Chunks of messages as LangChain writes them, made from the message events that a run tells."""

import msgspec

from mainspring.orchestration.agents.types import Json, JsonObject


class Chunks:
    """The messages of one run. Whole messages, which were never streamed, are as they are."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._told: set[tuple[str, int]] = set()

    def feed(self, data: Json, about: JsonObject | None) -> JsonObject | None:
        """The chunk that an event stands for; None for one that adds nothing."""
        if not isinstance(data, dict):
            return None
        kind = data.get("event")
        if not isinstance(kind, str):
            return data
        run = str((about or {}).get("run_id", ""))
        if kind == "message-start":
            self._names[run] = str(data.get("id") or data.get("message_id") or run)
            return self._chunk(run)
        block = data.get("content") if kind in {"content-block-start", "content-block-finish"} else data.get("delta")
        index = data.get("index")
        place = index if isinstance(index, int) else 0
        if isinstance(block, dict) and kind.startswith("content-block"):
            return self._add(run, place, kind, block)
        if kind != "message-finish":
            return None
        last = self._chunk(run) | {"chunk_position": "last"}
        return last | {"usage_metadata": data["usage"]} if data.get("usage") else last

    def _add(self, run: str, place: int, kind: str, block: JsonObject) -> JsonObject | None:
        is_finish = kind == "content-block-finish"
        is_told = (run, place) in self._told
        fields = block.get("fields")
        held = fields if isinstance(fields, dict) else block
        text, arguments = held.get("text"), held.get("args")
        if is_finish and is_told:
            return None
        if isinstance(text, str) and text:
            self._told.add((run, place))
            return self._chunk(run) | {"content": text}
        if held.get("type") in {"tool_call_chunk", "tool_call", "tool-call-delta"}:
            if kind == "content-block-start" and not held.get("name"):
                return None
            self._told.add((run, place))
            call: JsonObject = {
                "type": "tool_call_chunk",
                "index": place,
                "id": held.get("id"),
                "name": held.get("name"),
                "args": arguments if isinstance(arguments, str) else _as_text(arguments),
            }
            chunk = self._chunk(run)
            chunk["tool_call_chunks"] = [call]
            return chunk
        return None

    def _chunk(self, run: str) -> JsonObject:
        return {
            "type": "AIMessageChunk",
            "id": self._names.get(run, run),
            "content": "",
            "additional_kwargs": {},
            "response_metadata": {},
            "name": None,
            "tool_calls": [],
            "invalid_tool_calls": [],
            "tool_call_chunks": [],
            "usage_metadata": None,
        }


def _as_text(arguments: Json) -> str:
    return "" if arguments is None else msgspec.json.encode(arguments).decode()
