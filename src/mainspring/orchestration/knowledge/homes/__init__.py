"""Where a tenant's knowledge lives, and the only doors to it."""

from .homes import Homes

__all__ = ["Homes"]
