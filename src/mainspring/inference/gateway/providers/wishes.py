"""What a caller asked for that the normal form has no word for, read across dialects.

Such fields travel untouched in `Extra` to a provider of the same dialect. For a provider of
another one they would be lost, though both can say them: how hard to think, whose call it is,
which tier serves it. Codecs read them here, and only when the call changes its dialect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.refusals import fault
from mainspring.inference.messages import InferenceRequest, OpaquePart, Role, Tool, ToolResultPart

Tier = Literal["auto", "default"]

_SHARED = (
    *("metadata", "store", "moderation", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("safety_identifier", "service_tier", "user"),
)
"""Fields that chat completions and responses spell alike."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Fields of a request in words that are no dialect's.

    effort         none, minimal, low, medium, high, xhigh or max
    is_adaptive    the model may decide itself how long to think
    budget_tokens  for thinking
    summary        how much of the thinking is shown: auto, concise or detailed
    tier           which service answers: any, or the standard one only
    top_logprobs   alternatives to each token; 0 for the tokens' own probabilities only, None for none at all
    is_json        the reply must be some JSON object
    shared         what OpenAI's two dialects spell alike
    """

    effort: str | None = None
    is_adaptive: bool = False
    budget_tokens: int | None = None
    summary: str | None = None
    end_user: str | None = None
    tier: Tier | None = None
    verbosity: str | None = None
    top_logprobs: int | None = None
    is_json: bool = False
    shared: Mapping[str, Any] = field(default_factory=dict[str, Any])


NOTHING = Wishes()


def wishes_for(dialect: str, request: InferenceRequest) -> Wishes:
    """The wishes in a request of another dialect than `dialect`; nothing when it is the same one.

    InvalidRequest for what only the caller's own dialect can say, in a field or in what its user said.
    """
    _refuse_foreign_parts(dialect, request)
    extra = request.extra
    if extra is None or extra.dialect == dialect or extra.dialect not in _READERS:
        return NOTHING
    return _READERS[extra.dialect](extra.fields)


def own_tool(dialect: str, tool: Tool) -> Mapping[str, Any] | None:
    """The wire of a tool that is no function; None for functions, InvalidRequest when `dialect` does not have it."""
    kind = tool.extra.fields.get("type") if tool.extra else None
    if tool.extra is None or kind is None:
        return None
    if tool.extra.dialect != dialect:
        raise InvalidRequest(
            f"tools holds {tool.name!r} of type {kind!r}, which only providers of the {tool.extra.dialect} dialect "
            "run; send a function, or name a model of such a provider."
        )
    return tool.extra.fields


def is_strict(dialect: str, tool: Tool) -> bool | None:
    """Whether the arguments of a tool from another dialect must follow its schema; None when it does not say."""
    if tool.extra is None or tool.extra.dialect == dialect:
        return None
    function = tool.extra.fields.get("function")
    found: object = (function if isinstance(function, Mapping) else tool.extra.fields).get("strict")
    return found if isinstance(found, bool) else None


def end_user_in(fields: Mapping[str, Any]) -> str | None:
    """Whom a body of either OpenAI dialect names as its user."""
    return _text(fields.get("safety_identifier")) or _text(fields.get("user"))


def _of_chat(fields: Mapping[str, Any]) -> Wishes:
    _refuse_if(fields, "functions", "send the functions in tools")
    _refuse_if(fields, "web_search_options", "leave it out, or send a function in tools")
    return Wishes(
        effort=_text(fields.get("reasoning_effort")),
        end_user=end_user_in(fields),
        tier=_tier(fields.get("service_tier")),
        verbosity=_text(fields.get("verbosity")),
        top_logprobs=_number(fields.get("top_logprobs")) or 0 if fields.get("logprobs") is True else None,
        is_json=_inside(fields, "response_format").get("type") == "json_object",
        shared=_shared(fields),
    )


def _of_responses(fields: Mapping[str, Any]) -> Wishes:
    _refuse_if(fields, "prompt", "send its words in instructions and input")
    text, reasoning, include = _inside(fields, "text"), _inside(fields, "reasoning"), fields.get("include")
    wants_logprobs = isinstance(include, list) and "message.output_text.logprobs" in include
    return Wishes(
        effort=_text(reasoning.get("effort")),
        summary=_text(reasoning.get("summary")),
        end_user=end_user_in(fields),
        tier=_tier(fields.get("service_tier")),
        verbosity=_text(text.get("verbosity")),
        top_logprobs=_number(fields.get("top_logprobs")) or 0 if wants_logprobs else None,
        is_json=_inside(text, "format").get("type") == "json_object",
        shared=_shared(fields),
    )


def _of_anthropic(fields: Mapping[str, Any]) -> Wishes:
    thinking, output = _inside(fields, "thinking"), _inside(fields, "output_config")
    return Wishes(
        effort=_text(output.get("effort")),
        is_adaptive=thinking.get("type") == "adaptive",
        budget_tokens=_number(thinking.get("budget_tokens")) if thinking.get("type") == "enabled" else None,
        summary="auto" if thinking.get("display") == "summarized" else None,
        end_user=_text(_inside(fields, "metadata").get("user_id")),
        tier={"auto": "auto", "standard_only": "default"}.get(str(fields.get("service_tier"))),  # pyright: ignore[reportArgumentType] - both values are tiers
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], Wishes]] = {
    "openai": _of_chat,
    "responses": _of_responses,
    "anthropic": _of_anthropic,
}


def effort_of(wishes: Wishes) -> str | None:
    """The effort wished for, or the one that comes nearest to a budget of tokens."""
    if wishes.effort or wishes.budget_tokens is None:
        return wishes.effort
    return "low" if wishes.budget_tokens <= 2048 else "medium" if wishes.budget_tokens <= 8192 else "high"


def _refuse_foreign_parts(dialect: str, request: InferenceRequest) -> None:
    """What a user or a tool said must arrive; what a model said beside its words may be left out."""
    for message in request.messages:
        if message.role not in (Role.USER, Role.TOOL):
            continue
        inner = [each for part in message.parts if isinstance(part, ToolResultPart) for each in part.parts]
        for part in (*message.parts, *inner):
            if isinstance(part, OpaquePart) and part.extra.dialect != dialect:
                raise fault(
                    "messages",
                    f"messages holds a part of type {part.extra.fields.get('type')!r:.60}, which only providers of the "
                    f"{part.extra.dialect} dialect understand; leave it out, or name a model of such a provider.",
                )


def _refuse_if(fields: Mapping[str, Any], name: str, instead: str) -> None:
    if fields.get(name) not in (None, []):
        raise fault(name, f"{name} is understood by providers of its own dialect only: {instead}.")


def _shared(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: fields[name] for name in _SHARED if fields.get(name) is not None}


def _inside(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: object = fields.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tier(value: object) -> Tier | None:
    return value if value in ("auto", "default") else None
