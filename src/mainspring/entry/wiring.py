"""The composition root: every service made by hand, read from top to bottom.

API, worker and tests build the same platform; tests pass other settings, never other wiring.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from mainspring.application.identity import Identity, IdentitySettings
from mainspring.entry.engines import running_engines
from mainspring.entry.gateway_slice import gateway_settings, open_vault_wrapper
from mainspring.entry.orchestration_slice import Beneath, Orchestration, build_orchestration
from mainspring.entry.record_contents import RunContents
from mainspring.foundation.clock import ShiftedClock
from mainspring.foundation.db import Database
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.settings import Settings
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import (
    Gateway,
    KeptReplies,
    Models,
    Policies,
    ProviderKeys,
    Records,
    Spending,
    build_gateway,
)
from mainspring.orchestration.products import Product, find_products


@dataclass(frozen=True, slots=True)
class Platform:
    """Every service, ready to use."""

    settings: Settings
    database: Database
    valkey: Valkey
    objects: ObjectStore
    identity: Identity
    gateway: Gateway
    records: Records
    policies: Policies
    models: Models
    provider_keys: ProviderKeys
    spending: Spending
    kept_replies: KeptReplies
    orchestration: Orchestration


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: ShiftedClock | None = None,
    products: tuple[Product, ...] | None = None,
) -> AsyncGenerator[Platform]:
    """The platform on the engines that the settings name or that run in its data folder.

    clock      None is the true time, or as far from it as the settings say
    products   None takes all that are installed
    """
    urls = running_engines(settings)
    clock = clock or ShiftedClock(timedelta(seconds=settings.clock_shift_seconds))
    products = find_products() if products is None else products
    # What was opened is closed in reverse, also when a later part can not be built: a pool left open
    # would keep the process from ending, and its error from being seen.
    async with AsyncExitStack() as opened:
        database = await Database.open(
            urls.database_url, connections=settings.database_connections, clock_shift=clock.shift_if_any
        )
        opened.push_async_callback(database.close)
        valkey = open_valkey(urls.valkey_url)
        opened.push_async_callback(valkey.aclose)
        objects = ObjectStore.open(settings.objects_url)
        identity = Identity(
            database,
            valkey,
            settings=IdentitySettings(session_lasts=timedelta(hours=settings.session_hours)),
            clock=clock,
        )
        opened.push_async_callback(identity.close)
        vault = Vault(database, open_vault_wrapper(settings))
        gateway = await build_gateway(
            gateway_settings(settings, urls.valkey_url), database, valkey, vault, directory=identity.directory
        )
        opened.push_async_callback(gateway.close)
        replies = KeptReplies(database, valkey)
        beneath = Beneath(settings, clock, database, valkey, objects, vault, gateway, identity, replies, identity)
        orchestration = build_orchestration(beneath, products, opened)
        policies = Policies(database, valkey)
        yield Platform(
            settings=settings,
            database=database,
            valkey=valkey,
            objects=objects,
            identity=identity,
            gateway=gateway,
            records=Records(database, vault, RunContents(orchestration.pipelines, orchestration.privacy)),
            policies=policies,
            models=Models(policies, gateway.engine.catalogue, clock=clock),
            provider_keys=ProviderKeys(database, valkey, vault),
            spending=Spending(database),
            kept_replies=replies,
            orchestration=orchestration,
        )
