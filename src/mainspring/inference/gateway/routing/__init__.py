"""Where a call goes: hard filters, then the tenant's preferences, and what was measured and learned."""

from .errors import NoPermittedRoute, NoRoute, UnpricedModel
from .learned import Neighbours
from .measurements import BreakerState, Measurements
from .router import Router
from .types import (
    Cause,
    Demand,
    Explanation,
    Prediction,
    Predictor,
    Ranked,
    Reason,
    Rejection,
    Route,
)

__all__ = [
    "BreakerState",
    "Cause",
    "Demand",
    "Explanation",
    "Measurements",
    "Neighbours",
    "NoPermittedRoute",
    "NoRoute",
    "Prediction",
    "Predictor",
    "Ranked",
    "Reason",
    "Rejection",
    "Route",
    "Router",
    "UnpricedModel",
]
