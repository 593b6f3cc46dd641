"""Which models a tenant may call, as people choose among them: what becomes of each, what it costs, where it lies.

The catalogue's own list holds back what the tenant's residency rules out. Here such models are
shown all the same, and marked: who looks for one learns why it is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.principal import Principal
from mainspring.inference.gateway.models import (
    Catalogue,
    Deployment,
    Lifecycle,
    ListedModel,
    PriceTag,
    Regions,
    compile_patterns,
    is_allowed,
)
from mainspring.inference.gateway.models.deployments import with_tenant_prices
from mainspring.inference.gateway.policy import TenantPolicy

from .service import Policies

PriceSource = Literal["tenant", "operator", "local", "list"]


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Micro-units (millionths) of USD per million tokens; `varies` when long inputs or some hours cost otherwise."""

    version: str
    source: PriceSource
    input_micros: int
    output_micros: int
    cached_input_micros: int
    varies: bool


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """One address that serves a model; `is_admitted` when the tenant's residency lets calls go there."""

    name: str
    provider: str
    wire_model: str
    regions: Regions
    is_admitted: bool
    price: ModelPrice | None


@dataclass(frozen=True, slots=True)
class UsableModel:
    """A model with every endpoint that the tenant's policy leaves it, but for residency.

    aliases      names that lead to this model alone, the operator's among them
    is_admitted  whether residency leaves it an endpoint
    warnings     sentences for people
    """

    listed: ListedModel
    aliases: tuple[str, ...]
    endpoints: tuple[ModelEndpoint, ...]
    is_admitted: bool
    warnings: tuple[str, ...]

    @property
    def price(self) -> ModelPrice | None:
        """That of the first endpoint that may be called."""
        first = next((each for each in self.endpoints if each.is_admitted), self.endpoints[0])
        return first.price


class Models:
    """The catalogue through the policy of the principal's tenant."""

    def __init__(self, policies: Policies, catalogue: Catalogue, *, clock: Clock = now) -> None:
        self._policies = policies
        self._catalogue = catalogue
        self._clock = clock

    async def list(self, principal: Principal) -> tuple[UsableModel, ...]:
        """Every model, in the catalogue's order, by the policy as it is stored now; needs `gateway.view`.

        raises   PolicyUnreadable
        """
        policy = (await self._policies.get(principal)).policy
        today = self._clock().date()
        anywhere = msgspec.structs.replace(policy, residency=None)
        admitted = {listed.name: listed for listed in self._catalogue.list_models(policy, today)}
        return tuple(
            self._model(admitted.get(listed.name, listed), policy, today, is_admitted=listed.name in admitted)
            for listed in self._catalogue.list_models(anywhere, today)
        )

    def _model(self, listed: ListedModel, policy: TenantPolicy, today: date, *, is_admitted: bool) -> UsableModel:
        served = self._served(listed.name, policy, today)
        aliases = (*listed.aliases, *self._own_aliases(listed.name))
        endpoints = tuple(_endpoint(deployment, policy) for deployment in served)
        warnings = tuple(dict.fromkeys(_warnings(served, policy, today, is_admitted=is_admitted)))
        return UsableModel(listed, aliases, endpoints, is_admitted, warnings)

    def _served(self, name: str, policy: TenantPolicy, today: date) -> tuple[Deployment, ...]:
        found = self._catalogue.builder.deployments(self._catalogue.names.models[name], None, today, 0)
        patterns = None if policy.allow is None else compile_patterns(policy.allow)
        usable = tuple(
            each
            for each in found
            if (patterns is None or is_allowed(patterns, each)) and (each.is_pinned or not policy.require_pinned)
        )
        return with_tenant_prices(usable, policy.prices, name)

    def _own_aliases(self, name: str) -> Iterator[str]:
        names = self._catalogue.names
        for alias in names.aliases:
            if {found.model.name for found in names.find(alias)} == {name}:
                yield alias


def _endpoint(deployment: Deployment, policy: TenantPolicy) -> ModelEndpoint:
    return ModelEndpoint(
        name=deployment.endpoint.name,
        provider=deployment.endpoint.provider,
        wire_model=deployment.wire_model,
        regions=deployment.regions,
        is_admitted=policy.residency is None or policy.residency.lower() in deployment.places,
        price=None if deployment.price is None else _price(deployment.price),
    )


def _price(tag: PriceTag) -> ModelPrice:
    rates = tag.tiers[0][1]
    source: PriceSource = "list"
    if tag.version in ("tenant", "operator", "local"):
        source = tag.version
    varies = len(tag.tiers) > 1 or bool(tag.hours)
    return ModelPrice(tag.version, source, rates.input, rates.output, rates.cached, varies)


def _warnings(served: tuple[Deployment, ...], policy: TenantPolicy, today: date, *, is_admitted: bool) -> Iterator[str]:
    if not is_admitted:
        yield f"No endpoint stores, processes and keeps calls within {policy.residency}, so they are refused."
    for each in served:
        provider = each.endpoint.provider
        serving = each.model.servings.get(provider)
        if serving is not None and serving.lifecycle(today) is Lifecycle.DEPRECATED:
            end = f" and ends it on {serving.retires_on}" if serving.retires_on else ""
            successor = f" Ask for {serving.replacement} instead." if serving.replacement else ""
            yield f"{provider} has deprecated it{end}.{successor}"
        if each.price is None:
            yield f"Its price at {each.endpoint.name} is not known: under a budget, calls of it are refused."
