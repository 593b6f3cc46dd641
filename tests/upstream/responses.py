"""OpenAI Responses: the answer whole and as a stream."""

from collections.abc import Iterator, Sequence

from . import chat
from .script import Received, Reply, ToolCall, Wire
from .steps import Frames
from .writing import sse


def whole(received: Received, reply: Reply) -> Wire:
    """The body of a response."""
    is_short = reply.finish == "length"
    details = {"incomplete_details": {"reason": "max_output_tokens"} if is_short else None}
    status = "incomplete" if is_short else "completed"
    usage = {"usage": _usage(reply)} if reply.usage else {}
    return {**_head(received, status), **details, "output": _output(reply), **usage, **reply.extra}


def empty(received: Received, reply: Reply) -> Wire:
    """A response without output."""
    return {**whole(received, reply), "output": []}


def frames(received: Received, reply: Reply) -> Frames:
    """The same as numbered server-sent events."""
    started = {**_head(received, "in_progress"), "output": []}
    opening = [_event("response.created", response=started), _event("response.in_progress", response=started)]
    pieces = [event for index, item in enumerate(_output(reply)) for event in _item_events(index, item, reply)]
    return _numbered(opening, pieces, _end(whole(received, reply)))


def empty_frames(received: Received, reply: Reply) -> Frames:
    """A stream without an item."""
    opening = [_event("response.created", response={**_head(received, "in_progress"), "output": []})]
    return _numbered(opening, [], _end(empty(received, reply)))


error = chat.error


def error_frame(error: Wire) -> bytes:
    """An error inside a stream."""
    return sse({"type": "error", "sequence_number": 99, **error["error"]}, "error")


def _event(kind: str, **fields: object) -> Wire:
    return {"type": kind, **fields}


def _end(response: Wire) -> Wire:
    kind = "response.incomplete" if response["status"] == "incomplete" else "response.completed"
    return _event(kind, response=response)


def _numbered(opening: Sequence[Wire], pieces: Sequence[Wire], end: Wire) -> Frames:
    events = [*opening, *pieces, end]
    lines = [sse({**event, "sequence_number": number}, event["type"]) for number, event in enumerate(events)]
    return Frames(tuple(lines[: len(opening)]), tuple(lines[len(opening) : -1]), (), lines[-1])


def _head(received: Received, status: str) -> Wire:
    head: Wire = {"id": "resp_scripted", "object": "response", "created_at": 1_760_000_000, "status": status}
    return {**head, "error": None, "model": received.model, "parallel_tool_calls": True, "tools": []}


def _output(reply: Reply) -> list[Wire]:
    calls = [_call_item(call) for call in reply.tool_calls]
    said = [{"type": "output_text", "text": reply.full_text, "annotations": []}]
    message: Wire = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": said}
    summary = [{"type": "summary_text", "text": reply.reasoning}]
    reasoning: list[Wire] = [{"type": "reasoning", "id": "rs_1", "summary": summary}] if reply.reasoning else []
    return [*reasoning, *(calls or [message])]


def _call_item(call: ToolCall) -> Wire:
    item = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name}
    return {**item, "arguments": call.arguments, "status": "completed"}


def _item_events(index: int, item: Wire, reply: Reply) -> Iterator[Wire]:
    place: Wire = {"output_index": index, "item_id": item["id"]}
    match item["type"]:
        case "message":
            part: Wire = {"content_index": 0, **place}
            text = "response.output_text"
            empty: Wire = {"type": "output_text", "text": "", "annotations": []}
            yield _event("response.output_item.added", output_index=index, item={**item, "content": []})
            yield _event("response.content_part.added", **part, part=empty)
            yield from (_event(f"{text}.delta", **part, delta=word) for word in reply.words())
            yield _event(f"{text}.done", **part, text=reply.full_text)
            yield _event("response.content_part.done", **part, part=item["content"][0])
        case "function_call":
            arguments = str(item["arguments"])
            opened = {**item, "arguments": "", "status": "in_progress"}
            yield _event("response.output_item.added", output_index=index, item=opened)
            for delta in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                yield _event("response.function_call_arguments.delta", **place, delta=delta)
            yield _event("response.function_call_arguments.done", **place, arguments=arguments)
        case _:
            yield _event("response.output_item.added", output_index=index, item={**item, "summary": []})
            summary: Wire = {**place, "summary_index": 0}
            yield _event("response.reasoning_summary_text.delta", **summary, delta=reply.reasoning)
    yield _event("response.output_item.done", output_index=index, item=item)


def _usage(reply: Reply) -> Wire:
    assert reply.usage is not None
    tokens = reply.usage
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }
