"""HTTP: queues whose messages start runs."""

from fastapi import APIRouter, status

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.orchestration.delivery.bridges import TRIGGER_PREFIX, TriggerId, Triggers
from mainspring.orchestration.delivery.schemas import (
    CreateTrigger,
    RefusalPage,
    TriggerList,
    TriggerShape,
    TurnTrigger,
    show_refusal,
    show_trigger,
)
from mainspring.orchestration.delivery.service import MANAGE


def add_triggers(router: APIRouter, triggers: Triggers) -> APIRouter:
    """The routes of /v1/bridges/triggers."""

    @router.get("")
    async def list_triggers(principal: CurrentPrincipal) -> TriggerList:
        """Every trigger, the oldest first; there are 50 at most. Needs `delivery.manage`."""
        principal.require(MANAGE)
        return TriggerList(items=[show_trigger(each) for each in await triggers.list(principal)])

    @router.post("", status_code=status.HTTP_201_CREATED)
    async def create_trigger(principal: CurrentPrincipal, body: CreateTrigger) -> TriggerShape:
        """Let the messages of a queue start a pipeline. Needs `delivery.manage`.

        Errors: `endpoint_invalid` (422), `url_refused` (422), `too_many_endpoints` (409).
        """
        principal.require(MANAGE)
        return show_trigger(await triggers.create(principal, body.read()))

    @router.get("/{trigger}")
    async def get_trigger(principal: CurrentPrincipal, trigger: str) -> TriggerShape:
        """One trigger, and what keeps it from being consumed. Needs `delivery.manage`."""
        principal.require(MANAGE)
        return show_trigger(await triggers.get(principal, _trigger_id(trigger)))

    @router.patch("/{trigger}")
    async def turn_trigger(principal: CurrentPrincipal, trigger: str, body: TurnTrigger) -> TriggerShape:
        """Let it be consumed, or stop that within seconds. Needs `delivery.manage`."""
        principal.require(MANAGE)
        return show_trigger(await triggers.turn(principal, _trigger_id(trigger), is_on=body.is_on))

    @router.delete("/{trigger}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_trigger(principal: CurrentPrincipal, trigger: str) -> None:
        """Forget it; its messages stay in the queue. Needs `delivery.manage`."""
        principal.require(MANAGE)
        await triggers.delete(principal, _trigger_id(trigger))

    @router.get("/{trigger}/refusals")
    async def list_refusals(principal: CurrentPrincipal, trigger: str, paging: Paging) -> RefusalPage:
        """Messages that were of no use and why, the newest first. Needs `delivery.manage`."""
        principal.require(MANAGE)
        page = await triggers.list_refusals(principal, _trigger_id(trigger), paging)
        return RefusalPage(items=[show_refusal(each) for each in page.items], next_cursor=page.next_cursor)

    return router


def _trigger_id(text: str) -> TriggerId:
    return TriggerId(read_id(TRIGGER_PREFIX, text))
