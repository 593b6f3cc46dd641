"""Time as an argument: code that decides by the clock takes a `Clock` and is tested with a fixed one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant, aware and in UTC."""


def now() -> datetime:
    """The present instant from the system's clock."""
    return datetime.now(UTC)
