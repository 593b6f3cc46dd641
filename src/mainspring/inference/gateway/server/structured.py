"""Replies that must be JSON of a schema: always validated, repaired where they do not fit.

Each further attempt is a call of its own, admitted and recorded like any other, so that the rate of
misfits can be read for each model from the records.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.engine.orders import NormalOrder, demand_of
from mainspring.inference.gateway.flight import Call, Flight
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.structured import Ask, Misfit, Outcome, check, obtain, watch
from mainspring.inference.gateway.tokens import estimate_input_tokens
from mainspring.inference.gateway.types import Operation
from mainspring.inference.messages import Completion, Delta, FinishReason, InferenceRequest, ResponseFormat

_NO_MISFIT = (FinishReason.REFUSED, FinishReason.FILTERED)


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

    async def mend(self, flight: Flight, request: InferenceRequest, completion: Completion) -> Completion:
        """A reply that fits, in place of one that does not: by a repair turn, then by other models.

        raises   UnfitReply with the best attempt
        """
        served = flight.deployment.model.name if flight.deployment else None
        others = list(dict.fromkeys(each.model.name for each in flight.candidates if each.model.name != served))
        better = [self._asker(flight, name) for name in others]
        ask = self._asker(flight, request.model)
        return (await obtain(request, ask, better=better, first=completion)).completion

    def watched(
        self, flight: Flight, shape: ResponseFormat, deltas: AsyncGenerator[Delta], *, early: bool
    ) -> AsyncGenerator[Delta]:
        """A stream that is validated as it comes (`early`) or at its end; raises UnfitReply."""
        flight.draft.structured = Outcome.INVALID.value
        return watch(deltas, shape.schema, early=early)

    def _asker(self, flight: Flight, model: str | None) -> Ask:
        async def ask(request: InferenceRequest) -> Completion:
            return await self._ask(flight, replace(request, model=model))

        return ask

    async def _ask(self, flight: Flight, request: InferenceRequest) -> Completion:
        order = NormalOrder(request, is_stream=False)
        context = replace(flight.call.context, idempotency_key=None)
        tokens = estimate_input_tokens(request)
        call = Call(context, Operation.CHAT, request.model, order, demand_of(request), tokens, False, to_json(request))
        again = await self.engine.admit(call)
        with again.closing():
            completion = (await self.engine.ask(again)).completion
            assert completion is not None, "a worker's call is never passed on"
            assert request.response_format is not None, "only structured calls are repaired"
            if self.judge(again, request.response_format, completion):
                again.draft.structured = Outcome.REPAIRED.value
            await again.succeed(to_json({"message": completion.message, "vendor_text": None}))
        return completion
