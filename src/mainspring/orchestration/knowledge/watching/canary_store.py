"""SQL of the canary: rows of the platform itself, one for each model and day. Only the first keeps its vectors."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from mainspring.foundation.db import SystemTransaction

from .store import LEASE
from .types import Figures


async def find(transaction: SystemTransaction, model: str, version: int, at: datetime) -> Figures | None:
    """The figures of that day; None while there are none."""
    row = await transaction.first(
        """select figures from embedding_canary
            where model = %(model)s and version = %(version)s and day = %(day)s and is_done""",
        **_key(model, version, at),
    )
    return row["figures"] if row else None


async def find_baseline(transaction: SystemTransaction, model: str, version: int) -> bytes | None:
    """The first vectors that the model made of these texts, packed."""
    row = await transaction.first(
        """select vectors from embedding_canary
            where model = %(model)s and version = %(version)s and vectors is not null order by day limit 1""",
        model=model,
        version=version,
    )
    return bytes(row["vectors"]) if row else None


async def claim(transaction: SystemTransaction, model: str, version: int, at: datetime) -> bool:
    """Whether asking the model is now this worker's: nobody else has, or is at it."""
    claimed = await transaction.run(
        """insert into embedding_canary (model, version, day, claimed_at)
           values (%(model)s, %(version)s, %(day)s, %(at)s)
           on conflict (model, version, day) do update set claimed_at = excluded.claimed_at
            where not embedding_canary.is_done and embedding_canary.claimed_at < excluded.claimed_at - %(lease)s""",
        **_key(model, version, at),
        at=at,
        lease=LEASE,
    )
    return claimed == 1


async def release(transaction: SystemTransaction, model: str, version: int, at: datetime) -> None:
    """Let go of a claim whose work failed, so that the next round may try."""
    await transaction.run(
        """delete from embedding_canary
            where model = %(model)s and version = %(version)s and day = %(day)s and not is_done""",
        **_key(model, version, at),
    )


async def finish(
    transaction: SystemTransaction, model: str, version: int, at: datetime, figures: Figures, vectors: bytes | None
) -> None:
    """Write down what was found; `vectors` where they are the baseline of the days to come."""
    await transaction.run(
        """update embedding_canary set is_done = true, figures = %(figures)s, vectors = %(vectors)s
            where model = %(model)s and version = %(version)s and day = %(day)s and not is_done""",
        **_key(model, version, at),
        figures=Jsonb(dict(figures)),
        vectors=vectors,
    )


async def forget_before(transaction: SystemTransaction, at: datetime, keep: timedelta) -> None:
    """Let go of old days; baselines stay."""
    await transaction.run(
        "delete from embedding_canary where day < %(day)s and vectors is null", day=(at - keep).date()
    )


def _key(model: str, version: int, at: datetime) -> Mapping[str, object]:
    return {"model": model, "version": version, "day": at.date()}
