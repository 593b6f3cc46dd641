"""Going where a tenant's URL leads, without being led where the tenant may not go (SSRF)."""

from mainspring.foundation.errors import HostUnreachable, UrlRefused

from .addresses import Address, is_public, may_be_internal
from .gate import Gate, Reach, Resolver, resolve
from .urls import STANDARD_PORTS, WebAddress, follow, read_url

__all__ = [
    "STANDARD_PORTS",
    "Address",
    "Gate",
    "HostUnreachable",
    "Reach",
    "Resolver",
    "UrlRefused",
    "WebAddress",
    "follow",
    "is_public",
    "may_be_internal",
    "read_url",
    "resolve",
]
