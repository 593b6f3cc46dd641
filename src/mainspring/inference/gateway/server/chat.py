"""The doors of chat completions, responses and messages: one path for all three, streamed or not."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.engine.engine import Answer, Arrival, Engine
from mainspring.inference.gateway.engine.incoming import Passing
from mainspring.inference.gateway.engine.lanes import gone_as_error
from mainspring.inference.gateway.engine.orders import WireOrder
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.flight import Flight
from mainspring.inference.gateway.providers.dialects import Inbound, Writer
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.service import broken
from mainspring.inference.gateway.upstream import UpstreamGone
from mainspring.inference.messages import Delta

from .callers import Callers
from .heads import head_of
from .http import ClientConnection, Request
from .reading import end_user_of, read_call, read_order

_JSON = b"content-type: application/json\r\n"
_EVENTS = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"


@dataclass(slots=True)
class Chat:
    """Serves one call from its bytes to its last byte."""

    engine: Engine
    callers: Callers

    async def serve(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """Answer a call; raises MainspringError while nothing of an answer was sent."""
        caller = await self.callers.identify(request.headers)
        order = read_order(request, inbound)
        context = self.callers.context(caller, request.headers, end_user_of(order))
        flight = await self.engine.admit(read_call(order, context))
        if order.is_stream:
            await self._stream(flight, order, connection)
        else:
            await self._whole(flight, order, connection)

    async def _whole(self, flight: Flight, order: WireOrder, connection: ClientConnection) -> None:
        try:
            answer = await self.engine.ask(flight)
            body = _body(answer, order.inbound)
            await flight.succeed(body, order.inbound.name)
        except BaseException as failure:
            flight.end_with(failure)
            raise
        connection.reply(200, head_of(flight, content_type=_JSON, is_ended=True), body)

    async def _stream(self, flight: Flight, order: WireOrder, connection: ClientConnection) -> None:
        with flight.closing():
            arrival = await self.engine.open(flight)
            try:
                last = await self._send(flight, order, arrival, connection)
                await flight.succeed(_content(arrival), order.inbound.name)
            except MainspringError as failure:
                arrival.connection.abort()
                _count(arrival, flight)
                connection.end(order.inbound.error_event(failure))
                flight.fail_with(failure)
                return
            except BaseException:
                arrival.connection.abort()
                _count(arrival, flight)
                raise
            connection.end(last)

    async def _send(self, flight: Flight, order: WireOrder, arrival: Arrival, connection: ClientConnection) -> bytes:
        """Pass the reply on but for its last bytes, which are released once the record is durable."""
        upstream = arrival.connection
        connection.on_pause(lambda paused: upstream.hold_back() if paused else upstream.go_on())
        head = head_of(flight, content_type=_EVENTS, is_ended=False)
        try:
            if isinstance(arrival.incoming, Passing):
                return await _pass_on(flight, arrival, arrival.incoming, connection, head)
            return await _translate(flight, order, arrival, connection, head)
        except UpstreamGone as gone:
            raise broken(gone_as_error(gone)) from None
        except ModelError as failure:
            raise broken(failure) from failure


async def _pass_on(
    flight: Flight, arrival: Arrival, incoming: Passing, connection: ClientConnection, head: bytes
) -> bytes:
    upstream = arrival.connection

    def sink(data: bytes) -> None:
        piece = incoming.feed(data)
        if incoming.failure:
            upstream.abort("the provider sent an error")
        elif piece:
            connection.send(piece)

    connection.begin(head, incoming.first())
    try:
        await upstream.pump(sink)
    except UpstreamGone:
        if incoming.failure:
            raise incoming.failure from None
        raise
    incoming.close(flight.collector)
    return incoming.rest()


async def _translate(
    flight: Flight, order: WireOrder, arrival: Arrival, connection: ClientConnection, head: bytes
) -> bytes:
    incoming, upstream = arrival.incoming, arrival.connection
    writer = order.inbound.writer(int(time.time()), order.wants_usage)
    connection.begin(head, _write(flight, writer, incoming.opening()) or b": begun\n\n")
    held = b""
    async for part in upstream.parts():
        piece = _write(flight, writer, incoming.read(part))
        if held:
            connection.send(held)
        held = piece
    return held + _write(flight, writer, incoming.end())


def _write(flight: Flight, writer: Writer, deltas: Iterable[Delta]) -> bytes:
    written = b""
    for delta in deltas:
        flight.saw(delta)
        written += writer.write(delta)
    return written


def _body(answer: Answer, inbound: Inbound) -> bytes:
    if answer.body is not None:
        return answer.body
    assert answer.completion is not None
    return to_json(inbound.encode_completion(answer.completion, int(time.time())))


def _content(arrival: Arrival) -> bytes | None:
    return arrival.incoming.content() if isinstance(arrival.incoming, Passing) else None


def _count(arrival: Arrival, flight: Flight) -> None:
    """Read what came of a reply that was passed on and cut off."""
    if isinstance(arrival.incoming, Passing):
        flight.collector = Collector()
        arrival.incoming.count(flight.collector)
