"""The policy engine: what happens to every call, whichever door it came through.

Admission asks, in this order: is the tenant's AI on, which model is meant, where may the call go,
do the limits allow it; then the record is opened. Only then is a provider asked. Nothing here
reads the database: tenants and policies are in memory, limits in Valkey.
"""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Protocol
from uuid import UUID

import msgspec

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway.draft import Draft
from mainspring.inference.gateway.errors import (
    AiDisabled,
    ContextTooLong,
    InvalidOutput,
    InvalidRequest,
    ModelError,
    Overloaded,
)
from mainspring.inference.gateway.flight import Call, Flight
from mainspring.inference.gateway.limits import Hold, Limiter
from mainspring.inference.gateway.models import Catalogue, Deployment, Resolution
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.providers.wire import read_object
from mainspring.inference.gateway.recorder import Recorder
from mainspring.inference.gateway.routing.errors import NoRoute
from mainspring.inference.gateway.routing.measurements import Measurements
from mainspring.inference.gateway.routing.router import Router
from mainspring.inference.gateway.routing.types import Explanation, Route
from mainspring.inference.gateway.snapshot import TenantSnapshot
from mainspring.inference.gateway.types import CallContext, CallKind, GatewaySettings, Operation
from mainspring.inference.gateway.upstream import Exchange, UpstreamGone, Upstreams
from mainspring.inference.messages import Completion

from .attempts import Attempts
from .bookings import books_of, scopes_of
from .deprecations import Deprecations
from .incoming import Incoming, Passing
from .lanes import Deadlines, Lanes, Way, gone_as_error
from .learning import Learning
from .orders import WireOrder
from .replies import read_reply

log = get_logger(__name__)

_EPOCH = date(1970, 1, 1)
_LEASE = timedelta(minutes=30)
_STREAM_LEASE = timedelta(hours=6)
_LEASE_MARGIN = timedelta(minutes=5)


class Tenants(Protocol):
    """Tenants as they stand."""

    def find(self, tenant: TenantId) -> TenantSnapshot | None:
        """One that is in memory."""
        ...

    async def get(self, tenant: TenantId) -> TenantSnapshot:
        """One that may have to be read; raises AiDisabled for one that does not exist, Unavailable."""
        ...


class Answer(msgspec.Struct, frozen=True):
    """A whole reply: `body` when it is passed on as it came, else `completion`."""

    body: bytes | None
    completion: Completion | None


@dataclass(slots=True)
class Arrival:
    """A streamed reply whose first token has come; whoever takes it must end or abort `connection`."""

    connection: Exchange
    incoming: Incoming
    outbound: Outbound


