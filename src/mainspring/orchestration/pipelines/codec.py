"""Between frozen Python values and the JSON that Postgres stores.

Postgres refuses the character NUL inside jsonb, and a lone surrogate is no UTF-8: both are found
here, where a clear answer can still be given, and not in the middle of a batch of other tenants' rows.
"""

import re
from typing import Any

import msgspec

from .errors import PayloadRefused
from .fitting import SUBMITTED
from .pipeline import StepDefinition
from .types import MAX_PAYLOAD_BYTES

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
MAX_TEXT = 2_000


def encode(value: object, what: str) -> str:
    """JSON text that jsonb takes; PayloadRefused names what is wrong with `what`."""
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, msgspec.MsgspecError) as unfit:
        raise PayloadRefused(f"{what} cannot be written as JSON: {unfit}. Use plain frozen dataclasses.") from unfit
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise PayloadRefused(
            f"{what} has {len(encoded)} bytes as JSON; the limit is {MAX_PAYLOAD_BYTES}. "
            "Put it into the object store and pass its key on."
        )
    if b"\\u0000" in encoded and _NUL.search(encoded):
        raise PayloadRefused(f"{what} holds the character NUL, which cannot be stored. Remove it from the text.")
    return encoded.decode()


def decode(text: str, kind: Any) -> Any:
    """The value of type `kind` behind JSON text; PayloadRefused when it does not fit."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as unfit:
        raise PayloadRefused(
            f"Stored JSON does not fit {getattr(kind, '__name__', kind)}: {unfit}. "
            "A changed type needs a new version of the pipeline."
        ) from unfit


def find_unfit(text: str, kind: Any) -> str | None:
    """What of the JSON text is not of type `kind`, naming the field; None when it fits."""
    try:
        msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as unfit:
        return str(unfit)
    return None


def show_text(text: str) -> str:
    """A sentence for people, made storable: without NUL and lone surrogates, cut at MAX_TEXT characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def assemble(definition: StepDefinition, submitted: str, earlier: str | None) -> object:
    """The one input of a step, from the run's input and the outputs of the steps it follows."""
    if not definition.after:
        return decode(submitted, definition.input_type)
    outputs: dict[str, msgspec.Raw] = msgspec.json.decode(earlier or "{}", type=dict[str, msgspec.Raw])
    if definition.parts is None:
        return decode(bytes(outputs[definition.after[0]]).decode(), definition.input_type)
    values = {
        name: decode(submitted if name == SUBMITTED else bytes(outputs[name]).decode(), kind)
        for name, kind in definition.parts.items()
    }
    return definition.input_type(**values)
