"""What stays of a thread's checkpoints: a long thread would else keep every state it ever had, whole.

Kept are the latest `history` checkpoints, the end of every branch, and what graphs inside the graph stored on
behalf of one that is kept. Interrupts wait at the latest checkpoint, or at the end of a branch. Threads with
channels that are rebuilt from all their writes (LangGraph's DeltaChannel) stay whole.
"""

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.ids import TenantId

from . import store

DEFAULT_HISTORY = 20
"""How many checkpoints of a thread stay after a run, for going back."""


async def prune_thread(database: Database, tenant: TenantId, thread: str, *, history: int) -> int:
    """Delete what is not kept, and return how many checkpoints went.

    history  how many of the latest stay, at least 1
    """
    async with database.tenant(tenant) as transaction:
        return await prune_in(transaction, thread, history=history)


async def undo_run_in(transaction: TenantTransaction, run: str) -> None:
    """Delete what a run wrote, in the transaction that takes the run away."""
    for thread in await store.delete_runs(transaction, [run]):
        await store.delete_unused_blobs(transaction, thread)


async def delete_thread_in(transaction: TenantTransaction, thread: str) -> None:
    """Delete all checkpoints of a thread, in the transaction that deletes the thread."""
    await store.delete_threads(transaction, [thread])


async def copy_thread_in(transaction: TenantTransaction, source: str, target: str) -> None:
    """Copy all checkpoints of a thread, in the transaction that makes the other one."""
    await store.copy_thread(transaction, source, target)


async def prune_in(transaction: TenantTransaction, thread: str, *, history: int, branches: bool = True) -> int:
    """As `prune_thread`, within a transaction; `branches` says whether the ends of branches stay."""
    rows = await store.outline(transaction, thread)
    if any(row["is_delta"] for row in rows):
        return 0
    kept = choose(rows, history=max(1, history), branches=branches)
    gone = [key for row in rows if (key := _key(row)) not in kept]
    if gone:
        namespaces, ids = zip(*gone, strict=True)
        await store.delete_checkpoints(transaction, thread, namespaces, ids)
    await store.delete_unused_blobs(transaction, thread)
    return len(gone)


def choose(rows: list[Row], *, history: int, branches: bool) -> set[tuple[str, str]]:
    """The (namespace, id) of the checkpoints that stay; `rows` newest first, as `store.outline` has them."""
    roots = [row for row in rows if row["checkpoint_ns"] == ""]
    parents = {row["parent_checkpoint_id"] for row in roots}
    kept = {row["checkpoint_id"] for row in roots[:history]}
    if branches:
        kept |= {row["checkpoint_id"] for row in roots if row["checkpoint_id"] not in parents}
    saved = {row["checkpoint_id"] for row in roots}
    chosen = {("", each) for each in kept}
    counts: dict[str, int] = {}
    for row in rows:
        namespace, root = row["checkpoint_ns"], row["root"]
        if namespace == "":
            continue
        counts[namespace] = counts.get(namespace, 0) + 1
        # A call's namespace ends in the id of its task; one without is a subgraph with a memory of its own.
        of_call = ":" in namespace and root in saved
        if root in kept if of_call else counts[namespace] <= history:
            chosen.add(_key(row))
    return chosen


def _key(row: Row) -> tuple[str, str]:
    return row["checkpoint_ns"], row["checkpoint_id"]
