"""A reply that is made in this process, in the shape of a connection: engine and doors see no difference.

What a socket's transport does for bytes from a provider, a task does for pieces of an iterator: it feeds
them in, stops while the receiver is slower, watches for silence, and ends when the connection is aborted.
"""

import asyncio
from collections.abc import AsyncGenerator

from mainspring.inference.gateway.upstream import Connection, UpstreamGone

from .failures import failure_from


class FedConnection(Connection):
    """An answer with status 200 whose body is fed in."""

    __slots__ = ()

    def __init__(self, pieces: AsyncGenerator[bytes], *, idle_seconds: float) -> None:
        super().__init__(asyncio.get_running_loop(), _Nowhere())
        self._is_complete, self._is_head_complete = False, True
        self.status, self.headers = 200, {"content-type": "text/event-stream"}
        self._transport = _Feed(self, pieces, idle_seconds)

    def fail(self, failure: Exception) -> None:
        """The reply broke off; who waits gets `failure`."""
        self._fail(failure)

    def _may_be_kept(self) -> bool:
        return False


class _Nowhere:
    """Where it goes when it is over."""

    def take_back(self, connection: Connection) -> None:
        """Never."""

    def forget(self, connection: Connection) -> None:
        """Nothing was remembered."""


class _Feed(asyncio.Transport):
    """The task behind a connection."""

    def __init__(self, connection: FedConnection, pieces: AsyncGenerator[bytes], idle_seconds: float) -> None:
        super().__init__()
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._task = asyncio.create_task(self._run(connection, pieces, idle_seconds))

    def pause_reading(self) -> None:
        """Take no further piece."""
        self._may_go_on.clear()

    def resume_reading(self) -> None:
        """Take pieces again."""
        self._may_go_on.set()

    def close(self) -> None:
        """The reply has ended; so does the task."""

    def abort(self) -> None:
        """Stop the provider, unless it was the task itself that gave up."""
        if asyncio.current_task() is not self._task:
            self._task.cancel()

    async def _run(self, connection: FedConnection, pieces: AsyncGenerator[bytes], idle_seconds: float) -> None:
        try:
            while True:
                await self._may_go_on.wait()
                async with asyncio.timeout(idle_seconds):
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                connection.on_body(piece)
            connection.on_message_complete()
        except TimeoutError:
            connection.fail(UpstreamGone("silent for too long", is_timeout=True))
        except Exception as failure:  # noqa: BLE001 - the edge of a stream: others' code makes its pieces
            connection.fail(failure_from(failure))
        finally:
            await pieces.aclose()
