"""When a cron line comes: five fields as Debian's cron reads them, on a clock that may change to summer time.

A firing at a time that summer time skips comes right after the gap; one at a time that comes twice, comes once. Only
whole minutes: whoever needs seconds wants a queue, not a clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from .errors import ScheduleInvalid

MAX_CRON = 100
MAX_TIMEZONE = 64
MAX_PREVIEW = 20
"""A line that comes every few decades takes milliseconds for each firing that is shown."""


def next_firing(cron: str, timezone: str, after: datetime) -> datetime:
    """The first firing later than `after`, in UTC. Raises ScheduleInvalid when there is none in fifty years."""
    for instant in _firings(cron, timezone, after):
        return instant
    raise ScheduleInvalid(f"The cron line {cron!r} does not come in the next fifty years; correct its day or month.")


def preview(cron: str, timezone: str, after: datetime, count: int) -> tuple[datetime, ...]:
    """The next `count` firings, in UTC."""
    return tuple(islice(_firings(cron, timezone, after), min(count, MAX_PREVIEW)))


def explain(cron: str) -> str:
    """The cron line in words, such as `At 07:30 on Monday`."""
    return _parse(cron, datetime(2000, 1, 1, tzinfo=UTC)).explain()


def _firings(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    last = after
    for instant in _parse(cron, after.astimezone(_zone(timezone))):
        moment = instant.astimezone(UTC)
        if moment > last:  # an hour that comes twice must not be told twice
            last = moment
            yield moment


def _parse(cron: str, start: datetime) -> CronSim:
    if len(cron) > MAX_CRON or len(cron.split()) != 5 or not cron.isprintable():
        raise ScheduleInvalid(
            f"The cron line {cron[:MAX_CRON]!r} is not five fields (minute, hour, day, month, weekday) "
            f"in at most {MAX_CRON} characters, such as '30 7 * * MON-FRI'."
        )
    try:
        return CronSim(cron, start)
    except CronSimError as bad:
        raise ScheduleInvalid(f"The cron line {cron!r} cannot be read: {bad}. Correct that field.") from None


def _zone(timezone: str) -> ZoneInfo:
    try:
        if len(timezone) <= MAX_TIMEZONE:
            return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # names that lead out of the data's folder, or to a folder in it
    raise ScheduleInvalid(f"There is no timezone {timezone[:MAX_TIMEZONE]!r}; use a name such as Europe/Berlin or UTC.")
