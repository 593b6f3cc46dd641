"""`Endpoints`: where a tenant's events go out to, set up, looked at, tested and replayed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Vault

from . import store
from .errors import EndpointInvalid, EndpointOff, TooManyEndpoints
from .reading import read_attempt, read_delivery, read_endpoint
from .sending import SECRET_KIND
from .topics import check_topics
from .types import (
    DELIVERY_PREFIX,
    ENDPOINT_PREFIX,
    MAX_DESCRIPTION,
    MAX_ENDPOINTS,
    TEST_TOPIC,
    Attempt,
    Created,
    Delivery,
    DeliveryId,
    DeliveryState,
    Endpoint,
    EndpointId,
    EndpointKind,
    EndpointState,
    EndpointUpdate,
    Format,
    NewEndpoint,
)
from .webhooks import make_secret

MANAGE = "delivery.manage"
MAX_OVERLAP = timedelta(days=7)

Check = Callable[[NewEndpoint], None]
"""Raises when an endpoint of a kind cannot be like this; asks nobody outside."""


class Endpoints:
    """Use cases on the endpoints of the principal's tenant; each needs `delivery.manage`.

    checks   by kind of endpoint; a kind without one cannot be created here
    topics   that are ever told; others are refused. None when that is not known
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        checks: Mapping[EndpointKind, Check],
        *,
        topics: Collection[str] | None = None,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._vault = vault
        self._checks = dict(checks)
        self._topics = topics
        self._clock = clock

    async def create(self, principal: Principal, new: NewEndpoint) -> Created:
        """Set up an endpoint; it is on. A webhook's signing secret is in the answer and never shown again.

        raises   EndpointInvalid, UrlRefused, TooManyEndpoints
        """
        principal.require(MANAGE)
        topics = check_topics(new.topics, self._topics)
        _check_words(new)
        self._check_kind(new)
        secret = make_secret() if new.kind is EndpointKind.WEBHOOK else new.secret
        endpoint, secret_id = EndpointId(new_id()), new_id()
        sealed = await self._seal(principal.tenant, secret_id, secret) if secret else None
        row = {
            "id": endpoint,
            "kind": new.kind.value,
            "url": new.url,
            "address": new.address,
            "format": new.format.value,
            "topics": list(topics),
            "description": new.description,
            "by": principal.name,
        }
        async with self._database.tenant(principal.tenant) as transaction:
            if await store.count_endpoints(transaction) >= MAX_ENDPOINTS:
                raise TooManyEndpoints(f"There are {MAX_ENDPOINTS} endpoints, the most there may be; delete one first.")
            await store.insert_endpoint(transaction, row)
            if sealed:
                await store.insert_secret(transaction, endpoint, secret_id, sealed)
            rows = await store.list_endpoints(transaction, endpoint=endpoint)
        return Created(read_endpoint(rows[0]), secret if new.kind is EndpointKind.WEBHOOK else None)

    async def list(self, principal: Principal, *, kinds: Sequence[EndpointKind] | None = None) -> list[Endpoint]:
        """Every endpoint of these kinds, the oldest first; there are some hundred at most."""
        principal.require(MANAGE)
        names = [kind.value for kind in kinds] if kinds is not None else None
        async with self._database.tenant(principal.tenant) as transaction:
            return [read_endpoint(row) for row in await store.list_endpoints(transaction, kinds=names)]

    async def get(self, principal: Principal, endpoint: EndpointId) -> Endpoint:
        """The endpoint with its health; NotFound."""
        principal.require(MANAGE)
        return await self._get(principal.tenant, endpoint)

    async def update(self, principal: Principal, endpoint: EndpointId, wanted: EndpointUpdate) -> Endpoint:
        """Change an endpoint, or turn it on or off; what was held while it was off is sent when it is on again.

        raises   NotFound, EndpointInvalid, UrlRefused
        """
        principal.require(MANAGE)
        found = await self._get(principal.tenant, endpoint)
        topics = check_topics(wanted.topics, self._topics) if wanted.topics is not None else None
        changed = NewEndpoint(
            url=found.url if wanted.url is None else wanted.url,
            topics=topics or found.topics,
            kind=found.kind,
            format=wanted.format or found.format,
            address=found.address,
            description=found.description if wanted.description is None else wanted.description,
        )
        _check_words(changed)
        if found.kind is EndpointKind.WEBHOOK:
            self._check_kind(changed)
        elif changed.url != found.url:
            raise EndpointInvalid("The address of a queue stays as it is, as its credentials were given for it.")
        async with self._database.tenant(principal.tenant) as transaction:
            await store.update_endpoint(
                transaction,
                endpoint,
                url=wanted.url,
                topics=topics,
                form=wanted.format.value if wanted.format else None,
                description=wanted.description,
            )
            if wanted.is_on is not None and wanted.is_on != (found.state is EndpointState.ON):
                state = EndpointState.ON if wanted.is_on else EndpointState.OFF
                reason = None if wanted.is_on else f"Turned off by {principal.name}."
                await store.set_state(transaction, endpoint, state.value, reason)
        return await self._get(principal.tenant, endpoint)

    async def delete(self, principal: Principal, endpoint: EndpointId) -> None:
        """Forget an endpoint, its secrets and what was sent to it; NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await store.delete_endpoint(transaction, endpoint):
                raise _not_found(endpoint)

    async def rotate(self, principal: Principal, endpoint: EndpointId, *, overlap: timedelta) -> str:
        """A new signing secret, shown this once; deliveries are signed with the old ones too until `overlap` is over.

        overlap  0 to 7 days; 0 for a secret that became known to others
        raises   NotFound; EndpointInvalid for a queue
        """
        principal.require(MANAGE)
        if not timedelta() <= overlap <= MAX_OVERLAP:
            raise EndpointInvalid(f"The overlap is {overlap}; it must be between 0 and {MAX_OVERLAP.days} days.")
        found = await self._get(principal.tenant, endpoint)
        if found.kind is not EndpointKind.WEBHOOK:
            raise EndpointInvalid("A queue has no signing secret; delete the bridge and set it up anew.")
        secret, secret_id = make_secret(), new_id()
        sealed = await self._seal(principal.tenant, secret_id, secret)
        async with self._database.tenant(principal.tenant) as transaction:
            await store.expire_secrets(transaction, endpoint, after=overlap)
            await store.insert_secret(transaction, endpoint, secret_id, sealed)
        return secret

    async def send_test(self, principal: Principal, endpoint: EndpointId) -> Delivery:
        """Send an event of the topic `webhook.test` to this endpoint, whatever it asked for.

        raises   NotFound, EndpointOff
        """
        principal.require(MANAGE)
        found = await self._get(principal.tenant, endpoint)
        if found.state is not EndpointState.ON:
            raise EndpointOff(f"The endpoint is {found.state.value}; turn it on first.")
        delivery, event = DeliveryId(new_id()), new_id()
        row = {"id": event, "topic": TEST_TOPIC, "occurred_at": self._clock()}
        data = {"endpoint": show_id(ENDPOINT_PREFIX, endpoint), "text": "This is a test."}
        async with self._database.tenant(principal.tenant) as transaction:
            await store.insert_delivery(transaction, endpoint, delivery, row, data)
        return (await self.get_delivery(principal, endpoint, delivery))[0]

    async def list_deliveries(
        self, principal: Principal, endpoint: EndpointId, request: PageRequest, *, state: DeliveryState | None = None
    ) -> Page[Delivery]:
        """Deliveries to the endpoint, the newest first; NotFound."""
        principal.require(MANAGE)
        await self._get(principal.tenant, endpoint)
        (before,) = request.key(UUID)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_deliveries(
                transaction, endpoint, limit=request.limit + 1, before=before, state=state.value if state else None
            )
        shown, has_more = cut_page(rows, request)
        cursor = make_cursor(str(shown[-1]["id"])) if has_more else None
        return Page(tuple(read_delivery(row) for row in shown), cursor)

    async def get_delivery(
        self, principal: Principal, endpoint: EndpointId, delivery: DeliveryId
    ) -> tuple[Delivery, tuple[Attempt, ...]]:
        """One delivery and every attempt of it; NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_deliveries(transaction, endpoint, limit=1, delivery=delivery)
            attempts = await store.list_attempts(transaction, delivery) if rows else []
        if not rows:
            raise _no_delivery(delivery)
        return read_delivery(rows[0]), tuple(read_attempt(row) for row in attempts)

    async def replay(self, principal: Principal, endpoint: EndpointId, delivery: DeliveryId) -> Delivery:
        """Send one delivery again, under the same id and whatever came of it; NotFound, EndpointOff."""
        principal.require(MANAGE)
        await self._require_on(principal.tenant, endpoint)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await store.replay_one(transaction, endpoint, delivery):
                raise _no_delivery(delivery)
        return (await self.get_delivery(principal, endpoint, delivery))[0]

    async def replay_span(
        self,
        principal: Principal,
        endpoint: EndpointId,
        *,
        since: datetime,
        until: datetime | None = None,
        failed_only: bool = True,
    ) -> int:
        """Send again what failed, or all that ended, of the events of a span of time; how many they are.

        raises   NotFound, EndpointOff
        """
        principal.require(MANAGE)
        if since.tzinfo is None or (until is not None and until.tzinfo is None):
            raise EndpointInvalid("`since` and `until` need an offset, such as 2026-01-31T12:00:00Z.")
        await self._require_on(principal.tenant, endpoint)
        async with self._database.tenant(principal.tenant) as transaction:
            return await store.replay_span(transaction, endpoint, since=since, until=until, failed_only=failed_only)

    def _check_kind(self, new: NewEndpoint) -> None:
        check = self._checks.get(new.kind)
        if check is None:
            raise EndpointInvalid(f"The client for {new.kind.value} is not installed here; ask the operator.")
        check(new)

    async def _get(self, tenant: TenantId, endpoint: EndpointId) -> Endpoint:
        async with self._database.tenant(tenant) as transaction:
            rows: list[Row] = await store.list_endpoints(transaction, endpoint=endpoint)
        if not rows:
            raise _not_found(endpoint)
        return read_endpoint(rows[0])

    async def _require_on(self, tenant: TenantId, endpoint: EndpointId) -> None:
        found = await self._get(tenant, endpoint)
        if found.state is not EndpointState.ON:
            raise EndpointOff(f"The endpoint is {found.state.value}; turn it on first, then replay.")

    async def _seal(self, tenant: TenantId, identifier: UUID, secret: str) -> bytes:
        vault = await self._vault.open_tenant(tenant)
        return vault.seal(SECRET_KIND, identifier, secret.encode())


def _check_words(new: NewEndpoint) -> None:
    if len(new.description) > MAX_DESCRIPTION or "\0" in new.description:
        raise EndpointInvalid(f"The description has {len(new.description)} characters; {MAX_DESCRIPTION} at most.")
    if new.kind is not EndpointKind.WEBHOOK and new.format in {Format.STANDARD_WEBHOOKS, Format.PLAIN}:
        raise EndpointInvalid("A queue takes CloudEvents; set the format to 'cloudevents'.")


def _not_found(endpoint: EndpointId) -> NotFound:
    return NotFound(f"There is no endpoint {show_id(ENDPOINT_PREFIX, endpoint)}.")


def _no_delivery(delivery: DeliveryId) -> NotFound:
    return NotFound(f"There is no delivery {show_id(DELIVERY_PREFIX, delivery)} to this endpoint.")
