"""Checkpoints of graphs, kept per tenant and written only by the attempt that leads the run."""

from .fence import Fence, IdleOnly
from .pruning import DEFAULT_HISTORY, copy_thread_in, delete_thread_in, prune_thread, undo_run_in
from .saver import TenantSaver

__all__ = [
    "DEFAULT_HISTORY",
    "Fence",
    "IdleOnly",
    "TenantSaver",
    "copy_thread_in",
    "delete_thread_in",
    "prune_thread",
    "undo_run_in",
]
