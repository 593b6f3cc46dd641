"""The same call is carried out once, whoever makes it again and whoever died in the middle."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.vault import Vault
from mainspring.orchestration.tools.claims import Claims
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.overview import ToolOverview, purge_tool_calls
from mainspring.orchestration.tools.service import Toolbox
from mainspring.orchestration.tools.types import Effects, ResultStatus, Tool, ToolContext, ToolPolicy
from tests.inference.gateway.conftest import wait_until
from tests.orchestration.tools.workshop import Workshop


@dataclass
class Post:
    """A post office that carries a letter once for each key, and may be told to be slow."""

    letters: dict[str, str] = field(default_factory=dict[str, str])
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> "Post":
        self.gate.set()
        return self

    @property
    def tool(self) -> Tool:
        @tool(effects=Effects.WRITES)
        async def send(context: ToolContext, text: str) -> str:
            """Send a letter."""
            self.asked += 1
            self.letters.setdefault(context.idempotency_key, text)
            await self.gate.wait()
            return f"sent as {len(self.letters)}"

        return send


async def test_the_same_call_again_gives_the_first_answer_and_does_nothing(workshop: Workshop):
    post = Post().open()
    box, caller = workshop.box([post.tool]), workshop.caller()
    first = await box.call(caller, "send", {"text": "hello"}, call_id="1")
    again = await workshop.box([post.tool]).call(caller, "send", '{ "text": "hello" }', call_id="1")
    assert (first, post.asked) == (again, 1)
    assert first.content == "sent as 1"


async def test_a_call_made_twice_at_once_is_done_once_and_answers_both(workshop: Workshop):
    post = Post()
    box, caller = workshop.box([post.tool]), workshop.caller()
    calls = [asyncio.create_task(box.call(caller, "send", {"text": "hello"}, call_id="1")) for _ in range(5)]

    async def is_asked() -> bool:
        return post.asked == 1

    await wait_until(is_asked)
    post.open()
    assert {(await each).content for each in calls} == {"sent as 1"}
    assert post.asked == 1


async def test_an_id_used_for_another_call_is_refused(workshop: Workshop):
    post = Post().open()
    box, caller = workshop.box([post.tool]), workshop.caller()
    await box.call(caller, "send", {"text": "hello"}, call_id="1")
    other = await box.call(caller, "send", {"text": "goodbye"}, call_id="1")
    assert other.error is not None
    assert (other.error.code, post.asked) == ("call_id_reused", 1)
    elsewhere = await box.call(workshop.caller(scope="thread:2"), "send", {"text": "goodbye"}, call_id="1")
    assert elsewhere.status is ResultStatus.OK


async def die_in(box: Toolbox, workshop: Workshop, post: Post) -> None:
    """A process that is gone in the middle of a call: nothing of it is written any more."""
    call = asyncio.create_task(box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1"))

    async def is_asked() -> bool:
        return post.asked == 1

    await wait_until(is_asked)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    post.open()


async def test_a_call_whose_process_died_is_made_again_under_the_same_key(workshop: Workshop):
    post = Post()
    box = workshop.box([post.tool])
    await die_in(box, workshop, post)
    result = await box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1")
    assert result.content == "sent as 1"
    assert (post.asked, len(post.letters)) == (2, 1), "asked twice, carried once"


async def test_an_approved_call_whose_process_died_is_made_again_and_nobody_is_asked_twice(workshop: Workshop):
    post, caller = Post(), workshop.caller()
    box = workshop.box([post.tool])
    await workshop.allow("send", ToolPolicy(needs_approval=True))
    asked = await box.call(caller, "send", {"text": "hello"}, call_id="1")
    assert asked.approval is not None
    workshop.desk.approve(asked.approval)
    await die_in(box, workshop, post)
    result = await box.call(caller, "send", {"text": "hello"}, call_id="1")
    assert (result.content, post.asked, len(workshop.desk.requests)) == ("sent as 1", 2, 1)


async def test_what_cannot_be_repeated_is_not_and_says_that_nobody_knows(workshop: Workshop):
    post = Post()
    box = workshop.box([replace(post.tool, is_repeatable=False)])
    await die_in(box, workshop, post)
    result = await box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1")
    assert result.error is not None
    assert (result.error.code, post.asked) == ("outcome_unknown", 1)
    assert await box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1") == result


async def test_a_holder_keeps_its_call_for_longer_than_a_lease(workshop: Workshop, database: Database):
    post = Post()
    box = workshop.box([post.tool])
    call = asyncio.create_task(box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1"))

    async def is_renewed() -> bool:
        rows = await workshop.rows("tool_call where leased_until > created_at + interval '1.5 seconds'")
        return len(rows) == 1

    await wait_until(is_renewed)
    again = asyncio.create_task(box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1"))
    post.open()
    assert (await call, post.asked) == (await again, 1)


async def test_who_lost_a_call_to_another_writes_nothing_more(workshop: Workshop, database: Database):
    post = Post()
    box = workshop.box([post.tool])
    call = asyncio.create_task(box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1"))

    async def is_asked() -> bool:
        return post.asked == 1

    await wait_until(is_asked)
    async with database.tenant(workshop.tenant) as transaction:
        await transaction.run("update tool_call set fence = fence + 1 where tenant_id = %(t)s", t=workshop.tenant)
    lost = await call
    assert lost.error is not None
    assert (lost.error.code, lost.error.retryable) == ("call_in_progress", True)
    (row,) = await workshop.rows("tool_call")
    assert (row["status"], row["fence"]) == ("running", 2)


async def test_calls_are_listed_by_scope_and_run_and_only_in_their_tenant(workshop: Workshop, database: Database):
    post = Post().open()
    box = workshop.box([post.tool])
    for number in range(3):
        await box.call(workshop.caller(scope=f"thread:{number}"), "send", {"text": "hello"}, call_id="1")
    overview = ToolOverview(database, box.access)
    page = await overview.list_calls(workshop.admin, PageRequest(limit=2))
    assert [each.scope for each in page.items] == ["thread:2", "thread:1"]
    assert page.next_cursor is not None
    (one,) = (await overview.list_calls(workshop.admin, PageRequest(), scope="thread:0")).items
    assert (one.tool, one.status, one.result, one.attempt) == ("send", "done", ResultStatus.OK, 1)
    (listed,) = await overview.list_tools(workshop.admin)
    assert (listed.stats.calls, listed.stats.failed) == (3, 0)


async def test_calls_are_forgotten_with_their_scope_and_by_age(workshop: Workshop, database: Database):
    post = Post().open()
    box = workshop.box([post.tool])
    await box.call(workshop.caller(), "send", {"text": "hello"}, call_id="1")
    await box.call(workshop.caller(scope="thread:2"), "send", {"text": "hello"}, call_id="1")
    assert await box.forget(workshop.tenant, "thread:1") == 1
    assert len(await workshop.rows("tool_call")) == 1
    assert await purge_tool_calls(database, before=now()) >= 1
    assert await workshop.rows("tool_call") == []


async def test_a_result_is_sealed_for_its_call_alone(workshop: Workshop, database: Database, vault: Vault):
    post = Post().open()
    await workshop.box([post.tool]).call(workshop.caller(), "send", {"text": "a canary sings"}, call_id="1")
    (row,) = await workshop.rows("tool_call")
    assert b"sent" not in bytes(row["result"])
    assert (await vault.open_tenant(workshop.tenant)).unseal("tool_result", row["id"], bytes(row["result"]))
    assert isinstance(Claims(database, vault), Claims)
