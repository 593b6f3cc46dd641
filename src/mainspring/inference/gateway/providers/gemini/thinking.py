"""How hard a model thinks, for requests that were written in another dialect.

The 2.5 generation is given a budget of tokens, later ones a level, earlier ones nothing.
"""

from mainspring.inference.gateway.providers.wire import Wire, without_nulls
from mainspring.inference.gateway.providers.wishes import Wishes, effort_of

_NEVER = ("gemini-1", "gemini-2.0")
_BY_BUDGET = ("gemini-2.5",)
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS = {
    **dict.fromkeys(("none", "minimal", "low"), "LOW"),  # the least that every model of these takes
    **dict.fromkeys(("medium",), "MEDIUM"),
    **dict.fromkeys(("high", "xhigh", "max"), "HIGH"),
}
_LEAST_BUDGET, _MOST_BUDGET = 128, 24576  # what both pro and flash take; only flash can be told not to think


def encode_thinking(wishes: Wishes, *, model: str) -> Wire | None:
    """The field `thinkingConfig` that answers the wishes; None without a wish or without a way."""
    if model.startswith(_NEVER):
        return None
    shown = True if wishes.summary or wishes.is_adaptive or wishes.budget_tokens is not None else None
    effort = effort_of(wishes) or ""
    if model.startswith(_BY_BUDGET):
        budget = _BUDGETS.get(effort) if wishes.budget_tokens is None else wishes.budget_tokens
        least = _LEAST_BUDGET if "pro" in model or budget else 0
        thinking = {"thinkingBudget": None if budget is None else min(max(budget, least), _MOST_BUDGET)}
    else:
        thinking = {"thinkingLevel": _LEVELS.get(effort)}
    return without_nulls({**thinking, "includeThoughts": shown}) or None
