"""CloudEvents 1.0 over HTTP: structured, binary and batched, in both directions.

In the structured form the whole event is JSON. In the binary form the body is the data alone and each attribute is a
header `ce-...`, whose value is percent-encoded where it is not printable ASCII. A batch is a list of structured ones.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote, unquote

import msgspec

from mainspring.orchestration.delivery.errors import EventInvalid

from .types import SPEC_VERSION, CloudEvent

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MAX_BATCH = 100
_JSON = "application/json"
_NAME = re.compile(r"[a-z0-9]{1,40}")
_KNOWN = frozenset({"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"})
_MAX_ATTRIBUTE = 2_000
_UNQUOTED = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


def write_structured(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Headers and body in the structured form."""
    shown: dict[str, object] = dict(_attributes(event))
    if isinstance(event.data, bytes):
        shown["data_base64"] = base64.b64encode(event.data).decode()
    elif event.data is not None:
        shown["data"] = event.data
    return {"content-type": STRUCTURED}, msgspec.json.encode(shown)


def write_binary(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Headers and body in the binary form."""
    attributes = _attributes(event)
    kind = attributes.pop("datacontenttype", None)
    headers = {f"ce-{name}": quote(value, safe=_UNQUOTED) for name, value in attributes.items()}
    if kind is not None:
        headers["content-type"] = kind
    if isinstance(event.data, bytes):
        return headers, event.data
    return headers, b"" if event.data is None else msgspec.json.encode(event.data)


def read_events(headers: Mapping[str, str], body: bytes) -> tuple[CloudEvent, ...]:
    """The events of a request, whichever of the three forms it has; EventInvalid says what is wrong.

    headers  with names in lower case
    """
    kind = _media_type(headers.get("content-type", ""))
    if kind == STRUCTURED:
        return (_read_structured(_decode(body), "The event"),)
    if kind == BATCH:
        return _read_batch(_decode(body))
    if "ce-specversion" in headers:
        return (_read_binary(headers, body),)
    raise EventInvalid(
        f"The request is no CloudEvent: send {STRUCTURED}, {BATCH}, or the headers ce-specversion, ce-id, ce-source "
        "and ce-type."
    )


def _attributes(event: CloudEvent) -> dict[str, str]:
    kind = event.datacontenttype or (_JSON if event.data is not None and not isinstance(event.data, bytes) else None)
    found = {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": _show_time(event.time) if event.time else None,
        "subject": event.subject,
        "datacontenttype": kind,
        "dataschema": event.dataschema,
        **event.extensions,
    }
    return {name: value for name, value in found.items() if value is not None}


def _show_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EventInvalid("The body is not JSON.") from None


def _read_batch(decoded: object) -> tuple[CloudEvent, ...]:
    if not isinstance(decoded, list):
        raise EventInvalid("A batch is a JSON list of events.")
    events = cast(list[object], decoded)
    if len(events) > MAX_BATCH:
        raise EventInvalid(f"The batch has {len(events)} events; the limit is {MAX_BATCH}. Send several batches.")
    return tuple(_read_structured(each, f"Event {place} of the batch") for place, each in enumerate(events))


def _read_structured(decoded: object, which: str) -> CloudEvent:
    if not isinstance(decoded, dict):
        raise EventInvalid(f"{which} is not a JSON object.")
    fields = dict(cast(dict[str, Any], decoded))
    data, encoded = fields.pop("data", None), fields.pop("data_base64", None)
    if encoded is not None:
        if data is not None or not isinstance(encoded, str):
            raise EventInvalid(f"{which} has data in two forms, or data_base64 that is no text; send one of them.")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise EventInvalid(f"{which} has data_base64 that is not base64.") from None
    attributes: dict[str, str] = {}
    for name, value in fields.items():
        if value is not None:
            attributes[name] = _read_attribute(name, value, which)
    return _build(attributes, data, which)


def _read_attribute(name: str, value: object, which: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    raise EventInvalid(f"{which} has the attribute {name[:40]!r}, which is neither text, a whole number nor a boolean.")


def _read_binary(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    attributes = {
        name.removeprefix("ce-"): unquote(value.strip('"')) for name, value in headers.items() if name.startswith("ce-")
    }
    kind = headers.get("content-type")
    if kind is not None:
        attributes["datacontenttype"] = kind
    is_json = kind is None or _media_type(kind) == _JSON or _media_type(kind).endswith("+json")
    data: object = None if not body else _decode(body) if is_json else body
    return _build(attributes, data, "The event")


def _build(attributes: Mapping[str, str], data: object, which: str) -> CloudEvent:
    if (version := attributes.get("specversion")) != SPEC_VERSION:
        raise EventInvalid(f"{which} has the specversion {(version or '')[:20]!r}; this reads {SPEC_VERSION}.")
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            raise EventInvalid(f"{which} has an attribute {name[:40]!r}; names are of a-z and 0-9.")
        if not value or len(value) > _MAX_ATTRIBUTE or "\0" in value:
            raise EventInvalid(f"{which} has the attribute {name!r} with {len(value)} characters or NUL in it.")
    if missing := [name for name in ("id", "source", "type") if name not in attributes]:
        raise EventInvalid(f"{which} lacks {' and '.join(missing)}.")
    return CloudEvent(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=data,
        time=_read_time(attributes.get("time"), which),
        subject=attributes.get("subject"),
        datacontenttype=attributes.get("datacontenttype"),
        dataschema=attributes.get("dataschema"),
        extensions={name: value for name, value in attributes.items() if name not in _KNOWN},
    )


def _read_time(text: str | None, which: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise EventInvalid(f"{which} has the time {text[:40]!r}; write it like 2026-01-31T12:00:00Z.")
    return at


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
