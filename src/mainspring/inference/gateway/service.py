"""The gateway as a library call: the door of workers, in their own process.

Calls pass the same engine as those that come by HTTP. The last delta is released only after the
record is durable, so a reply that was seen was recorded.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mainspring.foundation.db import forbid_open_transaction
from mainspring.inference.messages import Completion, Delta, Finished, InferenceRequest, Usage

from .collect import Collector
from .embedding import embed_texts
from .engine.again import RepliesAgain
from .engine.engine import Arrival, Engine
from .engine.lanes import gone_as_error
from .engine.orders import NormalOrder, demand_of
from .errors import InvalidOutput, ModelError, StreamBroken
from .flight import Call, Flight
from .keeper import SnapshotKeeper
from .models import LOCAL_EMBEDDING
from .policy import DEFAULT_POLICY
from .providers.profiles import Profile
from .providers.wire import to_json
from .structured import format_for, repair
from .structured import read_reply as read_value
from .tokens import estimate_input_tokens
from .types import CallContext, Embeddings, Operation
from .upstream import UpstreamGone

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Gateway:
    """Calls models on behalf of tenants. `close` ships the last records and closes the connections."""

    engine: Engine
    keeper: SnapshotKeeper | None = None
    again: RepliesAgain | None = None

    async def close(self) -> None:
        """Ship what is recorded and close the connections; what cannot be shipped stays in the spool."""
        if self.again:
            await self.again.close()
        await self.engine.close()

    def default_chat_model(self) -> str:
        """The model of requests that name none: the capable one if there is one, else the bundled one."""
        return self.engine.catalogue.chat_model

    def capable_model(self) -> str | None:
        """The model configured for analysis; None when only the bundled small one is there."""
        return self.engine.settings.capable_model

    def embedding_model(self) -> str:
        """The model whose vectors the platform stores."""
        return LOCAL_EMBEDDING

    def profile(self, model: str | None = None) -> Profile:
        """What is known of a model; UnknownModel when it is not in the catalogue."""
        return self.engine.resolve(model, DEFAULT_POLICY).deployments[0].profile

    async def complete(self, request: InferenceRequest, *, context: CallContext) -> Completion:
        """The full reply, recorded before it is returned.

        raises   AiDisabled, UnknownModel, NoRoute, LimitReached, or a ModelError after all attempts
        """
        collector = Collector()
        async with aclosing(self._deltas(request, context, is_stream=False)) as deltas:
            async for delta in deltas:
                collector.add(delta)
        return collector.completion()

    def stream(self, request: InferenceRequest, *, context: CallContext) -> AsyncGenerator[Delta]:
        """The reply piece by piece; `Finished` is the last and comes after the record is durable.

        Close it (`contextlib.aclosing`) when you stop early: that stops the provider too, and the
        record says `cancelled`. Raises as `complete`; StreamBroken once a piece was released.
        """
        return self._deltas(request, context, is_stream=True)

    async def complete_as(
        self,
        shape: type[Value],
        request: InferenceRequest,
        *,
        context: CallContext,
        schema: Mapping[str, Any] | None = None,
    ) -> Value:
        """The reply as a value of `shape`, a frozen dataclass; each attempt is a call with a record of its own.

        schema   sent instead of the one made from `shape`, to narrow it (an enum known only now)
        raises   InvalidOutput when the reply does not fit after one repair; else as `complete`
        """
        request = replace(request, response_format=format_for(shape, schema))
        completion = await self.complete(request, context=context)
        try:
            return read_value(completion, shape)
        except InvalidOutput as misfit:
            request = repair(request, completion, misfit)
        return read_value(await self.complete(request, context=context), shape)

    async def embed(self, texts: Sequence[str], *, model: str | None = None, context: CallContext) -> Embeddings:
        """One vector for each text, in order, each of length 1.

        An empty list makes no call. With `context.kind` PROCESSING, local models may be used for a
        tenant whose AI is off: they are no generative AI and no text leaves the platform.
        """
        forbid_open_transaction("a model")
        model = model or self.embedding_model()
        if not texts:
            await self.engine.check(model, context, Operation.EMBEDDINGS)
            import numpy as np  # only who embeds pays for it

            return Embeddings(np.zeros((0, 0), dtype=np.float32), model, Usage())
        return await embed_texts(self.engine, texts, model=model, context=context)

    async def _deltas(
        self, request: InferenceRequest, context: CallContext, *, is_stream: bool
    ) -> AsyncGenerator[Delta]:
        order = NormalOrder(request)
        tokens = estimate_input_tokens(request)
        call = Call(
            context, Operation.CHAT, request.model, order, demand_of(request), tokens, is_stream, to_json(request)
        )
        flight = await self.engine.admit(call)
        with flight.closing():
            arrival = await self.engine.open(flight)
            async with aclosing(_read(flight, arrival)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Finished):
                        await flight.succeed()
                    yield delta


async def _read(flight: Flight, arrival: Arrival) -> AsyncGenerator[Delta]:
    """The deltas of a reply that has begun; closing the generator closes the call."""
    connection, incoming = arrival.connection, arrival.incoming
    is_whole = False
    try:
        for delta in incoming.opening():
            flight.saw(delta)
            yield delta
        async with aclosing(connection.parts()) as parts:
            async for part in parts:
                for delta in incoming.read(part):
                    flight.saw(delta)
                    yield delta
        is_whole = True
        for delta in incoming.end() if not flight.collector.reason else ():
            flight.saw(delta)
            yield delta
    except UpstreamGone as gone:
        raise broken(gone_as_error(gone)) from None
    except ModelError as failure:
        raise broken(failure) from failure
    finally:
        if not is_whole:
            connection.abort()


def broken(failure: ModelError) -> ModelError:
    """What a failure is called once a piece of the reply was released: the caller has half an answer."""
    if isinstance(failure, StreamBroken) or not failure.retryable:
        return failure
    detail = "The model's reply broke off before its end; what came is incomplete. Ask again."
    return StreamBroken(detail, vendor_text=failure.vendor_text or failure.detail)
