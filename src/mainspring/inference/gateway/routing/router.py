"""The router: which deployments a call may go to, and in which order they are tried.

Filters come first and are hard; what passes them is put in order by, in this sequence: an open
breaker or a weight of 0 last, the tenant's preference, the latency target, the order of an alias,
the tenant's weights, cost, and a random draw by weight among what is still equal. Everything that
does not depend on the call itself is in a `Plan`, remembered by policy and resolution: a call to one
or two deployments costs about 2 us.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mainspring.inference.gateway.errors import ContextTooLong
from mainspring.inference.gateway.models import Resolution
from mainspring.inference.gateway.policy import TenantPolicy

from .errors import NoPermittedRoute, NoRoute, UnpricedModel
from .learned import cheapest_that_will_do
from .measurements import Measurements
from .plans import FILES, IMAGES, SCHEMA, TOOLS, Option, Plan, make_plan
from .types import Cause, Demand, Explanation, Prediction, Predictor, Ranked, Reason, Rejection, Route

_MEMO_LIMIT = 8_000
_UNPRICED = float("inf")
_REASONS = (Reason.HEALTHY, Reason.PREFERRED, Reason.FAST, Reason.ORDER, Reason.CHEAPEST)
_LACKS = {
    IMAGES: (Cause.IMAGES, "it takes no images"),
    FILES: (Cause.FILES, "it takes no files"),
    TOOLS: (Cause.TOOLS, "it calls no tools"),
    SCHEMA: (Cause.SCHEMA, "its provider enforces no JSON schema"),
}

Key = tuple[int, int, bool, int, float]
"""Idle or broken, preference, slow, order, cost: smaller is tried earlier."""


class Router:
    """Chooses for every tenant of a process; holds no state but remembered plans."""

    __slots__ = ("_measurements", "_plans", "_random")

    def __init__(self, measurements: Measurements, random: Random) -> None:
        self._measurements = measurements
        self._random = random
        self._plans: dict[tuple[int, int], Plan] = {}

    def choose(
        self, resolution: Resolution, demand: Demand, policy: TenantPolicy, predictor: Predictor | None = None
    ) -> Route:
        """Where the call goes.

        predictor   of the tenant, where its routing learns
        raises      NoRoute, NoPermittedRoute, UnpricedModel
        """
        plan = self._plan(resolution, policy)
        fitting, rejected = _fitting(plan.options, demand, policy)
        if not fitting:
            return self._longer(plan, demand, rejected)
        if len(fitting) == 1:
            return Route((fitting[0].deployment,), Reason.NAMED, _joined(plan.rejected, rejected))
        ordered, reason, _ = self._ordered(fitting, demand, policy, predictor)
        return Route(tuple(each.deployment for each in ordered), reason, _joined(plan.rejected, rejected))

    def choose_for_task(self, first: Resolution, rest: Resolution, demand: Demand, policy: TenantPolicy) -> Route:
        """Where a call goes whose task has a model, `first`: there, then where it would go without a task.

        raises   as `choose`, where neither may take it
        """
        try:
            chosen = self.choose(first, demand, policy)
        except (NoRoute, ContextTooLong):
            return self.choose(rest, demand, policy)
        try:
            others = self.choose(rest, demand, policy)
        except (NoRoute, ContextTooLong):
            return Route(chosen.candidates, Reason.TASK, chosen.rejected)
        names = {each.name for each in chosen.candidates}
        more = tuple(each for each in others.candidates if each.name not in names)
        return Route((*chosen.candidates, *more), Reason.TASK, _left_out(names, chosen.rejected, others.rejected))

    def explain_for_task(
        self, first: Resolution, rest: Resolution, demand: Demand, policy: TenantPolicy
    ) -> Explanation:
        """What `choose_for_task` would do and why, without an error."""
        chosen, others = self.explain(first, demand, policy), self.explain(rest, demand, policy)
        names = {each.name for each in chosen.candidates}
        rejected = _left_out(names, chosen.rejected, others.rejected)
        if not chosen.candidates:
            return replace(others, rejected=rejected)
        more = (each for each in others.candidates if each.name not in names)
        ranked = (replace(each, rank=rank) for rank, each in enumerate((*chosen.candidates, *more), 1))
        warnings = tuple(dict.fromkeys((*chosen.warnings, *others.warnings)))
        return Explanation(rest.asked, Reason.TASK, tuple(ranked), rejected, warnings)

    def choose_larger(self, resolution: Resolution, demand: Demand, policy: TenantPolicy) -> Route:
        """Where a call goes that its provider found too long; NoRoute where the tenant allows nothing larger."""
        return self._longer(self._plan(resolution, policy), demand, [])

    def explain(
        self, resolution: Resolution, demand: Demand, policy: TenantPolicy, predictor: Predictor | None = None
    ) -> Explanation:
        """What `choose` would do and why, without an error; a draw by weight may fall otherwise the next time."""
        plan = self._plan(resolution, policy)
        fitting, rejected = _fitting(plan.options, demand, policy)
        is_longer = not fitting and any(each.cause is Cause.CONTEXT for each in rejected)
        if is_longer:
            fitting, more = _fitting(plan.larger, demand, policy)
            rejected += more
        left_out = _joined(plan.rejected, rejected)
        asked, warnings = resolution.asked, resolution.warnings
        if not fitting:
            refusal = _refusal(asked, left_out)
            return Explanation(asked, None, (), left_out, warnings, (refusal.code, refusal.detail))
        ordered, reason, predictions = self._ordered(fitting, demand, policy, predictor)
        reason = Reason.LARGER if is_longer else Reason.NAMED if len(fitting) == 1 else reason
        ranked = tuple(
            self._ranked(place, option, demand, policy, predictions.get(option.deployment.model.name))
            for place, option in enumerate(ordered, 1)
        )
        return Explanation(asked, reason, ranked, left_out, warnings)

    def _plan(self, resolution: Resolution, policy: TenantPolicy) -> Plan:
        key = (id(resolution), id(policy))
        plan = self._plans.get(key)
        if plan is None or plan.resolution is not resolution or plan.policy is not policy:
            if len(self._plans) >= _MEMO_LIMIT:
                self._plans.clear()
            plan = self._plans[key] = make_plan(resolution, policy)
        return plan

    def _longer(self, plan: Plan, demand: Demand, rejected: list[Rejection]) -> Route:
        if plan.larger and (not rejected or any(each.cause is Cause.CONTEXT for each in rejected)):
            fitting, more = _fitting(plan.larger, demand, plan.policy)
            rejected = rejected + more
            if fitting:
                ordered, _, _ = self._ordered(fitting, demand, plan.policy, None)
                candidates = tuple(each.deployment for each in ordered)
                return Route(candidates, Reason.LARGER, _joined(plan.rejected, rejected))
        raise _refusal(plan.resolution.asked, _joined(plan.rejected, rejected))

    def _ordered(
        self, fitting: list[Option], demand: Demand, policy: TenantPolicy, predictor: Predictor | None
    ) -> tuple[list[Option], Reason, dict[str, Prediction]]:
        keyed = [(self._key(option, demand, policy), option) for option in fitting]
        keyed.sort(key=_by_key)
        reason = Reason.NAMED if len(keyed) == 1 else _decided(keyed[0][0], keyed[1][0])
        ordered = self._drawn(keyed)
        if predictor is None or not policy.routing.learned or demand.embedding is None:
            return ordered, reason, {}
        models = list(dict.fromkeys(each.deployment.model.name for each in ordered))
        predictions = dict(predictor.predict(demand.embedding, models))
        costs = {each.name: _estimate(each, demand, policy) for each in ordered}
        usable = [each for each in ordered if self._measurements.breaker(each.name) != "open"]
        chosen = cheapest_that_will_do(usable, costs, predictions)
        if chosen is None:
            return ordered, reason, predictions
        return [chosen, *(each for each in ordered if each is not chosen)], Reason.LEARNED, predictions

    def _key(self, option: Option, demand: Demand, policy: TenantPolicy) -> Key:
        name = option.name
        down = 2 if self._measurements.breaker(name) == "open" else 0 if option.weight > 0 else 1
        target = policy.routing.latency_target_ms
        is_slow = False
        if target is not None:
            ttft = self._measurements.ttft_ms(name)
            is_slow = ttft is not None and ttft > target
        # Who gave weights wants the calls split so, whatever the prices.
        cost = -1 if option.is_weighted else _estimate(option, demand, policy)
        return (down, option.preference, is_slow, option.rank, cost)

    def _drawn(self, keyed: Sequence[tuple[Key, Option]]) -> list[Option]:
        """The options, those with equal keys in a random order by weight."""
        ordered: list[Option] = []
        start = 0
        while start < len(keyed):
            end = start + 1
            while end < len(keyed) and keyed[end][0] == keyed[start][0]:
                end += 1
            if end == start + 1:
                ordered.append(keyed[start][1])
            else:
                ordered += self._shuffled([option for _, option in keyed[start:end]])
            start = end
        return ordered

    def _shuffled(self, equals: list[Option]) -> list[Option]:
        """In a random order, each first with a probability of its share of the weights."""
        if len(equals) == 2 and equals[0].weight > 0:
            first, second = equals
            is_first = self._random.random() * (first.weight + second.weight) < first.weight
            return equals if is_first else [second, first]
        draw = self._random.random
        return sorted(equals, key=lambda option: -(draw() ** (1 / option.weight)) if option.weight > 0 else 0.0)

    def _ranked(
        self, place: int, option: Option, demand: Demand, policy: TenantPolicy, prediction: Prediction | None
    ) -> Ranked:
        deployment, measured = option.deployment, self._measurements
        estimate = _estimate(option, demand, policy)
        return Ranked(
            rank=place,
            name=option.name,
            model=deployment.model.name,
            provider=deployment.endpoint.provider,
            quality=deployment.model.quality,
            regions=deployment.regions,
            why=_why(option, self._key(option, demand, policy), policy),
            estimate_micros=None if estimate == _UNPRICED else int(estimate),
            price_version=None if option.price is None else option.price.version,
            ttft_ms=measured.ttft_ms(option.name),
            error_share=measured.error_share(option.name),
            breaker=measured.breaker(option.name),
            prediction=prediction,
        )


def _by_key(pair: tuple[Key, Option]) -> Key:
    return pair[0]


def _fitting(options: Sequence[Option], demand: Demand, policy: TenantPolicy) -> tuple[list[Option], list[Rejection]]:
    """The options that can take the call, and why the others cannot."""
    needs = (
        (IMAGES if demand.needs_images else 0)
        | (FILES if demand.needs_files else 0)
        | (TOOLS if demand.needs_tools else 0)
        | (SCHEMA if demand.needs_schema else 0)
    )
    ceiling = policy.routing.cost_ceiling_micros
    most = demand.input_tokens + (demand.max_tokens or 0)
    fitting: list[Option] = []
    rejected: list[Rejection] = []
    for option in options:
        if needs & ~option.abilities or most > option.context or ceiling is not None:
            unfit = _unfit(option, demand, policy, needs)
            if unfit is not None:
                rejected.append(unfit)
                continue
        fitting.append(option)
    return fitting, rejected


def _unfit(option: Option, demand: Demand, policy: TenantPolicy, needs: int) -> Rejection | None:
    """Why an option cannot take the call; None where it can."""
    if missing := needs & ~option.abilities:
        return Rejection(option.name, *_LACKS[missing & -missing])
    tokens = demand.input_tokens + min(demand.max_tokens or 0, option.max_output)
    if tokens > option.context:
        why = f"the call needs about {tokens} tokens of context, and it has {option.context}"
        return Rejection(option.name, Cause.CONTEXT, why)
    ceiling = policy.routing.cost_ceiling_micros
    if ceiling is not None and (cost := _estimate(option, demand, policy)) > ceiling:
        why = f"the call may cost {cost:.0f} micro-USD, above the ceiling of {ceiling}"
        return Rejection(option.name, Cause.COST, why)
    return None


def _estimate(option: Option, demand: Demand, policy: TenantPolicy) -> float:
    if option.price is None:
        return _UNPRICED
    output = policy.default_max_tokens if demand.max_tokens is None else demand.max_tokens
    if output > option.max_output:
        output = option.max_output
    if option.flat_rates is not None:
        input_rate, output_rate = option.flat_rates
        return -(-(demand.input_tokens * input_rate + output * output_rate) // 1_000_000)
    return option.price.estimate(demand.input_tokens, output)


def _decided(first: Key, second: Key) -> Reason:
    """The first part of the keys in which they differ."""
    for one, other, reason in zip(first, second, _REASONS, strict=True):
        if one != other:
            return reason
    return Reason.WEIGHTED


def _why(option: Option, key: Key, policy: TenantPolicy) -> str:
    down, preference, is_slow, rank, _ = key
    parts = [
        {0: "", 1: "its weight is 0", 2: "its breaker is open"}[down],
        f"preferred as number {preference + 1}" if preference < len(policy.routing.prefer) else "",
        f"slower than the target of {policy.routing.latency_target_ms} ms" if is_slow else "",
        f"number {rank + 1} of the models asked for" if rank else "",
        f"weight {option.weight:g}" if option.is_weighted else "by cost",
    ]
    return ", ".join(part for part in parts if part)


def _joined(static: tuple[Rejection, ...], dynamic: list[Rejection]) -> tuple[Rejection, ...]:
    return (*static, *dynamic) if dynamic else static


def _left_out(taken: set[str], first: tuple[Rejection, ...], rest: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    """Those that are left out for either, each once, and not taken."""
    by_name = {each.name: each for each in (*rest, *first) if each.name not in taken}
    return tuple(by_name.values())


def _refusal(asked: str, rejected: tuple[Rejection, ...]) -> NoRoute | ContextTooLong:
    causes = {each.cause for each in rejected}
    reasons = "; ".join(f"{each.name}: {each.why}" for each in rejected[:12])
    more = f"; and {len(rejected) - 12} more" if len(rejected) > 12 else ""
    detail = f"No deployment may take this call for {asked[:80]!r} ({reasons or 'none is larger'}{more})."
    if causes and causes <= {Cause.ALLOW_LIST, Cause.RESIDENCY}:
        return NoPermittedRoute(f"{detail} Ask for another model, or have the organization's policy changed.")
    if Cause.PRICE in causes and causes <= {Cause.PRICE, Cause.ALLOW_LIST, Cause.RESIDENCY}:
        return UnpricedModel(f"{detail} Give the model a price in the policy, or ask for one that has a price.")
    if causes == {Cause.CONTEXT}:
        return ContextTooLong(f"{detail} Send less, or ask for a model with a larger context.")
    return NoRoute(f"{detail} Ask for a model that can do it, or for less.")
