"""How a call can fail at its limits.

LimitReached          429 limit_reached         retryable after `retry_after_seconds`
+-- BudgetExceeded    429 budget_exceeded       retryable when the window ends or the budget is raised
+-- CallTooLarge      429 call_exceeds_limit    never fits, however long one waits
PriceUnknown          422 price_unknown
LimitsAway            503 limits_unavailable    retryable
"""

from mainspring.foundation.errors import InvalidInput, RateLimited, Unavailable


class LimitReached(RateLimited):
    """A limit of the tenant's policy does not admit the call now; nothing was held."""

    code = "limit_reached"


class BudgetExceeded(LimitReached):
    """What is spent, held by calls under way and estimated for this one is more than a budget."""

    code = "budget_exceeded"


class CallTooLarge(LimitReached):
    """The call alone is more than a limit allows at all; it must ask for less."""

    code = "call_exceeds_limit"
    retryable = False


class PriceUnknown(InvalidInput):
    """A budget applies to a model whose price is not known, so nobody could say whether it fits."""

    code = "price_unknown"


class LimitsAway(Unavailable):
    """The limits cannot be checked now, and the tenant's policy refuses calls that are not."""

    code = "limits_unavailable"
