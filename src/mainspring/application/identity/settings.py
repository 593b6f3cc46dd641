"""The room's slice of configuration; `entry` fills it from the platform's settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from .credentials import PasswordCost
from .throttle import Allowance


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How long a session lasts, how often a sign-in may be tried, and the price of a password hash."""

    session_lasts: timedelta = timedelta(hours=12)
    allowance: Allowance = field(default_factory=Allowance)
    password_cost: PasswordCost = field(default_factory=PasswordCost)
