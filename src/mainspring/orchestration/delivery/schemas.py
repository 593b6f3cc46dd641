"""Endpoints, deliveries, subscriptions and triggers as the HTTP API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from mainspring.foundation.ids import show_id
from mainspring.orchestration.pipelines import RUN_PREFIX

from .bridges import TRIGGER_PREFIX, NewTrigger, Refusal, Trigger
from .incoming import SUBSCRIPTION_PREFIX, Accepted, Subscription
from .types import (
    DELIVERY_PREFIX,
    ENDPOINT_PREFIX,
    EVENT_PREFIX,
    MAX_DESCRIPTION,
    MAX_TOPICS,
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKind,
    EndpointState,
    EndpointUpdate,
    Format,
    NewEndpoint,
)

Topics = Annotated[list[str], Field(min_length=1, max_length=MAX_TOPICS, examples=[["run.finished", "approval.*"]])]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION)]
Url = Annotated[str, Field(max_length=2_000, examples=["https://example.com/hooks/mainspring"])]
Secret = Annotated[str | None, Field(max_length=16_000, description="credentials as a JSON object of texts")]


class HealthShape(BaseModel):
    """How an endpoint has been doing; `success_rate` is of the last 24 hours' attempts, null without any."""

    failures: int
    failing_since: datetime | None
    last_failure: str | None
    last_failure_at: datetime | None
    last_success_at: datetime | None
    attempts: int
    success_rate: float | None


