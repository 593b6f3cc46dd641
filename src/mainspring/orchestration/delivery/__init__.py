"""Delivery: events of the platform go out to webhooks and queues, and events of others come in and start runs."""

from .announcing import Announcer, Describer
from .cloudevents import CloudEvent
from .errors import EndpointInvalid, EndpointOff, EventInvalid, EventUnknown, TooManyEndpoints
from .events import EndpointDisabled
from .sending import Places, Sender
from .service import Endpoints
from .types import (
    Attempt,
    Created,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKind,
    EndpointState,
    EndpointUpdate,
    Format,
    Health,
    NewEndpoint,
)
from .webhooks import WebhookTransport

__all__ = [
    "Announcer",
    "Attempt",
    "CloudEvent",
    "Created",
    "Delivery",
    "DeliveryState",
    "Describer",
    "Endpoint",
    "EndpointDisabled",
    "EndpointInvalid",
    "EndpointKind",
    "EndpointOff",
    "EndpointState",
    "EndpointUpdate",
    "Endpoints",
    "EventInvalid",
    "EventUnknown",
    "Format",
    "Health",
    "NewEndpoint",
    "Places",
    "Sender",
    "TooManyEndpoints",
    "WebhookTransport",
]
