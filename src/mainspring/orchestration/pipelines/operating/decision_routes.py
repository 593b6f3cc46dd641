"""HTTP: dead letters, decisions about many at once, and holds."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal

from .decision_schemas import (
    BulkPage,
    BulkShape,
    CancelManyAsked,
    DiscardAsked,
    DiscardManyAsked,
    HoldAsked,
    HoldList,
    HoldShape,
    LetterDetailShape,
    LetterGroupList,
    LetterPage,
    LettersAsked,
    bulk_shape,
    hold_shape,
    letter_detail_shape,
    letter_group_shape,
    letter_shape,
)
from .operating import Operating
from .run_routes import OPERATE, READ, Number, Text, read_run_id
from .types import (
    BULK_PREFIX,
    HOLD_PREFIX,
    LETTER_PREFIX,
    BulkAction,
    BulkId,
    HoldId,
    LetterFilter,
    LetterId,
    LetterState,
    RunFilter,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which dead letters, as it came."""

    state: Annotated[LetterState | None, Query()] = None
    pipeline: Text = None
    version: Number = None
    step: Text = None
    error_code: Text = None
    fingerprint: Text = None
    run: Text = None

    def read(self) -> LetterFilter:
        """The filter; NotFound for a run that is none."""
        return LetterFilter(
            state=self.state,
            pipeline=self.pipeline,
            version=self.version,
            step=self.step,
            error_code=self.error_code,
            fingerprint=self.fingerprint,
            run=read_run_id(self.run) if self.run else None,
        )


def add_letters(router: APIRouter, operating: Operating) -> None:
    """Dead letters: looked at, and decided one by one."""

    @router.get("/dead-letters")
    async def list_letters(
        principal: CurrentPrincipal, paging: Paging, asked: Annotated[_Asked, Depends()]
    ) -> LetterPage:
        """Dead letters that match, newest first; with no `state`, of every state."""
        principal.require(READ)
        page = await operating.letters.list(principal.tenant, paging, asked.read())
        shown = await operating.veil.cover_letters(principal, page.items)
        return LetterPage(items=[letter_shape(letter) for letter in shown], next_cursor=page.next_cursor)

    @router.get("/dead-letters/groups")
    async def list_groups(principal: CurrentPrincipal, pipeline: Text = None, step: Text = None) -> LetterGroupList:
        """The causes of what is open, the most frequent first, each with its newest letter; 200 at most.

        Counted over the newest 50,000 open letters.
        """
        principal.require(READ)
        groups = await operating.letters.list_groups(principal.tenant, pipeline=pipeline, step=step)
        examples = await operating.veil.cover_letters(principal, [group.example for group in groups])
        shown = [replace(group, example=example) for group, example in zip(groups, examples, strict=True)]
        return LetterGroupList(items=[letter_group_shape(group) for group in shown])

    @router.get("/dead-letters/{letter}")
    async def get_letter(principal: CurrentPrincipal, letter: str) -> LetterDetailShape:
        """One dead letter with what its step was given, and the trace of the failure."""
        principal.require(READ)
        found = await operating.letters.get(principal.tenant, _letter_id(letter))
        (shown,) = await operating.veil.cover_letters(principal, [found])
        return letter_detail_shape(shown)

    @router.post("/dead-letters/{letter}/replay", status_code=status.HTTP_202_ACCEPTED)
    async def replay_letter(principal: CurrentPrincipal, letter: str) -> LetterDetailShape:
        """Retry the letter's run from the failed step, in a new run (`replayed_as`); a second time changes nothing."""
        identifier = await _may_decide(operating, principal, letter)
        return letter_detail_shape(await operating.letters.replay(principal, identifier))

    @router.post("/dead-letters/{letter}/discard")
    async def discard_letter(principal: CurrentPrincipal, letter: str, body: DiscardAsked) -> LetterDetailShape:
        """Decide that nothing will be done, and why."""
        identifier = await _may_decide(operating, principal, letter)
        return letter_detail_shape(await operating.letters.discard(principal, identifier, body.reason))

    @router.post("/dead-letters/{letter}/restore")
    async def restore_letter(principal: CurrentPrincipal, letter: str) -> LetterDetailShape:
        """Take a discard back: the letter is open again."""
        identifier = await _may_decide(operating, principal, letter)
        return letter_detail_shape(await operating.letters.restore(principal, identifier))


