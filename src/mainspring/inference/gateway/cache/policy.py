"""What a tenant's policy, the caller's header and the reply itself allow to be cached."""

from mainspring.foundation.errors import BadRequest
from mainspring.inference.gateway.policy import CachePolicy
from mainspring.inference.messages import Completion, FinishReason, InferenceRequest

from .types import Wish

HEADER = "x-mainspring-cache"

_WISHES = {
    "": Wish(),
    "on": Wish(),
    "off": Wish(may_read=False, may_keep=False, may_match=False),
    "refresh": Wish(may_read=False),
    "exact": Wish(may_match=False),
}
_KEPT = (FinishReason.STOP, FinishReason.TOOL_CALLS)
_SEVERAL = ("n", "best_of")
_UNSPOKEN = ("logprobs", "top_logprobs", "audio")


def read_wish(header: str | None) -> Wish:
    """What `x-mainspring-cache` asks for; BadRequest names the values that it takes."""
    wish = _WISHES.get((header or "").strip().lower())
    if wish is None:
        raise BadRequest(f"{HEADER} is {(header or '')[:40]!r}; it takes off, refresh, exact or on.")
    return wish


def may_match_exactly(policy: CachePolicy, *, temperature: float | None, seed: int | None) -> bool:
    """Whether the policy lets identical calls of this kind share a reply."""
    if policy.exact == "deterministic":
        return temperature == 0 or seed is not None
    return policy.exact == "all"


def may_match_by_meaning(policy: CachePolicy, feature: str | None, wish: Wish) -> bool:
    """Whether the feature has opted in to replies of calls with the same meaning, and the caller not out."""
    return wish.may_match and feature is not None and feature in policy.semantic_features


def is_replayable(request: InferenceRequest) -> bool:
    """Whether the normal form holds all that was asked for: several choices or token scores it does not."""
    wanted = request.extra.fields if request.extra else {}
    several = any(wanted.get(name) not in (None, 1) for name in _SEVERAL)
    return not several and not any(wanted.get(name) for name in _UNSPOKEN)


def may_be_kept(completion: Completion) -> bool:
    """Whether the reply came to its own end with content: no cut, refusal, filter or pause. Tool calls may."""
    return completion.finish_reason in _KEPT and bool(completion.text.strip() or completion.tool_calls)
