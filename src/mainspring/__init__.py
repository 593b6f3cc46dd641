"""Mainspring: the backend an AI-first B2B product runs on.

What a product is built from can be taken from here; each name is loaded when it is first asked for, so that a process
which needs one room does not pay for all (`__init__.pyi` tells type checkers where they are).

    from mainspring import Pipeline, Product, StepRun
"""

# pyright: reportUnsupportedDunderAll=false
# The names come from `__getattr__` below; a test holds them to what the stub tells.

from importlib import import_module

__version__ = "0.1.0"

__all__ = [
    "Abandon",
    "Brought",
    "CallContext",
    "CostCeilingReached",
    "CurrentPrincipal",
    "Elapsed",
    "FindingAdded",
    "Gateway",
    "Gathered",
    "InferenceRequest",
    "Pipeline",
    "Pipelines",
    "Principal",
    "ProcessPool",
    "Product",
    "Retry",
    "Run",
    "RunShape",
    "RunStatus",
    "Services",
    "StepRun",
    "Undo",
    "Urgency",
    "Wait",
    "__version__",
    "assistant",
    "for_run",
    "for_signal",
    "for_time",
    "run_shape",
    "system",
    "user",
]

_ROOMS = {
    "mainspring.foundation.http": ("CurrentPrincipal",),
    "mainspring.foundation.principal": ("Principal",),
    "mainspring.inference.gateway": ("CallContext", "Gateway"),
    "mainspring.inference.messages": ("InferenceRequest", "assistant", "system", "user"),
    "mainspring.orchestration.pipelines": (
        "Abandon",
        "CostCeilingReached",
        "Elapsed",
        "FindingAdded",
        "Gathered",
        "Pipeline",
        "Pipelines",
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
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'mainspring' has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF[name]), name)
