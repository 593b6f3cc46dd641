"""One adapter for each queue. The libraries live in an environment of their own and are imported by name only there."""

from importlib import import_module

from bench.queue.types import Library, Place

NAMES = ("ours", "procrastinate", "pgqueuer", "celery", "taskiq", "streaq")

SHOWN = {"ours": "mainspring", "celery": "celery (Valkey)", "taskiq": "taskiq-redis"}
"""The names in the table, where they differ."""


def make(name: str, place: Place) -> Library:
    """The library's adapter in this place."""
    if name not in NAMES:
        raise LookupError(f"there is no library {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"{__name__}.{name}").Adapter(place)
