"""`Triggers`: the queues whose messages start runs, set up, looked at and removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Vault
from mainspring.orchestration.delivery import bridge_store
from mainspring.orchestration.delivery.errors import EndpointInvalid, TooManyEndpoints
from mainspring.orchestration.delivery.starting import Starter
from mainspring.orchestration.delivery.types import MAX_DESCRIPTION, EndpointKind

from .consuming import SEALED_KIND, Installed
from .queue import QueueAddress, read_credentials

MANAGE = "delivery.manage"
TRIGGER_PREFIX = "trg"
MAX_TRIGGERS = 50

TriggerId = NewType("TriggerId", UUID)


@dataclass(frozen=True, slots=True)
class NewTrigger:
    """What a tenant asks for. `secret` holds credentials as JSON."""

    kind: EndpointKind
    url: str
    address: str
    pipeline: str
    description: str = ""
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A queue whose messages start a pipeline.

    trouble  what keeps it from consuming now
    taken    messages that started a run, or found it started
    refused  messages that were of no use
    """

    id: TriggerId
    kind: EndpointKind
    url: str
    address: str
    pipeline: str
    description: str
    is_on: bool
    is_consumed: bool
    trouble: str | None
    taken: int
    refused: int
    last_message_at: datetime | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was of no use. `excerpt` is data of others, to be shown as text only."""

    message: str
    reason: str
    excerpt: str
    at: datetime


class Triggers:
    """Use cases on the triggers of the principal's tenant; each needs `delivery.manage`."""

    def __init__(
        self, database: Database, vault: Vault, starter: Starter, kinds: Mapping[EndpointKind, Installed]
    ) -> None:
        self._database = database
        self._vault = vault
        self._starter = starter
        self._kinds = dict(kinds)

    async def create(self, principal: Principal, new: NewTrigger) -> Trigger:
        """Set up a trigger; it is consumed within seconds. EndpointInvalid, UrlRefused, TooManyEndpoints."""
        principal.require(MANAGE)
        installed = self._kinds.get(new.kind)
        if installed is None:
            raise EndpointInvalid(f"The client for {new.kind.value} is not installed here; ask the operator.")
        if len(new.description) > MAX_DESCRIPTION or "\0" in new.description:
            raise EndpointInvalid(f"The description has {len(new.description)} characters; {MAX_DESCRIPTION} at most.")
        self._starter.check(new.pipeline)
        credentials = read_credentials(new.secret, installed.credentials)
        installed.kind.check(QueueAddress(new.url, new.address, credentials), receives=True)
        trigger, sealed = new_id(), None
        if new.secret:
            sealed = (await self._vault.open_tenant(principal.tenant)).seal(SEALED_KIND, trigger, new.secret.encode())
        row = {
            "id": trigger,
            "kind": new.kind.value,
            "url": new.url,
            "address": new.address,
            "pipeline": new.pipeline,
            "description": new.description,
            "sealed": sealed,
            "by": principal.name,
        }
        async with self._database.tenant(principal.tenant) as transaction:
            if len(await bridge_store.list_triggers(transaction)) >= MAX_TRIGGERS:
                raise TooManyEndpoints(f"There are {MAX_TRIGGERS} triggers, the most there may be; delete one first.")
            return _read(await bridge_store.insert_trigger(transaction, row))

    async def list(self, principal: Principal) -> list[Trigger]:
        """Every trigger, the oldest first."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            return [_read(row) for row in await bridge_store.list_triggers(transaction)]

    async def get(self, principal: Principal, trigger: TriggerId) -> Trigger:
        """One trigger; NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await bridge_store.list_triggers(transaction, trigger=trigger)
        if not rows:
            raise _not_found(trigger)
        return _read(rows[0])

    async def turn(self, principal: Principal, trigger: TriggerId, *, is_on: bool) -> Trigger:
        """Let it be consumed, or stop that within seconds; NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await bridge_store.set_on(transaction, trigger, is_on=is_on):
                raise _not_found(trigger)
        return await self.get(principal, trigger)

    async def delete(self, principal: Principal, trigger: TriggerId) -> None:
        """Forget it; its messages stay in the queue. NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await bridge_store.delete_trigger(transaction, trigger):
                raise _not_found(trigger)

    async def list_refusals(self, principal: Principal, trigger: TriggerId, request: PageRequest) -> Page[Refusal]:
        """Messages that were of no use, the newest first; NotFound."""
        await self.get(principal, trigger)
        (before,) = request.key(UUID)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await bridge_store.list_refusals(transaction, trigger, limit=request.limit + 1, before=before)
        shown, has_more = cut_page(rows, request)
        items = tuple(Refusal(row["message"], row["reason"], row["excerpt"], row["at"]) for row in shown)
        return Page(items, make_cursor(str(shown[-1]["id"])) if has_more else None)


def _not_found(trigger: TriggerId) -> NotFound:
    return NotFound(f"There is no trigger {show_id(TRIGGER_PREFIX, trigger)}.")


def _read(row: Row) -> Trigger:
    return Trigger(
        id=TriggerId(row["id"]),
        kind=EndpointKind(row["kind"]),
        url=row["url"],
        address=row["address"],
        pipeline=row["pipeline"],
        description=row["description"],
        is_on=row["is_on"],
        is_consumed=row["holder"] is not None and row["trouble"] is None and row["is_on"],
        trouble=row["trouble"],
        taken=row["taken"],
        refused=row["refused"],
        last_message_at=row["last_message_at"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
