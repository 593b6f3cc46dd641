"""Policy documents: read from JSON with errors that point, and described as JSON Schema.

msgspec says what is expected and where, but neither the value nor, inside a mapping, under which
key; both are found here, by looking again at the one that was refused.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from mainspring.inference.gateway.policy import TenantPolicy

from .errors import InvalidPolicy

MAX_DOCUMENT_BYTES = 256_000
MAX_NUMBER = 2**53 - 1
"""Counters in Valkey's scripts are floats: beyond, adding one to a number may change nothing."""

_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z_0-9]*)|\[(\d+)\]|\[(\.\.\.)\]")


def read_policy(document: object) -> TenantPolicy:
    """The policy in a decoded JSON document; InvalidPolicy names the field, its value and what it must be."""
    try:
        text = msgspec.json.encode(document)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        raise InvalidPolicy("policy", "it is not JSON, or holds text that is not Unicode. Mend it.") from None
    if len(text) > MAX_DOCUMENT_BYTES:
        raise InvalidPolicy("policy", f"it has {len(text):,} bytes; the limit is {MAX_DOCUMENT_BYTES:,}.")
    if b"\\u0000" in text:
        raise InvalidPolicy("policy", "it holds a NUL character, which cannot be stored. Take it out.")
    document = msgspec.json.decode(text)  # as it will be read back: an infinite number is null by now
    if beyond := _find_beyond(document, "policy"):
        raise InvalidPolicy(beyond, f"{beyond} is over {MAX_NUMBER:,}, the largest number that is counted exactly.")
    try:
        return msgspec.convert(document, TenantPolicy)
    except msgspec.ValidationError as invalid:
        raise _explain(document, str(invalid)) from None


def policy_schema() -> dict[str, Any]:
    """JSON Schema of a policy, with nothing left to look up elsewhere."""
    (schema,), parts = msgspec.json.schema_components([TenantPolicy], ref_template="{name}")
    return cast(dict[str, Any], _inline(schema, parts))


def _inline(node: object, parts: Mapping[str, Any]) -> object:
    if isinstance(node, dict):
        fields = cast(dict[str, object], node)
        if "$ref" in fields:
            return _inline(parts[str(fields["$ref"])], parts)
        return {name: _inline(value, parts) for name, value in fields.items()}
    if isinstance(node, list):
        return [_inline(each, parts) for each in cast(list[object], node)]
    return node


def _explain(document: object, message: str) -> InvalidPolicy:
    match = _PLACE.match(message)
    assert match is not None
    shown, value = "policy", document
    for field, index, any_key in _STEP.findall(match["path"] or ""):
        step: str | int = field or (int(index) if index else _bad_key(value, match["problem"], any_key))
        shown += f".{step}" if field else f"[{step!r}]"
        value = _at(value, step)
    problem = match["problem"].rstrip(".")
    if "unknown field" in problem or "missing required" in problem:
        return InvalidPolicy(shown, f"{shown}: {problem}. See the policy's schema at /docs.")
    if "enum value" in problem:
        problem = f"it must be one of {', '.join(_choices(match['path'] or ''))}"
    return InvalidPolicy(shown, f"{shown} is {_show(value)}: {problem}. Correct it; nothing was changed.")


def _choices(path: str) -> list[str]:
    """What the schema allows at a place."""
    node: Any = policy_schema()
    for field, index, _ in _STEP.findall(path):
        node = node["properties"][field] if field else node["items" if index else "additionalProperties"]
    return [str(choice) for choice in node["enum"]]


def _find_beyond(value: object, path: str) -> str | None:
    """Where the first number is that cannot be counted exactly."""
    if isinstance(value, dict):
        parts = [(f"{path}.{name}", part) for name, part in cast(dict[str, object], value).items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(cast(list[object], value))]
    else:
        return path if isinstance(value, int | float) and value > MAX_NUMBER else None
    return next((found for place, part in parts if (found := _find_beyond(part, place))), None)


def _at(value: object, step: str | int) -> object:
    try:
        return cast(Any, value)[step]
    except (LookupError, TypeError):
        return value


def _bad_key(value: object, problem: str, unknown: str) -> str:
    """The key of a mapping whose entry is refused: prices and weights are the mappings of a policy."""
    if isinstance(value, dict):
        for key, entry in cast(dict[str, object], value).items():
            for single in ({"prices": {key: entry}}, {"routing": {"weights": {key: entry}}}):
                try:
                    msgspec.convert(single, TenantPolicy)
                except msgspec.ValidationError as again:
                    if str(again).startswith(problem):
                        return key[:80]
    return unknown


def _show(value: object) -> str:
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    return text if len(text) <= 80 else f"{text[:80]}..."
