"""What the guard refuses, and what it cannot reach."""

from mainspring.foundation.errors import InvalidInput, Unavailable


class UrlRefused(InvalidInput):
    """The URL leads where the platform does not go for a tenant, such as into the operator's own network."""

    code = "url_refused"


class HostUnreachable(Unavailable):
    """The host has no address, or none that answers; trying again may help."""

    code = "host_unreachable"
