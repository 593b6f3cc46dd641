"""Mainspring: the backend an AI-first B2B product runs on.

What a product is built from can be taken from here; each name is loaded when it is first asked for, so that a process
which needs one room does not pay for all (`__init__.pyi` tells type checkers where they are).

    from mainspring import Pipeline, Product, StepRun
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOMS = {
    "mainspring.foundation.http": ("CurrentPrincipal",),
    "mainspring.foundation.outbox": ("OutboxEvent",),
    "mainspring.foundation.principal": ("Principal",),
    "mainspring.inference.gateway": ("CallContext", "Gateway"),
    "mainspring.inference.messages": ("InferenceRequest", "assistant", "system", "user"),
    "mainspring.orchestration.agents": ("Agent", "AgentGraph", "AgentLimits", "AgentTools", "react_agent"),
    "mainspring.orchestration.approvals": ("Approvals", "Decision", "Proposal", "Verdict"),
    "mainspring.orchestration.pipelines": (
        "Abandon",
        "CostCeilingReached",
        "Elapsed",
        "FindingAdded",
        "Gathered",
        "ItemFailure",
        "LiveEvents",
        "Pipeline",
        "Pipelines",
        "PooledRun",
        "ProcessPool",
        "Retry",
        "Run",
        "RunShape",
        "RunStatus",
        "StepRun",
        "Undo",
        "Urgency",
        "Wait",
        "for_run",
        "for_signal",
        "for_time",
        "run_shape",
    ),
    "mainspring.orchestration.products": ("Brought", "Product", "Services"),
    "mainspring.orchestration.tools": (
        "Effects",
        "Empty",
        "Partial",
        "Rate",
        "Toolbox",
        "ToolAway",
        "ToolCaller",
        "ToolContext",
        "ToolError",
        "tool",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = ["__version__", *_ROOM_OF]  # noqa: PLE0604 # pyright: ignore[reportUnsupportedDunderAll] - strings, from above


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'mainspring' has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF[name]), name)
