"""HTTP: what was sent to an endpoint, what came of it, and sending it again."""

from collections.abc import Sequence

from fastapi import APIRouter, status

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.orchestration.delivery.schemas import (
    DeliveryDetail,
    DeliveryPage,
    DeliveryShape,
    Replayed,
    ReplaySpan,
    show_attempt,
    show_delivery,
)
from mainspring.orchestration.delivery.service import Endpoints
from mainspring.orchestration.delivery.types import DELIVERY_PREFIX, DeliveryId, DeliveryState, EndpointKind

from .endpoints import find_endpoint


def add_deliveries(router: APIRouter, endpoints: Endpoints, kinds: Sequence[EndpointKind]) -> None:
    """List, look at and replay deliveries to endpoints of these kinds."""

    @router.get("/{endpoint}/deliveries")
    async def list_deliveries(
        principal: CurrentPrincipal, endpoint: str, paging: Paging, state: DeliveryState | None = None
    ) -> DeliveryPage:
        """Deliveries to an endpoint, the newest first. Needs `delivery.manage`."""
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        page = await endpoints.list_deliveries(principal, found.id, paging, state=state)
        return DeliveryPage(items=[show_delivery(each) for each in page.items], next_cursor=page.next_cursor)

    @router.get("/{endpoint}/deliveries/{delivery}")
    async def get_delivery(principal: CurrentPrincipal, endpoint: str, delivery: str) -> DeliveryDetail:
        """One delivery with every attempt and what was answered. Needs `delivery.manage`."""
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        shown, attempts = await endpoints.get_delivery(principal, found.id, _delivery_id(delivery))
        tries = [show_attempt(each) for each in attempts]
        return DeliveryDetail(**show_delivery(shown).model_dump(), tries=tries)

    @router.post("/{endpoint}/deliveries/{delivery}/replay", status_code=status.HTTP_202_ACCEPTED)
    async def replay_delivery(principal: CurrentPrincipal, endpoint: str, delivery: str) -> DeliveryShape:
        """Send one delivery again, under the same `webhook-id`. Needs `delivery.manage`.

        Errors: `endpoint_off` (409).
        """
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        return show_delivery(await endpoints.replay(principal, found.id, _delivery_id(delivery)))

    @router.post("/{endpoint}/replay", status_code=status.HTTP_202_ACCEPTED)
    async def replay_deliveries(principal: CurrentPrincipal, endpoint: str, body: ReplaySpan) -> Replayed:
        """Send again what failed, or all that ended, of the events of a span of time. Needs `delivery.manage`.

        Errors: `endpoint_off` (409).
        """
        found = await find_endpoint(endpoints, principal, endpoint, kinds)
        count = await endpoints.replay_span(
            principal, found.id, since=body.since, until=body.until, failed_only=body.failed_only
        )
        return Replayed(count=count)


def _delivery_id(text: str) -> DeliveryId:
    return DeliveryId(read_id(DELIVERY_PREFIX, text))
