"""What clients of the agent server can do wrong, beyond the errors of agents themselves."""

from mainspring.foundation.errors import Conflict, InvalidInput


class AssistantExists(Conflict):
    """The tenant has an assistant of that id already."""

    code = "assistant_exists"


class AssistantStandard(Conflict):
    """Every graph has its standard assistant; it cannot be deleted."""

    code = "assistant_standard"


class ThreadExists(Conflict):
    """The tenant has a thread of that id already."""

    code = "thread_exists"


class CronInvalid(InvalidInput):
    """The five fields of a cron schedule, its time zone or its end make no sense."""

    code = "cron_invalid"
