"""HTTP: CloudEvents of others, and which of them start what."""

from fastapi import APIRouter, Request, status

from mainspring.foundation.http import CallerFirst, CurrentPrincipal
from mainspring.foundation.ids import read_id
from mainspring.orchestration.delivery.cloudevents import BATCH, STRUCTURED, read_events
from mainspring.orchestration.delivery.incoming import (
    MANAGE,
    SUBSCRIPTION_PREFIX,
    TRIGGER,
    Incoming,
    SubscriptionId,
)
from mainspring.orchestration.delivery.schemas import (
    AcceptedEvents,
    CreateSubscription,
    SubscriptionList,
    SubscriptionShape,
    show_accepted,
    show_subscription,
)

_BODY = {"requestBody": {"content": {STRUCTURED: {}, BATCH: {}, "application/json": {}}, "required": True}}


def add_events(router: APIRouter, incoming: Incoming) -> APIRouter:
    """The routes of /v1/events."""
    router.route_class = CallerFirst

    @router.post("", status_code=status.HTTP_202_ACCEPTED, openapi_extra=_BODY)
    async def accept_events(request: Request, principal: CurrentPrincipal) -> AcceptedEvents:
        """Take CloudEvents 1.0 in structured, binary or batch form and start what their types are subscribed to.

        An event is named by its source and id: the same again answers the run that it started. A batch is taken as
        a whole or not at all. Needs `ai.analysis.trigger`. Errors: `event_invalid` (422), `event_unknown` (422) for a
        type that nothing is subscribed to, `idempotency_key_reused` (409) for other data under the same name.
        """
        principal.require(TRIGGER)
        events = read_events(dict(request.headers), await request.body())
        return AcceptedEvents(items=[show_accepted(each) for each in await incoming.accept(principal, events)])

    @router.get("/subscriptions")
    async def list_subscriptions(principal: CurrentPrincipal) -> SubscriptionList:
        """Which events start which pipelines, the oldest first; there are 200 at most. Needs `delivery.manage`."""
        principal.require(MANAGE)
        return SubscriptionList(items=[show_subscription(each) for each in await incoming.list(principal)])

    @router.post("/subscriptions", status_code=status.HTTP_201_CREATED)
    async def create_subscription(principal: CurrentPrincipal, body: CreateSubscription) -> SubscriptionShape:
        """Let events of a type start a pipeline. Needs `delivery.manage`.

        Errors: `endpoint_invalid` (422) for a pipeline that events cannot start, `conflict` (409) for one that these
        events start already.
        """
        principal.require(MANAGE)
        return show_subscription(await incoming.subscribe(principal, body.type, body.source, body.pipeline))

    @router.delete("/subscriptions/{subscription}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_subscription(principal: CurrentPrincipal, subscription: str) -> None:
        """Let these events start nothing any more. Needs `delivery.manage`."""
        principal.require(MANAGE)
        await incoming.unsubscribe(principal, SubscriptionId(read_id(SUBSCRIPTION_PREFIX, subscription)))

    return router
