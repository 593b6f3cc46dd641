"""Facts that this room announces to others through the outbox."""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class EndpointDisabled:
    """Nothing is sent to an endpoint any more: it failed for days, or answered 410. `endpoint` reads `ep_...`."""

    TOPIC: ClassVar[str] = "webhook.disabled"

    endpoint: str
    url: str
    reason: str

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)
