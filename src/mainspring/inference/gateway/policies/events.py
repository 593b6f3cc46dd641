"""What is announced through the outbox when a tenant's configuration changes. Never a key or a part of one."""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ConfigurationEvent:
    """A fact about one tenant; `by` is a user's id, a key's id, or `operator`."""

    topic: ClassVar[str]
    by: str

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PolicyChanged(ConfigurationEvent):
    """`changed` names the fields that differ from the version before."""

    topic: ClassVar[str] = "gateway_policy.changed"
    version: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProviderKeyStored(ConfigurationEvent):
    """`is_replaced` when the tenant had a key at this provider already."""

    topic: ClassVar[str] = "provider_key.stored"
    provider: str
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class ProviderKeyDeleted(ConfigurationEvent):
    topic: ClassVar[str] = "provider_key.deleted"
    provider: str
