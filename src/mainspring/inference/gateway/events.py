"""What the gateway's rooms announce through the outbox, in one place for who listens."""

from .cache.events import RepliesPurged
from .policies.events import PolicyChanged, ProviderKeyDeleted, ProviderKeyStored

__all__ = ["PolicyChanged", "ProviderKeyDeleted", "ProviderKeyStored", "RepliesPurged"]
