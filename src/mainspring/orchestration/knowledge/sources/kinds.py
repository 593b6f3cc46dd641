"""The kinds of sources: what each accepts, and how each is listed."""

from dataclasses import dataclass
from typing import assert_never

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.errors import SourceBusy

from .bucket_kind import Buckets
from .connectors import Connectors
from .guard import WebGuard
from .items import Listing
from .store import Record
from .types import ConnectorConfig, PrefixConfig, PushConfig, SourceConfig, UrlConfig
from .web_kind import check_urls, list_pages, origins_of


@dataclass(frozen=True, slots=True)
class Kinds:
    """Everything that a source can be read through, as the operator set it up."""

    guard: WebGuard
    buckets: Buckets
    connectors: Connectors

    def check(self, config: SourceConfig, secret: str | None) -> None:
        """InvalidSource or UrlRefused unless a source could be like this; asks nobody outside."""
        match config:
            case PushConfig():
                return
            case UrlConfig():
                check_urls(config, secret, self.guard)
            case PrefixConfig():
                self.buckets.check(config)
            case ConnectorConfig():
                self.connectors.check(config.connector, config.options)
            case _:
                assert_never(config)

    def list_items(self, tenant: TenantId, record: Record, secret: str | None) -> Listing:
        """What the source holds now; SourceBusy for one that is pushed to."""
        source = record.source
        match source.config:
            case PushConfig():
                raise SourceBusy(f"The source {source.name!r} is pushed to; there is nothing to fetch.")
            case UrlConfig() as config:
                return list_pages(config, secret, self.guard)
            case PrefixConfig() as config:
                return self.buckets.list_objects(tenant, source.name, config)
            case ConnectorConfig() as config:
                return self.connectors.items(config.connector, config.options, secret, record.cursor)
            case _:
                assert_never(source.config)


def keeps_to_itself(known: SourceConfig, wanted: SourceConfig) -> bool:
    """Whether a secret given for `known` goes nowhere else by `wanted`.

    Whoever may change a source could otherwise have a secret sent to a place of their own, and so read it. Which
    option of a connector names a place only the connector knows, so all of them have to stay.
    """
    match known, wanted:
        case UrlConfig(), UrlConfig():
            return origins_of(wanted) <= origins_of(known)
        case ConnectorConfig(), ConnectorConfig():
            return wanted.options == known.options
        case _:
            return True