def add_bulk(router: APIRouter, operating: Operating) -> None:
    """Decisions about many at once."""

    @router.post("/dead-letters:replay")
    async def replay_letters(
        principal: CurrentPrincipal, response: Response, body: LettersAsked | None = None
    ) -> BulkShape:
        """Replay the open dead letters that match, or all of them: each run once, however often this is asked.

        200 when it is done, 202 when workers carry it on: follow it at `/v1/bulk-actions/{id}`.
        """
        principal.require(OPERATE)
        return _told(response, await operating.bulk.replay_letters(principal, _letters(body or LettersAsked())))

    @router.post("/dead-letters:discard")
    async def discard_letters(principal: CurrentPrincipal, response: Response, body: DiscardManyAsked) -> BulkShape:
        """Discard the open dead letters that match, or all of them, for a reason. 200 or 202 as replaying."""
        principal.require(OPERATE)
        return _told(response, await operating.bulk.discard_letters(principal, _letters(body), body.reason))

    @router.post("/runs:cancel")
    async def cancel_runs(principal: CurrentPrincipal, response: Response, body: CancelManyAsked) -> BulkShape:
        """Cancel the unfinished runs that match; `all` when nothing else is said. 200 or 202 as replaying."""
        principal.require(OPERATE)
        asked = RunFilter(
            status=body.status,
            pipeline=body.pipeline,
            version=body.version,
            step=body.step,
            subject=body.subject,
            created_after=body.created_after,
            created_before=body.created_before,
            parent=read_run_id(body.parent) if body.parent else None,
        )
        if asked == RunFilter() and not body.all:
            raise InvalidInput('Say which runs, or {"all": true} to cancel every unfinished run of the tenant.')
        return _told(response, await operating.bulk.cancel_runs(principal, asked, body.reason))

    @router.get("/bulk-actions")
    async def list_bulk_actions(principal: CurrentPrincipal, paging: Paging) -> BulkPage:
        """Decisions about many, newest first."""
        principal.require(READ)
        page = await operating.bulk.list(principal.tenant, paging)
        return BulkPage(items=[bulk_shape(each) for each in page.items], next_cursor=page.next_cursor)

    @router.get("/bulk-actions/{bulk}")
    async def get_bulk_action(principal: CurrentPrincipal, bulk: str) -> BulkShape:
        """How far one has come."""
        principal.require(READ)
        return bulk_shape(await operating.bulk.get(principal.tenant, BulkId(read_id(BULK_PREFIX, bulk))))


def add_holds(router: APIRouter, operating: Operating) -> None:
    """Holds: pause or drain, and let go."""

    @router.get("/holds")
    async def list_holds(principal: CurrentPrincipal) -> HoldList:
        """What is held, the newest first."""
        principal.require(READ)
        return HoldList(items=[hold_shape(hold) for hold in await operating.holds.list(principal.tenant)])

    @router.post("/holds", status_code=status.HTTP_201_CREATED)
    async def hold(principal: CurrentPrincipal, body: HoldAsked) -> HoldShape:
        """Start nothing more (`pause`), or take nothing more in and let what is there run out (`drain`).

        Of a pipeline, one step of it, or with neither everything of the tenant. The same hold twice is one.
        """
        principal.require(OPERATE)
        held = (body.pipeline, body.step)
        made = await operating.holds.hold(principal.tenant, body.kind, held, reason=body.reason, by=principal.name)
        return hold_shape(made)

    @router.delete("/holds/{hold}")
    async def release(principal: CurrentPrincipal, hold: str) -> HoldShape:
        """Let go: what waited is started again at once."""
        principal.require(OPERATE)
        return hold_shape(await operating.holds.release(principal.tenant, HoldId(read_id(HOLD_PREFIX, hold))))


def _letter_id(text: str) -> LetterId:
    return LetterId(read_id(LETTER_PREFIX, text))


def _letters(body: LettersAsked) -> LetterFilter:
    return LetterFilter(
        pipeline=body.pipeline,
        version=body.version,
        step=body.step,
        error_code=body.error_code,
        fingerprint=body.fingerprint,
        run=read_run_id(body.run) if body.run else None,
    )


def _told(response: Response, bulk: BulkAction) -> BulkShape:
    response.status_code = status.HTTP_200_OK if bulk.state == "finished" else status.HTTP_202_ACCEPTED
    return bulk_shape(bulk)


async def _may_decide(operating: Operating, principal: Principal, letter: str) -> LetterId:
    """The letter's id, when the caller may decide about it."""
    principal.require(OPERATE)
    found = await operating.letters.get(principal.tenant, _letter_id(letter))
    await operating.veil.refuse(principal, found.subject)
    return found.id
