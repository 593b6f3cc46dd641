"""What the limits ask of others."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from mainspring.foundation.ids import TenantId

from .types import Spent, Subject


class SpendTotals(Protocol):
    """The truth from which missing counters are seeded."""

    async def read(self, tenant: TenantId, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
        """What the subjects have spent in the day and month of `day`; absent when nothing. Raises Unavailable."""
        ...
