"""A call gets one answer that says how it is meant, is checked before and recorded after, and leaks nothing."""

import asyncio
from datetime import timedelta

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import Records
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.errors import ToolAway, ToolError, ToolInvalid
from mainspring.orchestration.tools.testing import FlagBoard
from mainspring.orchestration.tools.types import (
    Effects,
    Empty,
    Partial,
    Rate,
    ResultStatus,
    Tool,
    ToolContext,
    ToolPolicy,
)
from tests.inference.gateway.conftest import wait_until
from tests.orchestration.tools.workshop import Workshop

OK, EMPTY, PARTIAL, FAILED = ResultStatus.OK, ResultStatus.EMPTY, ResultStatus.PARTIAL, ResultStatus.FAILED


@tool(effects=Effects.READS)
async def look(words: str, limit: int = 3) -> object:
    """Look words up."""
    answers: dict[str, object] = {
        "everything": ["a", "b"],
        "nothing": [],
        "none": None,
        "some": Partial(["a"], "The second shelf is closed."),
        "nowhere": Empty("All three shelves were searched."),
        "much": "ä" * 100_000,
        "zero": 0,
    }
    if words in answers:
        return answers[words]
    if words == "broken":
        raise ValueError("the password is hunter2")
    if words == "closed":
        raise ToolError("The shelf is closed until Monday.")
    if words == "shape":
        return object()
    raise ToolAway("The shelf does not answer.")


@pytest.mark.parametrize(
    ("words", "status", "content"),
    [
        ("everything", OK, ["a", "b"]),
        ("nothing", EMPTY, None),
        ("none", EMPTY, None),
        ("zero", OK, 0),
        ("some", PARTIAL, ["a"]),
        ("nowhere", EMPTY, None),
        ("broken", FAILED, None),
        ("closed", FAILED, None),
        ("away", FAILED, None),
        ("shape", FAILED, None),
    ],
)
async def test_results_tell_success_nothing_a_part_and_failure_apart(
    workshop: Workshop, words: str, status: ResultStatus, content: object
):
    result = await workshop.box([look]).call(workshop.caller(), "look", {"words": words}, call_id=words)
    assert (result.status, result.content) == (status, content)
    assert (result.error is not None) == (status is FAILED)


async def test_a_failure_tells_what_the_tool_meant_for_others_and_nothing_else(workshop: Workshop):
    box, caller = workshop.box([look]), workshop.caller()
    closed = await box.call(caller, "look", {"words": "closed"}, call_id="1")
    broken = await box.call(caller, "look", {"words": "broken"}, call_id="2")
    assert closed.error is not None
    assert broken.error is not None
    assert (closed.error.code, closed.error.detail) == ("tool_failed", "The shelf is closed until Monday.")
    assert broken.error.code == "tool_crashed"
    assert "hunter2" not in repr(broken)


async def test_a_long_result_is_cut_with_a_mark_and_says_so(workshop: Workshop):
    result = await workshop.box([look]).call(workshop.caller(), "look", {"words": "much"}, call_id="1")
    assert result.status is PARTIAL
    assert len(result.content.encode()) <= look.max_output_bytes
    assert result.content.endswith("characters left out]")
    assert "of 100,000 characters are left out" in str(result.note)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ('{"words": 5}', "/words: 5 is not of type string"),
        ("{}", 'the property "words" is missing'),
        ('{"words": "a", "page": 2}', 'the property "page" is not allowed'),
        ('{"words": "a"', "not one JSON value"),
        ("[]", "not of type object"),
        ("", 'the property "words" is missing'),
    ],
)
async def test_wrong_arguments_are_answered_with_lines_to_mend_them_by(workshop: Workshop, arguments: str, says: str):
    result = await workshop.box([look]).call(workshop.caller(), "look", arguments, call_id="1")
    assert result.status is FAILED
    assert result.error is not None
    assert result.error.code == "invalid_arguments"
    assert says in result.error.detail


