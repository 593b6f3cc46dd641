"""What the names of models mean: which are fixed versions, and to which models an asked name leads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mainspring.foundation.errors import InvalidInput

from .types import Model, Serving

_FIXED = re.compile(
    r"(-20\d\d-\d\d-\d\d|[-@:]20\d{6}|-2[0-9](0[1-9]|1[0-2])|-v\d+:\d+|-0\d\d|@sha256:[0-9a-f]+|@[0-9a-f]{12,})$"
)
"""A date (2025-08-07, 20250929, 2512), a build number (-001, -v1:0) or a digest at the end of a name."""

_MAX_HOPS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A model that a name leads to.

    provider   the only one that may serve it, where the name said so
    is_exact   the name is the model's own, not an alias
    """

    model: Model
    provider: str | None
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that models can be called.

    models         `<home provider>/<name>` -> model
    aliases        an operator's: alias -> names, tried in order
    bare           name or alias without its provider -> model
    by_wire_name   `<provider>/<name there>` -> model
    providers      those with an endpoint; unknown names are passed on to them
    fixed          provider -> how its fixed versions are named, beside the general ways
    """

    models: Mapping[str, Model]
    aliases: Mapping[str, tuple[str, ...]]
    bare: Mapping[str, tuple[str, bool]]
    providers: frozenset[str]
    fixed: Mapping[str, re.Pattern[str]]
    by_wire_name: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def build(
        cls,
        models: Mapping[str, Model],
        aliases: Mapping[str, tuple[str, ...]],
        providers: frozenset[str],
        fixed: Mapping[str, re.Pattern[str]],
    ) -> "Names":
        """Index the models; InvalidInput for aliases that lead nowhere or in a circle."""
        bare: dict[str, tuple[str, bool]] = {}
        for model in models.values():
            for alias in model.aliases:
                bare.setdefault(alias, (model.name, False))
        bare |= {model.name.partition("/")[2]: (model.name, True) for model in models.values()}
        names = cls(models, aliases, bare, providers, fixed)
        for alias in aliases:
            names._check(alias)
        return names

    @staticmethod
    def fixed_patterns(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
        """Compiled, by provider."""
        return {provider: re.compile(pattern) for provider, pattern in patterns.items()}

    @staticmethod
    def is_fixed(patterns: Mapping[str, re.Pattern[str]], provider: str, name: str) -> bool:
        """Whether a provider's model name stands for one version for good."""
        own = patterns.get(provider)
        return _FIXED.search(name) is not None or (own is not None and own.search(name) is not None)

    def find(self, asked: str) -> tuple[Found, ...]:
        """The models of a name, in the order to try; empty when it means nothing."""
        targets = self.aliases.get(asked)
        if targets is None:
            found = self._one(asked)
            return () if found is None else (found,)
        return tuple(
            Found(found.model, found.provider, is_exact=False) for target in targets for found in self.find(target)
        )

    def spoken(self) -> Iterator[str]:
        """Every name there is, to find the one that was meant."""
        yield from self.aliases
        yield from self.bare
        yield from self.models

    def _one(self, asked: str) -> Found | None:
        provider, slash, rest = asked.partition("/")
        if asked in self.models:
            return Found(self.models[asked], provider, is_exact=True)
        if asked in self.by_wire_name:
            model = self.models[self.by_wire_name[asked]]
            fixed = provider == model.provider or self.is_fixed(self.fixed, provider, rest)
            return Found(model, provider, is_exact=fixed)
        if asked in self.bare:
            name, is_exact = self.bare[asked]
            return Found(self.models[name], None, is_exact)
        if not slash or not rest or provider not in self.providers:
            return None
        if rest in self.bare and provider in self.models[self.bare[rest][0]].servings:
            name, is_exact = self.bare[rest]
            return Found(self.models[name], provider, is_exact)
        return Found(self._passed_on(provider, rest), provider, is_exact=True)

    def _passed_on(self, provider: str, name: str) -> Model:
        """A model that only its provider knows; nothing is known of its quality, so it is never chosen for it."""
        pinned = self.is_fixed(self.fixed, provider, name)
        return Model(
            f"{provider}/{name}", "economy", pinned, {provider: Serving(name, is_pinned=pinned)}, is_listed=False
        )

    def _check(self, alias: str) -> None:
        trail = [alias]
        waiting = [(target, 1) for target in self.aliases[alias]]
        while waiting:
            target, hops = waiting.pop()
            if hops > _MAX_HOPS:
                raise InvalidInput(f"The alias {alias!r} leads in a circle ({' -> '.join(trail[:4])}). Mend [aliases].")
            if target in self.aliases:
                trail.append(target)
                waiting += [(following, hops + 1) for following in self.aliases[target]]
            elif target not in self.bare and "/" not in target:
                raise InvalidInput(
                    f"The alias {alias!r} leads to {target!r}, which is no model. Name it <provider>/<model>."
                )
