"""`mainspring models`: which models can be called, where, at what price and until when."""

import os
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from mainspring.entry.gateway_slice import gateway_settings
from mainspring.entry.stack import find_stack_models
from mainspring.foundation.settings import Settings, load_settings
from mainspring.inference.gateway.models import Access, Catalogue, Deployment, Lifecycle, Model, load_catalogue

from .output import JsonFlag, notes, show_json, show_table

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model that can be called.

    usd_per_million_tokens   input and output of the first endpoint; `+` when longer inputs cost more; None is unknown
    warning                  what becomes of it, where it does not stay
    """

    model: str
    aliases: tuple[str, ...]
    lifecycle: str
    is_pinned: bool
    usd_per_million_tokens: str | None
    endpoints: tuple[str, ...]
    warning: str | None


def models(
    find: Annotated[str, typer.Argument(help="Only models with this in their name or an alias.")] = "",
    json: JsonFlag = False,
) -> None:
    """List the models that can be called: lifecycle, price in USD per million tokens, endpoints; warn of endings."""
    listed = list_lines(open_catalogue(load_settings()), datetime.now(UTC).date())
    found = [line for line in listed if any(find.lower() in name.lower() for name in (line.model, *line.aliases))]
    if json:
        show_json(found)
        return
    rows = [
        {
            "model": line.model,
            "aliases": ", ".join(line.aliases),
            "state": f"{line.lifecycle}{', pinned' if line.is_pinned else ''}",
            "USD in/out": line.usd_per_million_tokens or "unknown",
            "endpoints": ", ".join(line.endpoints),
        }
        for line in found
    ]
    show_table("Models", rows, empty="No such model; `mainspring doctor` shows which endpoints there are.")
    for line in found:
        if line.warning:
            notes.print(f"! {line.warning}", markup=False, soft_wrap=True)


def list_lines(catalogue: Catalogue, on: date) -> list[ModelLine]:
    """Every known model with an endpoint on a day, in the catalogue's order."""
    lines: list[ModelLine] = []
    for model in catalogue.names.models.values():
        served = catalogue.builder.deployments(model, None, on, 0)
        if served:
            lines.append(_line(model, served, on))
    return lines


def open_catalogue(settings: Settings) -> Catalogue:
    """The catalogue of a platform with these settings; its local models are those that run. Raises InvalidInput."""
    told = gateway_settings(settings, valkey_url="")
    access = {field.name: getattr(told, field.name) for field in fields(Access) if hasattr(told, field.name)}
    access["models_url"] = settings.models_url or find_stack_models(settings.data_dir)
    secrets = os.environ  # house: allow-environ - the operator's file names the variables that hold its keys
    return load_catalogue(Access(**access, chat_model=settings.model, secrets=secrets), settings.gateway_file)


def describe_catalogue(settings: Settings) -> str:
    """Endpoints, number of models and version of the prices, in one line. Raises InvalidInput."""
    catalogue = open_catalogue(settings)
    names = ", ".join(each.name for each in catalogue.builder.endpoints) or "none: set a key, or start the local models"
    count = len(list_lines(catalogue, datetime.now(UTC).date()))
    return f"endpoints: {names}; {count} models; prices: {catalogue.builder.book.version}"


def _line(model: Model, served: tuple[Deployment, ...], on: date) -> ModelLine:
    serving = model.servings.get(served[0].endpoint.provider)
    lifecycle = serving.lifecycle(on) if serving else Lifecycle.ACTIVE
    warning = None
    if serving and lifecycle is Lifecycle.DEPRECATED:
        until = f", answers until {serving.retires_on}" if serving.retires_on else ""
        instead = f"; use {serving.replacement}" if serving.replacement else ""
        warning = f"{model.name} is deprecated{until}{instead}."
    endpoints = tuple(each.endpoint.name for each in served)
    return ModelLine(model.name, model.aliases, lifecycle.value, model.is_pinned, _price(served[0]), endpoints, warning)


def _price(deployment: Deployment) -> str | None:
    if deployment.price is None:
        return None
    (_, rates), *longer = deployment.price.tiers
    shown = f"{rates.input / _MILLION:,.3f} / {rates.output / _MILLION:,.3f}"
    return f"{shown} +" if longer else shown
