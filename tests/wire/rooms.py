"""Every room of the providers that speaks a dialect, and values of the normal form that it can say."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from mainspring.inference.gateway import providers
from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.messages import Completion, Delta, InferenceRequest


class Writes(Protocol):
    """A stream's writer, of any dialect."""

    def write(self, delta: Delta) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Room:
    """One dialect, both ways."""

    name: str
    outbound: Outbound
    decode_request: Callable[[Wire], InferenceRequest]
    encode_completion: Callable[[Completion], Wire]
    writer: Callable[[], Writes]

    def read(self, *pieces: bytes) -> list[Delta]:
        """The deltas of a stream that comes in these pieces."""
        framer, reader = self.outbound.framer(), self.outbound.reader()
        deltas = [delta for piece in pieces for event in framer.feed(piece) for delta in reader.feed(event)]
        return [*deltas, *reader.end()]


def find_rooms() -> list[Room]:
    """All rooms with a codec for both ways."""
    names = [module.name for module in pkgutil.iter_modules(providers.__path__) if module.ispkg]
    modules = [import_module(f"{providers.__name__}.{name}") for name in names]
    return [_room(module) for module in modules if hasattr(module, "OUTBOUND") and hasattr(module, "decode_request")]


def gather(deltas: list[Delta]) -> Completion:
    """What a stream makes."""
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def fits(value: object, hint: Any) -> bool:
    """Whether a value is what its annotation promises, all the way down."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    if origin is not None:
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    return _is_plain(value, hint)


def _is_plain(value: object, hint: Any) -> bool:
    if hint in (None, NoneType):
        return value is None
    if hint is float:
        return type(value) in (int, float)
    if hint in (int, str, bool) or issubclass(hint, Enum):
        return type(value) is hint
    if not is_dataclass(value) or type(value) is not hint:
        return False
    hints = get_type_hints(hint)
    return all(fits(getattr(value, each.name), hints[each.name]) for each in fields(value))


def _room(module: Any) -> Room:
    inbound = getattr(module, "INBOUND", None)
    if inbound is None:
        return Room(
            module.OUTBOUND.name, module.OUTBOUND, module.decode_request, module.encode_completion, module.StreamWriter
        )
    return Room(
        module.OUTBOUND.name,
        module.OUTBOUND,
        inbound.decode_request,
        lambda completion: inbound.encode_completion(completion, 5),
        lambda: inbound.writer(5, True),
    )
