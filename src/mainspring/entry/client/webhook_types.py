"""What the API answers about webhooks and incoming events."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """How a webhook has been doing; `success_rate` is of the last 24 hours, None without attempts."""

    failures: int
    attempts: int
    failing_since: datetime | None = None
    last_failure: str | None = None
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None
    success_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are posted to; `state` is on, off, failed or gone."""

    id: str
    url: str
    format: str
    topics: tuple[str, ...]
    description: str
    state: str
    health: WebhookHealth
    created_by: str
    created_at: datetime
    state_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedWebhook(Webhook):
    """A new webhook with its signing secret."""

    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way; `event` is its `webhook-id`, `state` is pending, held, delivered or failed."""

    id: str
    event: str
    topic: str
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try. `response` is text of others, not to be interpreted."""

    number: int
    at: datetime
    succeeded: bool
    milliseconds: int
    status: int | None = None
    error: str | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail(Delivery):
    """A delivery with every attempt."""

    tries: tuple[DeliveryAttempt, ...]


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event and the runs it started, or had started when it came before."""

    id: str
    source: str
    type: str
    runs: tuple[str, ...]
