"""Orchestration put together: pipelines, knowledge and what the installed products bring to them."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from mainspring.entry.agents_slice import AgentFoundations, AgentServices, build_agents
from mainspring.entry.delivery_slice import delivery_settings
from mainspring.entry.knowledge_slice import Foundations, KnowledgeParts, build_knowledge
from mainspring.entry.topics import known_topics
from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.settings import Settings
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import AiSwitch, Gateway, KeptReplies
from mainspring.orchestration.agents import Ownership, Rights, ThreadPrivacy
from mainspring.orchestration.approvals import Approvals
from mainspring.orchestration.delivery import Beneath as DeliveryBeneath
from mainspring.orchestration.delivery import Delivery, build_delivery
from mainspring.orchestration.knowledge.routes import RunPrivacy
from mainspring.orchestration.pipelines import JoinedPrivacy, LiveEvents, Pipeline, Pipelines, Privacy
from mainspring.orchestration.pipelines.operating import Declared, Operating, build_operating
from mainspring.orchestration.products import (
    Brought,
    DeclaredFlags,
    JoinedConcepts,
    Product,
    ProductTools,
    Services,
    merge,
)


@dataclass(frozen=True, slots=True)
class Beneath:
    """What orchestration stands on."""

    settings: Settings
    clock: Clock
    database: Database
    valkey: Valkey
    objects: ObjectStore
    vault: Vault
    gateway: Gateway
    ai_switch: AiSwitch
    replies: KeptReplies
    rights: Rights


@dataclass(frozen=True, slots=True)
class Orchestration:
    """The services of the tier, and what a worker runs for them.

    all_pipelines  everything a worker can do
    privacy        knows which runs tell of documents and threads that are closed to whom
    """

    pipelines: Pipelines
    live: LiveEvents
    knowledge: KnowledgeParts
    approvals: Approvals
    products: tuple[tuple[Product, Brought], ...]
    brought: Brought
    all_pipelines: tuple[Pipeline, ...]
    privacy: Privacy
    operating: Operating
    agents: AgentServices
    delivery: Delivery


def build_orchestration(beneath: Beneath, products: tuple[Product, ...], opened: AsyncExitStack) -> Orchestration:
    """The services of the tier; what they open is closed with `opened`."""
    database = beneath.database
    pipelines = Pipelines(database, beneath.valkey, backlog_limit=beneath.settings.backlog_limit)
    live = LiveEvents(database, beneath.valkey)
    opened.push_async_callback(live.close)
    knowledge = _build_knowledge(beneath, pipelines, products)
    opened.push_async_callback(knowledge.homes.close)
    approvals = Approvals(database, pipelines)
    services = _offer(beneath, pipelines, live, knowledge, approvals)
    built = tuple((product, product.build(services)) for product in products)
    brought = merge(built)
    subjects = [each for product in products for each in product.subjects]
    privacy = JoinedPrivacy(
        RunPrivacy(knowledge.services.documents, products=subjects), ThreadPrivacy(Ownership(database))
    )
    on = AgentFoundations(
        settings=beneath.settings,
        database=database,
        valkey=beneath.valkey,
        vault=beneath.vault,
        gateway=beneath.gateway,
        rights=beneath.rights,
        pipelines=pipelines,
        live=live,
        approvals=approvals,
        search=knowledge.services.search,
        privacy=privacy,
        flags=DeclaredFlags(products),
    )
    agents = build_agents(on, brought, opened)
    services.tools.fill(agents.tools.toolbox)
    every = (*brought.pipelines, *knowledge.pipelines, agents.runtime.pipeline)
    declared = Declared(every, startable=brought.startable)
    delivery = _build_delivery(beneath, pipelines, declared, brought, topics=known_topics(products))
    opened.push_async_callback(delivery.close)
    return Orchestration(
        pipelines=pipelines,
        live=live,
        knowledge=knowledge,
        approvals=approvals,
        products=built,
        brought=brought,
        all_pipelines=every,
        privacy=privacy,
        operating=build_operating(database, pipelines, declared, privacy=privacy),
        agents=agents,
        delivery=delivery,
    )


def _build_knowledge(beneath: Beneath, pipelines: Pipelines, products: tuple[Product, ...]) -> KnowledgeParts:
    foundations = Foundations(
        beneath.settings,
        beneath.database,
        beneath.objects,
        beneath.vault,
        beneath.gateway,
        beneath.ai_switch,
        beneath.replies,
        pipelines,
    )
    sources = frozenset(source for product in products for source in product.sources)
    return build_knowledge(foundations, concepts=JoinedConcepts(products), product_sources=sources)


def _offer(
    beneath: Beneath, pipelines: Pipelines, live: LiveEvents, knowledge: KnowledgeParts, approvals: Approvals
) -> Services:
    """What products are built from."""
    return Services(
        database=beneath.database,
        objects=beneath.objects,
        gateway=beneath.gateway,
        ai_switch=beneath.ai_switch,
        knowledge=knowledge.services,
        pipelines=pipelines,
        live=live,
        approvals=approvals,
        tools=ProductTools(),
        clock=beneath.clock,
        max_upload_bytes=beneath.settings.max_upload_bytes,
    )


def _build_delivery(
    beneath: Beneath, pipelines: Pipelines, declared: Declared, brought: Brought, *, topics: frozenset[str]
) -> Delivery:
    startable = [declared.get(name) for name in sorted(brought.startable)]
    on = DeliveryBeneath(
        beneath.database, beneath.vault, pipelines, startable=startable, topics=topics, clock=beneath.clock
    )
    return build_delivery(on, delivery_settings(beneath.settings))
