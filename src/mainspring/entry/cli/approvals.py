"""`mainspring approvals`: what waits for a person, exactly what will be done, and the person's word on it.

With an API key it lists and shows. To decide, people sign in (`--email`): approvals are for people, and a key
decides only where it was named itself. What is printed may quote strangers, so nothing in it reaches the terminal as
a control character.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from mainspring.entry.client import Patience
from mainspring.entry.client.approvals import ApprovalsClient
from mainspring.entry.client.approvals_types import Approval
from mainspring.entry.client.transport import Transport, decode
from mainspring.entry.stack import find_stack_url
from mainspring.foundation.errors import Conflict, InvalidInput, Unauthenticated, Unavailable
from mainspring.foundation.settings import load_settings

from .analyze import remembered_key
from .output import JsonFlag, screen, show_json, show_many

approvals = typer.Typer(help="Approvals: what waits for a person; list, show, decide.", no_args_is_help=True)


class Word(StrEnum):
    """What a person may say."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"


Email = Annotated[
    str | None, typer.Option(help="Sign in as this person; the password is asked for, or read from a pipe.")
]
TenantOption = Annotated[str | None, typer.Option(help="The tenant to sign in to; default: the person's only one.")]
ApprovalId = Annotated[str, typer.Argument(help="apr_...")]


class _SignedIn(msgspec.Struct):
    csrf_token: str


@approvals.command("list")
def list_approvals(
    mine: Annotated[bool, typer.Option(help="Only what you may decide now.")] = False,
    status: Annotated[str | None, typer.Option(help="pending, approved, rejected, expired, ...")] = None,
    email: Email = None,
    tenant: TenantOption = None,
    json: JsonFlag = False,
) -> None:
    """List approvals, newest first."""
    with _connected(email, tenant) as client:
        found = list(client.iter(mine=mine, status=status))
    rows: list[dict[str, object]] = [
        {
            "id": each.id,
            "state": each.state,
            "action": printable(each.action),
            "title": printable(each.title or ""),
            "assigned": ", ".join(each.assigned),
            "expires_at": each.expires_at,
        }
        for each in found
    ]
    if not json:  # the title says what the action does
        rows = [{name: value for name, value in row.items() if name != "action"} for row in rows]
    show_many("Approvals", rows, "Nothing waits for a person.", json)


@approvals.command("show")
def show_approval(
    approval: ApprovalId, email: Email = None, tenant: TenantOption = None, json: JsonFlag = False
) -> None:
    """Show exactly what will be done, with its digest and history."""
    with _connected(email, tenant) as client:
        _show(client.get(approval), json)


@approvals.command("decide")
def decide_approval(  # noqa: PLR0913 - each is an option of the command
    approval: ApprovalId,
    verdict: Annotated[Word, typer.Argument()],
    reason: Annotated[str | None, typer.Option(help="Why; it goes into the history.")] = None,
    arguments: Annotated[
        Path | None, typer.Option(help="For edit: a JSON file with the arguments; - reads it.")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="Of what you have read; without, it is shown and asked.")] = None,
    email: Email = None,
    tenant: TenantOption = None,
    json: JsonFlag = False,
) -> None:
    """Approve, reject or edit; exactly what will be done is shown first, unless its digest is given."""
    edited = _read_arguments(arguments) if verdict is Word.EDIT else None
    with _connected(email, tenant) as client:
        if digest is None:
            asked = client.get(approval)
            _show(asked, as_json=False)
            _require_pending(asked)
            typer.confirm(f"{verdict.value.capitalize()} this?", abort=True)
            digest = asked.digest
        decided = client.decide(approval, verdict.value, digest, reason=reason, edited_arguments=edited)
    if json:
        show_json(decided)
    else:
        screen.print(_outcome(decided), markup=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text without anything that a terminal would obey, or that hides or turns what follows."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _require_pending(asked: Approval) -> None:
    """Conflict for what is settled: nobody is asked about what can be changed no more."""
    if asked.state == "pending":
        return
    said = {"approve": "approved", "reject": "rejected", "edit": "edited and approved"}.get(asked.verdict or "")
    decided = f" It was {said} at {asked.decided_at:%Y-%m-%d %H:%M} UTC." if said and asked.decided_at else ""
    instead = f" Decide {asked.replaced_by} instead." if asked.replaced_by else ""
    raise Conflict(f"{asked.id} is {asked.state} already; nothing is left to decide.{decided}{instead}")


def _outcome(decided: Approval) -> str:
    if decided.state == "pending":
        return f"{decided.id} was edited; another person has to approve it, with the digest {decided.digest}."
    return f"{decided.id} is {decided.state}."


def _show(asked: Approval, as_json: bool) -> None:
    if as_json:
        show_json(asked)
        return
    lines = [
        f"{asked.id}  {asked.state}  expires {asked.expires_at:%Y-%m-%d %H:%M}",
        f"for {', '.join(asked.assigned)}{'  four eyes' if asked.four_eyes else ''}",
    ]
    if asked.is_shown:
        lines += ["", asked.title or "", "", asked.shown or "", ""]
        if asked.shown_digest != asked.digest:
            lines.append("! The arguments were edited after this text was written.")
        lines += [f"{asked.action}", _indented(asked.arguments), "output", _indented(asked.output)]
    else:
        lines.append("What it is about is shown to those who may decide it, or whose work it is.")
    lines.append(f"digest {asked.digest}")
    lines += [
        f"{entry.at:%Y-%m-%d %H:%M}  {entry.event}  {entry.by_name or ''}  {entry.reason or ''}"
        for entry in asked.history
    ]
    screen.print(printable("\n".join(lines)), markup=False, soft_wrap=True)


def _indented(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _read_arguments(file: Path | None) -> object:
    if file is None:
        raise InvalidInput("An edit needs --arguments FILE, with the arguments as JSON.")
    try:
        return msgspec.json.decode(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {file}; check the path.") from None
    except msgspec.DecodeError as wrong:
        raise InvalidInput(f"{file} is not JSON: {wrong}. Mend it; nothing was decided.") from None


@contextmanager
def _connected(email: str | None, tenant: str | None) -> Generator[ApprovalsClient]:
    """The API that the settings name or that runs in the data folder, as the key or as a person."""
    settings = load_settings()
    url = settings.url or find_stack_url(settings.data_dir)
    if url is None:
        raise Unavailable("No API to talk to: start `mainspring serve`, or set MAINSPRING_URL.")
    key = settings.api_key.get_secret_value() if settings.api_key else remembered_key(settings)
    if email is None and key is None:
        raise Unauthenticated("Nobody to act for: give --email to sign in, or set MAINSPRING_API_KEY.")
    transport = Transport(url.rstrip("/"), key or "", Patience())
    try:
        if email is not None:
            _sign_in(transport, email, tenant)
        yield ApprovalsClient(transport)
    finally:
        if email is not None:
            transport.http.delete("/v1/session")
        transport.http.close()


def _sign_in(transport: Transport, email: str, tenant: str | None) -> None:
    """Go on as the person; the session lasts as long as the command."""
    del transport.http.headers["authorization"]
    password = (
        typer.prompt("Password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    )
    body = {"email": email, "password": password} | ({"tenant": tenant} if tenant else {})
    answer = decode(_SignedIn, transport.call("POST", "/v1/session", json=body).content)
    transport.http.headers["x-csrf-token"] = answer.csrf_token
