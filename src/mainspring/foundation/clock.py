"""Time as an argument: code that decides by the clock takes a `Clock` and is tested with a fixed one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present instant, aware and in UTC."""


def now() -> datetime:
    """The present instant from the system's clock."""
    return datetime.now(UTC)


class ShiftedClock:
    """A `Clock` that is ahead of the true time, for rehearsals and tests; the database is told by how much."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        self._shift = shift

    def __call__(self) -> datetime:
        """The present instant, as far ahead as the clock is."""
        return now() + self._shift

    def shift(self) -> timedelta:
        """How far ahead it is."""
        return self._shift

    @property
    def shift_if_any(self) -> Callable[[], timedelta] | None:
        """What `Database.open` takes as `clock_shift`; None for a clock that is right and stays so."""
        return self.shift if self._shift else None
