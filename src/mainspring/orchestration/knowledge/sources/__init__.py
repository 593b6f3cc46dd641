"""Where a tenant's documents come from, and how they are fetched safely."""

from .guard import (
    Answer,
    Credential,
    GuardLimits,
    NotModified,
    NotThere,
    WebDocument,
    WebGuard,
)
from .items import Content, EndOfListing, Fetched, Gone, Item, Listing, Removed, Unchanged

__all__ = [
    "Answer",
    "Content",
    "Credential",
    "EndOfListing",
    "Fetched",
    "Gone",
    "GuardLimits",
    "Item",
    "Listing",
    "NotModified",
    "NotThere",
    "Removed",
    "Unchanged",
    "WebDocument",
    "WebGuard",
]
