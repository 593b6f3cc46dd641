"""The arguments of a tool call, once all of them came."""

import msgspec

from mainspring.orchestration.agents.types import Json, JsonObject


def read_arguments(block: JsonObject) -> JsonObject:
    """The call with its arguments read; `invalid_tool_call` where they are no JSON object."""
    text = str(block.get("args") or "{}")
    try:
        arguments: Json = msgspec.json.decode(text)
    except msgspec.DecodeError as broken:
        return {**block, "type": "invalid_tool_call", "args": text, "error": str(broken)}
    if not isinstance(arguments, dict):
        return {**block, "type": "invalid_tool_call", "args": text, "error": "the arguments are no object"}
    return {"type": "tool_call", "id": block.get("id"), "name": str(block.get("name") or ""), "args": arguments}
