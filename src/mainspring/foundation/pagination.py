"""Pages by key, never by number: a cursor holds the sort key of the last item seen."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mainspring.foundation.errors import InvalidInput

Item = TypeVar("Item")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 500


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items, after which key. Build it with `page_request`."""

    limit: int = DEFAULT_LIMIT
    after: tuple[str, ...] | None = None

    def key(self, *readers: Callable[[str], Any]) -> tuple[Any, ...]:
        """The sort key to go on after, each part read by its reader; a None for each on the first page.

        raises   InvalidInput when the cursor was made by another list, or by hand
        """
        if self.after is None:
            return (None,) * len(readers)
        try:
            return tuple(reader(part) for reader, part in zip(readers, self.after, strict=True))
        except ValueError:
            raise InvalidInput("The cursor was not made by this list; start again without one.") from None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


def page_request(limit: int, cursor: str | None) -> PageRequest:
    """Validate what the caller sent; InvalidInput names the range or the cursor."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is {limit}; it must be between 1 and {MAX_LIMIT}. Use next_cursor to read on.")
    return PageRequest(limit, _read_cursor(cursor) if cursor else None)


def make_cursor(*key: str) -> str:
    """An opaque cursor for the sort key of the last item."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def cut_page(rows: Sequence[Item], request: PageRequest) -> tuple[Sequence[Item], bool]:
    """Split limit + 1 fetched rows into the page and whether more follow."""
    return rows[: request.limit], len(rows) > request.limit


def _read_cursor(cursor: str) -> tuple[str, ...]:
    key: object = None
    if len(cursor) <= MAX_CURSOR:
        with suppress(binascii.Error, ValueError, RecursionError):
            key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if not isinstance(key, list) or not all(isinstance(part, str) and part.isprintable() for part in key):
        raise InvalidInput(f"cursor {cursor[:40]!r} was not made by this API; start again without one.")
    return tuple(key)
