"""Contract intelligence as a product: what it brings to the platform, and from which doors it is made."""

from importlib.resources import files

from mainspring.orchestration.products import Brought, Product, Services

from .concepts import ContractConcepts
from .events import ContractDeleted
from .pipeline import Analyst, build_pipeline
from .replaced import build_replaced
from .routes import build_router
from .saved_playbooks import Playbooks
from .service import SOURCE, Contracts
from .tasks import build_subscribers
from .writer import ModelWriter

_HERE = files("mainspring.showcase.contracts")


def build(services: Services) -> Brought:
    """The analysis with its routes, over the platform's services."""
    from .asking import build_asking  # it loads LangGraph, which whoever only imports the product need not wait for

    documents, indexes = services.knowledge.documents, services.knowledge.indexes
    playbooks = Playbooks(services.database)
    writer = ModelWriter(services.gateway, services.ai_switch)
    analysis = build_pipeline(
        Analyst(services.database, documents, indexes, playbooks, writer=writer, clock=services.clock)
    )
    contracts = Contracts(services.database, documents, indexes, services.pipelines, playbooks, analysis)
    asking = build_asking(services, contracts)
    return Brought(
        pipelines=(analysis, build_replaced()),
        agents=(asking.agent,),
        routers=(build_router(contracts, max_upload_bytes=services.max_upload_bytes), asking.router),
        subscribers=build_subscribers(contracts),
    )


product = Product(
    "contracts",
    title="Contract intelligence",
    build=build,
    sources=frozenset({SOURCE}),
    subjects=("ctr",),
    topics=frozenset({ContractDeleted.TOPIC}),
    upload_paths=("/v1/contracts",),
    concepts=ContractConcepts(),
    prompts=(_HERE / "prompts", _HERE / "asking" / "prompts"),
    playbooks=_HERE / "playbooks",
)
