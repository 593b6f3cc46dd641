"""What tests of delivery share: a tenant's endpoints, a sender, and facts to announce."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.outbox import OutboxEvent
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.foundation.webguard import Gate, Reach
from mainspring.orchestration.delivery import (
    Announcer,
    Created,
    Describer,
    EndpointKind,
    Endpoints,
    Format,
    NewEndpoint,
    Places,
    Sender,
    WebhookTransport,
)
from mainspring.orchestration.delivery.types import Delivery, EndpointId

HOST = "hooks.corp"
SOURCE = "urn:mainspring:test"


def admin(tenant: TenantId, *permissions: str) -> Principal:
    """Who keeps deliveries, or holds the permissions given."""
    return Principal(tenant, PrincipalKind.USER, "Ada", frozenset(permissions or ("delivery.manage",)))


class Names:
    """A resolver; a name may have one answer after the other, the last one staying."""

    def __init__(self, **known: list[list[str]]) -> None:
        self.known = known
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Collection[str]:
        self.asked.append(host)
        answers = self.known.get(host.replace(".", "_"), [["127.0.0.1"]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def gate(*ports: int, names: Names | None = None, opens: Collection[str] | None = None) -> Gate:
    """A guard that lets the receivers at these ports be reached by the name of `HOST`."""
    internal = frozenset(f"{HOST}:{port}" for port in ports) if opens is None else frozenset(opens)
    return Gate(Reach("MAINSPRING_DELIVERY_HOSTS", "webhooks", internal_hosts=internal), resolver=names or Names())


@dataclass(frozen=True, slots=True)
class Post:
    """A tenant's post office."""

    database: Database
    tenant: TenantId
    vault: Vault
    endpoints: Endpoints
    announcer: Announcer
    sender: Sender
    transport: WebhookTransport

    @property
    def principal(self) -> Principal:
        return admin(self.tenant)

    async def add(
        self, port: int, *topics: str, path: str = "/hook", form: Format = Format.STANDARD_WEBHOOKS
    ) -> Created:
        """An endpoint at the receiver of that port."""
        new = NewEndpoint(f"http://{HOST}:{port}{path}", topics or ("*",), format=form)
        return await self.endpoints.create(self.principal, new)

    async def tell(self, topic: str, **payload: Any) -> OutboxEvent:
        """Announce a fact, as the relay of the outbox does."""
        event = OutboxEvent(new_id(), self.tenant, topic, payload, now())
        await self.announcer.announce(event)
        return event

    async def deliveries(self, endpoint: EndpointId) -> tuple[Delivery, ...]:
        """All of them, the newest first."""
        return (await self.endpoints.list_deliveries(self.principal, endpoint, PageRequest(200))).items

    async def make_due(self) -> None:
        """As if the next pause of the schedule were over."""
        async with self.database.tenant(self.tenant) as transaction:
            await transaction.run(
                "update delivery set due_at = now() where tenant_id = %(tenant)s and state = 'pending'",
                tenant=self.tenant,
            )

    async def set(self, endpoint: EndpointId, **columns: object) -> None:
        """Put an endpoint into a state that takes days to get into."""
        async with self.database.tenant(self.tenant) as transaction:
            for name, value in columns.items():
                assert name == "failing_since"
                await transaction.run(
                    "update delivery_endpoint set failing_since = %(value)s"
                    " where tenant_id = %(tenant)s and id = %(id)s",
                    tenant=self.tenant,
                    id=endpoint,
                    value=value,
                )


def post_office(
    database: Database, tenant: TenantId, guard: Gate, *, seconds: float = 5, places: Places | None = None
) -> Post:
    """All parts put together as the platform does."""
    vault = Vault(database, LocalKeyWrapper([bytes(32)]))
    transport = WebhookTransport(guard, Describer(SOURCE), seconds=seconds)

    def check(new: NewEndpoint) -> None:
        transport.check(new.url)

    checks = {EndpointKind.WEBHOOK: check}
    sender = Sender(database, vault, {EndpointKind.WEBHOOK: transport}, places=places, sample=lambda: 0.5)
    return Post(database, tenant, vault, Endpoints(database, vault, checks), Announcer(database), sender, transport)
