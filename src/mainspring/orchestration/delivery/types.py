"""The words of delivery: an endpoint is where events go out to, a delivery is one event on its way to one endpoint.

    delivery   held <-> pending -> delivered | failed        failed or delivered -> pending again by a replay
    endpoint   on -> off (by a person) | failed (after days of failures) | gone (it answered 410) -> on

A delivery is pending until an attempt succeeds or the schedule is over; it is held while its endpoint is not on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType, Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId

EndpointId = NewType("EndpointId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
EventId = NewType("EventId", UUID)

ENDPOINT_PREFIX, DELIVERY_PREFIX, EVENT_PREFIX = "ep", "dlv", "evt"
"""Public ids read `ep_...`, `dlv_...`, `evt_...` (see `foundation.ids`); `evt_...` is the `webhook-id`."""

MAX_TOPICS, MAX_DESCRIPTION, MAX_ENDPOINTS = 50, 500, 100
MAX_RESPONSE_BYTES = 1_024
"""So much of what an endpoint answered is kept."""

TEST_TOPIC = "webhook.test"


class EndpointKind(StrEnum):
    WEBHOOK = "webhook"
    NATS = "nats"
    SQS = "sqs"
    RABBITMQ = "rabbitmq"


class Format(StrEnum):
    """How an event is written; queues take the CloudEvents forms only. `plain` is its data and nothing around it."""

    STANDARD_WEBHOOKS = "standard-webhooks"
    CLOUDEVENTS = "cloudevents"
    CLOUDEVENTS_BINARY = "cloudevents-binary"
    PLAIN = "plain"


class EndpointState(StrEnum):
    ON = "on"
    OFF = "off"
    FAILED = "failed"
    GONE = "gone"


class DeliveryState(StrEnum):
    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing.

    failures       failed attempts since the last that succeeded
    failing_since  when the first of those was
    attempts, succeeded   in the last 24 hours
    """

    failures: int
    failing_since: datetime | None
    last_failure: str | None
    last_failure_at: datetime | None
    last_success_at: datetime | None
    attempts: int
    succeeded: int

    @property
    def success_rate(self) -> float | None:
        """Share of the last 24 hours' attempts that succeeded, 0 to 1; None without attempts."""
        return self.succeeded / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go out to.

    address  the subject, queue or routing key of a queue; "" for a webhook
    topics   which events: `run.finished`, `approval.*`, `*`
    """

    id: EndpointId
    kind: EndpointKind
    url: str
    address: str
    format: Format
    topics: tuple[str, ...]
    description: str
    state: EndpointState
    state_reason: str | None
    health: Health
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What a tenant asks for.

    secret   credentials of a queue, as JSON; webhooks are given a secret instead of taking one
    """

    url: str
    topics: tuple[str, ...]
    kind: EndpointKind = EndpointKind.WEBHOOK
    format: Format = Format.STANDARD_WEBHOOKS
    address: str = ""
    description: str = ""
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """An endpoint and its signing secret, which is shown this once; None for a queue."""

    endpoint: Endpoint
    secret: str | None


@dataclass(frozen=True, slots=True)
class EndpointUpdate:
    """What is to be different; None leaves it."""

    url: str | None = None
    topics: tuple[str, ...] | None = None
    format: Format | None = None
    description: str | None = None
    is_on: bool | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. `due_at` is when a pending one is tried next."""

    id: DeliveryId
    endpoint: EndpointId
    event: EventId
    topic: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `response` is the beginning of what was answered: data of others, to be shown as text only."""

    number: int
    at: datetime
    succeeded: bool
    status: int | None
    error: str | None
    response: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """A fact as it goes out: the same for every endpoint and attempt."""

    id: EventId
    topic: str
    data: Mapping[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a transport is handed: an event, where to, and the secrets that are good now, the newest first.

    is_direct  it goes to an address of its own, whose 410 says nothing of the endpoint's others
    """

    tenant: TenantId
    endpoint: EndpointId
    url: str
    address: str
    format: Format
    secrets: tuple[str, ...]
    event: OutgoingEvent
    is_direct: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    retry_after_seconds  how long the other side asked to be left alone
    is_gone              the other side says that it will never take anything again
    """

    succeeded: bool
    status: int | None = None
    error: str | None = None
    response: str | None = None
    retry_after_seconds: float | None = None
    is_gone: bool = False


class Transport(Protocol):
    """A way to hand a parcel over."""

    async def send(self, parcel: Parcel) -> Outcome:
        """Try once, within the transport's own time limit. What goes wrong is an outcome, not an exception."""
        ...
