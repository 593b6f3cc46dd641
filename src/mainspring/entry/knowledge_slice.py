"""Knowledge put together: every service of the room by hand, over what the platform has."""

from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.settings import Settings
from mainspring.inference.gateway import Gateway, KeptReplies
from mainspring.orchestration.knowledge import (
    KNOWN_DIMENSIONS,
    Documents,
    GatewayEmbedder,
    Homes,
    Indexes,
    Ingestion,
    IngestSteps,
    ParseLimits,
    Setups,
    Sweeper,
    build_ingest,
)
from mainspring.orchestration.pipelines import Pipeline, Pipelines


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """The services of knowledge, ready to use."""

    homes: Homes
    setups: Setups
    documents: Documents
    indexes: Indexes
    ingestion: Ingestion
    sweeper: Sweeper
    pipelines: tuple[Pipeline, ...]


class RepliesForget:
    """The gateway's kept replies, which may quote a document, as knowledge wants them forgotten."""

    def __init__(self, replies: KeptReplies) -> None:
        self._replies = replies

    async def forget(self, tenant: TenantId) -> None:
        """Forget every reply kept for the tenant."""
        await self._replies.forget_all(tenant)


def build_knowledge(
    settings: Settings,
    database: Database,
    objects: ObjectStore,
    gateway: Gateway,
    replies: KeptReplies,
    pipelines: Pipelines,
) -> KnowledgeParts:
    """The services over one database, object store and gateway; close `homes` in the end."""
    homes = Homes(database)
    setups = Setups(homes, KNOWN_DIMENSIONS.get)
    documents = Documents(
        homes,
        database,
        objects,
        RepliesForget(replies),
        limits=_parse_limits(settings),
        recognise_scans=settings.recognise_scans,
    )
    indexes = Indexes(homes, objects, documents, setups, GatewayEmbedder(gateway))
    ingest = build_ingest(IngestSteps(documents, indexes))
    ingestion = Ingestion(homes, database, documents, pipelines, ingest)
    return KnowledgeParts(
        homes=homes,
        setups=setups,
        documents=documents,
        indexes=indexes,
        ingestion=ingestion,
        sweeper=Sweeper(homes, ingestion, pipelines),
        pipelines=(ingest,),
    )


def _parse_limits(settings: Settings) -> ParseLimits:
    return ParseLimits(
        max_bytes=settings.max_upload_bytes,
        max_pages=settings.max_document_pages,
        timeout_seconds=settings.parse_timeout_seconds,
    )
