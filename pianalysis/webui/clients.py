"""Who asks, as far as a server can know: by address, behind a proxy too.

In: a request. Out: a name for its sender, the same for all that comes from one address.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final

BEHIND_PROXY_VARIABLE: Final = "PIANALYSIS_BEHIND_PROXY"
IN_A_SPACE_VARIABLE: Final = "SPACE_ID"
"""Set by the Hub, whose Spaces stand behind its proxies."""
UNKNOWN: Final = "?"
IPV6_HOME: Final = 64
"""Bits of the network that one household gets."""


def is_behind_proxy(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a proxy that can be trusted says who asks."""
    said = environment.get(BEHIND_PROXY_VARIABLE, "").lower()
    return said in ("1", "true", "yes") or (not said and bool(environment.get(IN_A_SPACE_VARIABLE)))


def client_of(scope: Mapping[str, Any], *, behind_proxy: bool) -> str:
    """Who sent a request (an ASGI scope).

    behind_proxy: the address is the last public one of X-Forwarded-For. Each proxy adds the address that it was asked from at
    the end, so that what a sender invents stands before its own; without a proxy the header counts for nothing.
    """
    peer = (scope.get("client") or (UNKNOWN,))[0]
    if not behind_proxy:
        return _home(peer) or UNKNOWN
    forwarded = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"x-forwarded-for"]
    return last_public(",".join(forwarded).split(",")) or _home(peer) or UNKNOWN


def last_public(addresses: Iterable[str]) -> str | None:
    """The last address that isn't of a private network.

    >>> last_public(["1.2.3.4", "8.8.8.8", "10.0.0.7"]), last_public(["10.0.0.7"])
    ('8.8.8.8', None)
    """
    for text in reversed(list(addresses)):
        try:
            if ip_address(text.strip()).is_global:
                return _home(text.strip())
        except ValueError:
            return None  # whoever wrote that is no proxy of ours
    return None


def _home(address: str) -> str | None:
    """An address as a client's name: of IPv6 its network.

    >>> _home("1.2.3.4"), _home("2001:db8:1:2:3:4:5:6"), _home("testclient")
    ('1.2.3.4', '2001:db8:1:2::/64', 'testclient')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address or None
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_HOME), strict=False))
