"""The catalogue: from a model's name to the deployments that serve it.

A name may be `<provider>/<model>`, bare (`gpt-5-mini`), an alias, an operator's alias of several
models, or `auto` with or without a quality class. A provider's name in front keeps the call at that
provider; without it, every endpoint that serves the model may take it. What a configured provider
has and the catalogue does not know is passed on under its name.

A `Catalogue` never changes; a reload makes another. Resolutions are remembered, since the same few
names are asked for all day: one dictionary look-up for a call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from mainspring.inference.gateway.errors import UnknownModel
from mainspring.inference.gateway.policy import TenantPolicy

from .allowed import compile_patterns, is_allowed
from .deployments import Builder, with_tenant_prices
from .endpoints import Access, endpoints_of
from .errors import RetiredModel, UnpinnedModel
from .files import CatalogueFile, endpoint_of, model_of, read_files
from .names import Found, Names
from .prices import PriceBook
from .types import QUALITIES, Deployment, Lifecycle, ListedModel, Model, Quality, Resolution

LOCAL_CHAT = "local/smollm2-135m-instruct"
LOCAL_EMBEDDING = "local/minilm-l6-v2"
AUTO = "auto"
_MEMO_LIMIT = 5_000

_Key = tuple[str, date, bool, bool, str, int]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models that can be called, at all endpoints.

    chat_model   the model of calls that name none
    """

    names: Names
    builder: Builder
    chat_model: str = LOCAL_CHAT
    _memo: dict[_Key, tuple[TenantPolicy, Resolution]] = field(
        default_factory=dict[_Key, tuple[TenantPolicy, Resolution]], repr=False, compare=False
    )

    def resolve(self, name: str | None, policy: TenantPolicy, on: date) -> Resolution:
        """What a name, or the default model for None, means for a tenant on a day.

        raises   UnknownModel, RetiredModel naming the replacement, UnpinnedModel naming the pinned choices
        cost     about 0.3 us for a name asked for before
        """
        asked = name or self.chat_model
        floor = policy.routing.quality if asked == AUTO else ""
        own = id(policy) if policy.prices else 0
        key = (asked, on, policy.require_pinned, policy.larger_on_long_context, floor, own)
        known = self._memo.get(key)
        if known is not None and (not policy.prices or known[0] is policy):
            return known[1]
        if len(self._memo) >= _MEMO_LIMIT:
            self._memo.clear()
        resolution = self._resolve(asked, policy, on)
        self._memo[key] = (policy, resolution)
        return resolution

    def list_models(self, policy: TenantPolicy, on: date) -> tuple[ListedModel, ...]:
        """The known models that the tenant may call, in the catalogue's order, with what becomes of them."""
        return tuple(
            _listed(model, served, on)
            for model in self.names.models.values()
            if (served := _permitted(self.builder.deployments(model, None, on, 0), policy))
        )

    def _resolve(self, asked: str, policy: TenantPolicy, on: date) -> Resolution:
        word, _, quality = asked.partition("/")
        if word == AUTO:
            return self._auto(asked, quality, policy, on)
        found = self.names.find(asked)
        if not found:
            raise self._unknown(asked)
        if policy.require_pinned and not all(each.is_exact and each.model.is_pinned for each in found):
            raise self._unpinned(asked, found, on)
        served = [self.builder.deployments(each.model, each.provider, on, rank) for rank, each in enumerate(found)]
        deployments = tuple(deployment for group in served for deployment in group)
        if not deployments:
            raise self._unserved(asked, found, on)
        if policy.require_pinned:
            deployments = tuple(each for each in deployments if each.is_pinned)
            if not deployments:
                raise self._unpinned(asked, found, on)
        if policy.prices:
            deployments = with_tenant_prices(deployments, policy.prices, asked)
        return Resolution(
            asked,
            found[0].model if len(found) == 1 else None,
            deployments,
            _warnings(deployments, on),
            self._larger(deployments, policy, on) if policy.larger_on_long_context else (),
        )

    def _auto(self, asked: str, quality: str, policy: TenantPolicy, on: date) -> Resolution:
        if quality and quality not in QUALITIES:
            raise UnknownModel(f"{asked[:80]!r} names no quality class. Ask for auto/{', auto/'.join(QUALITIES)}.")
        if policy.require_pinned:
            raise UnpinnedModel(
                f"{asked!r} leaves the version open, and this organization accepts fixed versions only. "
                f"Name one{_such_as(self._some_pinned(None, on))}."
            )
        floor: Quality = quality if quality in QUALITIES else policy.routing.quality
        deployments = self._chat_deployments(on)
        if policy.prices:
            deployments = with_tenant_prices(deployments, policy.prices, asked)
        if not deployments:
            raise UnknownModel("No chat model is configured. Set a provider's key or the address of local models.")
        return Resolution(asked, None, deployments, floor=floor)

    def _chat_deployments(self, on: date) -> tuple[Deployment, ...]:
        """Every deployment of every known chat model that is not at its end."""
        made = [
            deployment
            for model in self.names.models.values()
            if model.kind == "chat"
            for deployment in self.builder.deployments(model, None, on, 0)
        ]
        return tuple(each for each in made if _lifecycle(each, on) is Lifecycle.ACTIVE)

    def _larger(self, asked: tuple[Deployment, ...], policy: TenantPolicy, on: date) -> tuple[Deployment, ...]:
        """Deployments with more context than any asked for, of no lower class, the smallest first."""
        context = max((each.profile.context_tokens or 0 for each in asked), default=0)
        least = min(QUALITIES.index(each.model.quality) for each in asked)
        rank = max(each.rank for each in asked) + 1
        found = [
            replace(each, rank=rank)
            for each in self._chat_deployments(on)
            if (each.profile.context_tokens or 0) > context > 0
            and QUALITIES.index(each.model.quality) >= least
            and (each.is_pinned or not policy.require_pinned)
        ]
        found.sort(key=lambda each: (each.profile.context_tokens or 0, each.model.provider != asked[0].model.provider))
        return with_tenant_prices(tuple(found), policy.prices, "") if policy.prices else tuple(found)

    def _unknown(self, asked: str) -> UnknownModel:
        configured = ", ".join(f"{each}/..." for each in sorted(self.names.providers)) or "none"
        close = get_close_matches(asked[:80], list(self.names.spoken()), n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        return UnknownModel(
            f"There is no model {asked[:80]!r}; configured are: {configured}. Check the name or set the key.{hint}"
        )

    def _unserved(self, asked: str, found: tuple[Found, ...], on: date) -> UnknownModel | RetiredModel:
        for each in found:
            provider = each.provider or each.model.provider
            serving = each.model.servings.get(provider)
            if serving is not None and serving.lifecycle(on) is Lifecycle.RETIRED:
                return RetiredModel(
                    f"{provider} retired {each.model.name} on {serving.retires_on}. "
                    f"Ask for {serving.replacement or 'a model from the list of models'} instead."
                )
        providers = ", ".join(sorted({provider for each in found for provider in each.model.servings}))
        return UnknownModel(
            f"The model {asked[:80]!r} is served by {providers}, and no endpoint for it is configured. "
            "Set that provider's key, or add an endpoint to the model file."
        )

    def _unpinned(self, asked: str, found: tuple[Found, ...], on: date) -> UnpinnedModel:
        choices = [each.model.name for each in found if each.model.is_pinned and not each.is_exact]
        choices = choices or self._some_pinned(found[0].model.provider, on)
        return UnpinnedModel(
            f"{asked[:80]!r} is not the name of a fixed version, and this organization accepts no others. "
            f"Name one{_such_as(choices)}."
        )

    def _some_pinned(self, provider: str | None, on: date) -> list[str]:
        made = [each for each in self._chat_deployments(on) if each.is_pinned]
        made.sort(key=lambda each: each.endpoint.provider != provider)
        return list(dict.fromkeys(each.model.name for each in made))[:5]


def load_catalogue(access: Access, path: Path | None = None, *, price_table: Path | None = None) -> Catalogue:
    """The catalogue of the settings' endpoints and an operator's file; load it again to reload.

    An endpoint of the file replaces one of the settings that has the same name.
    raises   InvalidInput for a file that is wrong
    """
    content = read_files(path)
    own = {entry.name: endpoint_of(entry, access.secrets, path) for entry in content.endpoints}
    endpoints = ({each.name: each for each in endpoints_of(access)} | own).values()
    names = _names(content, {endpoint.provider for endpoint in endpoints})
    prices = {entry.name: entry.price for entry in content.models if entry.price is not None}
    builder = Builder(tuple(endpoints), PriceBook.open(price_table), prices, content.regions)
    names = replace(names, by_wire_name=_wire_names(builder, names.models))
    return Catalogue(names, builder, access.chat_model or LOCAL_CHAT)


def _names(content: CatalogueFile, providers: set[str]) -> Names:
    fixed = Names.fixed_patterns(content.pinned_names)
    models = {entry.name: model_of(entry, partial(Names.is_fixed, fixed)) for entry in content.models}
    aliases = {name: (target,) if isinstance(target, str) else target for name, target in content.aliases.items()}
    return Names.build(models, aliases, frozenset(providers), fixed)


def _wire_names(builder: Builder, models: Mapping[str, Model]) -> dict[str, str]:
    """`<provider>/<name there>` -> model, for every name that a provider or an operator gave a model."""
    found = {
        f"{provider}/{at.name}": model.name for model in models.values() for provider, at in model.servings.items()
    }
    for endpoint in builder.endpoints:
        for name, wire_model in (endpoint.models or {}).items():
            if name in models:
                found[f"{endpoint.provider}/{wire_model}"] = name
    return found


def _such_as(names: list[str]) -> str:
    return f", such as {' or '.join(names)}" if names else " that the list of models shows as pinned"


def _permitted(deployments: tuple[Deployment, ...], policy: TenantPolicy) -> tuple[Deployment, ...]:
    patterns = None if policy.allow is None else compile_patterns(policy.allow)
    return tuple(
        each
        for each in deployments
        if (patterns is None or is_allowed(patterns, each))
        and (policy.residency is None or policy.residency.lower() in each.places)
        and (each.is_pinned or not policy.require_pinned)
    )


def _lifecycle(deployment: Deployment, on: date) -> Lifecycle:
    serving = deployment.model.servings.get(deployment.endpoint.provider)
    return Lifecycle.ACTIVE if serving is None else serving.lifecycle(on)


def _warnings(deployments: tuple[Deployment, ...], on: date) -> tuple[str, ...]:
    texts: dict[str, None] = {}
    for each in deployments:
        if _lifecycle(each, on) is not Lifecycle.DEPRECATED:
            continue
        serving = each.model.servings[each.endpoint.provider]
        until = f" and retires on {serving.retires_on}" if serving.retires_on else ""
        successor = f"; use {serving.replacement} instead" if serving.replacement else ""
        texts[f"{each.model.name} is deprecated at {each.endpoint.provider}{until}{successor}."] = None
    return tuple(texts)


def _listed(model: Model, served: tuple[Deployment, ...], on: date) -> ListedModel:
    first = served[0]
    serving = model.servings.get(first.endpoint.provider)
    return ListedModel(
        name=model.name,
        aliases=model.aliases,
        providers=tuple(dict.fromkeys(each.endpoint.provider for each in served)),
        kind=model.kind,
        quality=model.quality,
        is_pinned=model.is_pinned,
        lifecycle=_lifecycle(first, on),
        deprecated_on=serving.deprecated_on if serving else None,
        retires_on=serving.retires_on if serving else None,
        replacement=serving.replacement if serving else None,
        context_tokens=first.profile.context_tokens,
        max_output_tokens=first.profile.max_output_tokens,
    )
