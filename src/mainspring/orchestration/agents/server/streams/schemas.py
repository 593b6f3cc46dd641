"""Wire shapes of the event protocol."""

from pydantic import Field, JsonValue

from mainspring.orchestration.agents.server.words import Body

from .filters import Subscription, read_channels


class EventsWanted(Body):
    """Which events of a thread; `since` is the `seq` of the last one received."""

    channels: list[str] = Field(max_length=100)
    namespaces: list[list[str]] | None = Field(None, max_length=1_000)
    depth: int | None = Field(None, ge=0, le=100)
    since: int | None = Field(None, ge=0)

    def subscription(self) -> Subscription:
        """As the filter reads it. InvalidInput for channels there are none of."""
        namespaces = None if self.namespaces is None else tuple(tuple(each) for each in self.namespaces)
        return Subscription(read_channels(self.channels), namespaces, self.depth)


class CommandWanted(Body):
    """A command of the event protocol."""

    id: int | None = None
    method: str | None = None
    params: dict[str, JsonValue] | None = None