async def test_an_unknown_tool_is_answered_with_the_nearest_names(workshop: Workshop):
    result = await workshop.box([look]).call(workshop.caller(), "lock", {}, call_id="1")
    assert result.error is not None
    assert (result.error.code, "Did you mean look?" in result.error.detail) == ("tool_unknown", True)


async def test_a_tool_that_takes_too_long_is_stopped(workshop: Workshop):
    stopped = asyncio.Event()

    @tool(timeout=timedelta(milliseconds=50))
    async def dawdle() -> None:
        """Take long."""
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    result = await workshop.box([dawdle]).call(workshop.caller(), "dawdle", {}, call_id="1")
    assert result.error is not None
    assert (result.error.code, result.error.retryable, stopped.is_set()) == ("tool_timed_out", True, True)


async def test_failures_that_may_pass_are_tried_again_and_others_are_not(workshop: Workshop):
    tries: list[str] = []

    @tool(retries=2)
    async def ring(number: str) -> str:
        """Ring."""
        tries.append(number)
        if number == "wrong":
            raise ToolError("There is no such number.")
        if len(tries) < 3 or number == "dead":
            raise ConnectionResetError
        return "hello"

    box, caller = workshop.box([ring]), workshop.caller()
    assert (await box.call(caller, "ring", {"number": "busy"}, call_id="1")).content == "hello"
    assert tries == ["busy"] * 3
    tries.clear()
    dead = await box.call(caller, "ring", {"number": "dead"}, call_id="2")
    assert (tries, dead.error and dead.error.code) == (["dead"] * 3, "tool_away")
    tries.clear()
    await box.call(caller, "ring", {"number": "wrong"}, call_id="3")
    assert tries == ["wrong"]


async def test_a_rate_is_kept_for_each_tenant_and_tool(workshop: Workshop, other_tenant: object):
    @tool(rate=Rate(2, timedelta(hours=1)))
    async def knock() -> str:
        """Knock."""
        return "who is there?"

    box, caller = workshop.box([knock, look]), workshop.caller()
    answers = [await box.call(caller, "knock", {}, call_id=str(n)) for n in range(3)]
    assert [each.status for each in answers] == [OK, OK, FAILED]
    limited = answers[2].error
    assert limited is not None
    assert (limited.code, limited.retryable) == ("tool_rate_limited", True)
    assert 1700 < (limited.retry_after_seconds or 0) <= 1800
    assert (await box.call(caller, "knock", {}, call_id="0")).status is OK, "an answer given again costs nothing"
    assert (await box.call(caller, "look", {"words": "zero"}, call_id="x")).status is OK


async def test_who_may_not_use_a_tool_is_told_that_there_is_none(workshop: Workshop):
    @tool(permission="contract.delete")
    async def shred() -> str:
        """Shred."""
        return "gone"

    box = workshop.box([shred])
    refused = await box.call(workshop.caller("contract.upload"), "shred", {}, call_id="1")
    assert refused.error is not None
    assert (refused.error.code, "no tool" in refused.error.detail) == ("tool_unknown", True)
    assert (await box.call(workshop.caller("contract.delete"), "shred", {}, call_id="2")).content == "gone"
    assert await box.visible(workshop.principal()) == ()


@pytest.mark.parametrize(
    ("policy", "works_for"),
    [
        (ToolPolicy(is_enabled=False), set[str]()),
        (ToolPolicy(roles=("reviewer",)), {"reviewer"}),
        (ToolPolicy(permission="contract.delete"), set[str]()),
        (ToolPolicy(flag="new-look"), {"reviewer", "viewer"}),
        (ToolPolicy(flag="other"), set[str]()),
    ],
)
async def test_a_policy_narrows_who_may_use_a_tool(workshop: Workshop, policy: ToolPolicy, works_for: set[str]):
    box = workshop.box([look], flags=FlagBoard(frozenset({"new-look"})))
    await workshop.allow("look", policy)
    works = {
        role
        for role in ("reviewer", "viewer")
        if (await box.call(workshop.caller(role=role), "look", {"words": "zero"}, call_id=role)).status is OK
    }
    assert works == works_for


