"""Approximate indexes for the largest tenants: built while others write, checked before use, watched, and dropped."""

from .promotions import Promotions
from .recall import measure_recall
from .types import Held, Kept, Policy, Recall

__all__ = ["Held", "Kept", "Policy", "Promotions", "Recall", "measure_recall"]
