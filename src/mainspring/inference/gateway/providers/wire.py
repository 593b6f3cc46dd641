"""What codecs share: finding the fields they have no word for, and putting them back.

A codec names the fields it understands; `rest` collects all others, and `put_back` merges them
into what goes out, one level deep, if the dialect is the same. Null is the same as absent.
Decoders read what strangers wrote: `misshapen_is` says which error any wrong shape becomes.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec

from mainspring.inference.gateway.errors import InvalidRequest, ModelError
from mainspring.inference.messages import Extra

P = ParamSpec("P")
Result = TypeVar("Result")

_ABSURD = 2**31  # counts are stored as 32-bit integers; `true` is an int to Python, but no count

Wire = dict[str, Any]
"""One JSON object as it stands on the wire."""


def rest(dialect: str, wire: Mapping[str, Any], known: Iterable[str]) -> Extra | None:
    """The fields of `wire` that are not in `known`, or None when there are none."""
    known = frozenset(known)
    fields = {name: value for name, value in wire.items() if name not in known and value is not None}
    return Extra(dialect, fields) if fields else None


def put_back(dialect: str, wire: Wire, extra: Extra | None) -> Wire:
    """`wire` with the fields that were set aside; those of another dialect stay behind."""
    if extra is None or extra.dialect != dialect:
        return wire
    for name, value in extra.fields.items():
        mine = wire.get(name)
        wire[name] = {**mine, **value} if isinstance(mine, dict) and isinstance(value, Mapping) else value
    return wire


def without_nulls(wire: Mapping[str, Any]) -> Wire:
    """Leave out absent fields."""
    return {name: value for name, value in wire.items() if value is not None}


def to_json(wire: object) -> bytes:
    """JSON in UTF-8; InvalidRequest for text that UTF-8 cannot carry (lone surrogates) and for bottomless nesting."""
    try:
        return msgspec.json.encode(wire)
    except UnicodeEncodeError:
        raise InvalidRequest("The text holds half of a surrogate pair; send well-formed Unicode.") from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply; send it flatter.") from None


def read_object(data: bytes | str) -> Wire | None:
    """The JSON object in `data`, or None when it is anything else."""
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # the last one is nesting of some thousand levels, which nobody means
    return value if isinstance(value, dict) else None


def misshapen_is(error: type[ModelError], detail: str) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """A decoder that meets a value of the wrong shape, anywhere in what others sent, raises `error`."""

    def guard(decode: Callable[P, Result]) -> Callable[P, Result]:
        @wraps(decode)
        def guarded(*arguments: P.args, **options: P.kwargs) -> Result:
            try:
                return decode(*arguments, **options)
            except (AttributeError, TypeError, KeyError, ValueError) as misshapen:
                raise error(detail, vendor_text=repr(misshapen)[:500]) from misshapen

        return guarded

    return guard


def as_list(value: object, read: Callable[[Wire], Any]) -> list[Any]:
    """Each object of a wire list, read; anything that is not an object is passed over."""
    items = value if isinstance(value, list) else []
    return [read(item) for item in items if isinstance(item, dict)]


def count(value: object) -> int:
    """A token count; absent, null or absurd counts as none."""
    return value if type(value) is int and 0 < value < _ABSURD else 0


def seal(dialect: str, signature: str) -> str:
    """A provider's signature of its thought, marked with the dialect, so that no other provider is sent it."""
    return f"{dialect}:{signature}"


def unseal(dialect: str, signature: str | None) -> str | None:
    """The signature as the provider gave it; None when the thought is unsigned or another dialect's."""
    mark, _, given = (signature or "").partition(":")
    return given if given and mark == dialect else None


def is_sealed_elsewhere(dialect: str, signature: str | None) -> bool:
    """Whether a signature is marked with another dialect than `dialect`."""
    mark, colon, _ = (signature or "").partition(":")  # none of the providers signs with a colon
    return bool(colon) and mark != dialect


def number(wire: Mapping[str, Any], name: str) -> float | None:
    """The number in a field, None when absent; InvalidRequest names the field when it holds anything else."""
    value: object = wire.get(name)
    if value is None or type(value) is int or type(value) is float:
        return value
    raise InvalidRequest(f"{name} must be a number.")


def whole(wire: Mapping[str, Any], name: str) -> int | None:
    """The integer in a field, None when absent; InvalidRequest names the field when it holds anything else."""
    value = number(wire, name)
    if isinstance(value, float) and not value.is_integer():
        raise InvalidRequest(f"{name} must be an integer.")
    return None if value is None else int(value)


def words(wire: Mapping[str, Any], name: str) -> str | None:
    """The text in a field, None when absent; InvalidRequest names the field when it holds anything else."""
    value: object = wire.get(name)
    if value is None or isinstance(value, str):
        return value
    raise InvalidRequest(f"{name} must be a text.")


def flag(wire: Mapping[str, Any], name: str) -> bool | None:
    """The boolean in a field, None when absent; InvalidRequest names the field when it holds anything else."""
    value: object = wire.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise InvalidRequest(f"{name} must be true or false.")


def list_of_words(wire: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts in a field, which may hold one alone; InvalidRequest names the field when it holds anything else."""
    value: Any = wire.get(name)
    if value is None or isinstance(value, str):
        return () if value is None else (value,)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise InvalidRequest(f"{name} must be a text or a list of texts.")


def mapping(wire: Mapping[str, Any], name: str) -> Wire:
    """The object in a field, empty when absent; InvalidRequest names the field when it holds anything else."""
    value: Any = wire.get(name)
    if value is None or isinstance(value, dict):
        return value or {}
    raise InvalidRequest(f"{name} must be an object.")


def turns_in(wire: Mapping[str, Any], name: str) -> list[Wire]:
    """The objects of a list that must hold at least one and nothing else; InvalidRequest otherwise."""
    value: Any = wire.get(name)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return value
    raise InvalidRequest(f"{name} must be a list of at least one object.")
