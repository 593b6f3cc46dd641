"""Names and shapes of what the limits keep in Valkey.

A hold's own bytes are its member in the leases, and with the tenant in front the text in the spool:
`id 16 | at 8 | tokens 8 | cost 8 | away 8 | count 1 | (length 2, suffix)...`, numbers as doubles.
"""

import hashlib
import struct
from typing import NamedTuple
from uuid import UUID

from mainspring.foundation.ids import TenantId

MEMBER = struct.Struct("<16sdddd")
_LENGTH = struct.Struct("<H")
_MAX_VALUE_BYTES = 64
_LETTERS = {"tenant": b"t:", "user": b"u:", "key": b"k:", "model": b"m:", "feature": b"f:"}


class TenantKeys(NamedTuple):
    """The keys of one tenant; all share the hash tag, so that one script may touch them.

    home     `limit:{tenant}:`, the beginning of all
    leases   `l` sorted set: holds by the millisecond they expire at; expires 8 days after the last hour of use
    expired  `x` sorted set: holds that were given back unsettled, remembered for 7 days
    states   `<letter>:<value>` string of 19 doubles per scope and value (see `scripts`); expires 25 hours after
             the last lease, 10 minutes after the last call where only requests are limited; then seeded anew
    marks    `d:<id>` set when a hold that was lost in a wipe is charged, so that it is charged once; 7 days
    """

    home: bytes
    leases: bytes
    expired: bytes


def tenant_keys(tenant: TenantId) -> TenantKeys:
    """All keys of a tenant; a state's is `home + suffix`."""
    home = b"limit:{%b}:" % tenant.hex.encode()
    return TenantKeys(home, home + b"l", home + b"x")


def state_suffix(scope: str, value: str) -> bytes:
    """The end of the key of one scope's value; long values are replaced by their hash."""
    raw = value.encode(errors="surrogatepass")
    if len(raw) > _MAX_VALUE_BYTES:
        raw = b"#" + hashlib.blake2b(raw, digest_size=24).hexdigest().encode()
    return _LETTERS[scope] + raw


def join_suffixes(suffixes: list[bytes]) -> bytes:
    """The end of a hold's bytes: which states it counts in."""
    return bytes([len(suffixes)]) + b"".join([_LENGTH.pack(len(suffix)) + suffix for suffix in suffixes])


def read_hold(text: bytes) -> tuple[TenantId, bytes, list[bytes]]:
    """The tenant, the member and the states' suffixes of a hold's text; ValueError when it is not one."""
    start = 16 + MEMBER.size
    if len(text) <= start:
        raise ValueError("this is not the text of a hold")
    suffixes: list[bytes] = []
    place = start + 1
    for _ in range(text[start]):
        length = int.from_bytes(text[place : place + 2], "little")
        suffixes.append(text[place + 2 : place + 2 + length])
        place += 2 + length
    if place != len(text):
        raise ValueError("this is not the whole text of a hold")
    return TenantId(UUID(bytes=text[:16])), text[16:], suffixes
