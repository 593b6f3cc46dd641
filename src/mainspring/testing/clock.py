"""A clock that goes as time does, from wherever it was turned to."""

from datetime import datetime, timedelta

from mainspring.foundation.clock import now


class TurnedClock:
    """A `foundation.clock.Clock`; the database tells the same time, since `shift` is set in its transactions."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def __call__(self) -> datetime:
        """The present instant, as far ahead as the clock was turned."""
        return now() + self._shift

    def shift(self) -> timedelta:
        """How far ahead of the true time it is."""
        return self._shift

    def turn(self, ahead: timedelta) -> None:
        """Move it forward; ValueError for backward, which time does not do."""
        if ahead < timedelta():
            raise ValueError(f"the clock cannot be turned back by {-ahead}")
        self._shift += ahead
