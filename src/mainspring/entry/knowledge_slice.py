"""Knowledge put together: every service of the room by hand, over what the platform has."""

from collections.abc import Mapping
from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.settings import Settings
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import AiSwitch, Gateway, KeptReplies
from mainspring.orchestration.knowledge import (
    BUILT_IN,
    KNOWN_DIMENSIONS,
    Buckets,
    Concepts,
    Connectors,
    Documents,
    GatewayEmbedder,
    GatewayModels,
    GuardLimits,
    Homes,
    Indexes,
    Ingestion,
    IngestSteps,
    Intake,
    Kinds,
    KnowledgeServices,
    Overview,
    ParseLimits,
    Promotions,
    Rebuilds,
    Search,
    Setups,
    Sources,
    Sweeper,
    SyncSteps,
    Upkeep,
    Walk,
    Watch,
    WebGuard,
    build_ingest,
    build_rebuild,
    build_remove_source,
    build_sync,
)
from mainspring.orchestration.knowledge.homes import read_databases
from mainspring.orchestration.pipelines import Pipeline, Pipelines


@dataclass(frozen=True, slots=True)
class Foundations:
    """What knowledge stands on."""

    settings: Settings
    database: Database
    objects: ObjectStore
    vault: Vault
    gateway: Gateway
    ai_switch: AiSwitch
    replies: KeptReplies
    pipelines: Pipelines


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """The services of knowledge, what a worker runs for them, and what it looks after."""

    homes: Homes
    services: KnowledgeServices
    pipelines: tuple[Pipeline, ...]
    sweeper: Sweeper
    upkeep: Upkeep
    promotions: Promotions
    watch: Watch


class RepliesForget:
    """The gateway's kept replies, which may quote a document, as knowledge wants them forgotten."""

    def __init__(self, replies: KeptReplies) -> None:
        self._replies = replies

    async def forget(self, tenant: TenantId) -> None:
        """Forget every reply kept for the tenant."""
        await self._replies.forget_all(tenant)


def build_knowledge(on: Foundations, *, concepts: Concepts | None, product_sources: frozenset[str]) -> KnowledgeParts:
    """The services over one database, object store and gateway; close `homes` in the end.

    concepts         what words of a question mean in the products' labels
    product_sources  names of sources that products put their documents under
    """
    homes = Homes(on.database, _databases(on.settings), connections=on.settings.database_connections)
    setups = Setups(homes, KNOWN_DIMENSIONS.get)
    caches = RepliesForget(on.replies)
    documents = Documents(
        homes,
        on.objects,
        caches,
        limits=_parse_limits(on.settings),
        recognise_scans=on.settings.recognise_scans,
    )
    embedder = GatewayEmbedder(on.gateway)
    indexes = Indexes(homes, on.objects, documents, setups, embedder)
    models = GatewayModels(on.gateway, on.ai_switch)
    search = Search(homes, setups, embedder, concepts=concepts, models=models)
    watch = Watch(on.database, homes, documents, search, embedder)
    ingest, rebuild = build_ingest(IngestSteps(documents, indexes)), build_rebuild(indexes, watch.golden)
    ingestion = Ingestion(homes, on.database, documents, on.pipelines, ingest)
    kinds = _kinds(on.settings)
    syncing = SyncSteps(homes, on.vault, on.pipelines, kinds, Walk(homes, documents, ingestion), ingestion)
    sync, removal = build_sync(syncing), build_remove_source(syncing)
    sources = Sources(
        homes,
        on.vault,
        kinds,
        ingestion,
        caches,
        pipelines=on.pipelines,
        sync=sync,
        removal=removal,
        reserved=BUILT_IN | product_sources,
    )
    services = KnowledgeServices(
        documents=documents,
        indexes=indexes,
        setups=setups,
        ingestion=ingestion,
        intake=Intake(homes, ingestion, sources),
        sources=sources,
        rebuilds=Rebuilds(indexes, on.pipelines, rebuild),
        search=search,
        overview=Overview(homes),
        watch=watch,
    )
    return KnowledgeParts(
        homes=homes,
        services=services,
        pipelines=(ingest, rebuild, sync, removal),
        sweeper=Sweeper(homes, ingestion, on.pipelines),
        upkeep=Upkeep(homes, documents, indexes, on.pipelines, rebuild),
        promotions=Promotions(on.database, homes),
        watch=watch,
    )


def _parse_limits(settings: Settings) -> ParseLimits:
    return ParseLimits(
        max_bytes=settings.max_upload_bytes,
        max_pages=settings.max_document_pages,
        timeout_seconds=settings.parse_timeout_seconds,
    )


def _kinds(settings: Settings) -> Kinds:
    limits = GuardLimits(
        max_bytes=settings.max_upload_bytes, internal_hosts=frozenset(settings.listed(settings.knowledge_hosts))
    )
    buckets = Buckets(
        settings.objects_url, tuple(settings.listed(settings.knowledge_buckets)), max_bytes=settings.max_upload_bytes
    )
    return Kinds(WebGuard(limits), buckets, Connectors())


def _databases(settings: Settings) -> Mapping[str, str]:
    """The databases that tenants may have for their own, by the operator's name."""
    return read_databases(settings.knowledge_databases.get_secret_value() if settings.knowledge_databases else None)
