"""Sealing: AES-256-GCM under a tenant's data key, bound to the tenant, the kind of thing and its id.

A sealed text is: format byte, version of the data key (2 bytes), salt (16), nonce (12), ciphertext
with tag. The salt gives a key of its own to each opening of the vault (HMAC-SHA256 of the data key)
and to each million of seals: random nonces of 96 bits must not be drawn more than 2^32 times under
one key, and a busy tenant does that within days.
"""

import hmac
import secrets
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mainspring.foundation.ids import TenantId

from .errors import Unreadable

_FORMAT = b"\x01"
_SALT = slice(3, 19)
_NONCE = slice(19, 31)
_HEADER_BYTES = 19
_LEAST_BYTES = 31 + 16
_SEALS_PER_SALT = 1 << 20
_CIPHERS_KEPT = 64


class TenantVault:
    """Seals and unseals for one tenant, without waiting; one may be shared by all tasks of a process."""

    __slots__ = ("_ciphers", "_data_keys", "_header", "_sealing", "_seals_left", "_tenant", "_version")

    def __init__(self, tenant: TenantId, data_keys: Mapping[int, bytes]) -> None:
        """`data_keys` by version; the newest seals, all unseal."""
        self._tenant = tenant.bytes
        self._data_keys = dict(data_keys)
        self._version = max(data_keys).to_bytes(2, "big")
        self._ciphers: dict[bytes, AESGCM] = {}
        self._seals_left = 0

    def __repr__(self) -> str:
        return f"TenantVault({UUID(bytes=self._tenant)})"

    def seal(self, kind: str, identifier: str | UUID, plaintext: bytes) -> bytes:
        """`plaintext` encrypted; 47 bytes longer.

        kind        what it is, such as `payload`, at most 255 bytes
        identifier  which one; a text sealed for one kind and id opens for no other
        """
        if self._seals_left == 0:
            self._renew_salt()
        self._seals_left -= 1
        nonce = secrets.token_bytes(12)
        bound_to = self._bind(self._header, kind, identifier)
        return self._header + nonce + self._sealing.encrypt(nonce, plaintext, bound_to)

    def unseal(self, kind: str, identifier: str | UUID, sealed: bytes) -> bytes:
        """The plaintext; Unreadable when it was sealed for another tenant, kind or id, or was changed."""
        version = int.from_bytes(sealed[1:3], "big")
        if sealed[:1] != _FORMAT or len(sealed) < _LEAST_BYTES or version not in self._data_keys:
            raise Unreadable(
                f"The stored {kind} {identifier} is not in a form that this version reads, or its data key "
                f"(version {version}) is gone; store it anew, or restore tenant_data_key from a backup."
            )
        header = sealed[:_HEADER_BYTES]
        try:
            return self._cipher(header).decrypt(sealed[_NONCE], sealed[31:], self._bind(header, kind, identifier))
        except InvalidTag:
            raise Unreadable(
                f"The stored {kind} {identifier} was changed, or was sealed for something else; "
                "store it anew, or restore it from a backup."
            ) from None

    def _renew_salt(self) -> None:
        self._header = _FORMAT + self._version + secrets.token_bytes(16)
        self._sealing = self._cipher(self._header)
        self._seals_left = _SEALS_PER_SALT

    def _cipher(self, header: bytes) -> AESGCM:
        cipher = self._ciphers.get(header)
        if cipher is None:
            if len(self._ciphers) >= _CIPHERS_KEPT:
                self._ciphers.clear()
            data_key = self._data_keys[int.from_bytes(header[1:3], "big")]
            derived = hmac.digest(data_key, b"mainspring sealing key" + header[_SALT], "sha256")
            cipher = self._ciphers[header] = AESGCM(derived)
        return cipher

    def _bind(self, header: bytes, kind: str, identifier: str | UUID) -> bytes:
        """Associated data in which no two triples look alike: the kind's length is told, an id's type is marked."""
        name = kind.encode()
        of = b"u" + identifier.bytes if isinstance(identifier, UUID) else b"s" + identifier.encode()
        return header + self._tenant + len(name).to_bytes(1, "big") + name + of
