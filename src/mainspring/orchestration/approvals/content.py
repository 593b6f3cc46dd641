"""What is decided, byte for byte: action, arguments and output as canonical JSON, and its SHA-256.

Canonical JSON is RFC 8785 (JSON Canonicalization Scheme, A. Rundgren, B. Jordan, S. Erdtman, 2020): no blanks, keys
sorted by UTF-16 code units (3.2.3), strings escaped as ECMAScript does (3.2.2.2), numbers written as ECMAScript writes
doubles (3.2.2.3); integers that a double cannot hold exactly are refused, as I-JSON (RFC 7493, 2.2) has it. The
package `rfc8785` writes it. SHA-256 is FIPS 180-4. The text itself is stored, so that Postgres checks the digest
against it, and nothing is lost in a `jsonb` that writes numbers its own way.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import rfc8785

from .errors import ProposalRefused
from .types import MAX_CONTENT_BYTES, Json

MAX_DEPTH = 64
"""Of lists and dicts in one another; every reader of JSON on the way can follow that far."""

_LARGEST_EXACT = 2**53 - 1
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Content:
    """Canonical JSON and its digest, 64 hexadecimal characters."""

    text: str
    digest: str


def make_content(action: str, arguments: Json, output: Json) -> Content:
    """The content of a proposal; ProposalRefused names what cannot be written as canonical JSON, or the size."""
    try:
        _check_depth((arguments, output), MAX_DEPTH)
        written = rfc8785.dumps({"action": action, "arguments": arguments, "output": output})
    except ValueError as unfit:
        raise ProposalRefused(
            f"The arguments or the output of {action[:80]!r} are no exact JSON: {unfit}. "
            "Send large integers as strings."
        ) from None
    if len(written) > MAX_CONTENT_BYTES:
        raise ProposalRefused(
            f"Action, arguments and output have {len(written):,} bytes as canonical JSON; the limit is "
            f"{MAX_CONTENT_BYTES:,}. Store what is large, and name it by id and hash."
        )
    if _NUL.search(written):
        raise ProposalRefused("Arguments or output hold the character NUL, which cannot be stored. Remove it.")
    return Content(written.decode(), hashlib.sha256(written).hexdigest())


def read_content(text: str) -> tuple[Json, Json]:
    """Arguments and output of a stored content; writing them again gives the same bytes."""
    # A double of 2^53 and more is written without a point, and would come back as an integer that is refused.
    read = json.loads(text, parse_int=_read_integer)
    return read["arguments"], read["output"]


def _read_integer(digits: str) -> int | float:
    value = int(digits)
    return value if abs(value) <= _LARGEST_EXACT else float(digits)


def _check_depth(value: Json, levels: int) -> None:
    if not isinstance(value, (dict, list, tuple)):
        return
    if levels < 0:
        raise ValueError(f"they are nested more than {MAX_DEPTH} levels deep")
    within: Iterable[Json] = value.values() if isinstance(value, dict) else value
    for each in within:
        _check_depth(each, levels - 1)
