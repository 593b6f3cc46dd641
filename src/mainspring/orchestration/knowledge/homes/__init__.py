"""Where a tenant's knowledge lives, and the only doors to it."""

from .clean import Cleaner, Left
from .homes import Homes
from .move import Moved, Mover, Pace, Server
from .places import SHARED, Home, Place, Tier
from .settings import read_databases, read_servers

__all__ = [
    "SHARED",
    "Cleaner",
    "Home",
    "Homes",
    "Left",
    "Moved",
    "Mover",
    "Pace",
    "Place",
    "Server",
    "Tier",
    "read_databases",
    "read_servers",
]
