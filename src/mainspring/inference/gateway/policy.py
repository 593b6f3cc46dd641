"""What a tenant has decided about its model calls: one document, validated as a whole, read at every call.

A policy is stored as JSON in `gateway_policy`, held in memory by every process (`snapshot`), and
takes effect within a second of a change. Absent fields mean the defaults below: everything that
is configured may be used, nothing is limited, nothing is cached.
"""

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

Scope = Literal["tenant", "user", "key", "model", "feature"]
"""What a limit counts together: all calls, those of one end user, API key, model or feature."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits of one scope; each that is set must hold. Money is in micro-units (millionths) of USD.

    match         the value it is for, such as one model's name; `*` gives every value the same allowance of its own
    soft_percent  from this share of a limit on, replies carry a warning
    """

    scope: Scope
    match: Name = "*"
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Positive | None = None
    calls_per_day: Whole | None = None
    calls_per_month: Whole | None = None
    budget_per_day_micros: Whole | None = None
    budget_per_month_micros: Whole | None = None
    soft_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 80


class CachePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which replies are kept and given again.

    exact              `deterministic`: calls with temperature 0 or a seed; `all`: any identical call
    semantic_features  features (the `feature` of a call) whose last user turn may be matched by meaning
    semantic_error     the highest share of wrong semantic hits that is accepted
    shadow_share       share of semantic hits that are also sent to the model, to measure that error
    """

    exact: Literal["off", "deterministic", "all"] = "off"
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=30 * 86400)] = 86400
    semantic_features: tuple[Name, ...] = ()
    semantic_error: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.02
    shadow_share: Share = 0.05


class RoutingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one of several fitting deployments is chosen.

    prefer                    providers or endpoints to try first, in order
    weights                   endpoint name -> weight, for a random split among equals
    latency_target_ms         endpoints whose measured time to first token is above it come last
    cost_ceiling_micros       deployments whose estimate for the call is above it are left out
    quality                   for `auto` models: the class that must at least be met
    learned                   let the outcomes of similar calls choose the cheapest model that will do
    tasks                     task -> model that `auto` calls of that task go to first, whatever its class
    """

    prefer: tuple[Name, ...] = ()
    weights: dict[str, Annotated[float, msgspec.Meta(ge=0)]] = {}
    latency_target_ms: Positive | None = None
    cost_ceiling_micros: Whole | None = None
    quality: Literal["economy", "standard", "premium"] = "standard"
    learned: bool = False
    tasks: dict[Name, Name] = {}


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tenant's own price of a model, in micro-units of USD per million tokens."""

    input_micros: Whole
    output_micros: Whole
    cached_input_micros: Whole | None = None


class TenantPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything a tenant decides about its calls.

    allow                   patterns of models that may be used (`openai/*`); None allows all
    residency               region, such as `eu`, in which a call must be processed, stored and retained
    require_pinned          only names of fixed versions are accepted
    default_max_tokens      output cap of calls that name none, where a limit needs one
    retry_share             retries may be at most this share of the calls of the last ten seconds
    larger_on_long_context  a call too long for its model goes to a larger one
    hedge_ms                a second deployment is asked when the first has said nothing for so long; None never
    """

    allow: tuple[Name, ...] | None = None
    residency: Name | None = None
    require_pinned: bool = False
    durability: Literal["spooled", "committed"] = "spooled"
    payloads: Literal["keep", "drop"] = "keep"
    when_limits_away: Literal["open", "closed"] = "open"
    default_max_tokens: Positive = 4096
    retry_share: Share = 0.2
    larger_on_long_context: bool = False
    hedge_ms: Positive | None = None
    limits: Annotated[tuple[Limit, ...], msgspec.Meta(max_length=64)] = ()
    cache: CachePolicy = CachePolicy()
    routing: RoutingPolicy = RoutingPolicy()
    prices: dict[str, Price] = {}


DEFAULT_POLICY = TenantPolicy()
