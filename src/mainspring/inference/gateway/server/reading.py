"""From a caller's body to a call: its order, what it needs, and what is recorded of it."""

import re
from typing import Any

import msgspec

from mainspring.inference.gateway.engine.orders import WireOrder, demand_of
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.flight import Call
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.routing.types import Demand
from mainspring.inference.gateway.tokens import estimate_input_tokens, estimate_text_tokens
from mainspring.inference.gateway.types import CallContext, Operation

from .http import Request

_SCHEMAS = frozenset(("response_format", "text", "output_config", "output_format"))
_MEDIA = re.compile(rb'"type"\s*:\s*"(?:image|file|document|input_|audio)')
"""What a content part that is no text begins with, in every dialect; one search for what would be many."""

_CAPS = {
    "openai": ("max_tokens", "max_completion_tokens"),
    "anthropic": ("max_tokens",),
    "responses": ("max_output_tokens",),
}
"""What the limit of output is called in each dialect; another's name for it limits nothing there."""
_COUNTS = ("n", "best_of")
_PASSED = frozenset((b"anthropic-beta", b"openai-beta", b"traceparent"))
_TASK = b"x-mainspring-task"
_READ = _PASSED | {_TASK}
_MAX_TASK = 200


def read_order(request: Request, inbound: Inbound) -> WireOrder:
    """The body taken apart; raises InvalidRequest when it is no JSON object or names no model."""
    order = WireOrder.read(inbound, request.body)
    if not _READ.isdisjoint(request.headers):
        order.task = _task(request.headers.get(_TASK))
        order.more = b"".join(
            b"%b: %b\r\n" % (name, request.headers[name]) for name in _PASSED if name in request.headers
        )
    return order


def read_call(order: WireOrder, context: CallContext) -> Call:
    """The call in an order."""
    model = _text(order, "model")
    has_media = _MEDIA.search(order.content) is not None
    tokens = estimate_input_tokens(order.content) if has_media else estimate_text_tokens(len(order.content))
    cap = read_cap(order)
    return Call(
        context,
        Operation.CHAT,
        model,
        order,
        _demand(order, tokens, cap, has_media=has_media),
        tokens,
        order.is_stream,
        order.content,
        order.inbound.name,
        read_choices(order),
        _tier(order),
    )


def read_cap(order: WireOrder) -> int | None:
    """The most that the caller lets a reply have; raises InvalidRequest for a limit that is none."""
    most: int | None = None
    for name in _CAPS[order.inbound.name]:
        if name in order.fields and (cap := _positive(order, name)) is not None:
            most = cap if most is None else max(most, cap)
    return most


def read_choices(order: WireOrder) -> int:
    """How many replies are asked for at once; raises InvalidRequest."""
    if order.inbound.name != "openai":
        return 1
    return max((_positive(order, name) or 1 for name in _COUNTS if name in order.fields), default=1)


def _tier(order: WireOrder) -> str | None:
    tier = order.value("service_tier") if "service_tier" in order.fields else None
    return tier if isinstance(tier, str) else None


def _positive(order: WireOrder, name: str) -> int | None:
    value = order.value(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidRequest(f"{name} is {value!r:.40}; give a whole number of at least 1, or leave it out.")
    return value


def end_user_of(order: WireOrder) -> str | None:
    """Whom the body names as the caller's own user."""
    fields = order.fields
    if "user" not in fields and "safety_identifier" not in fields and "metadata" not in fields:
        return None
    named: dict[str, Any] = {
        name: order.value(name) for name in ("user", "safety_identifier", "metadata") if name in fields
    }
    return order.inbound.end_user(named)


def wants_schema(order: WireOrder) -> bool:
    """Whether the reply must be JSON of a schema."""
    fields = order.fields
    if not ("response_format" in fields or "text" in fields or "output_config" in fields or "output_format" in fields):
        return False
    return any(b"json_schema" in bytes(order.fields[name]) for name in _SCHEMAS if name in order.fields)


def _demand(order: WireOrder, tokens: int, cap: int | None, *, has_media: bool) -> Demand:
    """What a deployment must be able to do. A word that may mean a picture is looked at closely."""
    fields = order.fields
    if has_media:
        demand = demand_of(order.request())
        return msgspec.structs.replace(demand, task=order.task, max_tokens=cap)
    needs_tools, needs_schema = "tools" in fields, wants_schema(order)
    return Demand(
        input_tokens=tokens // 2,  # the estimate may be twice the truth: what may fit is sent
        max_tokens=cap,
        needs_tools=needs_tools,
        needs_schema=needs_schema,
        task=order.task,
    )


def _task(value: bytes | None) -> str | None:
    if value is not None and len(value) > _MAX_TASK:
        raise InvalidRequest(f"The header {_TASK.decode()} is longer than {_MAX_TASK} bytes.")
    return value.decode("utf-8", "replace") if value else None


def _text(order: WireOrder, name: str) -> str:
    value = order.value(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"The body must name a {name}, such as `openai/gpt-5-mini`; GET /v1/models lists them.")
    return value
