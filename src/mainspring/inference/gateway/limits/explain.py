"""What callers are told of a limit: which, its value, what is used, when to come back."""

from datetime import UTC, datetime, timedelta

from .errors import BudgetExceeded, CallTooLarge, LimitReached
from .types import Kind, LimitUse

NEVER_MS = 10**15
_RATES = (Kind.REQUESTS_PER_MINUTE, Kind.TOKENS_PER_MINUTE)
_BUDGETS = (Kind.BUDGET_PER_DAY, Kind.BUDGET_PER_MONTH)
_UNITS = {
    Kind.REQUESTS_PER_MINUTE: "requests per minute",
    Kind.TOKENS_PER_MINUTE: "tokens per minute",
    Kind.CONCURRENCY: "calls at the same time",
    Kind.CALLS_PER_DAY: "calls per day",
    Kind.CALLS_PER_MONTH: "calls per month",
    Kind.BUDGET_PER_DAY: "per day",
    Kind.BUDGET_PER_MONTH: "per month",
}


def refusal(use: LimitUse, *, tokens: int, cost_micros: int, wait_ms: int, now_ms: int) -> LimitReached:
    """The error for a call of so many tokens and so much money; NEVER_MS when waiting does not help."""
    asked = _asked(use.kind, tokens, cost_micros)
    name = describe(use)
    if wait_ms >= NEVER_MS and use.limit == 0:
        return CallTooLarge(f"The {name} admits no calls; ask an owner or admin of the tenant to raise it.")
    if wait_ms >= NEVER_MS:
        return CallTooLarge(
            f"The {name} is less than this call alone may use, {asked}. "
            "Waiting does not help: ask for fewer output tokens (max_tokens), send less, or have the limit raised."
        )
    seconds = max(1, -(-wait_ms // 1000))
    error = BudgetExceeded if use.kind in _BUDGETS else LimitReached
    need = f", and this call may use {asked}" if asked else ""
    return error(
        f"The {name} is reached: {_amount(use.kind, use.used)} {_state(use.kind)}{need}. "
        f"{_when(use.kind, seconds, now_ms)}",
        retry_after_seconds=float(seconds),
    )


def describe(use: LimitUse) -> str:
    """`limit of 60 requests per minute for model 'x'`."""
    what = "budget" if use.kind in _BUDGETS else "limit"
    return f"{what} of {_amount(use.kind, use.limit)} {_UNITS[use.kind]} for {_whom(use)}"


def warning(use: LimitUse) -> str:
    """One line for a warning header, in ASCII: `80% of the limit of ... is used`."""
    percent = use.used * 100 // use.limit if use.limit else 100
    text = f"{percent}% of the {describe(use)} is used"
    return text.encode("ascii", "backslashreplace").decode()


def _whom(use: LimitUse) -> str:
    if use.scope == "tenant":
        return "the tenant"
    return "this API key" if use.scope == "key" else f"{use.scope} {use.value[:100]!r}"


def _amount(kind: Kind, number: int) -> str:
    if kind not in _BUDGETS:
        return f"{number:,}"
    whole, micros = divmod(number, 1_000_000)
    digits = f"{micros:06}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{digits} USD"


def _asked(kind: Kind, tokens: int, cost_micros: int) -> str:
    if kind is Kind.TOKENS_PER_MINUTE:
        return f"up to {tokens:,} tokens"
    return f"up to {_amount(kind, cost_micros)}" if kind in _BUDGETS else ""


def _state(kind: Kind) -> str:
    if kind is Kind.CONCURRENCY:
        return "are under way"
    return "are used" if kind in _RATES else "are used or held by calls under way"


def _when(kind: Kind, seconds: int, now_ms: int) -> str:
    if kind in _RATES or seconds <= 1:
        return f"Try again in {seconds} s."
    ends_at = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(seconds=seconds)
    return f"Try again after {ends_at.replace(microsecond=0):%Y-%m-%d %H:%M:%S} UTC, or have the limit raised."
