"""A throwaway embedded Postgres as production runs it, and the two ways in: its owner, and a tenant under RLS."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.migrations import migrate

from .corpus import Corpus, Holding
from .real_vectors import Floats

Result = TypeVar("Result")

_ENTER = "select set_config('role', 'mainspring_tenant', true), set_config('mainspring.tenant', %s, true)"


@dataclass(frozen=True, slots=True)
class Rig:
    """The database that is measured.

    admin    the owner, for loading and building
    caller   the application's login, which becomes a tenant for each transaction; its statements are planned each time
    """

    urls: EngineUrls
    folder: Path
    admin: psycopg.Connection[Any]
    caller: psycopg.Connection[Any]
    announce: Callable[[str], None]

    def ask(
        self, tenant: UUID, statement: str, parameters: Mapping[str, object], settings: Mapping[str, str] | None = None
    ) -> tuple[float, list[Any]]:
        """Milliseconds from BEGIN to the last row of a transaction under RLS, and the rows."""
        began = time.perf_counter()
        with self.caller.transaction():
            self.caller.execute(_ENTER, (str(tenant),))
            for name, value in (settings or {}).items():
                self.caller.execute("select set_config(%s, %s, true)", (name, value))
            rows = self.caller.execute(statement.encode(), parameters).fetchall()
        return (time.perf_counter() - began) * 1_000, rows

    def run(self, statement: str, parameters: Sequence[object] = ()) -> float:
        """Seconds that the owner's statement took."""
        began = time.perf_counter()
        self.admin.execute(statement.encode(), parameters or None)
        return time.perf_counter() - began

    def value(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """The first column of the first row, asked as the owner."""
        row = self.admin.execute(statement.encode(), parameters or None).fetchone()
        return row[0] if row else None

    def partition_of(self, table: str, holding: Holding) -> str:
        """The partition of a table that holds a tenant's rows."""
        return str(
            self.value(
                f"select tableoid::regclass::text from {table} where tenant_id = %s limit 1",
                (holding.tenant,),
            )
        )


@contextmanager
def open_rig(announce: Callable[[str], None]) -> Generator[Rig]:
    """Start it durable, with the product's own settings, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="mainspring-bench-") as folder:
        engines = EmbeddedEngines(Path(folder))
        try:
            urls = engines.start()
            migrate(urls.database_admin_url, login=urls.login)
            with (
                psycopg.connect(urls.database_admin_url, autocommit=True) as admin,
                psycopg.connect(urls.database_url, autocommit=True, prepare_threshold=None) as caller,
            ):
                yield Rig(urls, Path(folder), admin, caller, announce)
        finally:
            engines.stop()


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Tenants of about one size that are asked. `places` are their numbers in the corpus, the largest is 0."""

    name: str
    places: tuple[int, ...]


_BOUNDS = (("over 100k", 100_000), ("40k-100k", 40_000), ("15k-40k", 15_000), ("5k-15k", 5_000), ("1k-5k", 1_000))
_BOUNDS_SMALL = (("300-1k", 300), ("under 300", 0))


def pick_tenants(corpus: Corpus, each: int) -> tuple[SizeClass, ...]:
    """Some tenants of every size that there is."""
    drawn = random.Random(corpus.seed)
    classes: list[SizeClass] = []
    upper = corpus.chunks + 1
    for name, least in (*_BOUNDS, *_BOUNDS_SMALL):
        places = [place for place, holding in enumerate(corpus.holdings) if least <= holding.chunks < upper]
        if places:
            classes.append(SizeClass(name, tuple(sorted(drawn.sample(places, min(each, len(places)))))))
        upper = least
    return tuple(classes)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds, and the share of the ten nearest that was found (None where nothing was compared)."""

    p50: float
    p95: float
    recall: float | None = None


def summarise(milliseconds: Sequence[float], recalls: Sequence[float] = ()) -> Timing:
    """Median, 95th percentile and mean recall."""
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Timing(statistics.median(ordered), p95, statistics.mean(recalls) if recalls else None)


def as_text(vector: Floats) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and the result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
