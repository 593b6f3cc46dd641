"""The words of the catalogue: where models are served, which there are, and what a name resolves to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from mainspring.inference.gateway.providers.profiles import Profile

from .prices import PriceTag

Quality = Literal["economy", "standard", "premium"]
QUALITIES: tuple[Quality, ...] = ("economy", "standard", "premium")
"""Ascending."""


class Lifecycle(StrEnum):
    """DEPRECATED still answers, and ends on a date or has a successor; RETIRED no longer answers."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Regions:
    """Where an endpoint stores what it is sent, computes on it, and keeps it afterwards; None is unknown."""

    storage: str | None = None
    processing: str | None = None
    retention: str | None = None

    @classmethod
    def all_in(cls, region: str | None) -> "Regions":
        """The same region for all three."""
        return cls(region, region, region)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address at which models are served.

    name       unique, chosen by the operator, such as `azure-sweden`
    provider   first part of the names of its models, such as `openai`
    dialect    how it is spoken to: `openai`, `anthropic`, `gemini`, `bedrock`, ...
    api_key    None where none is needed, or where the provider signs with credentials of its own
    profiles   its line in the table of facts about models
    prices     the vendor in the price data; None where prices are unknown
    weight     share of the calls among endpoints that are equal in all else, >= 0
    models     model of the catalogue -> its name here; None serves what the catalogue knows of the provider
    passes_unknown   whether `<provider>/<name>` is sent here also when the catalogue has no such model
    takes_own_keys   False where a setting puts another server in a vendor's place: no tenant's key goes there
    """

    name: str
    provider: str
    dialect: str
    base_url: str
    regions: Regions = Regions()
    api_key: str | None = field(default=None, repr=False)
    profiles: str = "compatible"
    prices: str | None = None
    is_local: bool = False
    weight: float = 1.0
    models: Mapping[str, str] | None = None
    passes_unknown: bool = True
    takes_own_keys: bool = True


@dataclass(frozen=True, slots=True)
class Serving:
    """A model at one provider: its name there, and how long it will answer; a known end counts as announced.

    is_pinned   the name there means one version for good
    """

    name: str
    deprecated_on: date | None = None
    retires_on: date | None = None
    replacement: str | None = None
    is_pinned: bool = False

    def lifecycle(self, on: date) -> Lifecycle:
        """Its state on a day."""
        if self.retires_on is not None and on >= self.retires_on:
            return Lifecycle.RETIRED
        announced = self.retires_on is not None if self.deprecated_on is None else on >= self.deprecated_on
        return Lifecycle.DEPRECATED if announced else Lifecycle.ACTIVE


@dataclass(frozen=True, slots=True)
class Model:
    """One model; `name` is `<home provider>/<name there>`.

    is_pinned     its name means the same weights for as long as it is served
    is_listed     False for one that the catalogue does not know and passes on
    servings      provider -> what it is called there; the first is its home
    context_tokens, max_output_tokens, images, files   facts that replace those of the profile; None leaves them
    """

    name: str
    quality: Quality
    is_pinned: bool
    servings: Mapping[str, Serving]
    kind: Literal["chat", "embedding"] = "chat"
    aliases: tuple[str, ...] = ()
    is_listed: bool = True
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    images: bool | None = None
    files: bool | None = None

    @property
    def provider(self) -> str:
        """The home provider."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One model at one endpoint: what a call can be sent to. Compared by identity.

    name        `<endpoint>/<wire model>`, unique
    wire_model  what the endpoint calls the model
    regions     those of the endpoint, narrowed or widened by the model's own routing
    is_pinned   the version there is fixed, by its name or because the operator mapped it
    places      every country and union that storage, processing and retention all lie in; empty is unknown
    rank        place of its model among those asked for, 0 first
    """

    name: str
    endpoint: Endpoint
    model: Model
    wire_model: str
    profile: Profile
    price: PriceTag | None
    regions: Regions
    places: frozenset[str]
    accepts_files: bool
    is_pinned: bool
    rank: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """What a name means for a tenant on a day.

    model        the model asked for; None for `auto` and aliases of several
    deployments  where it may go, not yet filtered by the tenant's policy on places and capabilities
    larger       where a call may go that is too long for all of these; filled if the tenant allows it
    floor        for `auto`: the least quality class
    warnings     for a header, the log and the console
    """

    asked: str
    model: Model | None
    deployments: tuple[Deployment, ...]
    warnings: tuple[str, ...] = ()
    larger: tuple[Deployment, ...] = ()
    floor: Quality | None = None


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A line of the list of models: what can be asked for, and what will become of it."""

    name: str
    aliases: tuple[str, ...]
    providers: tuple[str, ...]
    kind: Literal["chat", "embedding"]
    quality: Quality
    is_pinned: bool
    lifecycle: Lifecycle
    deprecated_on: date | None
    retires_on: date | None
    replacement: str | None
    context_tokens: int | None
    max_output_tokens: int | None
