"""How the gateway under test is configured: the one place to change when its settings change.

Everything the bench asks of the gateway is said here: its settings, the names of its models, and
the policy of the tenant that calls it. `ours` only starts what is described.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import CachePolicy, Limit, Price, TenantPolicy

from .contenders import FAST, SLOW, Upstream

MODULE = "mainspring.entry.gateway"
FAST_MODEL, SLOW_MODEL = f"bench/{FAST}", f"bench/{SLOW}"
HEADERS: Mapping[str, str] = {}
"""Sent with every request, beside the key."""

KEYS = 10_000
_KEY_VARIABLE = "BENCH_UPSTREAM_KEY"
_PLENTY = 1_000_000_000
_MUCH_MONEY = 10**14  # 10**15 and more would count as no limit
_PRICE = Price(input_micros=2_500_000, output_micros=10_000_000)


def _limits(scope: str) -> Limit:
    """Every kind of limit, so high that none is reached: the cost of counting is measured, not refusal."""
    counts = dict.fromkeys(("requests_per_minute", "concurrency", "calls_per_day", "calls_per_month"), _PLENTY)
    tokens, money = {"tokens_per_minute": _PLENTY * 1000}, ("budget_per_day_micros", "budget_per_month_micros")
    return msgspec.convert({"scope": scope, **counts, **tokens, **dict.fromkeys(money, _MUCH_MONEY)}, Limit)


EVERYTHING = TenantPolicy(
    limits=(_limits("tenant"), _limits("key")),
    residency="eu",
    prices={FAST_MODEL: _PRICE, SLOW_MODEL: _PRICE},
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run our gateway.

    settings   added to its environment
    with_tls   its upstream is reached by https, certificate verified
    calls_with_tls   its callers reach it by https
    missing    why it cannot be run (yet); it is reported as not measured
    """

    name: str
    note: str
    policy: TenantPolicy = EVERYTHING
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    with_tls: bool = False
    calls_with_tls: bool = False
    missing: str = ""


WHOLE = Variant(
    "Mainspring",
    f"everything on: key among {KEYS:,}, limits and budgets of tenant and key, residency, routing, cost, "
    "spooled record with payload",
)
COMMITTED = Variant(
    "Mainspring committed",
    "the same, and each record is in Postgres before its answer ends",
    msgspec.structs.replace(EVERYTHING, durability="committed"),
)
TLS = Variant("Mainspring TLS", "everything on, upstream by https", with_tls=True)
CALLER_TLS = Variant(
    "Mainspring caller TLS",
    "everything on, callers by https; the load passes through nginx on its own core, which `added` includes",
    calls_with_tls=True,
)

FEATURES = (
    WHOLE,
    TLS,
    CALLER_TLS,
    COMMITTED,
    Variant("without payloads", "input and output are not kept", msgspec.structs.replace(EVERYTHING, payloads="drop")),
    Variant("without limits", "no limits, no budgets", msgspec.structs.replace(EVERYTHING, limits=())),
    Variant(
        "tenant's limits only",
        "limits of one scope instead of three",
        msgspec.structs.replace(EVERYTHING, limits=EVERYTHING.limits[:1]),
    ),
    Variant("without own prices", "the platform's prices", msgspec.structs.replace(EVERYTHING, prices={})),
    Variant("without residency", "any region will do", msgspec.structs.replace(EVERYTHING, residency=None)),
    Variant("without record", "no record is written", missing="the gateway has no switch that leaves records out"),
    Variant(
        "from the cache",
        "identical calls answered from the exact cache: every call but the first is a hit",
        msgspec.structs.replace(EVERYTHING, cache=CachePolicy(exact="all")),
    ),
    Variant("keys only", "no limits, no payloads: key, routing, record", TenantPolicy(payloads="drop")),
)


def environment(urls: EngineUrls, upstream: Upstream, variant: Variant, folder: Path, port: int) -> dict[str, str]:
    """The gateway's settings; writes its file of endpoints into `folder`."""
    settings = {
        "MAINSPRING_DATABASE_URL": urls.database_url,
        "MAINSPRING_VALKEY_URL": urls.valkey_url,
        "MAINSPRING_DATA_DIR": str(folder),
        "MAINSPRING_GATEWAY_FILE": str(_write_endpoints(folder, upstream.url(with_tls=variant.with_tls))),
        "MAINSPRING_HOST": "127.0.0.1",
        "MAINSPRING_GATEWAY_PORT": str(port),
        "MAINSPRING_LOG_LEVEL": "warning",
        _KEY_VARIABLE: "sk-upstream",
        "PYTHONUNBUFFERED": "1",
    }
    trust = {"SSL_CERT_FILE": str(upstream.certificate)} if variant.with_tls else {}
    if variant.calls_with_tls:
        settings["MAINSPRING_GATEWAY_TLS_CERTIFICATE"] = str(upstream.certificate)
        settings["MAINSPRING_GATEWAY_TLS_KEY"] = str(upstream.private_key)
    return {**settings, **trust, **variant.settings}


def _write_endpoints(folder: Path, url: str) -> Path:
    """One endpoint in the EU, the mock, with two priced models."""
    folder.mkdir(parents=True, exist_ok=True)
    price = f"{{ input_micros = {_PRICE.input_micros}, output_micros = {_PRICE.output_micros} }}"
    lines = ["[[endpoints]]", 'name = "mock"', 'provider = "bench"', f'url = "{url}"', 'region = "eu-central-1"']
    lines.append(f'api_key_env = "{_KEY_VARIABLE}"')
    for model in (FAST_MODEL, SLOW_MODEL):
        lines += ["[[models]]", f'name = "{model}"', "context_tokens = 128000", "max_output_tokens = 8192"]
        lines.append(f"price = {price}")
    written = folder / "endpoints.toml"
    written.write_text("\n".join(lines) + "\n")
    return written
