"""The words of sources: what a tenant sets up, and how a source stands.

push        documents are put and taken away by external id, through the API
url         pages by their URLs, from a sitemap, and the pages of the same site that they link to
prefix      objects under `inbox/<name>/` of the tenant's own area, or in a bucket that the operator allowed
connector   whatever a Python package with an entry point in `mainspring.connectors` reads
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.orchestration.knowledge.types import Failure

MAX_URLS = 1_000
MAX_PAGES = 5_000
MAX_NAME = 60
MAX_EXTERNAL_ID_BYTES = 2_000
MIN_EVERY_SECONDS = 60


class PushConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="push"):
    """Nothing is fetched; others bring the documents."""


class UrlConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="url"):
    """Pages of the web.

    urls           1 to 1,000, or none with a sitemap
    sitemap        a sitemap, or an index of sitemaps, whose pages of the same host are taken
    follows_links  also take the pages of the same host that the `urls` link to, one step far
    max_pages      of all, 1 to 5,000
    """

    urls: tuple[str, ...] = ()
    sitemap: str | None = None
    follows_links: bool = False
    max_pages: int = 200


class PrefixConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="prefix"):
    """Objects of an object store.

    url  a bucket's URL that begins as one of the operator's, `{tenant}` included, such as
         `s3://documents/{tenant}/contracts/`; None is `inbox/<name of the source>/` in the tenant's own area
    """

    url: str | None = None


class ConnectorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="connector"):
    """What an installed connector reads.

    connector  its name as an entry point
    options    what it needs to know, checked by the connector
    """

    connector: str
    options: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])


SourceConfig = PushConfig | UrlConfig | PrefixConfig | ConnectorConfig


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to be set up.

    name           in lower case, 1 to 60 of a-z, 0-9, `-` and `_`
    secret         what it is fetched with, stored sealed and never shown: for `url` the value of the header
                   `Authorization`, sent to the hosts of its URLs only; for a connector whatever that asks for
    document_type  of its documents; None is told from each
    readers        who may read its documents, where the source does not say; None is everybody in the tenant
    every_seconds  between two synchronisations, at least 60; None synchronises on demand only
    """

    name: str
    config: SourceConfig
    secret: str | None = None
    document_type: str | None = None
    readers: tuple[str, ...] | None = None
    every_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class SourceUpdate:
    """A source's settings as they are to be from now on.

    secret  None keeps the stored one, which other hosts or options of a connector do not get; "" forgets it
    """

    config: SourceConfig
    secret: str | None = None
    document_type: str | None = None
    readers: tuple[str, ...] | None = None
    every_seconds: int | None = None
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it stands.

    kind        `push`, `url`, `prefix` or `connector:<name>`
    has_secret  whether a secret is stored
    due_at      when it is synchronised next; None without a schedule
    run_id      its newest run, of a synchronisation or of its removal
    synced_at   when a synchronisation last went through
    error       what was wrong the last time; None when all went well
    """

    name: str
    kind: str
    config: SourceConfig
    has_secret: bool
    is_paused: bool
    created_by: str
    created_at: datetime
    document_type: str | None = None
    readers: tuple[str, ...] | None = None
    every_seconds: int | None = None
    due_at: datetime | None = None
    run_id: UUID | None = None
    synced_at: datetime | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class SourceRef:
    """One source; `created_at` tells it from a later one of the same name."""

    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """An item that could not be taken in, and why; `item` is its name, cut to 200 characters."""

    item: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What one walk through a source did.

    is_ours   False: the source is gone or paused, or another run is at it; nothing is left to do
    listed    items that the source told of
    stored    of them, new or changed; the others cost no more than the look
    gone      documents that the source has no more, at most 10,000 at once
    failed    items that could not be taken in; the first 20 are told
    cursor    where the next walk goes on
    """

    is_ours: bool
    listed: int = 0
    stored: int = 0
    gone: tuple[UUID, ...] = ()
    failed: int = 0
    failures: tuple[ItemFailure, ...] = ()
    cursor: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Removals:
    """How many documents were taken away."""

    removed: int


@dataclass(frozen=True, slots=True)
class Synced:
    """A synchronisation that went through."""

    listed: int
    stored: int
    removed: int
    failed: int


def kind_of(config: SourceConfig) -> str:
    """The kind as it is stored and shown."""
    match config:
        case PushConfig():
            return "push"
        case UrlConfig():
            return "url"
        case PrefixConfig():
            return "prefix"
        case ConnectorConfig():
            return f"connector:{config.connector}"
