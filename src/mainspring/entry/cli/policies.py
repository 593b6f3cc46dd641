"""A tenant's gateway policy and its own provider keys, and what the router would do with a call."""

import sys
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import msgspec
import typer

from mainspring.application.identity import operator
from mainspring.entry.gateway_slice import open_vault_wrapper
from mainspring.entry.stack import find_stack_gateway
from mainspring.foundation.errors import InvalidInput, Unauthenticated, Unavailable
from mainspring.foundation.settings import load_settings
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import Policies, ProviderKeys

from .analyze import remembered_key
from .opened import Opened, with_opened
from .output import JsonFlag, screen, show_json, show_many, show_one, show_table

policies = typer.Typer(help="Gateway policies of tenants: show, set.", no_args_is_help=True)
provider_keys = typer.Typer(
    help="Tenants' own keys at providers: set (from stdin), list, delete.", no_args_is_help=True
)
routes = typer.Typer(help="Routing of model calls: explain.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option("--tenant", help="Short name of the tenant.")]
Provider = Annotated[str, typer.Argument(help="The provider, such as openai.")]


@policies.command("show")
def show_policy(tenant: TenantOption, json: JsonFlag = False) -> None:
    """Print a tenant's policy as JSON; what it does not name has its default. `policy set` takes it back."""

    async def read(opened: Opened) -> dict[str, object]:
        found = await _policies(opened).get(operator((await opened.get_tenant(tenant)).id))
        policy = msgspec.to_builtins(found.policy)
        return {"version": found.version, "updated_at": found.updated_at, "by": found.updated_by, "policy": policy}

    shown = with_opened(read)
    show_json(shown if json else shown["policy"])


@policies.command("set")
def set_policy(
    tenant: TenantOption,
    file: Annotated[Path, typer.Argument(help="JSON file with the whole policy; - reads standard input.")],
    over: Annotated[
        int | None, typer.Option(help="Only in the place of this version; default: whichever is there.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Put a whole policy in the place of a tenant's; every gateway follows it within a second."""
    document = _read_document(file)

    async def replace(opened: Opened) -> dict[str, object]:
        principal = operator((await opened.get_tenant(tenant)).id)
        rooms = _policies(opened)
        version = (await rooms.get(principal)).version if over is None else over
        stored = await rooms.replace(principal, document, over=version)
        return {"tenant": tenant, "version": stored.version}

    stored = with_opened(replace)
    show_one(stored, f"The policy of {tenant} is now version {stored['version']}.", json)


@provider_keys.command("set")
def set_provider_key(tenant: TenantOption, provider: Provider, json: JsonFlag = False) -> None:
    """Store a tenant's own key at a provider, read from standard input so that no shell history holds it."""
    key = typer.prompt("Key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read().strip()

    async def put(opened: Opened) -> dict[str, object]:
        principal = operator((await opened.get_tenant(tenant)).id)
        facts = await _provider_keys(opened).put(principal, provider, key)
        return {"tenant": tenant, "provider": facts.provider, "last_four": facts.last_four}

    stored = with_opened(put)
    show_one(stored, f"Calls of {tenant} to {provider} now use its key ending in {stored['last_four']}.", json)


@provider_keys.command("list")
def list_provider_keys(tenant: TenantOption, json: JsonFlag = False) -> None:
    """List a tenant's own keys: the last four characters of each, and what is wrong with one that cannot be used."""

    async def read(opened: Opened) -> list[dict[str, object]]:
        found = await _provider_keys(opened).list(operator((await opened.get_tenant(tenant)).id))
        return [
            {
                "provider": facts.provider,
                "last_four": facts.last_four,
                "created_at": facts.created_at,
                "created_by": facts.created_by,
                "trouble": facts.trouble,
            }
            for facts in found
        ]

    show_many("Provider keys", with_opened(read), f"{tenant} has none: calls use the platform's.", json)


@provider_keys.command("delete")
def delete_provider_key(tenant: TenantOption, provider: Provider, json: JsonFlag = False) -> None:
    """Forget a tenant's own key; its calls go back to the platform's."""

    async def delete(opened: Opened) -> dict[str, object]:
        await _provider_keys(opened).delete(operator((await opened.get_tenant(tenant)).id), provider)
        return {"tenant": tenant, "provider": provider, "state": "deleted"}

    show_one(with_opened(delete), f"The key of {tenant} for {provider} is forgotten.", json)


@routes.command("explain")
def explain_route(
    text: Annotated[str, typer.Argument(help="What the call would say.")] = "Hello.",
    model: Annotated[str, typer.Option(help="The model it would ask for.")] = "auto",
    json: JsonFlag = False,
) -> None:
    """Show which deployments a call would be tried at, in order and why, and which are left out. Calls no model."""
    settings = load_settings()
    url = find_stack_gateway(settings.data_dir)
    if url is None:
        raise Unavailable("No gateway to ask: start `mainspring serve`.")
    key = settings.api_key.get_secret_value() if settings.api_key else remembered_key(settings)
    if key is None:
        raise Unauthenticated("No API key: set MAINSPRING_API_KEY; `mainspring key create TENANT` makes one.")
    told = _ask(f"{url}/v1/route:explain", key, {"model": model, "messages": [{"role": "user", "content": text}]})
    if json:
        show_json(told)
    else:
        _show_explanation(told)


def _ask(url: str, key: str, body: dict[str, object]) -> dict[str, Any]:
    try:
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(url, headers=headers, json=body, timeout=10, trust_env=False)
    except httpx.HTTPError as failure:
        raise Unavailable(f"The gateway at {url} cannot be reached ({type(failure).__name__}).") from None
    told = cast(dict[str, Any], answer.json())
    if answer.is_error:
        raise InvalidInput(str(told["error"]["message"]))
    return told


def _show_explanation(told: dict[str, Any]) -> None:
    shown = ("rank", "name", "why", "estimate_micros", "ttft_ms", "error_share", "breaker")
    rows = [{name: each[name] for name in shown} for each in told["candidates"]]
    code, detail = told["refusal"] or ("", "")
    show_table("Tried in this order", rows, empty=f"The call would be refused: {detail} [{code}]")
    show_table("Left out", told["rejected"], empty="No deployment is left out.")
    for warning in told["warnings"]:
        screen.print(f"! {warning}", markup=False, soft_wrap=True)


def _read_document(file: Path) -> object:
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return msgspec.json.decode(text)
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {file}; check the path.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise InvalidInput(f"{file} is not JSON: {wrong}. Mend it; nothing was changed.") from None


def _policies(opened: Opened) -> Policies:
    return Policies(opened.database, opened.valkey)


def _provider_keys(opened: Opened) -> ProviderKeys:
    vault = Vault(opened.database, open_vault_wrapper(opened.settings))
    return ProviderKeys(opened.database, opened.valkey, vault)
