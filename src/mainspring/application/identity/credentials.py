"""Secrets: how they are made, hashed and compared.

API keys and session tokens carry 256 random bits, so one SHA-256 is enough to store them: there
is nothing to guess. Passwords are guessable, so they get argon2id, in a thread and at most four
at once (each takes `memory_kib`). A session's CSRF token is an HMAC under the session token: it
needs no storage, and the stored hash does not reveal it.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_BASE62 = string.ascii_letters + string.digits
_PREFIX_LENGTH = 8
_SECRET_LENGTH = 43  # 62^43 > 2^256
_KEY = re.compile(rf"(ms_[A-Za-z0-9]{{{_PREFIX_LENGTH}}})_[A-Za-z0-9]{{{_SECRET_LENGTH}}}", re.ASCII)
_TOKEN = re.compile(rf"[A-Za-z0-9]{{{_SECRET_LENGTH}}}", re.ASCII)


def make_key() -> tuple[str, str]:
    """A new API key: its public prefix and the whole secret."""
    prefix = f"ms_{_random(_PREFIX_LENGTH)}"
    return prefix, f"{prefix}_{_random(_SECRET_LENGTH)}"


def read_key_prefix(secret: str) -> str | None:
    """The prefix of a well-formed API key, None for anything else."""
    match = _KEY.fullmatch(secret)
    return match[1] if match else None


def make_token() -> str:
    """A new session token."""
    return _random(_SECRET_LENGTH)


def is_token(text: str) -> bool:
    """Whether `text` could be a session token."""
    return _TOKEN.fullmatch(text) is not None


def make_password() -> str:
    """A password to hand over once: 119 bits in groups that can be read aloud."""
    return "-".join(_random(5) for _ in range(4))


def hash_secret(secret: str) -> bytes:
    """What is stored of a key or token."""
    return hashlib.sha256(secret.encode()).digest()


def is_same(stored: bytes, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(stored, hash_secret(secret))


def csrf_token(token: str) -> str:
    """The CSRF token of the session with this token."""
    return hmac.new(token.encode(), b"mainspring csrf", hashlib.sha256).hexdigest()


def is_csrf_token(token: str, offered: str) -> bool:
    """Compare in constant time; any text may be offered."""
    return hmac.compare_digest(csrf_token(token).encode(), offered.encode("utf-8", "replace"))


def _random(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """The price of one argon2id hash; the default takes some 50 ms of one core."""

    passes: int = 2
    memory_kib: int = 46 * 1024
    lanes: int = 1


class Passwords:
    """Hashes and checks passwords off the event loop."""

    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._decoy = self._hasher.hash(make_password())
        self._turns = asyncio.Semaphore(4)

    async def hash(self, password: str) -> str:
        """The argon2id hash to store."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_correct(self, stored: str | None, password: str) -> bool:
        """Check against a stored hash; None costs the same time and is never correct."""
        async with self._turns:
            return await asyncio.to_thread(self._verify, stored or self._decoy, password) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
