"""HTTP: which products are installed, and what each of them brings."""

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mainspring.foundation.http import CurrentPrincipal

from .product import Brought, Product

READ = "ai.output.view"


class BroughtPipelineShape(BaseModel):
    """A pipeline by the versions that may still have runs."""

    name: str
    versions: list[int]


class ProductShape(BaseModel):
    """A product; prompts and playbooks are names of files, `flags` the values until somebody changes them."""

    name: str = Field(examples=["contracts"])
    title: str
    pipelines: list[BroughtPipelineShape]
    agents: list[str]
    tools: list[str]
    prompts: list[str]
    flags: dict[str, bool]
    playbooks: list[str]
    sources: list[str]


class ProductList(BaseModel):
    """Every installed product, by name."""

    items: list[ProductShape]


def build_router(built: Sequence[tuple[Product, Brought]]) -> APIRouter:
    """The route /v1/products."""
    router = APIRouter(prefix="/v1/products", tags=["products"])
    shapes = [_shape(product, brought) for product, brought in built]

    @router.get("")
    async def list_products(principal: CurrentPrincipal) -> ProductList:
        """The products that were found by entry point, with the names of what they bring."""
        principal.require(READ)
        return ProductList(items=shapes)

    return router


def _shape(product: Product, brought: Brought) -> ProductShape:
    versions: dict[str, list[int]] = {}
    for pipeline in brought.pipelines:
        versions.setdefault(pipeline.name, []).append(pipeline.version)
    return ProductShape(
        name=product.name,
        title=product.title,
        pipelines=[BroughtPipelineShape(name=name, versions=sorted(found)) for name, found in versions.items()],
        agents=[agent.name for agent in brought.agents],
        tools=sorted({tool.name for tool in brought.all_tools}),
        prompts=product.list_prompts(),
        flags=dict(product.flags),
        playbooks=product.list_playbooks(),
        sources=sorted(product.sources),
    )
