"""The doors of chat completions, responses and messages: one path for all three, streamed or not."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.cache import replay
from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.engine.again import Lookup, RepliesAgain
from mainspring.inference.gateway.engine.engine import Answer, Arrival, Engine
from mainspring.inference.gateway.engine.incoming import Passing
from mainspring.inference.gateway.engine.lanes import gone_as_error
from mainspring.inference.gateway.engine.orders import NormalOrder, WireOrder
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.flight import Flight
from mainspring.inference.gateway.providers.dialects import Inbound, Outbound, Writer
from mainspring.inference.gateway.providers.wire import read_object, to_json
from mainspring.inference.gateway.said import write_said
from mainspring.inference.gateway.service import broken
from mainspring.inference.gateway.upstream import UpstreamGone
from mainspring.inference.messages import Completion, Delta, Finished

from .callers import Callers
from .heads import JSON, head_of
from .http import ClientConnection, Request
from .reading import end_user_of, read_call, read_order, wants_schema
from .structured import Structured, reads_early, shape_of

_EVENTS = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"


@dataclass(slots=True)
class Exchange:
    """One call and whom it is answered to."""

    flight: Flight
    order: WireOrder
    connection: ClientConnection
    headers: dict[bytes, bytes]
    found: Lookup | None = None
    writer: Writer | None = None

    @property
    def inbound(self) -> Inbound:
        """The caller's dialect."""
        return self.order.inbound