class EndpointShape(BaseModel):
    """Where events go out to. `state_reason` says why it is not on."""

    id: str = Field(examples=["ep_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    kind: EndpointKind
    url: str
    address: str
    format: Format
    topics: list[str]
    description: str
    state: EndpointState
    state_reason: str | None
    health: HealthShape
    created_by: str
    created_at: datetime


class EndpointList(BaseModel):
    """Every endpoint, the oldest first."""

    items: list[EndpointShape]


class CreatedEndpoint(EndpointShape):
    """A new endpoint. `secret` is shown this once; null for a queue."""

    secret: str | None


class CreateWebhook(BaseModel):
    """A web address that events are posted to."""

    url: Url
    topics: Topics
    format: Format = Format.STANDARD_WEBHOOKS
    description: Description = ""

    def read(self) -> NewEndpoint:
        """What is asked for."""
        return NewEndpoint(self.url, tuple(self.topics), format=self.format, description=self.description)


class CreateSink(BaseModel):
    """A queue that events are published to."""

    kind: EndpointKind
    url: Url
    address: Annotated[str, Field(max_length=500, description="subject, routing key or queue")]
    topics: Topics
    format: Format = Format.CLOUDEVENTS
    description: Description = ""
    secret: Secret = None

    def read(self) -> NewEndpoint:
        """What is asked for."""
        return NewEndpoint(
            self.url, tuple(self.topics), self.kind, self.format, self.address, self.description, self.secret
        )


class ChangeEndpoint(BaseModel):
    """What is to be different; absent fields stay. `is_on` turns it on or off."""

    url: Url | None = None
    topics: Topics | None = None
    format: Format | None = None
    description: Description | None = None
    is_on: bool | None = None

    def read(self) -> EndpointUpdate:
        """What is asked for."""
        topics = tuple(self.topics) if self.topics is not None else None
        return EndpointUpdate(self.url, topics, self.format, self.description, self.is_on)


class RotateSecret(BaseModel):
    """How long the old secrets go on signing beside the new one."""

    overlap_hours: Annotated[float, Field(ge=0, le=168)] = 24


class RotatedSecret(BaseModel):
    """The new signing secret, shown this once."""

    secret: str


class DeliveryShape(BaseModel):
    """One event on its way to one endpoint. `event` is its `webhook-id`."""

    id: str
    event: str
    topic: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(BaseModel):
    """One page of deliveries, the newest first."""

    items: list[DeliveryShape]
    next_cursor: str | None


class AttemptShape(BaseModel):
    """One try. `response` is the beginning of what was answered: text of others, not to be interpreted."""

    number: int
    at: datetime
    succeeded: bool
    status: int | None
    error: str | None
    response: str | None
    milliseconds: int


class DeliveryDetail(DeliveryShape):
    """A delivery with every attempt."""

    tries: list[AttemptShape]


class ReplaySpan(BaseModel):
    """Of which events: from `since`, before `until` where it is given; all that ended, or what failed only."""

    since: datetime
    until: datetime | None = None
    failed_only: bool = True


class Replayed(BaseModel):
    """How many deliveries are sent again."""

    count: int


class CreateSubscription(BaseModel):
    """Let events of `type`, of `source` where one is named, start a pipeline with their data as its input."""

    type: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    pipeline: Annotated[str, Field(min_length=1, max_length=200)]


class SubscriptionShape(BaseModel):
    """Which events start which pipeline."""

    id: str
    type: str
    source: str | None
    pipeline: str
    created_by: str
    created_at: datetime


class SubscriptionList(BaseModel):
    """Every subscription, the oldest first."""

    items: list[SubscriptionShape]


class AcceptedEvent(BaseModel):
    """An event and the runs it started, or had started when it came before."""

    id: str
    source: str
    type: str
    runs: list[str]


class AcceptedEvents(BaseModel):
    """In the order of the request."""

    items: list[AcceptedEvent]


class CreateTrigger(BaseModel):
    """A queue whose messages start a pipeline."""

    kind: EndpointKind
    url: Url
    address: Annotated[str, Field(min_length=1, max_length=500, examples=["ORDERS/mainspring"])]
    pipeline: Annotated[str, Field(min_length=1, max_length=200)]
    description: Description = ""
    secret: Secret = None

    def read(self) -> NewTrigger:
        """What is asked for."""
        return NewTrigger(self.kind, self.url, self.address, self.pipeline, self.description, self.secret)


class TurnTrigger(BaseModel):
    """Whether it is to be consumed."""

    is_on: bool


class TriggerShape(BaseModel):
    """A queue whose messages start a pipeline. `trouble` is what keeps it from being consumed now."""

    id: str
    kind: EndpointKind
    url: str
    address: str
    pipeline: str
    description: str
    is_on: bool
    is_consumed: bool
    trouble: str | None
    taken: int
    refused: int
    last_message_at: datetime | None
    created_by: str
    created_at: datetime


class TriggerList(BaseModel):
    """Every trigger, the oldest first."""

    items: list[TriggerShape]


class RefusalShape(BaseModel):
    """A message that was of no use, and why. `excerpt` is text of others, not to be interpreted."""

    message: str
    reason: str
    excerpt: str
    at: datetime


class RefusalPage(BaseModel):
    """One page of refused messages, the newest first."""

    items: list[RefusalShape]
    next_cursor: str | None


def show_endpoint(endpoint: Endpoint) -> EndpointShape:
    """An endpoint for the wire."""
    health = endpoint.health
    return EndpointShape(
        id=show_id(ENDPOINT_PREFIX, endpoint.id),
        kind=endpoint.kind,
        url=endpoint.url,
        address=endpoint.address,
        format=endpoint.format,
        topics=list(endpoint.topics),
        description=endpoint.description,
        state=endpoint.state,
        state_reason=endpoint.state_reason,
        health=HealthShape(
            failures=health.failures,
            failing_since=health.failing_since,
            last_failure=health.last_failure,
            last_failure_at=health.last_failure_at,
            last_success_at=health.last_success_at,
            attempts=health.attempts,
            success_rate=health.success_rate,
        ),
        created_by=endpoint.created_by,
        created_at=endpoint.created_at,
    )


def show_delivery(delivery: Delivery) -> DeliveryShape:
    """A delivery for the wire."""
    return DeliveryShape(
        id=show_id(DELIVERY_PREFIX, delivery.id),
        event=show_id(EVENT_PREFIX, delivery.event),
        topic=delivery.topic,
        state=delivery.state,
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )


def show_attempt(attempt: Attempt) -> AttemptShape:
    """An attempt for the wire."""
    return AttemptShape(
        number=attempt.number,
        at=attempt.at,
        succeeded=attempt.succeeded,
        status=attempt.status,
        error=attempt.error,
        response=attempt.response,
        milliseconds=attempt.milliseconds,
    )


def show_subscription(subscription: Subscription) -> SubscriptionShape:
    """A subscription for the wire."""
    return SubscriptionShape(
        id=show_id(SUBSCRIPTION_PREFIX, subscription.id),
        type=subscription.type,
        source=subscription.source,
        pipeline=subscription.pipeline,
        created_by=subscription.created_by,
        created_at=subscription.created_at,
    )


def show_accepted(accepted: Accepted) -> AcceptedEvent:
    """What an event started."""
    event = accepted.event
    runs = [show_id(RUN_PREFIX, run.id) for run in accepted.runs]
    return AcceptedEvent(id=event.id, source=event.source, type=event.type, runs=runs)


def show_trigger(trigger: Trigger) -> TriggerShape:
    """A trigger for the wire."""
    return TriggerShape(
        id=show_id(TRIGGER_PREFIX, trigger.id),
        kind=trigger.kind,
        url=trigger.url,
        address=trigger.address,
        pipeline=trigger.pipeline,
        description=trigger.description,
        is_on=trigger.is_on,
        is_consumed=trigger.is_consumed,
        trouble=trigger.trouble,
        taken=trigger.taken,
        refused=trigger.refused,
        last_message_at=trigger.last_message_at,
        created_by=trigger.created_by,
        created_at=trigger.created_at,
    )


def show_refusal(refusal: Refusal) -> RefusalShape:
    """A refused message for the wire."""
    return RefusalShape(message=refusal.message, reason=refusal.reason, excerpt=refusal.excerpt, at=refusal.at)
