"""The settings of deliveries, as the room takes them."""

from mainspring.foundation.settings import Settings
from mainspring.orchestration.delivery import DeliverySettings


def delivery_settings(settings: Settings) -> DeliverySettings:
    """What the operator decided."""
    hosts = frozenset(settings.listed(settings.delivery_hosts))
    return DeliverySettings(source=settings.delivery_source, internal_hosts=hosts)
