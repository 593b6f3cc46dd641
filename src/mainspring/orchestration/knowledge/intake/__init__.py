"""Documents as callers hand them in: whether this caller may give this name these bytes and these readers."""

from .intake import Intake

__all__ = ["Intake"]
