"""Ending tasks for certain, as the foundation does it."""

from mainspring.foundation.stopping import stop_all

__all__ = ["stop_all"]
