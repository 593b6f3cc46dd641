"""The catalog: from a model's name to the provider that serves it.

A name is `<provider>/<model>`: `local/smollm2-135m-instruct` and `local/minilm-l6-v2` on the
platform's own server, `openai/...` on OpenAI or any server that speaks its dialect,
`anthropic/...`. Only providers that were configured exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import UnknownModel
from .providers.profiles import Profile, profile_of
from .providers.types import Provider, Target

LOCAL_CHAT = "local/smollm2-135m-instruct"
LOCAL_EMBEDDING = "local/minilm-l6-v2"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider and the name of its line in the profile table."""

    provider: Provider
    profiles: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes: `name` as the caller gave it, the provider, and the model in its words."""

    name: str
    provider: Provider
    target: Target


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models that can be called, by the configured vendors."""

    vendors: Mapping[str, Vendor]
    chat_model: str = LOCAL_CHAT

    def route(self, name: str | None) -> Route:
        """The route of a model, or of the default chat model; UnknownModel names what is configured."""
        name = name or self.chat_model
        prefix, slash, model = name.partition("/")
        vendor = self.vendors.get(prefix)
        if vendor is None or not slash or not model:
            configured = ", ".join(f"{each}/..." for each in sorted(self.vendors)) or "none"
            raise UnknownModel(
                f"There is no model {name[:80]!r}; configured are: {configured}. Check the name or set the key."
            )
        return Route(name, vendor.provider, Target(model, profile_of(vendor.profiles, model)))

    def profile(self, name: str | None) -> Profile:
        """What is known of a model."""
        return self.route(name).target.profile
