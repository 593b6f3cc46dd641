"""Approvals through the Python client and the command line, against a served API."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mainspring.application.identity import Role
from mainspring.application.identity.testing import PASSWORD, Person, make_key
from mainspring.entry.cli.app import build_app
from mainspring.entry.client import ApiError, Patience
from mainspring.entry.client.approvals import ApprovalsClient
from mainspring.entry.client.transport import Transport
from mainspring.foundation.errors import Conflict
from mainspring.foundation.ids import show_id
from mainspring.orchestration.approvals import Approval, State
from tests.orchestration.approvals.office import PAYMENT, Office


@dataclass(frozen=True, slots=True)
class Terminal:
    """The command line of somebody at a served API."""

    url: str
    folder: Path

    async def run(self, *words: str, by: Person | None = None, typed: str = "") -> Result:
        """`mainspring approvals ...`, as a person who signs in."""
        who = ["--email", by.member.user.email] if by else []
        environment = {
            "MAINSPRING_URL": self.url,
            "MAINSPRING_DATA_DIR": str(self.folder),
            "MAINSPRING_API_KEY": None,
            "COLUMNS": "200",
        }
        typed = f"{PASSWORD}\n{typed}" if by else typed
        return await asyncio.to_thread(
            CliRunner().invoke, build_app(), ["approvals", *words, *who], input=typed, env=environment
        )


@pytest.fixture
async def terminal(office: Office, tmp_path: Path) -> AsyncIterator[Terminal]:
    """The tenant's API, and a terminal at it."""
    async with office.served() as url:
        yield Terminal(url, tmp_path)


async def state_of(office: Office, asked: Approval) -> State:
    reviewer = await office.member()
    return (await office.approvals.get(reviewer, asked.id)).approval.state


async def test_a_reviewer_decides_at_the_terminal_after_reading(office: Office, terminal: Terminal):
    reviewer, asked = await office.person(), await office.ask()
    name = show_id("apr", asked.id)
    listed = await terminal.run("list", "--mine", by=reviewer)
    assert name in listed.output
    assert PAYMENT.title in listed.output
    no = await terminal.run("decide", name, "approve", by=reviewer, typed="n\n")
    assert (no.exit_code, await state_of(office, asked)) == (1, State.PENDING)
    yes = await terminal.run("decide", name, "approve", "--reason", "Due.", by=reviewer, typed="y\n")
    assert '"amount_cents": 125000' in yes.output
    assert f"{name} is approved." in yes.output
    shown = await terminal.run("show", name, "--json", by=reviewer)
    assert json.loads(shown.output)["reason"] == "Due."


async def test_what_is_decided_is_said_to_be_and_not_asked_again(office: Office, terminal: Terminal):
    reviewer, asked = await office.person(), await office.ask()
    name = show_id("apr", asked.id)
    await terminal.run("decide", name, "approve", by=reviewer, typed="y\n")
    again = await terminal.run("decide", name, "reject", by=reviewer, typed="y\n")
    assert "this?" not in again.output
    assert isinstance(again.exception, Conflict)
    assert f"{name} is approved already" in again.exception.detail
    assert "It was approved at 20" in again.exception.detail
    assert await state_of(office, asked) is State.APPROVED


async def test_an_edit_at_the_terminal_waits_for_another_person(office: Office, terminal: Terminal, tmp_path: Path):
    first, second, asked = await office.person(), await office.person(), await office.ask()
    name, arguments = show_id("apr", asked.id), tmp_path / "arguments.json"
    arguments.write_text('{"to": "Fabrikam", "amount_cents": 1}')
    words = ("decide", name, "edit", "--arguments", str(arguments), "--digest", asked.digest)
    edited = await terminal.run(*words, by=first)
    assert "another person has to approve it" in edited.output
    digest = (await office.approvals.get(second.principal, asked.id)).approval.digest
    done = await terminal.run("decide", name, "approve", "--digest", digest, "--json", by=second)
    assert json.loads(done.output)["verdict"] == "edit"


async def test_what_strangers_wrote_moves_no_terminal(office: Office, terminal: Terminal):
    hostile = "Pay \x1b[2J\x1b]0;owned\x07 \u202e[bold red]now[/]"
    asked = await office.ask(replace(PAYMENT, shown=hostile, arguments={"note": hostile}))
    shown = await terminal.run("show", show_id("apr", asked.id), by=await office.person())
    assert "[bold red]now[/]" in shown.output
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.output)


async def test_nobody_decides_at_the_terminal_without_a_name(office: Office, terminal: Terminal):
    asked = await office.ask()
    nobody = await terminal.run("list")
    assert nobody.exit_code == 1
    assert "--email" in str(nobody.exception)
    assert await state_of(office, asked) is State.PENDING


async def test_programs_read_and_decide_where_their_key_is_named(office: Office, terminal: Terminal):
    analyst = await office.member(Role.ANALYST)
    made = await make_key(office.identity, office.tenant_row)
    named = await office.ask(replace(PAYMENT, roles=(f"key:{show_id('key', made.key.id)}",)), by=analyst)
    await office.ask()

    def use() -> None:
        transport = Transport(terminal.url, made.secret, Patience())
        client = ApprovalsClient(transport)
        (waiting,) = client.iter(mine=True)
        assert len(list(client.iter())) == 2
        assert len(list(client.iter(status="approved"))) == 0
        asked = client.get(waiting.id)
        assert (asked.arguments, asked.output) == (PAYMENT.arguments, PAYMENT.output)
        edited = client.edit(asked, {"amount_cents": 1}, reason="Less.")
        assert (edited.state, edited.revision, len(edited.history)) == ("pending", 2, 2)
        with pytest.raises(ApiError) as own:
            client.approve(edited)
        assert own.value.code == "four_eyes"
        with pytest.raises(ApiError) as stale:
            client.delegate(edited.id, "role:admin")
        assert stale.value.code == "four_eyes"
        assert client.withdraw(edited.id, reason="Enough.").state == "withdrawn"
        transport.http.close()

    await asyncio.to_thread(use)
    assert (await office.approvals.get(analyst, named.id)).approval.reason is None


async def test_programs_reject_and_delegate(office: Office, terminal: Terminal):
    made = await make_key(office.identity, office.tenant_row)
    roles = (f"key:{show_id('key', made.key.id)}",)
    first, second = await office.ask(replace(PAYMENT, roles=roles)), await office.ask(replace(PAYMENT, roles=roles))

    def use() -> None:
        transport = Transport(terminal.url, made.secret, Patience())
        client = ApprovalsClient(transport)
        assert client.delegate(show_id("apr", first.id), "role:admin").assigned == (*roles, "role:admin")
        assert client.reject(client.get(show_id("apr", second.id))).state == "rejected"
        transport.http.close()

    await asyncio.to_thread(use)