@dataclass(slots=True)
class Chat:
    """Serves one call from its bytes to its last byte."""

    engine: Engine
    callers: Callers
    again: RepliesAgain | None
    structured: Structured

    async def serve(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """Answer a call; raises MainspringError while nothing of an answer was sent."""
        caller = self.callers.known(request.headers) or await self.callers.identify(request.headers)
        order = read_order(request, inbound)
        context = self.callers.context(caller, request.headers, end_user_of(order))
        flight = await self.engine.admit(read_call(order, context))
        request.call = flight.id
        exchange = Exchange(flight, order, connection, request.headers)
        try:
            await self._serve(exchange)
        except BaseException as failure:
            flight.end_with(failure)
            raise
        finally:
            if exchange.found and self.again:
                self.again.release(exchange.found)

    async def _serve(self, exchange: Exchange) -> None:
        flight, order = exchange.flight, exchange.order
        if self.again and (flight.call.context.idempotency_key or _caches(flight)):
            found = exchange.found = await self.again.find(flight, order, exchange.headers)
            if found:
                flight.draft.cache_status = found.status
                if found.reply:
                    await self._give_again(exchange, found.reply.completion)
                    if found.is_shadowed:  # behind the call: the caller may ask again or leave
                        self.again.begin(self._shadow(exchange, found))
                    return
        if order.is_stream:
            await self._stream(exchange)
        else:
            await self._whole(exchange)

    async def _whole(self, exchange: Exchange) -> None:
        flight, order = exchange.flight, exchange.order
        shape = shape_of(order) if wants_schema(order) else None
        answer = await self.engine.ask(flight)
        completion = None
        if shape:
            completion = self._completion(flight, answer)
            if not self.structured.judge(flight, shape, completion):
                await flight.succeed(_body(answer, order.inbound), order.inbound.name)
                await self._mend(exchange, completion)
                return
        body = answer.body
        if body is None:
            completion = completion or self._completion(flight, answer)
            body = to_json(order.inbound.encode_completion(completion, int(time.time())))
        await flight.succeed(body, order.inbound.name)
        if exchange.found and exchange.found.keeps and self.again:
            await self.again.keep(exchange.found, flight, completion or self._completion(flight, answer))
        exchange.connection.reply(200, head_of(flight, content_type=JSON, is_ended=True), body)

    async def _mend(self, exchange: Exchange, completion: Completion) -> None:
        """Answer with a reply that fits its schema, in place of one that does not; the cost told is that of all."""
        mended = await self.structured.mend(exchange.flight, exchange.order.request(), completion)
        if exchange.found and exchange.found.keeps and self.again:
            await self.again.keep(exchange.found, exchange.flight, mended.completion)
        head = JSON + b"x-mainspring-cost-micros: %d\r\n" % mended.cost_micros
        body = to_json(exchange.inbound.encode_completion(mended.completion, int(time.time())))
        exchange.connection.reply(200, head_of(mended.flight, content_type=head, is_ended=False), body)

    async def _stream(self, exchange: Exchange) -> None:
        flight, order, connection = exchange.flight, exchange.order, exchange.connection
        order.is_read = wants_schema(order) and shape_of(order) is not None
        is_early = order.is_read and reads_early(exchange.headers)
        arrival = await self.engine.open(flight)
        try:
            last = await self._send(exchange, arrival, is_early=is_early)
            await flight.succeed(_content(arrival), order.inbound.name)
            if exchange.found and exchange.found.keeps and self.again:
                await self.again.keep(exchange.found, flight, _collected(arrival, flight))
        except MainspringError as failure:
            arrival.connection.abort()
            _count(arrival, flight)
            if not connection.has_begun:  # then it is an answer like any other
                raise
            told = exchange.writer.fail(failure) if exchange.writer else order.inbound.error_event(failure)
            connection.end(told)
            flight.fail_with(failure)
            return
        except BaseException:
            arrival.connection.abort()
            _count(arrival, flight)
            raise
        connection.end(last)

    async def _send(self, exchange: Exchange, arrival: Arrival, *, is_early: bool) -> bytes:
        """Pass the reply on but for its last bytes, which are released once the record is durable."""
        upstream = arrival.connection
        exchange.connection.on_pause(lambda paused: upstream.hold_back() if paused else upstream.go_on())
        try:
            if isinstance(arrival.incoming, Passing):
                return await _pass_on(exchange, arrival, arrival.incoming)
            return await self._translate(exchange, arrival, is_early=is_early)
        except UpstreamGone as gone:
            raise broken(gone_as_error(gone)) from None
        except ModelError as failure:
            raise broken(failure) from failure
        finally:  # the connection upstream may serve another call by now
            exchange.connection.on_pause(None)

    async def _translate(self, exchange: Exchange, arrival: Arrival, *, is_early: bool) -> bytes:
        flight, order = exchange.flight, exchange.order
        deltas = _read(arrival)
        shape = order.request().response_format if order.is_read else None
        if shape:
            deltas = self.structured.watched(flight, shape, deltas, early=is_early)
        writer = exchange.writer = order.inbound.writer(int(time.time()), order.wants_usage)
        head = head_of(flight, content_type=_EVENTS, is_ended=False)
        return await _write_out(exchange, writer, deltas, head)

    async def _give_again(self, exchange: Exchange, completion: Completion) -> None:
        """Answer with a kept reply, in the caller's dialect, streamed or whole."""
        flight, order = exchange.flight, exchange.order
        flight.count(completion.usage, model=completion.model, reason=completion.finish_reason)
        flight.saw_token()
        if not order.is_stream:
            body = to_json(order.inbound.encode_completion(completion, int(time.time())))
            await flight.succeed(body, order.inbound.name)
            exchange.connection.reply(200, head_of(flight, content_type=JSON, is_ended=True), body)
            return
        writer = order.inbound.writer(int(time.time()), order.wants_usage)
        assert exchange.found is not None, "given again without having been found"
        assert exchange.found.reply is not None, "given again without a reply"
        pieces = [writer.write(delta) for delta in replay(exchange.found.reply)]
        await flight.succeed(write_said(completion.message))
        exchange.connection.begin(head_of(flight, content_type=_EVENTS, is_ended=True), pieces[0] or b": again\n\n")
        exchange.connection.end(b"".join(pieces[1:]))

    async def _shadow(self, exchange: Exchange, found: Lookup) -> None:
        """Ask the model as well and see whether the hit was right; the caller has its answer already."""
        call, order = exchange.flight.call, NormalOrder(exchange.order.request(), is_stream=False)
        context = replace(call.context, idempotency_key=None)
        try:
            flight = await self.engine.admit(replace(call, context=context, order=order, is_stream=False))
            flight.draft.cache_status = "shadow"
            with flight.closing():
                completion = self._completion(flight, await self.engine.ask(flight))
                await flight.succeed(write_said(completion.message))
        except MainspringError:
            return  # the hit was given; the record of the failed shadow says why
        if self.again:
            await self.again.keep(found, flight, completion)

    def _completion(self, flight: Flight, answer: Answer) -> Completion:
        """An answer in the normal form."""
        if answer.completion is not None:
            return answer.completion
        outbound = self._outbound(flight)
        return outbound.decode_completion(read_object(answer.body or b"") or {})

    def _outbound(self, flight: Flight) -> Outbound:
        assert flight.deployment is not None, "an answer without a deployment"
        return self.engine.lanes.lane(flight.deployment.endpoint, flight.own_key(flight.deployment)).outbound


async def _pass_on(exchange: Exchange, arrival: Arrival, incoming: Passing) -> bytes:
    upstream, connection = arrival.connection, exchange.connection

    def sink(data: bytes) -> None:
        piece = incoming.feed(data)
        if incoming.failure:
            upstream.abort("the provider sent an error")
        elif piece:
            connection.send(piece)

    connection.begin(head_of(exchange.flight, content_type=_EVENTS, is_ended=False), incoming.first())
    try:
        await upstream.pump(sink)
    except UpstreamGone:
        if incoming.failure:
            raise incoming.failure from None
        raise
    incoming.close(exchange.flight.collector)
    return incoming.rest()


async def _read(arrival: Arrival) -> AsyncGenerator[Delta]:
    """The deltas of a reply that is read, from its opening to its end."""
    for delta in arrival.incoming.opening():
        yield delta
    async with aclosing(arrival.connection.parts()) as parts:
        async for part in parts:
            for delta in arrival.incoming.read(part):
                yield delta
    for delta in arrival.incoming.end():
        yield delta


async def _write_out(exchange: Exchange, writer: Writer, deltas: AsyncGenerator[Delta], head: bytes) -> bytes:
    """Send deltas as they come; returns the bytes of the last one, which end the stream."""
    flight, connection = exchange.flight, exchange.connection
    has_begun = False
    async with aclosing(deltas) as open_:
        async for delta in open_:
            flight.saw(delta)
            piece = writer.write(delta)
            if isinstance(delta, Finished):
                if not has_begun:
                    connection.begin(head, b": begun\n\n")
                return piece
            if piece and not has_begun:
                has_begun = True
                connection.begin(head, piece)
            elif piece:
                connection.send(piece)
    return b""


def _caches(flight: Flight) -> bool:
    cache = flight.policy.cache
    return cache.exact != "off" or bool(cache.semantic_features)


def _body(answer: Answer, inbound: Inbound) -> bytes:
    if answer.body is not None:
        return answer.body
    assert answer.completion is not None, "an answer is either passed on or read"
    return to_json(inbound.encode_completion(answer.completion, int(time.time())))


def _content(arrival: Arrival) -> bytes | None:
    return arrival.incoming.content() if isinstance(arrival.incoming, Passing) else None


def _count(arrival: Arrival, flight: Flight) -> None:
    """Read what came of a reply that was passed on and cut off."""
    if isinstance(arrival.incoming, Passing):
        flight.collector = Collector()
        arrival.incoming.count(flight.collector)


def _collected(arrival: Arrival, flight: Flight) -> Completion:
    """A whole stream as a completion."""
    if not isinstance(arrival.incoming, Passing):
        return flight.collector.completion()
    collector = Collector()
    arrival.incoming.count(collector)
    return collector.completion()
