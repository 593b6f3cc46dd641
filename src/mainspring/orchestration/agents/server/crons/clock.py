"""When a cron comes next: five fields, in a time zone, as Debian's cron reads them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from mainspring.orchestration.agents.server.errors import CronInvalid


def next_time(schedule: str, timezone: str | None, after: datetime) -> datetime | None:
    """The first time later than `after`, in UTC; None when there is none in fifty years. CronInvalid."""
    if len(schedule) > 100 or len(schedule.split()) != 5:
        raise CronInvalid(
            f"The schedule {schedule[:100]!r} is not five fields (minute, hour, day, month, weekday), "
            "such as '30 7 * * MON-FRI'."
        )
    try:
        for found in CronSim(schedule, after.astimezone(_zone(timezone or "UTC"))):
            if found.astimezone(UTC) > after:
                return found.astimezone(UTC)
    except CronSimError as bad:
        raise CronInvalid(f"The schedule {schedule!r} cannot be read: {bad}. Correct that field.") from None
    return None


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone[:64])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CronInvalid(
            f"There is no time zone {timezone[:64]!r}; use a name such as Europe/Berlin or UTC."
        ) from None
