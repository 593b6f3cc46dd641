"""What operating refuses.

DeadLetterDecided      409 dead_letter_decided: it was replayed or discarded before
ScheduleInvalid        422 schedule_invalid: the cron line or the timezone cannot be used
PipelineUnknown        404 pipeline_unknown: no pipeline of that name and version is declared here
"""

from mainspring.foundation.errors import Conflict, InvalidInput, NotFound


class DeadLetterDecided(Conflict):
    """The dead letter was replayed or discarded before; what was decided stands."""

    code = "dead_letter_decided"


class ScheduleInvalid(InvalidInput):
    """A cron line that cannot be read or never comes, or a timezone that nobody knows."""

    code = "schedule_invalid"


class PipelineUnknown(NotFound):
    """No pipeline of that name, or of that name and version, can be started here."""

    code = "pipeline_unknown"