@dataclass(slots=True)
class Engine:
    """One for each process; both doors call it."""

    settings: GatewaySettings
    catalogue: Catalogue
    tenants: Tenants
    limiter: Limiter | None
    recorder: Recorder
    lanes: Lanes
    attempts: Attempts
    router: Router
    measurements: Measurements
    upstreams: Upstreams
    closing: AsyncExitStack
    clock: Callable[[], float] = time.time
    learning: Learning | None = None
    deprecations: Deprecations = field(default_factory=Deprecations)

    async def close(self) -> None:
        """Ship what is recorded, then close every connection."""
        await self.recorder.close()
        await self.upstreams.close()
        await self.closing.aclose()

    def resolve(self, model: str | None, policy: TenantPolicy) -> Resolution:
        """What a model's name means for a tenant today."""
        return self.catalogue.resolve(model, policy, self.today)

    @property
    def today(self) -> date:
        """The day on which names are resolved, UTC."""
        return _day(int(self.clock() // 86400))

    async def admit(self, call: Call) -> Flight:
        """The call with its route, its hold and its open record; from now on it must be ended.

        raises   AiDisabled, UnknownModel and its kin, NoRoute, LimitReached and its kin, Unavailable
        """
        forbid_open_transaction("a model")
        tenant = self.tenants.find(call.context.tenant) or await self.tenants.get(call.context.tenant)
        policy = tenant.policy
        resolution = self.resolve(call.model, policy)
        _allow(call.context, call.operation, tenant, resolution)
        _fit(call.operation, resolution)
        if policy.durability == "committed":
            await self.recorder.check()
        if resolution.model is None and (policy.routing.learned or call.demand.task is not None):
            route = await self._choose(call, resolution, policy)
        else:
            route = self.router.choose(resolution, call.demand, policy)
        if resolution.warnings:
            self.deprecations.note(tenant.tenant, resolution, self.today, self.clock())
        identifier = new_id()
        hold = None
        if policy.limits and self.limiter:
            _cap(call, route, policy)
            hold = await self._reserve(self.limiter, policy, identifier, call, route.candidates)
        try:
            return self._open(call, tenant, identifier, route, resolution, hold)
        except BaseException:
            if hold and self.limiter:
                self.limiter.release(hold)
            raise

    async def explain(self, call: Call) -> Explanation:
        """What would happen to a call, without making it; raises UnknownModel and its kin."""
        policy = (await self.tenants.get(call.context.tenant)).policy
        resolution = self.resolve(call.model, policy)
        if first := self._for_task(call, resolution, policy):
            return self.router.explain_for_task(first, resolution, call.demand, policy)
        demand, predictor = call.demand, None
        if resolution.model is None and policy.routing.learned and self.learning:
            demand, predictor = await self.learning.advise(call)
        return self.router.explain(resolution, demand, policy, predictor)

    async def _choose(self, call: Call, resolution: Resolution, policy: TenantPolicy) -> Route:
        """Where a call goes whose model is left open: by its task, by what was learned, or as any other."""
        if first := self._for_task(call, resolution, policy):
            if first.warnings:
                self.deprecations.note(call.context.tenant, first, self.today, self.clock())
            return self.router.choose_for_task(first, resolution, call.demand, policy)
        demand, predictor = call.demand, None
        if policy.routing.learned and self.learning:
            demand, predictor = await self.learning.advise(call)
        return self.router.choose(resolution, demand, policy, predictor)

    def _for_task(self, call: Call, resolution: Resolution, policy: TenantPolicy) -> Resolution | None:
        """The model that the policy names for the task of an `auto` call."""
        name = policy.routing.tasks.get(call.demand.task or "") if resolution.floor is not None else None
        if name is None:
            return None
        try:
            first = self.resolve(name, policy)
            _fit(call.operation, first)
        except (InvalidInput, InvalidRequest) as failure:  # gone from the catalogue: `auto` finds another
            log.warning("task_model_unknown", tenant=str(call.context.tenant), model=name, error=failure.code)
            return None
        return first

    async def check(self, model: str | None, context: CallContext, operation: Operation) -> None:
        """Whether a call would be admitted as far as its tenant and model go; raises as `admit` and holds nothing."""
        tenant = await self.tenants.get(context.tenant)
        _allow(context, operation, tenant, self.resolve(model, tenant.policy))

    async def ask(self, flight: Flight) -> Answer:
        """A whole reply, counted; raises ModelError when no attempt succeeds."""
        return await self.attempts.first(flight, lambda deployment: self._ask(flight, deployment), _nothing)

    async def open(self, flight: Flight) -> Arrival:
        """A stream whose first token is there; raises ModelError when no attempt gets so far."""
        return await self.attempts.first(flight, lambda deployment: self._begin(flight, deployment), _hang_up)

    def lane(self, flight: Flight, deployment: Deployment) -> Way:
        """The lane to a deployment, with the tenant's own key if it has one; the record says which."""
        own = flight.own_key(deployment)
        flight.goes_to(deployment, own_key=own is not None)
        return self.lanes.lane(deployment.endpoint, own)

    def deadlines(self, flight: Flight) -> Deadlines:
        """Those of one attempt."""
        return Deadlines(flight.deadline, self.settings.idle_timeout.total_seconds())

    async def _ask(self, flight: Flight, deployment: Deployment) -> Answer:
        lane = self.lane(flight, deployment)
        outbound, order = lane.outbound, flight.call.order
        began = self.attempts.clock()
        path = outbound.path(deployment.wire_model, False)
        more = order.more_headers(outbound)
        body = await lane.ask(path, order.body(deployment, outbound), more=more, deadlines=self.deadlines(flight))
        if order.passes(outbound):
            reply = read_reply(outbound.name, body)
            answer = Answer(body, None)
            flight.count(reply.usage, model=reply.model, reason=reply.reason)
            flight.tier = reply.tier or flight.call.tier
            if not reply.usage.output_tokens:
                _count_words(flight, outbound, body)
        else:
            answer = Answer(None, completion := _decode(outbound, body))
            flight.tier = None
            flight.count(completion.usage, model=completion.model, reason=completion.finish_reason)
            if not completion.usage.output_tokens:
                flight.count_words(completion.message)
        flight.saw_token()
        self.measurements.saw(deployment, (self.attempts.clock() - began) * 1000, ok=True)
        return answer

    async def _begin(self, flight: Flight, deployment: Deployment) -> Arrival:
        lane = self.lane(flight, deployment)
        outbound, order = lane.outbound, flight.call.order
        began = self.attempts.clock()
        path = outbound.path(deployment.wire_model, True)
        more = order.more_headers(outbound)
        connection = await lane.open(
            path, order.body(deployment, outbound), more=more, deadlines=self.deadlines(flight)
        )
        is_passing = order.passes(outbound)
        flight.tier = flight.call.tier if is_passing else None
        hides = isinstance(order, WireOrder) and order.hides_usage
        incoming = Passing(outbound, hides_usage=hides) if is_passing else Incoming(outbound)
        try:
            await _until_begun(connection, incoming)
        except BaseException:
            connection.abort()
            raise
        flight.saw_token()
        self.measurements.saw(deployment, (self.attempts.clock() - began) * 1000, ok=True)
        return Arrival(connection, incoming, outbound)

    async def _reserve(
        self,
        limiter: Limiter,
        policy: TenantPolicy,
        identifier: UUID,
        call: Call,
        candidates: tuple[Deployment, ...],
    ) -> Hold:
        """Hold the most that the call may use at any candidate; see `_lease` for how long."""
        output = (call.order.cap or call.demand.max_tokens or 0) * call.choices
        checks = limiter.checks(policy, scopes_of(call.context, candidates[0].model.name)[0])
        return await limiter.reserve(
            checks,
            identifier,
            tokens=call.input_tokens + output,
            cost_micros=_most_cost(candidates, call, output),
            lease=self._lease(call),
        )

    def _lease(self, call: Call) -> timedelta:
        """How long a call is held should nobody settle it.

        A whole reply has a deadline, and is held a margin beyond it. A stream has none while it flows: it
        is held for hours, without a timer of its own. What is settled later still counts, once; and a
        process that dies does not keep its holds for so long, since whoever adopts its spool settles them.
        """
        if call.order.is_stream:
            return _STREAM_LEASE
        return max(_LEASE, (call.context.timeout or self.settings.whole_timeout) + _LEASE_MARGIN)

    def _open(
        self,
        call: Call,
        tenant: TenantSnapshot,
        identifier: UUID,
        route: Route,
        resolution: Resolution,
        hold: Hold | None,
    ) -> Flight:
        policy, first = tenant.policy, route.candidates[0]
        draft = Draft(
            identifier,
            self.clock(),
            call.context,
            call.operation,
            model_asked=resolution.asked,
            stream=call.is_stream,
            residency=policy.residency,
        )
        draft.provider, draft.route_reason = first.endpoint.provider, route.reason
        draft.own_key = tenant.provider_key(first.endpoint.provider) is not None
        assumed = first.price.estimate(call.input_tokens, 0) if first.price else None
        if draft.own_key:
            assumed = 0  # should the process die, what was spent is on the tenant's own bill
        recording = self.recorder.record(
            draft,
            payload=call.payload if policy.payloads == "keep" else None,
            dialect=call.dialect,
            assumed=(call.input_tokens, assumed),
            books=books_of(scopes_of(call.context, first.model.name)[1], hold),
        )
        settings = self.settings
        timeout = call.context.timeout or (settings.timeout if call.order.is_stream else settings.whole_timeout)
        larger = partial(self._larger, resolution=resolution) if policy.larger_on_long_context else None
        return Flight(
            call,
            policy,
            tenant,
            route.candidates,
            recording,
            self.limiter,
            hold,
            self.attempts.clock() + timeout.total_seconds(),
            resolution.warnings,
            larger,
            first.model.name,
        )

    async def _larger(self, flight: Flight, resolution: Resolution) -> tuple[Deployment, ...]:
        """Larger models than those that were tried, with what they may cost held; raises LimitReached and its kin."""
        try:
            found = self.router.choose_larger(resolution, flight.call.demand, flight.policy).candidates
        except (NoRoute, ContextTooLong):
            return ()
        found = tuple(each for each in found if each not in flight.candidates)
        if found and flight.hold and self.limiter:
            hold, flight.hold = flight.hold, None
            self.limiter.release(hold)
            flight.hold = await self._reserve(self.limiter, flight.policy, new_id(), flight.call, found)
        if found:
            name = flight.booked_as = found[0].model.name
            flight.recording.books = books_of(scopes_of(flight.call.context, name)[1], flight.hold)
        return found


@lru_cache(maxsize=4)
def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def _allow(context: CallContext, operation: Operation, tenant: TenantSnapshot, resolution: Resolution) -> None:
    is_processing = context.kind is CallKind.PROCESSING and operation is Operation.EMBEDDINGS
    if is_processing and all(each.endpoint.is_local for each in resolution.deployments):
        return
    if not tenant.is_ai_enabled:
        raise AiDisabled("AI is switched off for this tenant; an owner or admin can switch it on in the settings.")


def _fit(operation: Operation, resolution: Resolution) -> None:
    """A model that embeds does not talk, and the other way round."""
    model = resolution.model
    if model is not None and model.is_listed and model.kind != _KINDS[operation]:
        raise InvalidRequest(
            f"{resolution.asked[:80]!r} is a model for {'embeddings' if model.kind == 'embedding' else 'chat'}; "
            "GET /v1/models lists those for other calls."
        )


def _cap(call: Call, route: Route, policy: TenantPolicy) -> None:
    """Where a limit holds tokens or money back, a call must say how much it may write."""
    if call.demand.max_tokens is not None or call.operation is not Operation.CHAT:
        return
    most = [each.profile.max_output_tokens for each in route.candidates if each.profile.max_output_tokens]
    call.order.cap = min((policy.default_max_tokens, *most))


def _most_cost(candidates: tuple[Deployment, ...], call: Call, output_tokens: int) -> int | None:
    """What a call may cost at the dearest of them, in micros; None when the price of one is unknown."""
    most = 0
    for each in candidates:
        if each.price is None:
            return None
        most = max(most, each.price.estimate(call.input_tokens, output_tokens, variant=call.tier))
    return most


_KINDS = {Operation.CHAT: "chat", Operation.EMBEDDINGS: "embedding"}


def _count_words(flight: Flight, outbound: Outbound, body: bytes) -> None:
    """Count what a reply says that tells no counts, where it can be read."""
    try:
        flight.count_words(_decode(outbound, body).message)
    except ModelError as failure:  # it is passed on as it is
        log.debug("reply_not_counted", error=failure.code)


def _decode(outbound: Outbound, body: bytes) -> Completion:
    wire = read_object(body)
    if wire is None:
        raise InvalidOutput(
            "The model's provider answered with something that is not JSON; try again.",
            vendor_text=body[:500].decode("utf-8", "replace"),
        )
    if wire.get("error"):
        raise outbound.failure_of(500, {}, body)
    return outbound.decode_completion(wire)


async def _until_begun(connection: Exchange, incoming: Incoming) -> None:
    """Wait for the first token; raises ModelError when the stream ends or fails before it."""
    kind = connection.headers.get("content-type", "")
    if kind.startswith(("text/html", "application/json")):
        body = await connection.whole()
        raise Overloaded(
            "The model's provider answered with a page instead of a stream; check its URL or try again.",
            vendor_text=body[:500].decode("utf-8", "replace"),
        )
    try:
        await connection.until(incoming.open)
    except UpstreamGone as gone:
        raise gone_as_error(gone, is_sent=True) from None
    if incoming.failure:
        raise incoming.failure
    if not incoming.begun:
        incoming.finish_early()


def _nothing(_: Answer) -> None:
    return


def _hang_up(arrival: Arrival) -> None:
    arrival.connection.abort()
