"""HTTP: where events go out to; the same routes for webhooks and for queues."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, status

from mainspring.foundation.errors import NotFound
from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.delivery.errors import EndpointInvalid
from mainspring.orchestration.delivery.schemas import (
    ChangeEndpoint,
    CreatedEndpoint,
    CreateSink,
    CreateWebhook,
    DeliveryShape,
    EndpointList,
    EndpointShape,
    RotatedSecret,
    RotateSecret,
    show_delivery,
    show_endpoint,
)
from mainspring.orchestration.delivery.service import MANAGE, Endpoints
from mainspring.orchestration.delivery.types import (
    ENDPOINT_PREFIX,
    Endpoint,
    EndpointId,
    EndpointKind,
    NewEndpoint,
)


def add_endpoints(router: APIRouter, endpoints: Endpoints, kinds: Sequence[EndpointKind]) -> None:
    """List, create, look at, change and delete endpoints of these kinds, and try them."""
    _add_creating(router, endpoints, kinds)
    _add_keeping(router, endpoints, kinds)
    if EndpointKind.WEBHOOK in kinds:
        _add_rotating(router, endpoints, kinds)


async def find_endpoint(
    endpoints: Endpoints, principal: Principal, text: str, kinds: Sequence[EndpointKind]
) -> Endpoint:
    """The endpoint behind a public id; NotFound for one of another kind, as for none."""
    principal.require(MANAGE)
    found = await endpoints.get(principal, EndpointId(read_id(ENDPOINT_PREFIX, text)))
    if found.kind not in kinds:
        raise NotFound(f"There is no {ENDPOINT_PREFIX}_... with the id {text[:40]!r} here.")
    return found


def _add_creating(router: APIRouter, endpoints: Endpoints, kinds: Sequence[EndpointKind]) -> None:
    async def create(principal: Principal, new: NewEndpoint) -> CreatedEndpoint:
        principal.require(MANAGE)
        if new.kind not in kinds:
            raise EndpointInvalid(f"A bridge is of the kind {', '.join(kinds)}; for a web address use /v1/webhooks.")
        created = await endpoints.create(principal, new)
        return CreatedEndpoint(**show_endpoint(created.endpoint).model_dump(), secret=created.secret)

    if EndpointKind.WEBHOOK in kinds:

        @router.post("", status_code=status.HTTP_201_CREATED)
        async def create_webhook(principal: CurrentPrincipal, body: CreateWebhook) -> CreatedEndpoint:
            """Post events to a web address. The signing secret is in this answer only. Needs `delivery.manage`.

            Errors: `endpoint_invalid` (422), `url_refused` (422) for an address inside the platform's network,
            `too_many_endpoints` (409).
            """
            return await create(principal, body.read())
    else:

        @router.post("", status_code=status.HTTP_201_CREATED)
        async def create_sink(principal: CurrentPrincipal, body: CreateSink) -> CreatedEndpoint:
            """Publish events to a queue, as CloudEvents. Needs `delivery.manage`.

            Errors: `endpoint_invalid` (422), `url_refused` (422), `too_many_endpoints` (409).
            """
            return await create(principal, body.read())

    @router.get("")
    async def list_endpoints(principal: CurrentPrincipal) -> EndpointList:
        """Every endpoint with its health, the oldest first; there are 100 at most. Needs `delivery.manage`."""
        principal.require(MANAGE)
        return EndpointList(items=[show_endpoint(each) for each in await endpoints.list(principal, kinds=kinds)])


def _add_keeping(router: APIRouter, endpoints: Endpoints, kinds: Sequence[EndpointKind]) -> None:
    @router.get("/{endpoint}")
    async def get_endpoint(principal: CurrentPrincipal, endpoint: str) -> EndpointShape:
        """One endpoint with its health. Needs `delivery.manage`."""
        return show_endpoint(await find_endpoint(endpoints, principal, endpoint, kinds))

    @router.patch("/{endpoint}")
    async def change_endpoint(principal: CurrentPrincipal, endpoint: str, body: ChangeEndpoint) -> EndpointShape:
        """Change an endpoint, or turn it on or off: what is held meanwhile is sent when it is on again.

        Needs `delivery.manage`. Errors: `endpoint_invalid` (422), `url_refused` (422).
        """
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        return show_endpoint(await endpoints.update(principal, found.id, body.read()))

    @router.delete("/{endpoint}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_endpoint(principal: CurrentPrincipal, endpoint: str) -> None:
        """Forget an endpoint and all that was sent to it. Needs `delivery.manage`."""
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        await endpoints.delete(principal, found.id)

    @router.post("/{endpoint}/test", status_code=status.HTTP_202_ACCEPTED)
    async def test_endpoint(principal: CurrentPrincipal, endpoint: str) -> DeliveryShape:
        """Send an event `webhook.test`, whatever the endpoint asked for; look at the delivery for what came of it.

        Needs `delivery.manage`. Errors: `endpoint_off` (409).
        """
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        return show_delivery(await endpoints.send_test(principal, found.id))


def _add_rotating(router: APIRouter, endpoints: Endpoints, kinds: Sequence[EndpointKind]) -> None:
    @router.post("/{endpoint}/rotate")
    async def rotate_secret(principal: CurrentPrincipal, endpoint: str, body: RotateSecret) -> RotatedSecret:
        """A new signing secret, in this answer only; the old ones sign beside it until the overlap is over.

        Needs `delivery.manage`.
        """
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        overlap = timedelta(hours=body.overlap_hours)
        return RotatedSecret(secret=await endpoints.rotate(principal, found.id, overlap=overlap))
