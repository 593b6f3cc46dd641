"""Makes `prices.json` from the installed `genai-prices`.

    python -m mainspring.inference.gateway.models.compile_prices [PATH]

Run it after an upgrade of that package, or write a newer table beside the operator's own file
without waiting for a release. Prices that are no whole micro-unit per million tokens are rounded.
"""

import sys
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from .price_data import Clause, DatedRates, PricedModel, PricedVendor, Rate

VENDORS = frozenset(
    {
        "anthropic", "aws", "azure", "cerebras", "cohere", "databricks", "deepseek", "fireworks", "google", "groq",
        "meta", "minimax", "mistral", "moonshotai", "openai", "ovhcloud", "perplexity", "together", "voyageai",
        "x-ai", "zai",
    }
)  # fmt: skip
_KINDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}
_VARIANTS = {"batch", "flex", "priority", "fast"}


def compile_prices() -> bytes:
    """The table as JSON, the same bytes for the same data."""
    from genai_prices.data import providers  # only this tool needs it: 28 MB and 130 ms

    vendors = {each.id: _vendor(each) for each in providers if each.id in VENDORS}
    table = {"version": f"genai-prices {version('genai-prices')}", "vendors": vendors}
    return msgspec.json.encode(table, order="sorted")


def _vendor(provider: Any) -> PricedVendor:
    models = [_model(each) for each in provider.models]
    fallback = tuple(each for each in provider.fallback_model_providers or () if each in VENDORS)
    return PricedVendor(tuple(model for model in models if model is not None), fallback)


def _model(model: Any) -> PricedModel | None:
    listed = model.prices if isinstance(model.prices, list) else [_Always(model.prices)]
    rates = tuple(_rates(each.prices, each.constraint) for each in listed)
    if not any(each.input is not None or each.output is not None for each in rates):
        return None
    variants: dict[str, tuple[DatedRates, ...]] = {}
    for variant in model.price_variants or ():
        name = next(iter(variant.when.values())) if len(variant.when) == 1 else ""
        if name in _VARIANTS:
            variants[name] = (*variants.get(name, ()), _rates(variant.prices, variant.constraint))
    return PricedModel(_clause(model.match), rates, variants)


class _Always:
    constraint = None

    def __init__(self, prices: object) -> None:
        self.prices = prices


def _rates(prices: Any, constraint: Any) -> DatedRates:
    kinds = {kind: _rate(getattr(prices, key, None)) for kind, key in _KINDS.items()}
    since = getattr(constraint, "start_date", None)
    start, end = getattr(constraint, "start_time", None), getattr(constraint, "end_time", None)
    between = (_minutes(start), _minutes(end)) if start is not None else None
    return DatedRates(**kinds, since=since, between=between)


def _minutes(time: Any) -> int:
    return time.hour * 60 + time.minute


def _rate(price: Any) -> Rate | None:
    if price is None:
        return None
    if isinstance(price, Decimal):
        return _micros(price)
    return ((0, _micros(price.base)), *((tier.start, _micros(tier.price)) for tier in price.tiers))


def _micros(usd: Decimal) -> int:
    return int((usd * 1_000_000).to_integral_value(ROUND_HALF_UP))


def _clause(clause: Any) -> Clause:
    words = {"equals": "is", "starts_with": "starts", "ends_with": "ends", "contains": "has", "regex": "regex"}
    for name, word in words.items():
        if hasattr(clause, name):
            return word, getattr(clause, name)
    parts, word = (clause.or_, "any") if hasattr(clause, "or_") else (clause.and_, "all")
    return word, [_clause(part) for part in parts]


def main() -> None:
    """Write the table, by default over the shipped one."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("prices.json")
    path.write_bytes(compile_prices())


if __name__ == "__main__":
    main()
