"""Deployments: each model at each endpoint that serves it, with its facts, its price on a day and where it lies."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from mainspring.inference.gateway.policy import Price
from mainspring.inference.gateway.providers.profiles import Profile, profile_of

from .prices import FREE, PriceBook, PriceTag, price_tag
from .regions import places_of
from .types import Deployment, Endpoint, Lifecycle, Model, Regions

_BEDROCK_GEOGRAPHIES = {
    "eu": "eu",
    "us": "us",
    "us-gov": "us",
    "apac": "apac",
    "jp": "jp",
    "au": "au",
    "ca": "ca",
    "global": None,
}
"""First part of an inference profile's name -> where it computes; `global` is anywhere."""

_MEMO_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes deployments, each once for a day.

    operator_prices   model -> price, from the operator's file
    declared_regions  region -> the place it lies in, from the operator's file
    """

    endpoints: tuple[Endpoint, ...]
    book: PriceBook
    operator_prices: Mapping[str, Price]
    declared_regions: Mapping[str, str]
    _made: dict[tuple[str, str, date, int], Deployment] = field(
        default_factory=dict[tuple[str, str, date, int], Deployment], repr=False
    )

    def deployments(self, model: Model, provider: str | None, on: date, rank: int) -> tuple[Deployment, ...]:
        """Where a model is served on a day, its home first; only by `provider` if that is given."""
        served = [
            self._deployment(endpoint, model, wire_model, on, rank)
            for endpoint in self.endpoints
            if provider is None or endpoint.provider == provider
            if (wire_model := wire_model_of(endpoint, model, on)) is not None
        ]
        return tuple(sorted(served, key=lambda each: each.endpoint.provider != model.provider))

    def _deployment(self, endpoint: Endpoint, model: Model, wire_model: str, on: date, rank: int) -> Deployment:
        key = (f"{endpoint.name}/{wire_model}", model.name, on, rank)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= _MEMO_LIMIT:
                self._made.clear()
            made = self._made[key] = self._make(endpoint, model, wire_model, on, rank)
        return made

    def _make(self, endpoint: Endpoint, model: Model, wire_model: str, on: date, rank: int) -> Deployment:
        profile = _profile(endpoint, model, wire_model)
        regions = _regions(endpoint, wire_model)
        places = [places_of(each, self.declared_regions) for each in (regions.storage, regions.processing)]
        return Deployment(
            name=f"{endpoint.name}/{wire_model}",
            endpoint=endpoint,
            model=model,
            wire_model=wire_model,
            profile=profile,
            price=self._price(endpoint, model, wire_model, on),
            regions=regions,
            places=places_of(regions.retention, self.declared_regions).intersection(*places),
            accepts_files=profile.images if model.files is None else model.files,
            is_pinned=_is_pinned(endpoint, model),
            rank=rank,
        )

    def _price(self, endpoint: Endpoint, model: Model, wire_model: str, on: date) -> PriceTag | None:
        for name in (f"{endpoint.name}/{wire_model}", f"{endpoint.provider}/{wire_model}", model.name):
            if name in self.operator_prices:
                return price_tag("operator", self.operator_prices[name])
        if endpoint.is_local:
            return FREE
        if endpoint.prices is None:
            return None
        found = self.book.tag(endpoint.prices, wire_model, on)
        if found is None:  # a deployment's name is the operator's own; the model's tells what it is
            found = self.book.tag(endpoint.prices, model.name.partition("/")[2], on)
        return found


def wire_model_of(endpoint: Endpoint, model: Model, on: date) -> str | None:
    """What the endpoint calls the model; None where it does not serve it, or no longer on that day."""
    serving = model.servings.get(endpoint.provider)
    if serving is not None and serving.lifecycle(on) is Lifecycle.RETIRED:
        return None
    if endpoint.models is not None and model.name in endpoint.models:
        return endpoint.models[model.name]
    if serving is None or not endpoint.passes_unknown:
        return None
    return _inference_profile(endpoint, serving.name) if endpoint.dialect == "bedrock" else serving.name


def _is_pinned(endpoint: Endpoint, model: Model) -> bool:
    """An operator who maps a model to a name of the endpoint answers for its version."""
    is_mapped = endpoint.models is not None and model.name in endpoint.models
    serving = model.servings.get(endpoint.provider)
    return model.is_pinned and (is_mapped or (serving is not None and serving.is_pinned))


def with_tenant_prices(
    deployments: tuple[Deployment, ...], prices: Mapping[str, Price], asked: str
) -> tuple[Deployment, ...]:
    """The deployments with the tenant's own prices, by any of a model's names."""

    def priced(deployment: Deployment) -> Deployment:
        model, provider = deployment.model, deployment.endpoint.provider
        wire = deployment.wire_model
        names = (f"{deployment.endpoint.name}/{wire}", f"{provider}/{wire}", model.name, *model.aliases, asked)
        found = next((prices[name] for name in names if name in prices), None)
        return deployment if found is None else replace(deployment, price=price_tag("tenant", found))

    return tuple(priced(each) for each in deployments)


def _profile(endpoint: Endpoint, model: Model, wire_model: str) -> Profile:
    """The facts of the table, corrected by those of the catalogue."""
    is_home = endpoint.profiles == model.provider  # its line knows the model by its own name, whatever it is here
    known_as = model.name.partition("/")[2] if is_home else wire_model
    try:
        profile = profile_of(endpoint.profiles, known_as)
    except KeyError:  # a provider without a line of its own
        profile = profile_of("compatible", known_as)
    return replace(
        profile,
        context_tokens=profile.context_tokens if model.context_tokens is None else model.context_tokens,
        max_output_tokens=profile.max_output_tokens if model.max_output_tokens is None else model.max_output_tokens,
        images=profile.images if model.images is None else model.images,
    )


def _inference_profile(endpoint: Endpoint, name: str) -> str:
    """Bedrock serves current models through profiles of a geography, which is part of their name."""
    if name.split(".")[0] in _BEDROCK_GEOGRAPHIES:
        return name
    region = endpoint.regions.processing or ""
    for start, geography in (("us-gov-", "us-gov"), ("us-", "us"), ("eu-", "eu"), ("ap-", "apac"), ("ca-", "us")):
        if region.startswith(start):
            return f"{geography}.{name}"
    return name


def _regions(endpoint: Endpoint, wire_model: str) -> Regions:
    geography = wire_model.split(".")[0]
    if endpoint.dialect != "bedrock" or geography not in _BEDROCK_GEOGRAPHIES:
        return endpoint.regions
    return replace(endpoint.regions, processing=_BEDROCK_GEOGRAPHIES[geography])
