"""From rows to the room's types."""

from mainspring.foundation.db import Row

from .types import (
    Attempt,
    Delivery,
    DeliveryId,
    DeliveryState,
    Endpoint,
    EndpointId,
    EndpointKind,
    EndpointState,
    EventId,
    Format,
    Health,
)


def read_endpoint(row: Row) -> Endpoint:
    """An endpoint with its health."""
    health = Health(
        failures=row["failures"],
        failing_since=row["failing_since"],
        last_failure=row["last_failure"],
        last_failure_at=row["last_failure_at"],
        last_success_at=row["last_success_at"],
        attempts=row["day_attempts"],
        succeeded=row["day_succeeded"],
    )
    return Endpoint(
        id=EndpointId(row["id"]),
        kind=EndpointKind(row["kind"]),
        url=row["url"],
        address=row["address"],
        format=Format(row["format"]),
        topics=tuple(row["topics"]),
        description=row["description"],
        state=EndpointState(row["state"]),
        state_reason=row["state_reason"],
        health=health,
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


def read_delivery(row: Row) -> Delivery:
    """A delivery as it stands."""
    state = DeliveryState(row["state"])
    return Delivery(
        id=DeliveryId(row["id"]),
        endpoint=EndpointId(row["endpoint_id"]),
        event=EventId(row["event_id"]),
        topic=row["topic"],
        state=state,
        attempts=row["attempts"],
        due_at=row["due_at"] if state is DeliveryState.PENDING else None,
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


def read_attempt(row: Row) -> Attempt:
    """One try."""
    return Attempt(
        number=row["number"],
        at=row["at"],
        succeeded=row["succeeded"],
        status=row["status"],
        error=row["error"],
        response=row["response"],
        milliseconds=row["milliseconds"],
    )
