"""What a key belongs to: the origin of a URL."""

import ipaddress
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of `url`: what a key belongs to (RFC 6454).

    Raises:
        ValueError: no http or https URL with a host, or one with a user in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f'"{url}" is no URL that begins with http:// or https://')
    if parts.username is not None:
        raise ValueError("a URL with a user or a password in it is not taken")
    if parts.query or parts.fragment:
        raise ValueError(f'"{url}" has a query or a fragment')
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


def is_loopback(url: str) -> bool:
    """Say whether `url` names this machine; host names are not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
