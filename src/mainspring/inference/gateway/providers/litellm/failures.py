"""From the exceptions of `litellm` to the closed set of errors.

They carry the names and statuses of OpenAI's own, whichever provider failed.
"""

from collections.abc import Mapping

from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.providers.failures import failure_for, read_retry_after

_BY_NAME = {
    "ContextWindowExceededError": "context",
    "ContentPolicyViolationError": "refused",
    "RateLimitError": "limited",
    "AuthenticationError": "unauthorized",
    "PermissionDeniedError": "unauthorized",
    "Timeout": "timed_out",
    "APITimeoutError": "timed_out",
    "APIConnectionError": "overloaded",
    "UnsupportedParamsError": "invalid",
}
_BY_CODE = {
    "context_length_exceeded": "context",
    "content_policy_violation": "refused",
    "content_filter": "refused",
    "insufficient_quota": "unauthorized",
}


def failure_from(failure: BaseException) -> ModelError:
    """What an exception means; one that says nothing is a provider that failed."""
    if isinstance(failure, ModelError):
        return failure
    told: object = getattr(failure, "status_code", None)
    status = told if isinstance(told, int) and told >= 400 else 500
    names = [_BY_NAME[each.__name__] for each in type(failure).__mro__ if each.__name__ in _BY_NAME]
    kind = _BY_CODE.get(str(getattr(failure, "code", None))) or (names[0] if names else None)
    text = f"{type(failure).__name__}: {failure}"
    return failure_for(kind, status, retry_after=read_retry_after(_headers(failure)), vendor_text=text)


def _headers(failure: BaseException) -> Mapping[str, str]:
    """Those of the provider's answer, wherever the library has put them."""
    found: object = getattr(failure, "litellm_response_headers", None)
    found = found or getattr(getattr(failure, "response", None), "headers", None)
    return {str(name).lower(): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}
