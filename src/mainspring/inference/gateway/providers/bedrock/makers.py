"""What Converse has no word for, but a model's maker has: said in additional fields, by the maker's name.

Only what a caller asked for in another dialect is said here; callers of this one say it themselves.
"""

from mainspring.inference.gateway.providers.anthropic.thinking import encode_thinking
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.gateway.providers.wishes import Wishes, effort_of
from mainspring.inference.messages import InferenceRequest

from .endpoints import base_model

_DEFAULT_MAX_TOKENS = 4096
_CACHING = ("anthropic.", "amazon.nova")


def thinking_fields(request: InferenceRequest, wishes: Wishes, *, model: str, profile: Profile) -> Wire:
    """How hard to think."""
    maker, _, name = base_model(model).partition(".")
    if maker == "anthropic":
        limit = request.max_tokens or profile.max_output_tokens or _DEFAULT_MAX_TOKENS
        return encode_thinking(request, wishes, model=name, max_tokens=limit)
    effort = effort_of(wishes) if maker == "openai" else None
    return {"reasoning_effort": effort} if effort else {}


def single_call_fields(request: InferenceRequest, *, model: str, profile: Profile) -> Wire:
    """That at most one tool may be called at once; the field takes the place of `toolChoice`.

    Claude takes it since its 4.5 generation, the one since which it enforces schemas too; not
    beside a forced tool, where the two choices would contradict each other and be refused.
    """
    choice = request.tool_choice
    is_asked = bool(request.tools) and choice is not None and choice.mode == "auto" and choice.parallel is False
    if not is_asked or not profile.json_schema or not base_model(model).startswith("anthropic."):
        return {}
    return {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}


def takes_cache_points(model: str) -> bool:
    """Whether the model refuses no cache points."""
    return base_model(model).startswith(_CACHING)
