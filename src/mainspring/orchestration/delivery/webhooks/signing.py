"""Signatures as Standard Webhooks 1.0.0 has them: HMAC-SHA256 of `id.timestamp.body`, one for each secret in force."""

import base64
import hmac
import secrets
from collections.abc import Sequence

SECRET_MARK = "whsec_"  # noqa: S105 - what a secret begins with
_SECRET_BYTES = 32


def make_secret() -> str:
    """A fresh secret: `whsec_` and 32 bytes in base64."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(signing_secrets: Sequence[str], *, message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a webhook.

    signing_secrets  all that are in force, so that a receiver that knows one of them can verify it
    message          the id, which holds no dot
    timestamp        seconds since 1970 of this attempt
    """
    signed = f"{message}.{timestamp}.".encode() + body
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_mac(secret, signed)}" for secret in signing_secrets),
    }


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
