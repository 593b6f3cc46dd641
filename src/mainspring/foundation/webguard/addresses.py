"""Which addresses a tenant's URL may lead to: public ones, and nothing that only looks public.

A URL is a wish of a tenant, carried out by a machine that stands inside the operator's network. So the address
that a name resolves to decides, never the name: loopback, private and link-local networks, the metadata services
of clouds, multicast and reserved ranges are refused, and so are IPv6 addresses that carry an IPv4 address inside
(mapped, 6to4, NAT64, Teredo), as what they reach is decided by somebody's router.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_TRANSITIONAL = tuple(
    ip_network(each)
    for each in (
        "::/96",  # IPv4-compatible, obsolete
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
_METADATA = frozenset(
    ip_address(each)
    for each in (
        "169.254.169.254",  # AWS, GCP, Azure and others
        "169.254.170.2",  # AWS tasks
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's wire server, an address that counts as public
        "fd00:ec2::254",  # AWS over IPv6
    )
)


def is_public(address: Address) -> bool:
    """Whether any tenant may be led there."""
    if address in _METADATA or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and (address.is_site_local or _is_transitional(address)):
        return False
    return address.is_global


def may_be_internal(address: Address) -> bool:
    """Whether an operator may open it by naming its host: never the metadata of a cloud, nor what is no host."""
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return not (isinstance(address, IPv6Address) and _is_transitional(address) and not address.is_loopback)


def _is_transitional(address: IPv6Address) -> bool:
    return any(address in network for network in _TRANSITIONAL)
