"""The data plane: the gateway's door for programs, raw HTTP on both sides."""

from .doors import Doors
from .http import Server

__all__ = ["Doors", "Server"]
