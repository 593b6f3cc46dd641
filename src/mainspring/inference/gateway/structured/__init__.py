"""Structured output: replies held against the JSON schema they were asked for."""

from mainspring.inference.gateway.structured.check import Fit, Misfit, Violation, check
from mainspring.inference.gateway.structured.compiled import CompiledSchema, SchemaCache
from mainspring.inference.gateway.structured.ladder import (
    Ask,
    Attempt,
    Outcome,
    StructuredReply,
    UnfitReply,
    obtain,
    repair_turn,
    unfit,
    watch,
)
from mainspring.inference.gateway.structured.typed import close_schema, format_for, read_reply, repair
from mainspring.inference.gateway.structured.watch import Watcher

__all__ = [
    "Ask",
    "Attempt",
    "CompiledSchema",
    "Fit",
    "Misfit",
    "Outcome",
    "SchemaCache",
    "StructuredReply",
    "UnfitReply",
    "Violation",
    "Watcher",
    "check",
    "close_schema",
    "format_for",
    "obtain",
    "read_reply",
    "repair",
    "repair_turn",
    "unfit",
    "watch",
]
