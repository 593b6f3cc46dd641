"""Who comes to a thread in the path of a request, asked before its route is: somebody else's thread is not there."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from starlette.requests import HTTPConnection, Request

from mainspring.foundation.http import current_principal
from mainspring.orchestration.agents.ownership import Ownership

from .words import RUN


def keep_door(ownership: Ownership) -> Callable[[HTTPConnection], Awaitable[None]]:
    """A dependency of every router; web sockets, which say otherwise who calls, ask for themselves."""

    async def admit(connection: HTTPConnection) -> None:
        named = connection.path_params.get("thread")
        if named is None or connection.scope["type"] != "http":
            return
        principal = await current_principal(Request(connection.scope))
        if RUN not in principal.permissions:
            return  # the route says what the caller lacks
        with suppress(ValueError):  # the route says what it is not
            await ownership.require(principal, [UUID(named)])

    return admit
