"""Bridges: queues of a tenant, whose messages start runs and to which events are published."""

from .consuming import Consumer, Installed
from .installed import broker_reach, find_installed
from .publishing import QueueTransport
from .queue import Queue, QueueAddress, QueueGone, QueueKind, Received, read_credentials
from .triggers import TRIGGER_PREFIX, NewTrigger, Refusal, Trigger, TriggerId, Triggers

__all__ = [
    "TRIGGER_PREFIX",
    "Consumer",
    "Installed",
    "NewTrigger",
    "Queue",
    "QueueAddress",
    "QueueGone",
    "QueueKind",
    "QueueTransport",
    "Received",
    "Refusal",
    "Trigger",
    "TriggerId",
    "Triggers",
    "broker_reach",
    "find_installed",
    "read_credentials",
]
