"""What a source tells of itself: its items one after the other, and at the end whether that was all.

`fetch` is given the version that is stored already, so that a source which can tell (an ETag, a change number)
answers `Unchanged` without sending anything.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Content:
    """An item's bytes.

    version  what the source calls this state of it, handed to `fetch` the next time; at most 500 characters
    name     where the bytes know better than the listing how the file is called
    """

    body: bytes
    version: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The item is still as the known version has it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The source listed the item, but has it no more."""


Fetched = Content | Unchanged | Gone
Fetch = Callable[[str | None], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source holds.

    external_id    its lasting name in the source, at most 1,000 characters
    name           what people call it
    fetch          its bytes; given the version that is stored, or None
    version        of what would be fetched now, where the listing tells; the same as stored: it is not fetched
    readers        who may read it; None takes the source's
    uri            where people open it
    document_type  None takes the source's
    """

    external_id: str
    name: str
    fetch: Fetch
    version: str | None = None
    readers: tuple[str, ...] | None = None
    uri: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    document_type: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """The source says that it has the item no more."""

    external_id: str


@dataclass(frozen=True, slots=True)
class EndOfListing:
    """The last thing of a listing.

    is_complete  everything that the source holds was told, so what was not told is gone
    cursor       where the next listing goes on, kept when everything told so far is stored
    """

    is_complete: bool
    cursor: Mapping[str, str] | None = None


Told = Item | Removed | EndOfListing
Listing = AsyncIterator[Told]
