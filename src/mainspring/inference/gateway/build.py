"""The gateway put together: which endpoints exist, who the tenants are, what is limited and recorded."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.foundation.vault import Vault

from .cache import ExactCache, WireStore
from .embedding import embed_texts
from .engine.access import make_access
from .engine.again import RepliesAgain
from .engine.attempts import Attempts
from .engine.breakers import Breakers
from .engine.engine import Engine, Tenants
from .engine.lanes import Lanes
from .engine.learning import Embed, Learning
from .engine.tenants import KeptTenants
from .keeper import SnapshotKeeper
from .limits import Limiter, StoredSpend
from .models import LOCAL_EMBEDDING, Access, Catalogue, load_catalogue
from .policies import ConfigurationReader
from .ports import Directory
from .providers import litellm
from .recorder import Recorder, Sealer
from .routing.measurements import Measurements
from .routing.router import Router
from .service import Gateway
from .shipper import SettleOrphan
from .spool import Entry
from .types import CallContext, CallKind, GatewaySettings
from .upstream import Upstreams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .cache.semantic import SemanticCache


async def build_gateway(
    settings: GatewaySettings,
    database: Database,
    valkey: Valkey,
    vault: Vault,
    *,
    directory: Directory,
) -> Gateway:
    """A gateway with the configured endpoints, started: it ships records and follows changes until it is closed.

    raises   InvalidInput when the capable model has no endpoint or the operator's file is wrong;
             one of `DatabaseGone` when tenants and keys cannot be read
    """
    async with AsyncExitStack() as opened:
        wire = await ValkeyWire(settings.valkey_url).start()
        opened.push_async_callback(wire.close)
        keeper = SnapshotKeeper(database, valkey, directory, ConfigurationReader(database, vault))
        await keeper.start()
        opened.push_async_callback(keeper.close)
        tenants = KeptTenants(keeper)
        limiter = Limiter(wire, StoredSpend(database))
        engine = build_engine(
            settings, database, tenants, limiter=limiter, sealer=tenants.sealer, closing=opened.pop_all()
        )
    return Gateway(engine, keeper, _replies_again(engine, database, vault, wire))


def _replies_again(engine: Engine, database: Database, vault: Vault, wire: ValkeyWire) -> RepliesAgain:
    """Kept replies, sealed under each tenant's key; embeddings for them are calls of the tenant's like any other."""

    def semantic(tenant: TenantId) -> "SemanticCache":
        from .cache.judge import LikenessJudge  # numpy, which only tenants with a semantic cache need
        from .cache.semantic import SemanticCache

        context = CallContext(tenant, "cache", kind=CallKind.PROCESSING)

        async def embed(texts: Sequence[str]) -> "NDArray[np.float32]":
            return (await embed_texts(engine, texts, model=LOCAL_EMBEDDING, context=context)).vectors

        async def embed_one(text: str) -> "NDArray[np.float32]":
            return (await embed([text]))[0]

        return SemanticCache(database, embed_one, LOCAL_EMBEDDING, LikenessJudge(embed), vault.open_tenant)

    return RepliesAgain(ExactCache(WireStore(wire), vault.open_tenant), semantic, wire)


def build_engine(
    settings: GatewaySettings,
    database: Database,
    tenants: Tenants,
    *,
    limiter: Limiter | None = None,
    sealer: Sealer | None = None,
    closing: AsyncExitStack | None = None,
) -> Engine:
    """The engine of a process, shipping records; `closing` is closed with it."""
    clock, closing = asyncio.get_running_loop().time, closing or AsyncExitStack()
    catalogue = _catalogue(settings)
    _load_extra(catalogue, closing)
    breakers = Breakers(clock)
    measurements = Measurements(clock, breakers.state)
    upstreams = Upstreams()
    recorder = Recorder.open_in(
        settings.data_dir, database, settle_orphan=_settler(limiter) if limiter else None, sealer=sealer
    )
    recorder.start()
    engine = Engine(
        settings,
        catalogue,
        tenants,
        limiter,
        recorder,
        Lanes(upstreams, make_access),
        Attempts(breakers, measurements, settings.retry, clock),
        Router(measurements, Random()),  # noqa: S311 - it draws deployments, not secrets
        measurements,
        upstreams,
        closing,
    )
    engine.learning = Learning(database, _embedder(engine), clock)
    engine.closing.push_async_callback(engine.learning.close)
    return engine


def _embedder(engine: Engine) -> Embed:
    """Questions for routing, by the bundled model."""

    async def embed(tenant: TenantId, text: str) -> Sequence[float]:
        context = CallContext(tenant, "routing", kind=CallKind.PROCESSING)
        return (await embed_texts(engine, [text], model=LOCAL_EMBEDDING, context=context)).vectors[0].tolist()

    return embed


def _catalogue(settings: GatewaySettings) -> Catalogue:
    access = Access(
        region=settings.region,
        models_url=settings.models_url,
        openai_api_key=settings.openai_api_key,
        openai_base_url=settings.openai_base_url,
        anthropic_api_key=settings.anthropic_api_key,
        anthropic_base_url=settings.anthropic_base_url,
        gemini_api_key=settings.gemini_api_key,
        azure_api_key=settings.azure_api_key,
        azure_base_url=settings.azure_base_url,
        bedrock_region=settings.bedrock_region,
        bedrock_api_key=settings.bedrock_api_key,
        chat_model=settings.capable_model,
        secrets=os.environ,  # house: allow-environ - the model file names the variables that hold its keys
    )
    catalogue = load_catalogue(access, settings.gateway_file)
    capable = settings.capable_model
    if capable and capable.partition("/")[0] not in catalogue.names.providers:
        configured = ", ".join(sorted(catalogue.names.providers)) or "none"
        raise InvalidInput(
            f"The model {capable!r} has no configured provider (configured: {configured}). "
            "Name it <provider>/<model> and set that provider's key or base URL."
        )
    return catalogue


def _load_extra(catalogue: Catalogue, closing: AsyncExitStack) -> None:
    """Now, not at a first call: it takes seconds, and whoever lacks it should learn so at the start."""
    users = [each.name for each in catalogue.builder.endpoints if each.dialect == litellm.DIALECT]
    if users:
        closing.push_async_callback(litellm.load(users[0]).close_litellm_async_clients)


def _settler(limiter: Limiter) -> SettleOrphan:
    async def settle(entry: Entry) -> None:
        if entry.hold and entry.spend:
            await limiter.settle_orphan(entry.hold, tokens=entry.spend.tokens, cost_micros=entry.spend.cost_micros)

    return settle
