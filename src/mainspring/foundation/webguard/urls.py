"""A URL read once and strictly, so that what is checked and what is connected to cannot be two readings of one text."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

from mainspring.foundation.errors import UrlRefused

MAX_URL_CHARACTERS = 2_000
STANDARD_PORTS = frozenset({80, 443, 8080, 8443})
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A URL of http or https without credentials and fragment.

    host    in lower case and ASCII, without brackets and without a dot at its end
    target  path and query as they are sent
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a credential is meant for."""
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.target


def read_url(text: str) -> WebAddress:
    """The URL behind `text`; UrlRefused says what is wrong with it."""
    if len(text) > MAX_URL_CHARACTERS:
        raise UrlRefused(f"The URL has {len(text)} characters; the limit is {MAX_URL_CHARACTERS}.")
    shown = text[:80]
    if _FORBIDDEN.search(text):
        raise UrlRefused(f"The URL {shown!r} holds a blank, a control character or a backslash; encode it.")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise UrlRefused(f"The URL {shown!r} cannot be read; it needs the form https://host/path.") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host:
        raise UrlRefused(f"The URL {shown!r} is not one of http or https with a host.")
    if "@" in parts.netloc:
        raise UrlRefused("The URL holds a user name or password; give credentials as the secret that goes with it.")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=-._~?") if parts.query else ""
    return WebAddress(scheme, _read_host(host, shown), _DEFAULT_PORTS[scheme] if port is None else port, path + query)


def follow(base: WebAddress, location: str) -> WebAddress:
    """Where `location`, absolute or relative, leads from `base`; UrlRefused."""
    if _FORBIDDEN.search(location):
        raise UrlRefused(f"{base.origin} points at a place that holds blanks, control characters or backslashes.")
    try:
        return read_url(urljoin(str(base), location))
    except ValueError:
        raise UrlRefused(f"{base.origin} points at a place that cannot be read as a URL.") from None


def _read_host(host: str, shown: str) -> str:
    if ":" in host:
        try:
            return str(ip_address(host))
        except ValueError:
            raise UrlRefused(f"The URL {shown!r} holds an IPv6 address that cannot be read.") from None
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        raise UrlRefused(f"The host of the URL {shown!r} is not a host name.") from None
    ascii_host = ascii_host.lower().removesuffix(".")
    if len(ascii_host) > 253 or not _HOST.fullmatch(ascii_host):
        raise UrlRefused(f"The host of the URL {shown!r} is not a host name.")
    return ascii_host
