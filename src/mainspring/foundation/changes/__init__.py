"""Changes: how every process learns at once that a tenant has changed what it configured."""

from .bell import CHANNEL, EVERYONE, announce, listen
from .log import ChangeLog, Changes

__all__ = ["CHANNEL", "EVERYONE", "ChangeLog", "Changes", "announce", "listen"]
