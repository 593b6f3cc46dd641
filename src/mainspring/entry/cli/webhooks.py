"""A tenant's webhooks from the command line: list them, add one, try one, and send again what failed."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from mainspring.application.identity import operator
from mainspring.entry.delivery_slice import delivery_settings
from mainspring.entry.gateway_slice import open_vault_wrapper
from mainspring.foundation.ids import read_id, show_id
from mainspring.foundation.vault import Vault
from mainspring.orchestration.delivery import (
    Attempt,
    Beneath,
    Delivery,
    EndpointKind,
    Format,
    NewEndpoint,
    build_delivery,
)
from mainspring.orchestration.delivery.types import DELIVERY_PREFIX, ENDPOINT_PREFIX, EndpointId
from mainspring.orchestration.pipelines import Pipelines

from .opened import Opened, with_opened
from .output import JsonFlag, show_many, show_one

webhooks = typer.Typer(help="Webhooks of tenants: list, add, test, replay.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option("--tenant", help="Short name of the tenant.")]
EndpointArgument = Annotated[str, typer.Argument(help="The endpoint, as ep_...; see `webhooks list`.")]
_WAIT_SECONDS = 30.0


@webhooks.command("list")
def list_webhooks(tenant: TenantOption, json: JsonFlag = False) -> None:
    """List a tenant's webhooks with how each has been doing."""

    async def read(opened: Opened) -> list[dict[str, object]]:
        principal = operator((await opened.get_tenant(tenant)).id)
        found = await _delivery(opened).endpoints.list(principal, kinds=[EndpointKind.WEBHOOK])
        return [
            {
                "id": show_id(ENDPOINT_PREFIX, each.id),
                "url": each.url,
                "topics": " ".join(each.topics),
                "state": each.state.value,
                "success_rate": each.health.success_rate,
                "failures": each.health.failures,
                "last_failure": each.health.last_failure,
            }
            for each in found
        ]

    show_many("Webhooks", with_opened(read), f"{tenant} has none; `mainspring webhooks add` makes one.", json)


@webhooks.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(help="Where to post to; https.")],
    tenant: TenantOption,
    topic: Annotated[list[str], typer.Option(help="Which events, such as run.finished or approval.*; repeatable.")],
    format: Annotated[Format, typer.Option(help="How events are written.")] = Format.STANDARD_WEBHOOKS,  # noqa: A002
    json: JsonFlag = False,
) -> None:
    """Post a tenant's events to a web address. The signing secret is printed once."""

    from mainspring.entry.topics import known_topics  # loads every room, which the other commands need not wait for
    from mainspring.orchestration.products import find_products

    async def add(opened: Opened) -> dict[str, object]:
        principal = operator((await opened.get_tenant(tenant)).id)
        endpoints = _delivery(opened, known_topics(find_products())).endpoints
        created = await endpoints.create(principal, NewEndpoint(url, tuple(topic), format=format))
        return {"id": show_id(ENDPOINT_PREFIX, created.endpoint.id), "url": url, "secret": created.secret}

    made = with_opened(add)
    show_one(made, f"{made['id']} posts to {url}. Its secret, shown this once: {made['secret']}", json)


@webhooks.command("test")
def try_webhook(endpoint: EndpointArgument, tenant: TenantOption, json: JsonFlag = False) -> None:
    """Send a test event and tell what came of it; a worker must be running."""

    async def run(opened: Opened) -> dict[str, object]:
        principal = operator((await opened.get_tenant(tenant)).id)
        endpoints, identifier = _delivery(opened).endpoints, _endpoint_id(endpoint)
        delivery = await endpoints.send_test(principal, identifier)
        tries: tuple[Attempt, ...] = ()
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not tries:
                    await asyncio.sleep(0.2)
                    _, tries = await endpoints.get_delivery(principal, identifier, delivery.id)
        except TimeoutError:
            pass
        last = tries[-1] if tries else None
        return {
            "delivery": show_id(DELIVERY_PREFIX, delivery.id),
            "succeeded": last.succeeded if last else None,
            "status": last.status if last else None,
            "error": last.error if last else f"No worker sent it within {_WAIT_SECONDS:g} s; is one running?",
        }

    told = with_opened(run)
    show_one(told, "It was taken." if told["succeeded"] else str(told["error"]), json)
    if not told["succeeded"]:
        raise typer.Exit(1)


@webhooks.command("replay")
def replay_webhook(
    endpoint: EndpointArgument,
    tenant: TenantOption,
    hours: Annotated[float, typer.Option(help="Of the events of so many hours.")] = 24,
    all_of_them: Annotated[bool, typer.Option("--all", help="Also what was delivered.")] = False,
    json: JsonFlag = False,
) -> None:
    """Send again what failed of the last hours, under the same ids."""

    async def replay(opened: Opened) -> dict[str, object]:
        principal = operator((await opened.get_tenant(tenant)).id)
        since = datetime.now(UTC) - timedelta(hours=hours)
        endpoints = _delivery(opened).endpoints
        count = await endpoints.replay_span(principal, _endpoint_id(endpoint), since=since, failed_only=not all_of_them)
        return {"endpoint": endpoint, "count": count}

    told = with_opened(replay)
    show_one(told, f"{told['count']} are sent again.", json)


def _delivery(opened: Opened, topics: Collection[str] | None = None) -> Delivery:
    vault = Vault(opened.database, open_vault_wrapper(opened.settings))
    pipelines = Pipelines(opened.database, opened.valkey)
    return build_delivery(Beneath(opened.database, vault, pipelines, topics=topics), delivery_settings(opened.settings))


def _endpoint_id(text: str) -> EndpointId:
    return EndpointId(read_id(ENDPOINT_PREFIX, text))
