"""The words of the limits: whom a call counts for, what is used, what is left."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

from mainspring.foundation.ids import TenantId


class Scopes(NamedTuple):
    """The values one call counts for; None where it has none, and no limit of that scope applies.

    user   the end user, as the caller names them
    key    id of the API key
    model  the model as the policy names it
    """

    tenant: TenantId
    user: str | None = None
    key: str | None = None
    model: str | None = None
    feature: str | None = None


class Kind(IntEnum):
    """What is limited; the order is that of the script."""

    REQUESTS_PER_MINUTE = 0
    TOKENS_PER_MINUTE = 1
    CONCURRENCY = 2
    CALLS_PER_DAY = 3
    CALLS_PER_MONTH = 4
    BUDGET_PER_DAY = 5
    BUDGET_PER_MONTH = 6


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How far one limit is used, calls under way and this one included.

    value        of the scope; empty for `tenant`
    limit, used  requests, tokens, calls, or micro-units of USD, by `kind`
    """

    scope: str
    value: str
    kind: Kind
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used by closed calls in the calendar day and month (UTC) that hold `day`."""

    calls_of_day: int
    calls_of_month: int
    micros_of_day: int
    micros_of_month: int


NOTHING_SPENT = Spent(0, 0, 0, 0)


class Subject(NamedTuple):
    """One row's key in `gateway_spend`: a scope and its value there."""

    scope: str
    value: str


def spend_subjects(scopes: Scopes) -> list[Subject]:
    """Every subject a closed call must be booked under, so that counters can be seeded from the sums."""
    named = zip(("user", "key", "model", "feature"), scopes[1:], strict=True)
    return [Subject("tenant", ""), *(Subject(scope, str(value)) for scope, value in named if value is not None)]


def month_of(day: date) -> tuple[date, date]:
    """The first day of the month and of the next one."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
