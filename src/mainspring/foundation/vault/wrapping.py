"""Who keeps the key-encryption key: a port, with one implementation here (`master`).

Vault Transit and the KMS of a cloud fit this port, since wrapping may wait on another host; the
platform ships none of them yet. A wrapped key is bound to its tenant and version: it opens for no other.
"""

from typing import Protocol


class KeyWrapper(Protocol):
    """Encrypts data keys under a key that it does not give out."""

    async def wrap(self, data_key: bytes, bound_to: bytes) -> bytes:
        """`data_key` encrypted under the present key-encryption key; `bound_to` must be given again to open it."""
        ...

    async def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """The data key; Unreadable, saying what to do, when no known key-encryption key opens it."""
        ...

    def is_current(self, wrapped: bytes) -> bool:
        """Whether it was wrapped under the present key-encryption key, and not under an older one."""
        ...
