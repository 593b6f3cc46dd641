"""A clock that goes as time does, from wherever it was turned to."""

from collections.abc import Callable
from datetime import timedelta

from mainspring.foundation.clock import ShiftedClock


class TurnedClock(ShiftedClock):
    """Right to begin with; the database tells the same time, since it asks for the shift in each transaction."""

    @property
    def shift_if_any(self) -> Callable[[], timedelta]:
        """Asked from the start, as it will be turned."""
        return self.shift

    def turn(self, ahead: timedelta) -> None:
        """Move it forward; ValueError for backward, which time does not do."""
        if ahead < timedelta():
            raise ValueError(f"the clock cannot be turned back by {-ahead}")
        self._shift += ahead
