"""Small readings that the room's services share: keys of pages, items of fan-outs, stored JSON."""

from uuid import UUID

from .types import Payload


def read_uuid(value: object) -> UUID | None:
    """A UUID from a cursor's part; ValueError when it is none."""
    return value if value is None or isinstance(value, UUID) else UUID(str(value))


def read_item(map_key: str) -> int | None:
    """The index of a fan-out's item; None for the step itself."""
    return int(map_key) if map_key.isdigit() else None


def read_payload(text: str | None, size: int | None) -> Payload | None:
    """Stored JSON, as far as it was read."""
    return None if text is None else Payload(text, size or 0)
