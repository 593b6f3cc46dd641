"""How a tenant's knowledge stands, at one glance."""

from .overview import Overview
from .types import FailureCause, IndexFilling, Queue, Standing

__all__ = ["FailureCause", "IndexFilling", "Overview", "Queue", "Standing"]
