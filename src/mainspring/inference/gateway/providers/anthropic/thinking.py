"""How hard a model thinks, for requests that were written in another dialect.

Models up to the 4.5 generation are given a budget of tokens; later ones decide themselves
(`adaptive`) and are told an effort. Thinking has conditions the dialect enforces: no sampling
settings, no forced tool, and a budget below the output limit; a request that cannot meet them
goes without rather than being refused.
"""

from typing import Any

from mainspring.inference.gateway.providers.wishes import Wishes, effort_of
from mainspring.inference.messages import InferenceRequest, ReasoningPart, Role

_NEVER = ("claude-3-opus", "claude-3-sonnet", "claude-3-haiku", "claude-3-5", "claude-2")
_BY_BUDGET = (
    *("claude-3-7", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-5", "claude-opus-4-2025"),
    *("claude-sonnet-4-0", "claude-sonnet-4-5", "claude-sonnet-4-2025", "claude-haiku-4-5"),
)
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_BUDGETS = {"low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32000}
_LEAST_BUDGET = 1024


def encode_thinking(request: InferenceRequest, wishes: Wishes, *, model: str, max_tokens: int) -> dict[str, Any]:
    """The fields `thinking` and `output_config` that answer the wishes; empty without a wish or without a way."""
    effort = _EFFORTS.get(effort_of(wishes) or "")
    forced = request.tool_choice is not None and request.tool_choice.mode in ("required", "named")
    if effort is None or forced or model.startswith(_NEVER):
        return {}
    if not model.startswith(_BY_BUDGET):
        shown = {"display": "summarized"} if wishes.summary else {}
        return {"thinking": {"type": "adaptive", **shown}, "output_config": {"effort": effort}}
    budget = min(_BUDGETS[effort], max_tokens // 2)
    if budget < _LEAST_BUDGET or _is_amid_tools_without_seal(request):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _is_amid_tools_without_seal(request: InferenceRequest) -> bool:
    """A budget model that is answered by its tools must be shown its sealed thought again; is that impossible?"""
    if request.messages[-1].role is not Role.TOOL:
        return False
    asked = next((turn for turn in reversed(request.messages) if turn.role is Role.ASSISTANT), None)
    return asked is None or not any(isinstance(part, ReasoningPart) and part.signature for part in asked.parts)