async def test_a_tool_behind_a_flag_is_off_until_flags_say_otherwise(workshop: Workshop):
    @tool(flag="beta")
    async def peek() -> str:
        """Peek."""
        return "seen"

    assert await workshop.box([peek]).visible(workshop.principal()) == ()
    assert len(await workshop.box([peek], flags=FlagBoard(frozenset({"beta"}))).visible(workshop.principal())) == 1


async def test_a_bad_policy_is_refused_by_its_field(workshop: Workshop):
    with pytest.raises(InvalidInput, match="approvers holds 'The Boss'"):
        await workshop.allow("look", ToolPolicy(approvers=("The Boss",)))
    with pytest.raises(InvalidInput, match="approval_expires_seconds"):
        await workshop.allow("look", ToolPolicy(approval_expires=timedelta(0)))


async def test_two_tools_of_one_name_are_refused(workshop: Workshop):
    with pytest.raises(ToolInvalid, match="Two tools are called 'look'"):
        workshop.box([look, look])


async def test_each_call_leaves_one_sealed_record_of_what_went_in_and_came_out(
    workshop: Workshop, database: Database, vault: Vault
):
    box, caller = workshop.box([look]), workshop.caller("ai.output.view")
    await box.call(caller, "look", {"words": "everything"}, call_id="1")
    await box.call(caller, "look", {"words": "everything"}, call_id="1")
    await box.call(caller, "look", {"words": 7}, call_id="2")

    async def both_are_there() -> bool:
        return len(await workshop.rows("inference_record")) >= 2

    await wait_until(both_are_there)
    first, second = sorted(await workshop.rows("inference_record"), key=lambda row: row["id"])
    assert (first["operation"], first["model_asked"], first["provider"]) == ("tool", "look", "tools")
    assert (first["status"], first["finish_reason"], first["attempts"]) == ("ok", "ok", 1)
    assert (second["status"], second["error_code"]) == ("error", "invalid_arguments")
    (call,) = await workshop.rows("tool_call")
    assert call["record_id"] == first["id"]
    assert b"everything" not in bytes(call["result"])
    shown = await Records(database).get(caller.principal, first["id"])
    assert shown.input == {"words": "everything"}
    assert shown.output is not None
    assert shown.output.body is not None
    assert (shown.output.body["status"], shown.output.body["content"]) == ("ok", ["a", "b"])


async def test_a_model_is_offered_what_its_caller_may_use(workshop: Workshop):
    box = workshop.box([look])
    (offered,) = await box.offer(workshop.principal(), ["look", "unknown"])
    assert (offered.name, offered.description) == ("look", "Look words up.")
    assert offered.parameters["required"] == ["words"]


async def test_a_context_tells_the_tool_for_whom_it_works(workshop: Workshop):
    seen: list[ToolContext] = []

    @tool()
    async def note(context: ToolContext) -> str:
        """Note."""
        seen.append(context)
        return "noted"

    caller = workshop.caller(scope="thread:7")
    assert (await workshop.box([note]).call(caller, "note", "", call_id="c1")).status is OK
    (context,) = seen
    assert (context.tenant, context.scope, context.call_id) == (workshop.tenant, "thread:7", "c1")


@pytest.mark.parametrize(("scope", "call_id"), [("", "1"), ("a", ""), ("a\n", "1"), ("a", "x" * 201)])
async def test_names_that_cannot_be_kept_are_refused(workshop: Workshop, scope: str, call_id: str):
    with pytest.raises(InvalidInput, match="printable"):
        await workshop.box([look]).call(workshop.caller(scope=scope), "look", {}, call_id=call_id)


def test_a_tool_shows_no_function_in_its_repr():
    assert isinstance(look, Tool)
    assert "invoke" not in repr(look)
