"""Where a tenant's documents come from, and how they are fetched safely."""

from .bucket_kind import Buckets
from .connectors import GROUP, Connector, Connectors
from .guard import Answer, Credential, GuardLimits, NotModified, NotThere, WebDocument, WebGuard
from .items import Content, EndOfListing, Fetched, Gone, Item, Listing, Removed, Unchanged
from .kinds import Kinds
from .service import BUILT_IN, Sources, subject_of_source
from .sync import REMOVE_SOURCE, SYNC, SyncSteps, build_remove_source, build_sync
from .taking import Walk
from .types import (
    ConnectorConfig,
    NewSource,
    PrefixConfig,
    PushConfig,
    Source,
    SourceConfig,
    SourceRef,
    SourceUpdate,
    UrlConfig,
)

__all__ = [
    "BUILT_IN",
    "GROUP",
    "REMOVE_SOURCE",
    "SYNC",
    "Answer",
    "Buckets",
    "Connector",
    "ConnectorConfig",
    "Connectors",
    "Content",
    "Credential",
    "EndOfListing",
    "Fetched",
    "Gone",
    "GuardLimits",
    "Item",
    "Kinds",
    "Listing",
    "NewSource",
    "NotModified",
    "NotThere",
    "PrefixConfig",
    "PushConfig",
    "Removed",
    "Source",
    "SourceConfig",
    "SourceRef",
    "SourceUpdate",
    "Sources",
    "SyncSteps",
    "Unchanged",
    "UrlConfig",
    "Walk",
    "WebDocument",
    "WebGuard",
    "build_remove_source",
    "build_sync",
    "subject_of_source",
]
