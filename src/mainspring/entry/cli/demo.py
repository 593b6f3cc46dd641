"""`mainspring demo`: everything started, a contract analysed before your eyes, a console to sign in to."""

import asyncio
import json as jsonlib
import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from mainspring.application.identity import Identity, Permission, Role, operator
from mainspring.entry.api import find_console
from mainspring.entry.client import MainspringClient
from mainspring.entry.engines import running_engines
from mainspring.entry.stack import Stack
from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.pagination import page_request
from mainspring.foundation.principal import Principal
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs
from mainspring.foundation.valkey import open_valkey
from mainspring.inference.gateway import LOCAL_CHAT
from mainspring.showcase.contracts import SAMPLES, sample_path

from .analyze import analyze_file
from .output import JsonFlag, notes, screen
from .serve import end_on_sigterm, settings_folder, stop_event, tell

_EMAIL = "owner@demo.example"


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the report.")] = False,
    sample: Annotated[str, typer.Option(help="Which sample: msa.pdf, nda.docx or saas.txt.")] = "msa.pdf",
    json: JsonFlag = False,
) -> None:
    """Start everything, analyse a sample contract live, print the report and the console's address."""
    settings, path = load_settings(), _find_sample(sample)
    began, told = time.monotonic(), notes if json else screen
    with (settings_folder(settings.data_dir) / "supervisor.log").open("a") as log_file:
        configure_logs(settings.log_level, log_file)
        stack = Stack(settings)
        try:
            end_on_sigterm()
            stack.start(lambda line: told.print(f"[dim]{time.monotonic() - began:5.1f} s  {line}[/]"))
            account = asyncio.run(_ensure_account(settings))
            with MainspringClient(stack.url, account["api_key"]) as client:
                contract = analyze_file(client, path, again=True, json=json)
            if not once:
                _invite(stack, settings, account, contract)
                stack.watch(stop_event(), tell)
                screen.print("Stopping ...")
        finally:
            stack.stop()


def _find_sample(name: str) -> Path:
    known = [variant for each in SAMPLES for variant in each.variants]
    if name not in known:
        raise InvalidInput(f"There is no sample {name!r}; there are: {', '.join(known)}.")
    return sample_path(name)


def _invite(stack: Stack, settings: Settings, account: dict[str, str], contract: str) -> None:
    screen.rule()
    for taken in stack.taken_ports:
        screen.print(f"Port {taken} is taken by another program, so this is on another one.")
    if find_console() is None:
        screen.print("The console was not built; `make demo` builds it.")
    screen.print(f"Console    [bold]{stack.url}[/]   this report: {stack.url}/contracts/{contract}", soft_wrap=True)
    screen.print(f"Sign in    {account['email']}   password: {account['password']}")
    screen.print(f"API        {stack.url}/docs   key in {settings.data_dir}/demo.json", soft_wrap=True)
    screen.print(
        f"Gateway    [bold]{stack.gateway_url}/v1[/]   for any OpenAI or Anthropic client; try:", soft_wrap=True
    )
    screen.print(_sample_call(stack.gateway_url, account["api_key"]), markup=False, soft_wrap=True)
    screen.print("Ctrl-C stops everything; the data stays for the next start.")


def _sample_call(url: str, key: str) -> str:
    """A line for the shell that asks the bundled model something."""
    body = {"model": LOCAL_CHAT, "max_tokens": 30, "messages": [{"role": "user", "content": "Say hello."}]}
    return f"  curl {url}/v1/chat/completions -H 'authorization: Bearer {key}' -d '{jsonlib.dumps(body)}'"


async def _ensure_account(settings: Settings) -> dict[str, str]:
    """The demo tenant with an owner and a key: made once, remembered in the data folder (mode 0600)."""
    path = settings.data_dir / "demo.json"
    urls = running_engines(settings)
    database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
    identity = Identity(database, valkey)
    try:
        remembered = jsonlib.loads(path.read_text()) if path.exists() else {}
        tenant = await identity.find_tenant("demo")
        if tenant and remembered:
            return await _renew_key(identity, operator(tenant.id), remembered, path)
        tenant = tenant or await identity.create_tenant("demo", "Demo Legal Team")
        principal = operator(tenant.id)
        email = _EMAIL if await identity.find_user(_EMAIL) is None else f"owner-{secrets.token_hex(3)}@demo.example"
        password = secrets.token_urlsafe(9)
        await identity.members.add(principal, email=email, name="Demo Owner", role=Role.OWNER, password=password)
        key = await identity.keys.create(principal, name="demo")
        account = {"email": email, "password": password, "api_key": key.secret}
        _remember(path, account)
        return account
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()


async def _renew_key(identity: Identity, principal: Principal, account: dict[str, str], path: Path) -> dict[str, str]:
    """A key made before there was the gateway may not call models: it is replaced."""
    page = await identity.keys.list(principal, page_request(200, None))
    mine = next((key for key in page.items if account["api_key"].startswith(key.prefix)), None)
    if mine is None or Permission.AI_MODEL_CALL.value in mine.scopes:
        return account
    renewed = account | {"api_key": (await identity.keys.create(principal, name="demo")).secret}
    _remember(path, renewed)
    await identity.keys.revoke(principal, mine.id)
    return renewed


def _remember(path: Path, account: dict[str, str]) -> None:
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(jsonlib.dumps(account))
    partial.replace(path)
