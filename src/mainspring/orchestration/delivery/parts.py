"""The room put together, for the composition root: what the API serves and what the worker runs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.outbox import EVERY_TOPIC, Subscriber
from mainspring.foundation.vault import Vault
from mainspring.foundation.webguard import Gate, Reach
from mainspring.orchestration.pipelines import Pipeline, Pipelines

from .announcing import Announcer, Describer
from .bridges import Consumer, Installed, QueueAddress, QueueTransport, Triggers, broker_reach, find_installed
from .bridges import read_credentials as read_credentials_of
from .direct import Direct
from .incoming import Incoming
from .sending import Places, Sender
from .service import Check, Endpoints
from .starting import Starter
from .topics import Shape
from .types import EndpointKind, NewEndpoint, Transport
from .webhooks import WebhookTransport

HOSTS_SETTING = "MAINSPRING_DELIVERY_HOSTS"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What the operator decides.

    source          of CloudEvents that go out: a URI reference of this platform
    internal_hosts  hosts inside the own network that webhooks and bridges may lead to, as `name` or `name:port`
    """

    source: str = "urn:mainspring"
    internal_hosts: frozenset[str] = frozenset()
    places: Places | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Every service of the room."""

    endpoints: Endpoints
    incoming: Incoming
    triggers: Triggers
    announcer: Announcer
    sender: Sender
    consumer: Consumer
    transports: tuple[QueueTransport, ...]

    def build_subscribers(self) -> Mapping[str, tuple[Subscriber, ...]]:
        """What hears every topic of the outbox."""
        return {EVERY_TOPIC: (self.announcer.announce,)}

    async def close(self) -> None:
        """Close the connections to queues."""
        for transport in self.transports:
            await transport.close()


@dataclass(frozen=True, slots=True)
class Beneath:
    """What the room stands on.

    startable  the pipelines that events and messages of others may start
    shapes     how facts of a topic are shown to others, where the outbox's own words would not do
    topics     that rooms and products ever tell, so that others can be refused; None when that is not known
    """

    database: Database
    vault: Vault
    pipelines: Pipelines
    startable: Iterable[Pipeline] = ()
    shapes: Mapping[str, Shape] | None = None
    topics: Collection[str] | None = None
    clock: Clock = now


def build_delivery(beneath: Beneath, settings: DeliverySettings) -> Delivery:
    """The room on its engines; opens nothing yet."""
    database, vault = beneath.database, beneath.vault
    describer = Describer(settings.source)
    webhook_gate = Gate(Reach(HOSTS_SETTING, "webhooks", internal_hosts=settings.internal_hosts))
    installed = find_installed(Gate(broker_reach(HOSTS_SETTING, settings.internal_hosts)))
    webhooks = WebhookTransport(webhook_gate, describer, clock=beneath.clock)
    queues = {kind: QueueTransport(each.kind, each.credentials, describer) for kind, each in installed.items()}
    transports: dict[EndpointKind, Transport] = {EndpointKind.WEBHOOK: webhooks, **queues}
    starter = Starter(beneath.pipelines, beneath.startable)
    checks = build_checks(webhooks, installed)
    return Delivery(
        endpoints=Endpoints(database, vault, checks, topics=beneath.topics, clock=beneath.clock),
        incoming=Incoming(database, starter),
        triggers=Triggers(database, vault, starter, installed),
        announcer=Announcer(database, shapes=beneath.shapes),
        sender=Sender(database, vault, transports, places=settings.places),
        consumer=Consumer(database, vault, starter, installed),
        transports=tuple(queues.values()),
    )


def build_direct(database: Database, vault: Vault, settings: DeliverySettings) -> Direct:
    """Posts to addresses that callers name; the room's sender delivers them."""
    gate = Gate(Reach(HOSTS_SETTING, "webhooks", internal_hosts=settings.internal_hosts))
    webhooks = WebhookTransport(gate, Describer(settings.source))
    return Direct(database, vault, build_checks(webhooks, {})[EndpointKind.WEBHOOK])


def build_checks(
    webhooks: WebhookTransport, installed: Mapping[EndpointKind, Installed]
) -> Mapping[EndpointKind, Check]:
    """How a new endpoint of each kind is judged."""

    def check_webhook(new: NewEndpoint) -> None:
        webhooks.check(new.url)

    checks: dict[EndpointKind, Check] = {EndpointKind.WEBHOOK: check_webhook}
    for kind, each in installed.items():
        checks[kind] = partial(_check_queue, each)
    return checks


def _check_queue(installed: Installed, new: NewEndpoint) -> None:
    credentials = read_credentials_of(new.secret, installed.credentials)
    installed.kind.check(QueueAddress(new.url, new.address, credentials), receives=False)
