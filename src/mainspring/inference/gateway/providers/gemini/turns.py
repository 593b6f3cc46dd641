"""Contents of the Gemini dialect: whose turn it is, and which result answers which call.

Results stand in user turns here, all those of one turn together and in the order of its calls,
because a result without an id is told from its neighbours by name and place only.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import Wire, as_list, put_back, rest
from mainspring.inference.messages import Message, Part, Role, ToolResultPart

from .parts import DIALECT, UNSEALED, Asked, CallIds, decode_parts, decode_result, encode_parts


def encode_turns(messages: Iterable[Message], *, with_reasoning: bool) -> list[Wire]:
    """The `contents` of a body; InvalidRequest for a result that nothing asked for."""
    asked: dict[str, Asked] = {}
    turns: list[Wire] = []
    for are_results, group in groupby(messages, lambda message: message.role is Role.TOOL):
        if are_results:
            turns += _encode_results([part for message in group for part in message.parts], asked)
            continue
        for message in group:
            asked |= {call.id: Asked(place, call.name) for place, call in enumerate(message.tool_calls)}
            turns += _encode_turn(message, asked, with_reasoning)
    return turns


def decode_turns(contents: Sequence[Wire]) -> list[Message]:
    """The messages behind `contents`; InvalidRequest for an unknown role and a result that nothing asked for."""
    messages: list[Message] = []
    waiting: list[tuple[str, str]] = []
    for place, wire in enumerate(contents):
        role = wire.get("role") or "user"
        if role == "model":
            parts = decode_parts(wire.get("parts"), CallIds(str(place)))
            message = Message(Role.ASSISTANT, tuple(parts), extra=rest(DIALECT, wire, ("role", "parts")))
            waiting = [(call.id, call.name) for call in message.tool_calls]
            messages.append(message)
        elif role in ("user", "function"):
            messages += _decode_user(wire, waiting)
        else:
            raise InvalidRequest(f"role is {role!r}; it must be user or model.")
    return messages


def _encode_turn(message: Message, asked: dict[str, Asked], with_reasoning: bool) -> list[Wire]:
    parts = encode_parts(message.parts, asked, with_reasoning=with_reasoning)
    if not parts:
        return []
    is_model = message.role is Role.ASSISTANT
    if is_model and (call := next((wire for wire in parts if "functionCall" in wire), None)):
        call.setdefault("thoughtSignature", UNSEALED)  # the first of parallel calls is refused without one
    return [put_back(DIALECT, {"role": "model" if is_model else "user", "parts": parts}, message.extra)]


def _encode_results(parts: list[Part], asked: dict[str, Asked]) -> list[Wire]:
    results = [part for part in parts if isinstance(part, ToolResultPart)]
    results.sort(key=lambda result: asked[result.call_id].place if result.call_id in asked else 0)
    wires = encode_parts(results, asked, with_reasoning=False)
    return [{"role": "user", "parts": wires}] if wires else []


def _decode_user(wire: Wire, waiting: list[tuple[str, str]]) -> list[Message]:
    messages: list[Message] = []
    wires: list[Wire] = as_list(wire.get("parts"), dict)
    for are_results, group in groupby(wires, lambda part: isinstance(part.get("functionResponse"), dict)):
        if are_results:
            results = [decode_result(part, _answered(part["functionResponse"], waiting)) for part in group]
            messages.append(Message(Role.TOOL, tuple(results)))
        else:
            messages.append(
                Message(
                    Role.USER, tuple(decode_parts(list(group), CallIds())), extra=rest(DIALECT, wire, ("role", "parts"))
                )
            )
    return messages


def _answered(response: Wire, waiting: list[tuple[str, str]]) -> str:
    """The id of the call that a result answers: by its id, else the next of its name."""
    given, name = response.get("id"), response.get("name")
    for place, (call_id, asked) in enumerate(waiting):
        if given == call_id or (not given and asked == name):
            del waiting[place]
            return call_id
    raise InvalidRequest(f"functionResponse {name!r} answers no call of the turn before it.")
