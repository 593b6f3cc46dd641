"""One request and its answer. The connection beneath goes back to its pool when the answer was taken, not before.

Whoever holds an exchange that is over can do nothing any more to the connection, which may be
serving another caller: not read from it, not hold it back, not close it.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from .connection import Connection, Opening, Sink


class Exchange:
    """Wait with `head`, then take the body with `whole`, `pump` or `parts`; or `abort`. One of these must end it."""

    __slots__ = ("_connection", "_is_over", "headers", "status")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_over = False
        self.status = connection.status
        self.headers = connection.headers

    @property
    def is_whole(self) -> bool:
        """Whether all of the answer has come."""
        return self._is_over or self._connection.is_usable

    async def head(self) -> None:
        """Wait for status and headers; raises UpstreamGone."""
        await self._connection.head()
        self.status, self.headers = self._connection.status, self._connection.headers

    async def whole(self) -> bytes:
        """The whole body; raises UpstreamGone."""
        body = await self._connection.whole()
        self._end()
        return body

    async def pump(self, sink: Sink) -> None:
        """Give `sink` every piece of the body as it comes, until the end; raises UpstreamGone, and what it raises."""
        await self._connection.pump(sink)
        self._end()

    async def until(self, sink: Opening) -> None:
        """Give `sink` the first pieces of the body until it returns True, or the body ends; raises UpstreamGone."""
        await self._connection.until(sink)

    async def parts(self) -> AsyncGenerator[bytes]:
        """The pieces of the body as they come; the provider is held back while nobody asks. Raises UpstreamGone."""
        async with aclosing(self._connection.parts()) as parts:
            async for part in parts:
                yield part
        self._end()

    def hold_back(self) -> None:
        """Read no more for now: whoever receives is slower. The deadlines wait too."""
        if not self._is_over:
            self._connection.hold_back()

    def go_on(self) -> None:
        """Read again."""
        if not self._is_over:
            self._connection.go_on()

    def abort(self, reason: str = "cancelled", *, is_timeout: bool = False) -> None:
        """Give up: who waits gets UpstreamGone. Nothing happens when the exchange is over."""
        if not self._is_over:
            self._is_over = True
            self._connection.give_up(reason, is_timeout=is_timeout)

    def _end(self) -> None:
        if not self._is_over:
            self.status, self.headers = self._connection.status, self._connection.headers
            self._is_over = True
            self._connection.release()
