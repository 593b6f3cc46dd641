"""Paths, options that were given, and lists that are read page after page while they are consumed."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from .transport import Transport, decode

Item = TypeVar("Item")


class _Page(msgspec.Struct):
    items: msgspec.Raw
    next_cursor: str | None = None


def path_of(*parts: str) -> str:
    """The API's path of these parts; none of them can lead elsewhere."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def iter_items(transport: Transport, item: type[Item], path: str, options: Mapping[str, object]) -> Iterator[Item]:
    """Every item of a list."""
    parameters = given(**options)
    while True:
        page = transport.read(_Page, "GET", path, params=parameters)
        yield from decode(list[item], bytes(page.items))
        if page.next_cursor is None:
            return
        parameters["cursor"] = page.next_cursor
