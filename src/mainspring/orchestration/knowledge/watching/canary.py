"""`Canaries`: forty fixed texts, embedded again each day, tell whether a model is still the one it was.

A vendor may change a model behind its name, a machine may get another runtime: then vectors of today no longer fit
those that are stored, and nothing fails; searches only get worse. The texts are the platform's own and no tenant's.
A model is asked once a day however many tenants use it, on behalf of one of them, another one each day: a call needs
somebody whose keys and limits it goes by, and for whom it is recorded. With a local model it costs them nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.ports import Embedder

from . import canary_store
from .canary_figures import Vectors, as_vectors, compare, pack, unpack
from .types import Figures

log = get_logger(__name__)

VERSION = 1
"""Of the texts; other texts need another version, and every model then gets a new baseline."""

_TEXTS_A_CALL = 16
_TRIES = 3
_KEPT = timedelta(days=90)


@cache
def load_texts() -> tuple[str, ...]:
    """The canary's texts, one a line of their file."""
    name = f"canary_texts.v{VERSION}.txt"
    return tuple(files(__package__ or "").joinpath(name).read_text(encoding="utf-8").splitlines())


class Canaries:
    """The daily figures of every embedding model that is in use."""

    def __init__(self, database: Database, embedder: Embedder, clock: Clock) -> None:
        self._database = database
        self._embedder = embedder
        self._clock = clock

    async def measure(self, model: str, tenants: Sequence[TenantId]) -> Figures | None:
        """Today's figures, made if there are none yet; None while another worker makes them, or nobody could.

        tenants   who use the model; should its call fail for one, the next one is tried, of three at most
        """
        at = self._clock()
        async with self._database.system() as transaction:  # house: allow-home - no tenant's rows
            done = await canary_store.find(transaction, model, VERSION, at)
            if done is not None or not await canary_store.claim(transaction, model, VERSION, at):
                return done
        vectors = await self._ask(model, tenants, at)
        async with self._database.system() as transaction:  # house: allow-home - no tenant's rows
            if vectors is None:
                await canary_store.release(transaction, model, VERSION, at)
                return None
            packed = await canary_store.find_baseline(transaction, model, VERSION)
            figures = compare(unpack(packed) if packed else vectors, vectors)
            first = None if packed else pack(vectors)
            await canary_store.finish(transaction, model, VERSION, at, figures, first)
            await canary_store.forget_before(transaction, at, _KEPT)
        return figures

    async def _ask(self, model: str, tenants: Sequence[TenantId], at: datetime) -> Vectors | None:
        turn = at.toordinal() % len(tenants)
        for tenant in (*tenants[turn:], *tenants[:turn])[:_TRIES]:
            try:
                return await self._embed(model, tenant)
            except MainspringError as failure:
                log.warning("canary_not_embedded", model=model, tenant=str(tenant), code=failure.code)
        return None

    async def _embed(self, model: str, tenant: TenantId) -> Vectors:
        texts = load_texts()
        rows: list[Sequence[float]] = []
        for start in range(0, len(texts), _TEXTS_A_CALL):
            batch = texts[start : start + _TEXTS_A_CALL]
            rows += await self._embedder.embed(tenant, batch, model=model)
        return as_vectors(rows)
