"""The shape of the compiled price table, and the search in it.

`prices.json` is made by `compile_prices` from the package `genai-prices`, which would cost a
process 28 MB and 130 ms to import; the table costs what it holds. A vendor's part of it is decoded
when its first model is looked up. Rates are micro-units of USD per million tokens.
"""

import re
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from mainspring.foundation.errors import InvalidInput

Rate = int | tuple[tuple[int, int], ...]
"""A rate, or ((from how many input tokens it holds, rate), ...), the first from 0."""

Clause = tuple[str, Any]
"""How model names are matched: (`is` | `starts` | `ends` | `has` | `regex`, text) or (`any` | `all`, clauses)."""


class DatedRates(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rates by kind of token.

    since     the first day they hold; None is ever
    between   UTC minutes of the day, first and past the last, at which they hold; None is all day
    """

    input: Rate | None = None
    output: Rate | None = None
    cached: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    since: date | None = None
    between: tuple[int, int] | None = None


class PricedModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A vendor's model: the last fitting of `rates` holds, else the first; `variants` (`batch`, ...) replace kinds."""

    match: Clause
    rates: tuple[DatedRates, ...]
    variants: dict[str, tuple[DatedRates, ...]] = {}


class PricedVendor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A vendor's models; what it does not list is looked up at the vendors in `fallback`."""

    models: tuple[PricedModel, ...]
    fallback: tuple[str, ...] = ()


class PriceTable(msgspec.Struct, frozen=True):
    """All vendors, undecoded, and the version of the data."""

    version: str
    vendors: dict[str, msgspec.Raw]


def read_table(path: Path | None = None) -> PriceTable:
    """The shipped table, or an operator's newer one; InvalidInput when it cannot be read."""
    if path is None:
        return _shipped()
    try:
        return msgspec.json.decode(path.read_bytes(), type=PriceTable)
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidInput(
            f"The price table {path} cannot be read: {error}. Make one with "
            "`python -m mainspring.inference.gateway.models.compile_prices PATH`, or unset it to use the shipped one."
        ) from error


@cache
def _shipped() -> PriceTable:
    return msgspec.json.decode(
        files("mainspring.inference.gateway.models").joinpath("prices.json").read_bytes(), type=PriceTable
    )


def decode_vendor(raw: msgspec.Raw) -> PricedVendor:
    """The models of one vendor."""
    return msgspec.json.decode(raw, type=PricedVendor)


def matches(clause: Clause, model: str) -> bool:
    """Whether the clause is about the model, whose name is in lower case."""
    kind, value = clause
    if kind in {"any", "all"}:
        return (any if kind == "any" else all)(matches(tuple(part), model) for part in value)
    text: str = value
    match kind:
        case "is":
            return model == text.lower()
        case "starts":
            return model.startswith(text.lower())
        case "ends":
            return model.endswith(text.lower())
        case "has":
            return text.lower() in model
        case _:
            return re.search(text, model) is not None
