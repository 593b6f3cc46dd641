"""A worker process to be killed while its pool computes: `python pool_holder.py`."""

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from mainspring.orchestration.pipelines.pools import PooledFunction
from mainspring.orchestration.pipelines.types import ProcessPool
from tests.orchestration.pipelines import pooled
from tests.orchestration.pipelines.scenes import Number


async def hold() -> None:
    """Run a step that never ends."""
    run: Any = SimpleNamespace(step="only", attempt=1, idempotency_key="key")
    await PooledFunction(pooled.freeze, ProcessPool(memory_mb=128), "pools.freeze")(Number(1), run)


if __name__ == "__main__":
    asyncio.run(hold())
