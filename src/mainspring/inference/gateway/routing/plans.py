"""The part of a route that depends on the tenant's policy and the model's name alone, worked out once.

A plan sorts out what the tenant may not use (allow list, residency, quality class, unpriced models
where money is limited) and writes down, for what is left, everything that a call is held against.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import maxsize

from mainspring.inference.gateway.models import (
    QUALITIES,
    Deployment,
    PriceTag,
    Resolution,
    compile_patterns,
    is_allowed,
)
from mainspring.inference.gateway.policy import Limit, TenantPolicy

from .types import Cause, Rejection

IMAGES, FILES, TOOLS, SCHEMA = 1, 2, 4, 8
"""Bits of what a call needs and a deployment can do."""


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """A deployment that the tenant may use.

    abilities    bits of IMAGES, FILES, TOOLS, SCHEMA
    context      tokens of input and output together; `maxsize` is unknown
    max_output   the model's own limit of output; `maxsize` is unknown
    flat_rates   micro-units per million tokens of input and of output, where they are the same for every call
    preference   place among the tenant's preferred, 0 first
    weight       share among equals; `is_weighted` where the tenant gave it
    """

    deployment: Deployment
    name: str
    abilities: int
    context: int
    max_output: int
    price: PriceTag | None
    flat_rates: tuple[int, int] | None
    preference: int
    weight: float
    is_weighted: bool
    rank: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is left of a resolution, and what was left out of it; `larger` serves calls that are too long."""

    resolution: Resolution
    policy: TenantPolicy
    options: tuple[Option, ...]
    larger: tuple[Option, ...]
    rejected: tuple[Rejection, ...]


def make_plan(resolution: Resolution, policy: TenantPolicy) -> Plan:
    """Hold every deployment against the policy."""
    fitting, rejected = _sift(resolution.deployments, resolution, policy)
    larger, too = _sift(resolution.larger, resolution, policy)
    names = {rejection.name for rejection in rejected}
    others = [rejection for rejection in too if rejection.name not in names]
    return Plan(resolution, policy, _options(fitting, policy), _options(larger, policy), (*rejected, *others))


def _sift(
    deployments: Iterable[Deployment], resolution: Resolution, policy: TenantPolicy
) -> tuple[list[Deployment], list[Rejection]]:
    patterns = None if policy.allow is None else compile_patterns(policy.allow)
    least = 0 if resolution.floor is None else QUALITIES.index(resolution.floor)
    fitting: list[Deployment] = []
    rejected: list[Rejection] = []
    for each in deployments:
        if patterns is not None and not is_allowed(patterns, each):
            rejected.append(Rejection(each.name, Cause.ALLOW_LIST, "it is not on the allow list"))
        elif policy.residency is not None and policy.residency.lower() not in each.places:
            rejected.append(Rejection(each.name, Cause.RESIDENCY, _outside(each, policy.residency)))
        elif QUALITIES.index(each.model.quality) < least:
            why = f"its quality class is {each.model.quality}, below {resolution.floor}"
            rejected.append(Rejection(each.name, Cause.QUALITY, why))
        elif each.price is None and (held := _money_limit(each, policy)):
            rejected.append(Rejection(each.name, Cause.PRICE, f"its price is unknown, and {held} holds"))
        else:
            fitting.append(each)
    return fitting, rejected


def _outside(deployment: Deployment, residency: str) -> str:
    regions = deployment.regions
    shown = {"stores": regions.storage, "computes": regions.processing, "retains": regions.retention}
    places = ", ".join(f"{verb} in {region or 'an unknown region'}" for verb, region in shown.items())
    return f"it {places}, which is not known to lie in {residency}"


def _money_limit(deployment: Deployment, policy: TenantPolicy) -> str | None:
    """What limits money on this deployment, if anything does."""
    if policy.routing.cost_ceiling_micros is not None:
        return "a cost ceiling"
    model = deployment.model
    names = {"*", model.name, deployment.name, deployment.wire_model, *model.aliases}
    is_held = any(_limits_money(each) and (each.scope != "model" or each.match in names) for each in policy.limits)
    return "a budget" if is_held else None


def _limits_money(limit: Limit) -> bool:
    return limit.budget_per_day_micros is not None or limit.budget_per_month_micros is not None


def _options(deployments: Sequence[Deployment], policy: TenantPolicy) -> tuple[Option, ...]:
    return tuple(_option(each, policy) for each in deployments)


def _option(deployment: Deployment, policy: TenantPolicy) -> Option:
    profile, endpoint, routing = deployment.profile, deployment.endpoint, policy.routing
    abilities = (
        (IMAGES if profile.images else 0)
        | (FILES if deployment.accepts_files else 0)
        | (TOOLS if profile.tools else 0)
        | (SCHEMA if profile.json_schema else 0)
    )
    places = [place for place, name in enumerate(routing.prefer) if name in (endpoint.name, endpoint.provider)]
    return Option(
        deployment=deployment,
        name=deployment.name,
        abilities=abilities,
        context=maxsize if profile.context_tokens is None else profile.context_tokens,
        max_output=maxsize if profile.max_output_tokens is None else profile.max_output_tokens,
        price=deployment.price,
        flat_rates=None if deployment.price is None else deployment.price.flat_rates,
        preference=min(places, default=len(routing.prefer)),
        weight=routing.weights.get(endpoint.name, endpoint.weight),
        is_weighted=endpoint.name in routing.weights,
        rank=deployment.rank,
    )
