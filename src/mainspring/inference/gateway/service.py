"""The gateway: the one door to every model.

A call passes the same stations whether it is streamed or not: the tenant's AI switch, the
catalog, the opening of its record, attempts at the provider, the closing of its record. The last
delta is released only after the record is durable, so a reply that was seen was recorded.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mainspring.foundation.db import Database, DatabaseGone, forbid_open_transaction
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import new_id
from mainspring.inference.messages import Completion, Delta, Finished, InferenceRequest, Usage

from .attempts import Patience, try_call, try_stream
from .catalog import LOCAL_EMBEDDING, Catalog, Route
from .collect import Collector
from .draft import Draft
from .errors import AiDisabled, InvalidOutput
from .flight import Flight
from .ports import AiSwitch
from .providers.profiles import Profile
from .providers.wire import to_json
from .recorder import Recorder
from .structured import format_for, read_reply, repair
from .types import CallContext, CallKind, Embeddings, GatewaySettings, Operation

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Gateway:
    """Calls models on behalf of tenants. `start` recovers records of dead processes; `close` ships the last ones."""

    settings: GatewaySettings
    catalog: Catalog
    recorder: Recorder
    database: Database
    ai_switch: AiSwitch

    def start(self) -> None:
        """Begin to ship records, also those that a killed process left behind."""
        self.recorder.start()

    async def close(self) -> None:
        """Ship what is recorded and close the connections; what cannot be shipped stays in the spool."""
        await self.recorder.close()
        for vendor in self.catalog.vendors.values():
            await vendor.provider.close()

    def default_chat_model(self) -> str:
        """The model of requests that name none: the capable one if there is one, else the bundled one."""
        return self.catalog.chat_model

    def capable_model(self) -> str | None:
        """The model configured for analysis; None when only the bundled small one is there."""
        return self.settings.capable_model

    def embedding_model(self) -> str:
        """The model whose vectors the platform stores."""
        return LOCAL_EMBEDDING

    def profile(self, model: str | None = None) -> Profile:
        """What is known of a model; UnknownModel when it is not in the catalog."""
        return self.catalog.profile(model)

    async def complete(self, request: InferenceRequest, *, context: CallContext) -> Completion:
        """The full reply, recorded before it is returned.

        raises   AiDisabled, UnknownModel, or a ModelError after all attempts
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
            return read_reply(completion, shape)
        except InvalidOutput as misfit:
            request = repair(request, completion, misfit)
        return read_reply(await self.complete(request, context=context), shape)

    async def embed(self, texts: Sequence[str], *, model: str | None = None, context: CallContext) -> Embeddings:
        """One vector for each text, in order, each of length 1.

        An empty list makes no call. With `context.kind` PROCESSING, local models may be used for a
        tenant whose AI is off: they are no generative AI and no text leaves the platform.
        """
        forbid_open_transaction("a model")
        route = self.catalog.route(model or self.embedding_model())
        await self._allow(context, is_exempt=context.kind is CallKind.PROCESSING and route.provider.is_local)
        if not texts:
            return Embeddings(np.zeros((0, 0), dtype=np.float32), route.target.model, Usage())
        async with self._recorded(context, route, Operation.EMBEDDINGS) as flight:
            patience = self._patience(context, flight.attempt)
            embeddings = await try_call(lambda: route.provider.embed(texts, route.target), patience)
            flight.count(embeddings)
            await flight.succeed()
        return embeddings

    async def _deltas(
        self, request: InferenceRequest, context: CallContext, *, is_stream: bool
    ) -> AsyncGenerator[Delta]:
        forbid_open_transaction("a model")
        route = self.catalog.route(request.model)
        await self._allow(context)
        async with self._recorded(context, route, Operation.CHAT, request=request, is_stream=is_stream) as flight:
            patience = self._patience(context, flight.attempt)
            attempts = try_stream(lambda: self._attempt(route, request), patience)
            async with aclosing(attempts) as deltas:
                async for delta in deltas:
                    flight.saw(delta)
                    if isinstance(delta, Finished):
                        await flight.succeed()
                    yield delta

    @asynccontextmanager
    async def _recorded(
        self,
        context: CallContext,
        route: Route,
        operation: Operation,
        *,
        request: InferenceRequest | None = None,
        is_stream: bool = False,
    ) -> AsyncGenerator[Flight]:
        draft = Draft(new_id(), time.time(), context, operation, model_asked=route.name, stream=is_stream)
        draft.provider, draft.region = route.provider.name, route.provider.region
        if route.provider.is_local:
            draft.cost_micros, draft.currency, draft.price_version = 0, "USD", "local"
        if self.settings.durability == "committed":
            await self._check_database()
        recording = self.recorder.record(draft, payload=to_json(request) if request else None)
        flight = Flight(recording, is_committed=self.settings.durability == "committed")
        with flight.closing():
            yield flight

    async def _check_database(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self.database.ping()
        except (TimeoutError, *DatabaseGone):
            raise Unavailable("No model is called while its record cannot be committed; try again shortly.") from None

    def _attempt(self, route: Route, request: InferenceRequest) -> AsyncGenerator[Delta]:
        return route.provider.stream(request, route.target)

    async def _allow(self, context: CallContext, *, is_exempt: bool = False) -> None:
        if not is_exempt and not await self.ai_switch.is_enabled(context.tenant):
            raise AiDisabled("AI is switched off for this tenant; an owner or admin can switch it on in the settings.")

    def _patience(self, context: CallContext, on_attempt: Callable[[int], None]) -> Patience:
        timeout = (context.timeout or self.settings.timeout).total_seconds()
        deadline = asyncio.get_running_loop().time() + timeout
        return Patience(self.settings.retry, deadline, on_attempt)
