"""Where a tenant's knowledge lives, and the only doors to it."""

from .homes import Homes
from .move import Moved, Mover, Pace, Server
from .places import SHARED, Home, Place, Tier

__all__ = ["SHARED", "Home", "Homes", "Moved", "Mover", "Pace", "Place", "Server", "Tier"]
