"""A product is what a package brings to the platform, said in one place.

    def build(services: Services) -> Brought:
        letters = Letters(services.database, services.gateway)
        return Brought(pipelines=(build_pipeline(letters),), routers=(build_router(letters),))

    product = Product("letters", title="Letters", build=build)

What must be known before services exist (names of sources, prefixes of subjects, flags) stands in the product itself;
what needs them is made by `build`. A product without needs gives its pipelines through `lambda services: Brought(...)`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from fastapi import APIRouter

from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import Subscriber, Subscribers, join_subscribers
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge import Concept, Concepts
from mainspring.orchestration.pipelines import Pipeline

if TYPE_CHECKING:  # who brings no agents does not pay for loading what they need
    from mainspring.orchestration.agents import Agent
    from mainspring.orchestration.tools import Tool

from .errors import ProductInvalid
from .services import Services

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Brought:
    """What a product runs and serves.

    pipelines    every version that may still have runs; new runs take the one that the product submits
    agents       graphs by name, each offered as an assistant; their tools come with them
    tools        more tools, which agents, MCP clients and other products' agents may call
    routers      mounted on the API, below a path of the product's own such as `/v1/letters`
    subscribers  outbox topic to those who hear it, each idempotent by event id
    startable    names of pipelines that callers may start with an input of their own (`POST /v1/pipelines/...`): those
                 whose input names nothing that a caller would need a right to
    """

    pipelines: tuple[Pipeline, ...] = ()
    agents: "tuple[Agent, ...]" = ()
    tools: "tuple[Tool, ...]" = ()
    routers: tuple[APIRouter, ...] = ()
    startable: frozenset[str] = frozenset()
    subscribers: Subscribers = field(default_factory=dict[str, tuple[Subscriber, ...]])

    @property
    def all_tools(self) -> "tuple[Tool, ...]":
        """Its tools, and those that its agents bring."""
        return (*self.tools, *(tool for agent in self.agents for tool in agent.tools))


@dataclass(frozen=True, slots=True)
class Product:
    """A product, as its package's entry point names it.

    name              snake_case, unique on the platform
    sources           names under which it puts documents into knowledge; kept from others
    subjects          prefixes of subjects of its runs whose id is a document's, such as `ctr`: who may not read the
                      document is not told what the run says
    topics            of the events that it writes to the outbox, such as `letter.sent`; webhooks can ask for no others
    upload_paths      paths whose requests may be as large as an upload; each ends with `/` or is whole
    concepts          what words of a question mean in the labels that it gives to places
    flags             flags by name with the value they have until somebody changes it
    prompts           folders of templates, `<name>.v<version>.md`
    playbooks         folder of YAML files with the rules that a new tenant starts with
    """

    name: str
    title: str
    build: Callable[[Services], Brought]
    sources: frozenset[str] = frozenset()
    subjects: tuple[str, ...] = ()
    topics: frozenset[str] = frozenset()
    upload_paths: tuple[str, ...] = ()
    concepts: Concepts | None = None
    flags: Mapping[str, bool] = field(default_factory=dict[str, bool])
    prompts: tuple[Traversable, ...] = ()
    playbooks: Traversable | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ProductInvalid(f"product name {self.name!r} must be snake_case of at most 63 characters")

    def list_prompts(self) -> list[str]:
        """Names of its templates, with their versions."""
        return sorted(name for folder in self.prompts for name in _names_in(folder, ".md"))

    def list_playbooks(self) -> list[str]:
        """Names of the playbooks that a new tenant starts with."""
        return _names_in(self.playbooks, ".yaml") if self.playbooks else []


def _names_in(folder: Traversable, kind: str) -> list[str]:
    return sorted(entry.name.removesuffix(kind) for entry in folder.iterdir() if entry.name.endswith(kind))


def merge(brought: Sequence[tuple[Product, Brought]]) -> Brought:
    """What all products bring together.

    raises   ProductInvalid when two bring the same version of a pipeline
    """
    owners: dict[tuple[str, int], str] = {}
    for product, parts in brought:
        for pipeline in parts.pipelines:
            owner = owners.setdefault((pipeline.name, pipeline.version), product.name)
            if owner != product.name:
                raise ProductInvalid(
                    f"The products {owner} and {product.name} both bring version {pipeline.version} of the pipeline "
                    f"{pipeline.name}; give one of them another name."
                )
    return Brought(
        pipelines=tuple(pipeline for _, parts in brought for pipeline in parts.pipelines),
        agents=tuple(agent for _, parts in brought for agent in parts.agents),
        tools=tuple(dict.fromkeys(tool for _, parts in brought for tool in parts.all_tools)),
        routers=tuple(router for _, parts in brought for router in parts.routers),
        startable=frozenset(name for _, parts in brought for name in parts.startable),
        subscribers=join_subscribers(*(parts.subscribers for _, parts in brought)),
    )


class DeclaredFlags:
    """The products' flags at the value they declare; a name that none declares is off."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._on = {name: is_on for product in products for name, is_on in product.flags.items()}

    async def is_on(self, tenant: TenantId, name: str, principal: Principal) -> bool:
        """The same for every caller, until flags can be changed per tenant."""
        return self._on.get(name, False)


class JoinedConcepts:
    """What a question means to any of the products, surest first."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._each = [product.concepts for product in products if product.concepts]

    async def named_in(self, tenant: TenantId, question: str) -> Sequence[Concept]:
        """The labels of all products that the question names or describes."""
        named = [concept for each in self._each for concept in await each.named_in(tenant, question)]
        return sorted(named, key=lambda concept: -concept.strength)
