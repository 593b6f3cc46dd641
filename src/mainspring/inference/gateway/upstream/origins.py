"""From a base URL to an origin: verified TLS for https, and the environment's proxy for hosts that are not ours."""

import ssl
from base64 import b64encode
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # pyright: ignore[reportAttributeAccessIssue]

import certifi

from mainspring.foundation.errors import InvalidInput

from .pool import Origin
from .proxies import Proxy

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def make_origin(base_url: str) -> Origin:
    """The origin of a provider's base URL; InvalidInput when it is not an http(s) URL with a host."""
    parts, port = _split(base_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{base_url[:200]!r} is no address of a provider; it must be http(s)://host[:port]/path.")
    port = port or (443 if parts.scheme == "https" else 80)
    tls = _tls() if parts.scheme == "https" else None
    return Origin(parts.hostname, port, tls, _proxy(parts.scheme, parts.hostname))


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificate authorities (or SSL_CERT_FILE's); those of `certifi` where the system has none."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _split(url: str) -> tuple[SplitResult | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        return None, None


def _proxy(scheme: str, host: str) -> Proxy | None:
    named = getproxies_environment()
    found = named.get(scheme) or named.get("all")
    if not found or host in _LOOPBACK or proxy_bypass_environment(host):
        return None
    parts, port = _split(found if "://" in found else f"http://{found}")
    if parts is None or parts.scheme != "http" or not parts.hostname:
        raise InvalidInput("The proxy of the environment cannot be used; set it to http://[user:password@]host:port.")
    return Proxy(parts.hostname, port or 80, _authorization(parts))


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(secret.encode()).decode()
