"""Checkpoints of graphs, kept per tenant and written only by the attempt that leads the run."""

from .fence import Fence, IdleOnly
from .pruning import DEFAULT_HISTORY, prune_thread
from .saver import TenantSaver

__all__ = ["DEFAULT_HISTORY", "Fence", "IdleOnly", "TenantSaver", "prune_thread"]
