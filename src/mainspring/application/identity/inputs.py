"""What may be stored as a name, slug, email or password; each check says what is wrong and what would do.

HTTP schemas check the same limits earlier; the checks here also hold for the command line and tests.
"""

import re
import unicodedata
from datetime import UTC, datetime

from mainspring.foundation.errors import InvalidInput

MAX_EMAIL = 254
MAX_NAME = 120
MIN_PASSWORD = 10
MAX_PASSWORD = 256
MAX_SLUG = 40

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)*")
_SLUG = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MAX_SLUG - 2}}}[a-z0-9])?")


def read_email(text: str) -> str:
    """A usable address, trimmed and in lower case."""
    email = unicodedata.normalize("NFC", text.strip()).lower()
    if len(email) > MAX_EMAIL:
        raise InvalidInput(f"email has {len(email)} characters; the limit is {MAX_EMAIL}.")
    if not _EMAIL.fullmatch(email) or not _is_plain(email):
        raise InvalidInput(f"email {email[:60]!r} is not an address like name@example.com.")
    return email


def read_name(text: str, *, of: str = "name") -> str:
    """A name for people to read, trimmed; `of` says which field the error is about."""
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(f"{of} has {len(name)} characters; it needs 1 to {MAX_NAME}.")
    if not _is_plain(name):
        raise InvalidInput(f"{of} holds control characters; send plain text on one line.")
    return name


def read_slug(text: str) -> str:
    """A short name for URLs."""
    if not _SLUG.fullmatch(text):
        raise InvalidInput(
            f"slug {text[:60]!r} must be 1 to {MAX_SLUG} of a-z, 0-9 and '-', not beginning or ending with '-'."
        )
    return text


def read_password(text: str) -> str:
    """A new password, in the form that is hashed; its content is never echoed."""
    password = normal_password(text)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(
            f"password has {len(password)} characters; it needs {MIN_PASSWORD} to {MAX_PASSWORD}. Try a sentence."
        )
    if not _is_plain(password):
        raise InvalidInput("password holds control characters; use what a keyboard types.")
    return password


def normal_password(text: str) -> str:
    """The same password whichever way a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", text)


def read_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """An instant to come, or None for never."""
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidInput(f"expires_at {expires_at.isoformat()} has no time zone; end it with Z.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(f"expires_at {expires_at.isoformat()} is past; it is now {now.isoformat()}.")
    try:
        return expires_at and expires_at.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"expires_at {expires_at} is beyond the year 9999; leave it out for never.") from None


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)
