"""What a call costs, in whole micro-units (millionths) of USD.

A rate is micro-units per million tokens, so a call's cost is the sum of tokens times rate over its
kinds of tokens, divided by a million and rounded half up: once, at the end, for each call. Nothing
is a float on the way. A kind without a rate of its own is billed as the kind it is part of: cached
and cache-writing tokens as input, reasoning as output. Where the rate depends on the length of the
input, one rate holds for all tokens of the call. Cache writes are billed at the rate of the shortest
lifetime; audio and pictures at the rates of text, because `Usage` does not tell them apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from mainspring.inference.gateway.policy import Price
from mainspring.inference.messages import Usage

from .price_data import DatedRates, PricedModel, PricedVendor, PriceTable, Rate, decode_vendor, matches, read_table

_KINDS = ("input", "output", "cached", "cache_write", "reasoning")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Micro-units per million tokens of each kind."""

    input: int
    output: int
    cached: int
    cache_write: int
    reasoning: int


Tiers = tuple[tuple[int, Rates], ...]
"""(more input tokens than this, rates), ascending; the first is -1, which every call exceeds."""


@dataclass(frozen=True, slots=True)
class PriceTag:
    """The price of one model on one day.

    version    what is recorded with a call: `genai-prices 0.2.3`, `tenant`, `operator` or `local`
    tiers      rates by length of the input
    hours      (first minute, past the last, tiers): other rates at some UTC minutes of the day
    variants   `batch`, `flex`, `priority`, `fast`, where the vendor has them
    """

    version: str
    tiers: Tiers
    hours: tuple[tuple[int, int, Tiers], ...] = ()
    variants: Mapping[str, Tiers] = field(default_factory=dict[str, Tiers])

    def cost(self, usage: Usage, *, variant: str | None = None, at: datetime | None = None) -> int:
        """Micro-units of USD for what was used; an unknown variant costs the standard price.

        at   when the call began; only a price by the hour asks for it, and takes now for None
        """
        tiers = self.variants.get(variant, self.tiers) if variant is not None else self.tiers
        if self.hours and variant is None:
            tiers = self._at(at or datetime.now(UTC))
        rates = _tier(tiers, usage.input_tokens)
        plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        spoken = max(usage.output_tokens - usage.reasoning_tokens, 0)
        total = (
            plain * rates.input
            + usage.cached_tokens * rates.cached
            + usage.cache_write_tokens * rates.cache_write
            + spoken * rates.output
            + usage.reasoning_tokens * rates.reasoning
        )
        return (total + _MILLION // 2) // _MILLION

    def estimate(self, input_tokens: int, max_output_tokens: int, *, variant: str | None = None) -> int:
        """The most that a call can cost in micro-units: nothing cached, the dearest hour, rounded up.

        Of a variant at least the standard price: whoever asks for a cheaper one may be answered without it.
        """
        total = _ceiling(self.tiers, input_tokens, max_output_tokens)
        if variant is not None and variant in self.variants:
            total = max(total, _ceiling(self.variants[variant], input_tokens, max_output_tokens))
        for _, _, tiers in self.hours:
            total = max(total, _ceiling(tiers, input_tokens, max_output_tokens))
        return -(-total // _MILLION)

    @property
    def flat_rates(self) -> tuple[int, int] | None:
        """What `estimate` counts for a million tokens of input and output, where it is the same for every call."""
        if len(self.tiers) != 1 or self.hours:
            return None
        rates = self.tiers[0][1]
        return max(rates.input, rates.cache_write), max(rates.output, rates.reasoning)

    def _at(self, moment: datetime) -> Tiers:
        moment = moment.astimezone(UTC)
        minute = moment.hour * 60 + moment.minute
        for first, end, tiers in reversed(self.hours):
            if first <= minute < end or (end < first and (minute >= first or minute < end)):
                return tiers
        return self.tiers


def _tier(tiers: Tiers, input_tokens: int) -> Rates:
    found = tiers[0][1]
    for above, rates in tiers[1:]:
        if input_tokens > above:
            found = rates
    return found


def _ceiling(tiers: Tiers, input_tokens: int, max_output_tokens: int) -> int:
    rates = _tier(tiers, input_tokens)
    dearest_input = max(rates.input, rates.cache_write)
    return input_tokens * dearest_input + max_output_tokens * max(rates.output, rates.reasoning)


def price_tag(version: str, price: Price) -> PriceTag:
    """A tenant's or operator's own price; cached input costs as input where it has no price."""
    cached = price.input_micros if price.cached_input_micros is None else price.cached_input_micros
    rates = Rates(price.input_micros, price.output_micros, cached, price.input_micros, price.output_micros)
    return PriceTag(version, ((-1, rates),))


FREE = price_tag("local", Price(input_micros=0, output_micros=0))
"""The price of models on the platform's own machines."""


class PriceBook:
    """Prices of vendors' models by day; a vendor's part is decoded at its first question."""

    def __init__(self, table: PriceTable) -> None:
        self._table = table
        self._vendors: dict[str, PricedVendor] = {}

    @classmethod
    def open(cls, path: Path | None = None) -> "PriceBook":
        """The shipped prices, or those of an operator's newer table."""
        return cls(read_table(path))

    @property
    def version(self) -> str:
        """The data that prices come from."""
        return self._table.version

    @property
    def vendors(self) -> tuple[str, ...]:
        """Every vendor whose prices are known."""
        return tuple(sorted(self._table.vendors))

    def tag(self, vendor: str, model: str, on: date) -> PriceTag | None:
        """The price of a vendor's model on a day; None when it is unknown."""
        found = self._find(vendor, model.lower())
        return None if found is None else _tag(self.version, found, on)

    def _find(self, vendor: str, model: str) -> PricedModel | None:
        priced = self._vendor(vendor)
        if priced is None:
            return None
        for each in priced.models:
            if matches(each.match, model):
                return each
        others = (self._find(other, model) for other in priced.fallback if other != vendor)
        return next((found for found in others if found is not None), None)

    def _vendor(self, name: str) -> PricedVendor | None:
        if name not in self._vendors:
            raw = self._table.vendors.get(name)
            if raw is None:
                return None
            self._vendors[name] = decode_vendor(raw)
        return self._vendors[name]


def _tag(version: str, model: PricedModel, on: date) -> PriceTag | None:
    in_force = [rates for rates in model.rates if rates.since is None or rates.since <= on]
    whole_day = [rates for rates in in_force if rates.between is None]
    base = whole_day or [rates for rates in model.rates if rates.between is None] or list(model.rates)
    standard = base[-1] if whole_day else base[0]
    tiers = _tiers(_kinds(standard))
    if tiers is None:
        return None
    hours = [(*each.between, _tiers(_kinds(each))) for each in in_force if each.between is not None]
    variants = {name: _tiers(_replaced(standard, listed, on)) for name, listed in model.variants.items()}
    return PriceTag(
        version,
        tiers,
        tuple((first, end, found) for first, end, found in hours if found is not None),
        {name: found for name, found in variants.items() if found is not None and found != tiers},
    )


def _kinds(rates: DatedRates) -> dict[str, Rate | None]:
    return {kind: getattr(rates, kind) for kind in _KINDS}


def _replaced(standard: DatedRates, variant: Iterable[DatedRates], on: date) -> dict[str, Rate | None]:
    """The standard rates, each kind replaced by the first variant in force that has it."""
    kinds = _kinds(standard)
    seen: set[str] = set()
    for rates in variant:
        if rates.since is not None and rates.since > on:
            continue
        for kind, rate in _kinds(rates).items():
            if rate is not None and kind not in seen:
                kinds[kind] = rate
                seen.add(kind)
    return kinds


def _tiers(kinds: Mapping[str, Rate | None]) -> Tiers | None:
    """One set of rates for each length of input at which any of them changes; None without a token price."""
    if kinds["input"] is None and kinds["output"] is None:
        return None
    starts = sorted({start for rate in kinds.values() if isinstance(rate, tuple) for start, _ in rate if start > 0})
    return tuple((above, _rates_above(kinds, above)) for above in (-1, *starts))


def _rates_above(kinds: Mapping[str, Rate | None], above: int) -> Rates:
    def at(kind: str, default: int) -> int:
        rate = kinds[kind]
        if rate is None:
            return default
        if isinstance(rate, int):
            return rate
        return [price for start, price in rate if start <= max(above, 0)][-1]

    plain, spoken = at("input", 0), at("output", 0)
    return Rates(plain, spoken, at("cached", plain), at("cache_write", plain), at("reasoning", spoken))
