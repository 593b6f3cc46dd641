"""`mainspring analyze FILE...`: contracts through the API, live on the terminal, through the typed client."""

import json as jsonlib
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.markup import escape

from mainspring.entry.client import MainspringClient
from mainspring.entry.stack import find_stack_url
from mainspring.foundation.errors import InvalidInput, MainspringError, Unauthenticated, Unavailable
from mainspring.foundation.settings import Settings, load_settings

from .live import LiveView
from .output import JsonFlag, notes, screen, show_json

_FOOTNOTE = re.compile(r"\[\^(\d+)\]")


def analyze(
    files: Annotated[list[Path], typer.Argument(help="PDF, DOCX, Markdown or text.")],
    playbook: Annotated[str | None, typer.Option(help="Playbook to hold them against; default: the tenant's.")] = None,
    again: Annotated[bool, typer.Option(help="Analyse files again that were analysed before.")] = False,
    json: JsonFlag = False,
) -> None:
    """Analyse contracts, show each step as it happens, and print the reports. Exit code 1 if one failed."""
    failed = 0
    with connect(load_settings()) as client:
        for path in files:
            try:
                analyze_file(client, path, playbook=playbook, again=again, json=json)
            except MainspringError as error:
                failed += 1
                notes.print(f"{path}: {error.detail} [{error.code}]", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def analyze_file(
    client: MainspringClient, path: Path, *, playbook: str | None = None, again: bool = False, json: bool = False
) -> str:
    """Submit one file, follow it, print its report; returns the contract's id. A failed run raises."""
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}; check the path.")
    submitted = client.upload_contract(path, playbook=playbook)
    wants_other = playbook is not None and playbook != submitted.contract.playbook
    if submitted.duplicate and (again or wants_other) and submitted.run.status != "queued":
        submitted = client.analyze_again(submitted.contract.id, playbook=playbook)
    elif submitted.duplicate and not json:
        notes.print(f"{escape(path.name)} was analysed before; showing that report (--again repeats it).")
    view = LiveView(notes if json else screen)
    if not json:
        screen.print(f"\n[bold]{escape(path.name)}[/]  {submitted.contract.id}  {submitted.run.id}")
    status = view.follow(client.events(submitted.run.id))
    if status != "succeeded":
        raise InvalidInput(view.error or f"The analysis ended as {status}.")
    if json:
        show_json(jsonlib.loads(client.download_report(submitted.contract.id, "json")))
    else:
        screen.print()
        report = client.download_report(submitted.contract.id, "md").decode()
        screen.print(Markdown(_FOOTNOTE.sub(r"(\1)", report)))  # terminals know no footnotes
    return submitted.contract.id


def connect(settings: Settings) -> MainspringClient:
    """A client of the API that the settings name, or of the one that runs in the data folder."""
    url = settings.url or find_stack_url(settings.data_dir)
    if url is None:
        raise Unavailable("No API to talk to: start `mainspring serve`, or set MAINSPRING_URL.")
    key = settings.api_key.get_secret_value() if settings.api_key else remembered_key(settings)
    if key is None:
        raise Unauthenticated("No API key: set MAINSPRING_API_KEY; `mainspring key create TENANT` makes one.")
    return MainspringClient(url, key)


def remembered_key(settings: Settings) -> str | None:
    """The key of the demo tenant, where `mainspring demo` has run."""
    try:
        return jsonlib.loads((settings.data_dir / "demo.json").read_text())["api_key"]
    except (FileNotFoundError, KeyError, jsonlib.JSONDecodeError):
        return None
