"""Replies that must be JSON of a schema: always validated, repaired where they do not fit.

Each further attempt is a call of its own, admitted and recorded like any other, so that the rate of
misfits can be read for each model from the records.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.engine.orders import NormalOrder, WireOrder, demand_of
from mainspring.inference.gateway.errors import InvalidRequest, ModelError
from mainspring.inference.gateway.flight import Call, Flight
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.said import write_said
from mainspring.inference.gateway.structured import (
    Ask,
    Misfit,
    Outcome,
    UnfitReply,
    check,
    obtain,
    watch,
)
from mainspring.inference.gateway.structured.compiled import SCHEMAS
from mainspring.inference.gateway.tokens import estimate_input_tokens
from mainspring.inference.gateway.types import Operation
from mainspring.inference.messages import (
    Completion,
    Delta,
    Finished,
    FinishReason,
    InferenceRequest,
    ResponseFormat,
    ToolCallDelta,
)

_NO_MISFIT = (FinishReason.REFUSED, FinishReason.FILTERED)
_WAYS = {b"": False, b"end": False, b"incremental": True}


@dataclass(frozen=True, slots=True)
class Mended:
    """A reply that fits, the call that it came from, and what all attempts together cost."""

    completion: Completion
    flight: Flight
    cost_micros: int


@dataclass(slots=True)
class Structured:
    """Validates and repairs."""

    engine: Engine

    def judge(self, flight: Flight, shape: ResponseFormat, completion: Completion) -> bool:
        """Whether a reply fits; the record says so."""
        if completion.finish_reason in _NO_MISFIT or completion.tool_calls:
            return True
        is_fit = not isinstance(check(shape.schema, completion.text), Misfit)
        flight.draft.structured = Outcome.VALID.value if is_fit else Outcome.INVALID.value
        return is_fit

    async def mend(self, flight: Flight, request: InferenceRequest, completion: Completion) -> Mended:
        """A reply that fits, in place of one that does not: by a repair turn, then by other models.

        raises   UnfitReply with the best attempt
        """
        served = flight.deployment.model.name if flight.deployment else None
        others = list(dict.fromkeys(each.model.name for each in flight.candidates if each.model.name != served))
        flights = [flight]
        better = [self._asker(flights, name) for name in others]
        reply = await obtain(request, self._asker(flights, request.model), better=better, first=completion)
        cost = sum(each.draft.cost_micros or 0 for each in flights)
        return Mended(reply.completion, flights[-1], cost)

    def watched(
        self, flight: Flight, shape: ResponseFormat, deltas: AsyncGenerator[Delta], *, early: bool
    ) -> AsyncGenerator[Delta]:
        """A stream that is validated as it comes (`early`) or at its end; raises UnfitReply. The record says which."""
        return _told(flight, deltas, watch(deltas, shape.schema, early=early))

    def _asker(self, flights: list[Flight], model: str | None) -> Ask:
        async def ask(request: InferenceRequest) -> Completion:
            try:
                return await self._ask(flights, replace(request, model=model))
            except ModelError:
                raise
            except MainspringError as refusal:  # of our own, such as a limit's: it ends this step, not the call
                raise ModelError(refusal.detail) from refusal

        return ask

    async def _ask(self, flights: list[Flight], request: InferenceRequest) -> Completion:
        order = NormalOrder(request, is_stream=False)
        context = replace(flights[0].call.context, idempotency_key=None)
        tokens = estimate_input_tokens(request)
        call = Call(context, Operation.CHAT, request.model, order, demand_of(request), tokens, False, to_json(request))
        again = await self.engine.admit(call)
        with again.closing():
            completion = (await self.engine.ask(again)).completion
            assert completion is not None, "a worker's call is never passed on"
            assert request.response_format is not None, "only structured calls are repaired"
            is_fit = self.judge(again, request.response_format, completion)
            if is_fit and again.draft.structured:
                again.draft.structured = Outcome.REPAIRED.value
            await again.succeed(write_said(completion.message))
            flights.append(again)
        return completion


def shape_of(order: WireOrder) -> ResponseFormat | None:
    """The schema that an order's reply must fit, if any; raises InvalidRequest for one that cannot be used."""
    shape = order.request().response_format
    if shape is not None:
        SCHEMAS.compile(shape.schema)
    return shape


def reads_early(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a stream is to end at the first piece after which it cannot fit; raises InvalidRequest."""
    given = headers.get(b"x-mainspring-validate", b"")
    found = _WAYS.get(given.strip().lower())
    if found is None:
        raise InvalidRequest(f"x-mainspring-validate is {given[:40].decode('latin-1')!r}; it takes incremental or end.")
    return found


async def _told(flight: Flight, source: AsyncGenerator[Delta], watched: AsyncGenerator[Delta]) -> AsyncGenerator[Delta]:
    """The deltas that were watched; the record says how they were judged, if they were and did not break off."""
    calls_tools = False
    try:
        async for delta in watched:
            calls_tools = calls_tools or isinstance(delta, ToolCallDelta)
            if isinstance(delta, Finished) and delta.reason not in _NO_MISFIT and not calls_tools:
                flight.draft.structured = Outcome.VALID.value
            yield delta
    except UnfitReply:
        flight.draft.structured = Outcome.INVALID.value
        raise
    finally:
        await watched.aclose()
        await source.aclose()
