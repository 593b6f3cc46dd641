"""Identifiers: UUIDv7 inside, a readable prefix and 26 base-32 characters outside.

`ctr_01k9x3v2m4e0n8q5t7w1y6z3ab` sorts by creation time, says what it names, and
decodes to the UUID that Postgres stores. A malformed or wrongly prefixed id is
treated as an id that does not exist, so that probing learns nothing.
"""

import os
import time
from typing import NewType
from uuid import UUID

from mainspring.foundation.errors import NotFound

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}


def new_id() -> UUID:
    """A fresh UUIDv7: milliseconds, 12 bits of their fraction (RFC 9562 section 6.2, method 3), random bits.

    Ids made one after the other in a process sort in that order, as far as its clock tells them apart.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ~(0x3 << 62)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)


def show_id(prefix: str, identifier: UUID) -> str:
    """The public form of an id: `show_id("ctr", uuid)` is `ctr_` and 26 characters."""
    value, pairs = identifier.int, [""] * 13
    for place in range(12, -1, -1):
        pairs[place] = _PAIRS[value & 1023]
        value >>= 10
    return f"{prefix}_{''.join(pairs)}"


def read_id(prefix: str, text: str) -> UUID:
    """The UUID behind a public id; raises NotFound when the text is not such an id."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != 26 or tail[0] > "7" or not set(tail) <= _VALUES.keys():
        raise NotFound(f"There is no {prefix}_... with the id {text[:40]!r}.")
    value = 0
    for letter in tail:
        value = value << 5 | _VALUES[letter]
    return UUID(int=value)
