"""What is announced through the outbox about kept replies."""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class RepliesPurged:
    """A tenant's kept replies were forgotten, all or one feature's; `by` is a user's id, a key's id, or `operator`."""

    topic: ClassVar[str] = "gateway_replies.purged"
    by: str
    feature: str | None

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)
