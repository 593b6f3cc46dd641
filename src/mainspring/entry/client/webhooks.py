"""Webhooks through the client: set up, looked at, tried and replayed; and CloudEvents sent in.

made = client.webhooks.create("https://example.com/hook", ["run.finished"])
keep(made.secret)  # it is shown this once
client.webhooks.send_test(made.id)
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from .paging import given, iter_items, path_of
from .transport import Transport
from .webhook_types import AcceptedEvent, CreatedWebhook, Delivery, DeliveryDetail, Webhook

_STRUCTURED = "application/cloudevents+json"


class _Items(msgspec.Struct):
    items: tuple[Webhook, ...]


class _Secret(msgspec.Struct):
    secret: str


class _Count(msgspec.Struct):
    count: int


class _Accepted(msgspec.Struct):
    items: tuple[AcceptedEvent, ...]


class WebhooksClient:
    """The part of the client that is `client.webhooks`. Every method raises ApiError and needs `delivery.manage`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        url: str,
        topics: Sequence[str],
        *,
        format: str | None = None,  # noqa: A002 - the API's word
        description: str | None = None,
    ) -> CreatedWebhook:
        """Post events of these topics to a web address; the answer holds the signing secret, this once.

        topics  such as `run.finished`, `approval.*` or `*`
        format  `standard-webhooks` (default), `cloudevents`, `cloudevents-binary` or `plain`
        """
        body = given(url=url, topics=list(topics), format=format, description=description)
        return self._transport.read(CreatedWebhook, "POST", "/v1/webhooks", json=body)

    def list(self) -> Sequence[Webhook]:
        """Every webhook with its health, the oldest first."""
        return self._transport.read(_Items, "GET", "/v1/webhooks").items

    def get(self, webhook: str) -> Webhook:
        """One webhook with its health."""
        return self._transport.read(Webhook, "GET", path_of("webhooks", webhook))

    def change(self, webhook: str, **changes: Any) -> Webhook:
        """Change url, topics, format or description, or turn it on or off with `is_on`."""
        return self._transport.read(Webhook, "PATCH", path_of("webhooks", webhook), json=changes)

    def delete(self, webhook: str) -> None:
        """Forget it and all that was sent to it."""
        self._transport.call("DELETE", path_of("webhooks", webhook))

    def rotate(self, webhook: str, *, overlap_hours: float = 24) -> str:
        """A new signing secret, shown this once; the old ones sign beside it until the overlap is over."""
        body = {"overlap_hours": overlap_hours}
        return self._transport.read(_Secret, "POST", path_of("webhooks", webhook, "rotate"), json=body).secret

    def send_test(self, webhook: str) -> Delivery:
        """Send an event `webhook.test`."""
        return self._transport.read(Delivery, "POST", path_of("webhooks", webhook, "test"))

    def deliveries(self, webhook: str, *, state: str | None = None) -> Iterator[Delivery]:
        """What was sent, the newest first."""
        return iter_items(self._transport, Delivery, path_of("webhooks", webhook, "deliveries"), {"state": state})

    def get_delivery(self, webhook: str, delivery: str) -> DeliveryDetail:
        """One delivery with every attempt."""
        return self._transport.read(DeliveryDetail, "GET", path_of("webhooks", webhook, "deliveries", delivery))

    def replay(self, webhook: str, delivery: str) -> Delivery:
        """Send one delivery again, under the same id."""
        return self._transport.read(Delivery, "POST", path_of("webhooks", webhook, "deliveries", delivery, "replay"))

    def replay_since(
        self, webhook: str, since: datetime, *, until: datetime | None = None, failed_only: bool = True
    ) -> int:
        """Send again what failed, or all that ended, of the events of a span of time; how many they are."""
        body = given(since=since.isoformat(), until=until.isoformat() if until else None, failed_only=failed_only)
        return self._transport.read(_Count, "POST", path_of("webhooks", webhook, "replay"), json=body).count


def send_event(
    transport: Transport, type_: str, source: str, data: object, *, identifier: str | None = None
) -> AcceptedEvent:
    """Send a CloudEvent in; the same source and identifier again start nothing."""
    event: Mapping[str, object] = {
        "specversion": "1.0",
        "id": identifier or str(uuid4()),
        "source": source,
        "type": type_,
        "data": data,
    }
    content, headers = msgspec.json.encode(event), {"content-type": _STRUCTURED}
    accepted = transport.read(_Accepted, "POST", "/v1/events", is_repeatable=True, content=content, headers=headers)
    return accepted.items[0]
