"""Which kinds of queues this installation can use: each has a client of its own, which is an extra."""

from collections.abc import Callable, Mapping
from importlib import import_module

from mainspring.foundation.webguard import Gate, Reach
from mainspring.orchestration.delivery.types import EndpointKind

from .consuming import Installed

BROKER_PORTS = frozenset({80, 443, 4222, 5671, 5672, 8080, 8443})

_KINDS: Mapping[EndpointKind, tuple[str, str]] = {
    EndpointKind.NATS: ("nats", "Nats"),
    EndpointKind.RABBITMQ: ("rabbitmq", "RabbitMq"),
    EndpointKind.SQS: ("sqs", "Sqs"),
}


def find_installed(gate: Gate) -> Mapping[EndpointKind, Installed]:
    """The kinds whose clients can be imported."""
    found: dict[EndpointKind, Installed] = {}
    for kind, (module, name) in _KINDS.items():
        try:
            loaded = import_module(f"{__package__}.{module}")
        except ModuleNotFoundError as missing:
            if missing.name and missing.name.startswith("mainspring"):
                raise
            continue
        build: Callable[[Gate], object] = getattr(loaded, name)
        found[kind] = Installed(build(gate), loaded.CREDENTIALS)  # pyright: ignore[reportArgumentType] - by name
    return found


def broker_reach(setting: str, internal_hosts: frozenset[str]) -> Reach:
    """Where bridges may lead, as the operator has it."""
    return Reach(setting, "bridges", ports=BROKER_PORTS, internal_hosts=internal_hosts)
