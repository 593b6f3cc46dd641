"""Delivery: events of the platform go out to webhooks and queues, and events of others come in and start runs."""

from .announcing import Announcer, Describer
from .cloudevents import CloudEvent
from .direct import Direct, DirectPost
from .errors import EndpointInvalid, EndpointOff, EventInvalid, EventUnknown, TooManyEndpoints
from .events import EndpointDisabled
from .parts import Beneath, Delivery, DeliverySettings, build_delivery, build_direct
from .sending import Places, Sender
from .service import Endpoints
from .types import (
    Attempt,
    Created,
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
    "Beneath",
    "CloudEvent",
    "Created",
    "Delivery",
    "DeliverySettings",
    "DeliveryState",
    "Describer",
    "Direct",
    "DirectPost",
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
    "build_delivery",
    "build_direct",
]
