"""Indexing: chunks cut, embedded and published as one, in index versions beside each other."""

from .indexes import Indexes
from .types import Comparison, Cut, Difference, RebuildFailure, RebuildProgress

__all__ = [
    "Comparison",
    "Cut",
    "Difference",
    "Indexes",
    "RebuildFailure",
    "RebuildProgress",
]
