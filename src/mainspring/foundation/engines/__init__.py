"""The embedded engines: Postgres and Valkey as child processes from wheels, and the folder lock around them.

Production fills in URLs instead; nothing above this room can tell the difference.
"""

from .embedded import EmbeddedEngines, EngineUrls, find_running
from .process import ChildProcess, ChildSpec, find_free_port, port_is_free

__all__ = [
    "ChildProcess",
    "ChildSpec",
    "EmbeddedEngines",
    "EngineUrls",
    "find_free_port",
    "find_running",
    "port_is_free",
]
