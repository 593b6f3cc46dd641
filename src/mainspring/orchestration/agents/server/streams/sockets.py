"""The event protocol over a web socket: commands in, answers and events out, on one connection."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import cast

import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import Forbidden, InvalidInput, Unauthenticated
from mainspring.foundation.ids import new_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.stopping import stop_all
from mainspring.orchestration.agents.server.keys import RECHECK_SECONDS, socket_principal
from mainspring.orchestration.agents.server.words import RUN
from mainspring.orchestration.agents.types import Json, JsonObject, ThreadId

from .commands import Commands
from .feed import Feed
from .filters import Subscription
from .schemas import EventsWanted

MAX_COMMAND_CHARACTERS = 1_048_576
MAX_SUBSCRIPTIONS = 50
_POLICY_VIOLATION = 1008


class ThreadSocket:
    """One client's connection to one thread."""

    def __init__(self, socket: WebSocket, principal: Principal, thread: ThreadId) -> None:
        self._socket = socket
        self._principal = principal
        self._thread = thread
        self._subscriptions: dict[str, Subscription] = {}
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, commands: Commands, feed: Feed) -> None:
        """Answer until the client goes or the server does."""
        self._keep(self._watch_rights())
        try:
            while True:
                text = await self._socket.receive_text()
                if len(text) > MAX_COMMAND_CHARACTERS:
                    await self._socket.close(1009)
                    return
                await self._send(await self._answer(text, commands, feed))
        except WebSocketDisconnect:
            return
        finally:
            await stop_all(self._tasks)

    async def _answer(self, text: str, commands: Commands, feed: Feed) -> JsonObject:
        try:
            command: Json = msgspec.json.decode(text)
        except msgspec.DecodeError:
            command = None
        if not isinstance(command, dict):
            return {"type": "error", "id": None, "error": "invalid_argument", "message": "A command is a JSON object."}
        match command.get("method"):
            case "subscription.subscribe":
                return self._subscribe(command, feed)
            case "subscription.unsubscribe":
                return self._unsubscribe(command)
            case _:
                return await commands.answer(self._principal, self._thread, command)

    def _subscribe(self, command: JsonObject, feed: Feed) -> JsonObject:
        try:
            wanted = EventsWanted.model_validate(command.get("params") or {})
            subscription = wanted.subscription()
        except (ValueError, InvalidInput) as refused:
            return _refusal(command, str(refused)[:300])
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            return _refusal(command, f"{MAX_SUBSCRIPTIONS} subscriptions at most; unsubscribe from one.")
        name = str(new_id())
        self._subscriptions[name] = subscription
        self._keep(self._tell(name, wanted.since, feed))
        return {"type": "success", "id": command.get("id"), "result": {"subscription_id": name}}

    def _unsubscribe(self, command: JsonObject) -> JsonObject:
        params = cast("JsonObject", command.get("params") or {})
        if self._subscriptions.pop(str(params.get("subscription_id")), None) is None:
            return _refusal(command, "There is no such subscription.", "no_such_subscription")
        return {"type": "success", "id": command.get("id"), "result": {}}

    async def _tell(self, name: str, since: int | None, feed: Feed) -> None:
        """Send what one subscription asks for; the socket closes when the server goes down."""
        async for events in feed.iter_thread(self._principal.tenant, self._thread, since=since):
            subscription = self._subscriptions.get(name)
            if subscription is None:
                return
            for event in events:
                if subscription.wants(event.channel, event.name, event.namespace):
                    async with self._sending:
                        await self._socket.send_text(event.show().decode())
        with suppress(RuntimeError):  # closed already
            await self._socket.close(1001)

    async def _watch_rights(self) -> None:
        """Close the socket some seconds after its key was revoked or lost the right."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                (await socket_principal(self._socket)).require(RUN)
            except (Unauthenticated, Forbidden):
                await self._socket.close(_POLICY_VIOLATION)
                return
            except DatabaseGone:  # nobody can tell, and what was allowed goes on
                continue

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, answer: JsonObject) -> None:
        async with self._sending:
            await self._socket.send_text(msgspec.json.encode(answer).decode())


def _refusal(command: JsonObject, message: str, code: str = "invalid_argument") -> JsonObject:
    return {"type": "error", "id": command.get("id"), "error": code, "message": message}
