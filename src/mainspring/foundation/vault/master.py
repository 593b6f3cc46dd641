"""The key-encryption key of a platform without a key service: from the environment, or a file made on first use.

Several keys may be known: the first wraps, all unwrap. So a key is replaced by putting a new one in
front, running `Vault.rewrap`, and taking the old one away. A wrapped key names the key-encryption
key by a fingerprint, so that the wrong one is told apart from damage. Processes that start at once
agree on one file: each writes its own and links it into place, and only the first link succeeds.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mainspring.foundation.errors import InvalidInput

from .errors import Unreadable

KEY_BYTES = 32
_FORMAT = b"\x01"
_FINGERPRINT_BYTES = 8
_NONCE_BYTES = 12
_SETTING = "MAINSPRING_MASTER_KEY"


class LocalKeyWrapper:
    """Wraps with the first of its keys and unwraps with any; none of them leaves it."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise InvalidInput(f"A key-encryption key has {KEY_BYTES} bytes; at least one is needed.")
        self._ciphers = {_fingerprint(key): AESGCM(key) for key in reversed(keys)}
        self._current = _fingerprint(keys[0])

    def __repr__(self) -> str:
        return f"LocalKeyWrapper({len(self._ciphers)} keys, current {self._current.hex()})"

    async def wrap(self, data_key: bytes, bound_to: bytes) -> bytes:
        """Format byte, fingerprint, nonce, then AES-256-GCM of the data key."""
        header, nonce = _FORMAT + self._current, secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._current].encrypt(nonce, data_key, header + bound_to)

    async def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """The data key; Unreadable names the key-encryption key that is missing."""
        fingerprint = _read_fingerprint(wrapped)
        cipher = self._ciphers.get(fingerprint)
        if cipher is None or wrapped[:1] != _FORMAT:
            known = ", ".join(each.hex() for each in self._ciphers)
            raise Unreadable(
                f"A tenant's data key is wrapped under the key-encryption key {fingerprint.hex()}; here is {known}. "
                f"Bring that key back: append it to {_SETTING}, or restore the file secrets/kek of the data folder."
            )
        header, rest = wrapped[: 1 + _FINGERPRINT_BYTES], wrapped[1 + _FINGERPRINT_BYTES :]
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + bound_to)
        except (InvalidTag, ValueError):
            raise Unreadable(
                "A tenant's wrapped data key was changed or belongs to another tenant; restore the table "
                "tenant_data_key from a backup."
            ) from None

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the first key wrapped it."""
        return _read_fingerprint(wrapped) == self._current


def open_local_wrapper(data_dir: Path, master_key: str | None = None) -> LocalKeyWrapper:
    """The wrapper of `master_key`, or of the file `secrets/kek` in the data folder, made on first use.

    master_key  32 bytes in base64; several separated by commas: the first wraps. A file that is there
                as well goes on unwrapping, so that one can move from the file to the setting
    raises      InvalidInput, without the value, for what is no such key, or a file that others may read
    """
    path = data_dir / "secrets" / "kek"
    if master_key is None:
        return LocalKeyWrapper(_read_file(path) if path.exists() else _make_file(path))
    given = [_read_key(text, of=_SETTING) for text in master_key.split(",")]
    return LocalKeyWrapper([*given, *(_read_file(path) if path.exists() else ())])


def _make_file(path: Path) -> list[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"kek.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its key is the key
            path.hardlink_to(draft)
        _sync_folder(path.parent)
    finally:
        draft.unlink()
    return _read_file(path)


def _sync_folder(folder: Path) -> None:
    """A key that sealed something must survive a power cut, so its name is made durable too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_file(path: Path) -> list[bytes]:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise InvalidInput(f"{path} has the mode {mode:o}, so others may read the key in it; run: chmod 600 {path}")
    lines = path.read_text("ascii", errors="replace").split()
    if not lines:
        raise InvalidInput(f"{path} is empty; restore it from a backup, or give the key as {_SETTING}.")
    return [_read_key(line, of=str(path)) for line in lines]


def _read_key(text: str, *, of: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInput(
            f"{of} must hold {KEY_BYTES} bytes in base64 (several are separated by commas); "
            "make one with: openssl rand -base64 32"
        )
    return key


def _fingerprint(key: bytes) -> bytes:
    return hashlib.sha256(b"mainspring key-encryption key" + key).digest()[:_FINGERPRINT_BYTES]


def _read_fingerprint(wrapped: bytes) -> bytes:
    return wrapped[1 : 1 + _FINGERPRINT_BYTES]
