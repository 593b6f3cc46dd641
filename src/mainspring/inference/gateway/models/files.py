"""The catalogue's files: the shipped models, and an operator's own endpoints, models, aliases and regions.

Both are TOML of one format (docs/howto/choose-models.md). Keys of providers are never in a file: it
names the environment variable that holds them. Every mistake is refused with file, place and next step.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.policy import Price

from .endpoints import VENDORS, Vendor
from .types import Endpoint, Model, Quality, Regions, Serving

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ServingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model at a provider that is not its home."""

    name: Name
    deprecated_on: date | None = None
    retires_on: date | None = None
    replacement: Name | None = None


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model; in an operator's file, what is given replaces what is shipped under the same name."""

    name: Name
    quality: Quality = "standard"
    kind: Literal["chat", "embedding"] = "chat"
    aliases: tuple[Name, ...] = ()
    pinned: bool | None = None
    deprecated_on: date | None = None
    retires_on: date | None = None
    replacement: Name | None = None
    context_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    images: bool | None = None
    files: bool | None = None
    at: dict[Name, ServingEntry] = {}
    price: Price | None = None


class EndpointEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint; `region` stands for the three regions that are not given on their own."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    provider: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")] | None = None
    dialect: Name | None = None
    api_key_env: Name | None = None
    region: Name | None = None
    storage_region: Name | None = None
    processing_region: Name | None = None
    retention_region: Name | None = None
    profiles: Name | None = None
    prices: Name | None = None
    is_local: bool = False
    weight: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    models: dict[Name, Name] | None = None
    passes_unknown: bool | None = None


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    endpoints: tuple[EndpointEntry, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    aliases: dict[Name, Name | tuple[Name, ...]] = {}
    regions: dict[Name, Name] = {}
    pinned_names: dict[Name, str] = {}


def read_files(path: Path | None) -> CatalogueFile:
    """The shipped file, with the operator's laid over it; raises InvalidInput."""
    shipped = tomllib.loads(files("mainspring.inference.gateway.models").joinpath("models.toml").read_text("utf-8"))
    if path is None:
        return msgspec.convert(shipped, CatalogueFile)
    own = _read(path)
    checked = _convert(own, path)
    _check(checked, path)
    models = {entry["name"]: entry for entry in shipped["models"]}
    for entry in own.get("models", []):
        models[entry["name"]] = models.get(entry["name"], {}) | entry
    merged = own | {"models": list(models.values())}
    merged["pinned_names"] = shipped["pinned_names"] | own.get("pinned_names", {})
    return _convert(merged, path)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InvalidInput(f"The model file {path} does not exist. Write it, or unset the setting.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"The model file {path} cannot be read: {error}. Mend it and reload.") from error


def _convert(content: dict[str, Any], path: Path) -> CatalogueFile:
    try:
        return msgspec.convert(content, CatalogueFile)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        value = _value_at(content, place.rstrip("`"))
        raise InvalidInput(
            f"The model file {path} is wrong at {place.rstrip('`') or 'its top'}{value}: {reason}. "
            "docs/howto/choose-models.md has the format."
        ) from error


def _value_at(content: Any, place: str) -> str:
    """` (value)` of a place such as `endpoints[0].url`, where it can be found."""
    found = content
    for step in re.findall(r"[^.\[\]]+", place):
        try:
            found = found[int(step) if step.isdigit() else step]
        except (KeyError, IndexError, TypeError):
            return ""
    return f" ({str(found)[:80]!r})" if isinstance(found, str | int | float | bool) else ""


def _check(content: CatalogueFile, path: Path) -> None:
    """What the shape alone cannot say: names are unique and whole, patterns are patterns."""
    seen: set[str] = set()
    for number, entry in enumerate(content.endpoints):
        if entry.name in seen:
            raise _wrong(path, f"endpoints[{number}].name", entry.name, "is given twice; give each its own name")
        seen.add(entry.name)
        knows_addresses = entry.dialect == "litellm"
        if not knows_addresses and entry.url is None and VENDORS.get(entry.provider, Vendor()).base_url is None:
            raise _wrong(
                path, f"endpoints[{number}].url", None, f"is missing; {entry.provider} has no well-known address"
            )
    for number, model in enumerate(content.models):
        if not all(model.name.partition("/")):
            raise _wrong(path, f"models[{number}].name", model.name, "must be <provider>/<model>")
    for provider, pattern in content.pinned_names.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise _wrong(path, f"pinned_names.{provider}", pattern, f"is no regular expression: {error}") from error


def _wrong(path: Path, place: str, value: object, problem: str) -> InvalidInput:
    shown = "" if value is None else f" ({str(value)[:80]!r})"
    return InvalidInput(f"The model file {path} is wrong at {place}{shown}: it {problem}.")


def endpoint_of(entry: EndpointEntry, secrets: Mapping[str, str], path: Path | None) -> Endpoint:
    """The endpoint of an entry; InvalidInput when its key is not in the environment."""
    vendor = VENDORS.get(entry.provider, Vendor())
    key = secrets.get(entry.api_key_env, "") if entry.api_key_env else None
    if key == "":
        raise InvalidInput(
            f"The model file {path} names {entry.api_key_env!r} as the key of endpoint {entry.name!r}, "
            "but that environment variable is not set. Set it, or take the endpoint out."
        )
    return Endpoint(
        name=entry.name,
        provider=entry.provider,
        dialect=entry.dialect or vendor.dialect,
        base_url=(entry.url or vendor.base_url or "").rstrip("/"),
        regions=Regions(
            entry.storage_region or entry.region,
            entry.processing_region or entry.region,
            entry.retention_region or entry.region,
        ),
        api_key=key,
        profiles=entry.profiles or vendor.profiles,
        prices=entry.prices or vendor.prices,
        is_local=entry.is_local,
        weight=entry.weight,
        models=entry.models,
        passes_unknown=entry.models is None if entry.passes_unknown is None else entry.passes_unknown,
    )


def model_of(entry: ModelEntry, is_fixed: Callable[[str, str], bool]) -> Model:
    """The model of an entry; `is_fixed(provider, name)` says whether a name alone fixes the version."""
    provider, _, name = entry.name.partition("/")
    is_pinned = is_fixed(provider, name) if entry.pinned is None else entry.pinned
    home = Serving(name, entry.deprecated_on, entry.retires_on, entry.replacement, is_pinned)
    others = {
        each: Serving(at.name, at.deprecated_on, at.retires_on, at.replacement, is_fixed(each, at.name))
        for each, at in entry.at.items()
    }
    return Model(
        name=entry.name,
        quality=entry.quality,
        is_pinned=is_pinned,
        servings={provider: home} | others,
        kind=entry.kind,
        aliases=entry.aliases,
        context_tokens=entry.context_tokens,
        max_output_tokens=entry.max_output_tokens,
        images=entry.images,
        files=entry.files,
    )
