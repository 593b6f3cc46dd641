"""When a delivery that failed is tried again, and when an endpoint is given up.

Ten attempts over three days and four hours: short outages cost seconds, a weekend's outage costs no event. Each pause
is shortened or lengthened by up to a tenth, so that what failed together does not come back together.
"""

from collections.abc import Callable
from datetime import timedelta

PAUSES: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
GIVEN_UP_AFTER = timedelta(days=5)
"""An endpoint that has failed for so long without one success is turned off."""

_LONGEST_ASKED = timedelta(hours=24)
_JITTER = 0.1


def pause_after(tries: int, *, asked_seconds: float | None, sample: Callable[[], float]) -> timedelta | None:
    """How long to wait after so many failed tries; None when there is no further one.

    tries          1 or more
    asked_seconds  what the other side asked for; a longer pause than ours is granted, up to a day
    sample         a random number from 0 to 1
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + _JITTER * (2 * sample() - 1))
    asked = min(timedelta(seconds=asked_seconds or 0), _LONGEST_ASKED)
    return max(pause, asked)
