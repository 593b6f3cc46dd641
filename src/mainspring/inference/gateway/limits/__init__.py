"""The limits of tenants: rates, concurrency, calls and budgets, held before a call and settled after it."""

from .checks import Checks, ChecksMemo, compile_checks
from .errors import BudgetExceeded, CallTooLarge, LimitReached, LimitsAway, PriceUnknown
from .explain import describe, warning
from .holds import Hold
from .limiter import Limiter
from .ports import SpendTotals
from .store import StoredSpend
from .types import Kind, LimitUse, Scopes, Spent, Subject, spend_subjects

__all__ = [
    "BudgetExceeded",
    "CallTooLarge",
    "Checks",
    "ChecksMemo",
    "Hold",
    "Kind",
    "LimitReached",
    "LimitUse",
    "Limiter",
    "LimitsAway",
    "PriceUnknown",
    "Scopes",
    "SpendTotals",
    "Spent",
    "StoredSpend",
    "Subject",
    "compile_checks",
    "describe",
    "spend_subjects",
    "warning",
]
