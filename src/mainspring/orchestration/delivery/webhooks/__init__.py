"""Webhooks: events posted to a tenant's web addresses, signed."""

from .sending import Describe, WebhookTransport
from .signing import SECRET_MARK, make_secret, sign

__all__ = ["SECRET_MARK", "Describe", "WebhookTransport", "make_secret", "sign"]
