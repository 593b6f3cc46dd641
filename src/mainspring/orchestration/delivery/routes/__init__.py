"""HTTP: webhooks, the events that come in, and bridges to queues."""

from fastapi import APIRouter

from mainspring.orchestration.delivery.parts import Delivery
from mainspring.orchestration.delivery.types import EndpointKind

from .deliveries import add_deliveries
from .endpoints import add_endpoints
from .incoming import add_events
from .triggers import add_triggers

_QUEUES = (EndpointKind.NATS, EndpointKind.SQS, EndpointKind.RABBITMQ)

__all__ = ["build_router"]


def build_router(delivery: Delivery) -> APIRouter:
    """The routes below /v1/webhooks, /v1/events and /v1/bridges."""
    router = APIRouter()
    webhooks = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
    sinks = APIRouter(prefix="/v1/bridges/sinks", tags=["bridges"])
    for group, kinds in ((webhooks, (EndpointKind.WEBHOOK,)), (sinks, _QUEUES)):
        add_endpoints(group, delivery.endpoints, kinds)
        add_deliveries(group, delivery.endpoints, kinds)
        router.include_router(group)
    router.include_router(add_triggers(APIRouter(prefix="/v1/bridges/triggers", tags=["bridges"]), delivery.triggers))
    router.include_router(add_events(APIRouter(prefix="/v1/events", tags=["events"]), delivery.incoming))
    return router
