"""The next index, built by durable steps: filled at the tenant's pace, then compared with the one that is searched."""

from .pipeline import REBUILD, build_rebuild
from .rebuilds import Rebuilds
from .types import Compared, Filled, RebuildRef, StartedRebuild

__all__ = ["REBUILD", "Compared", "Filled", "RebuildRef", "Rebuilds", "StartedRebuild", "build_rebuild"]
