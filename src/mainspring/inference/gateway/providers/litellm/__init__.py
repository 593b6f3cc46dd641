"""Providers that we do not speak, through the `litellm` package in process: an optional extra.

It is loaded where an endpoint of the model file says `dialect = "litellm"`, and nowhere else.
"""

from .lane import LiteLlmLane
from .loading import DIALECT, load

__all__ = ["DIALECT", "LiteLlmLane", "load"]
