"""Peers: which addresses may connect."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

_MOST_JUDGED = 1024


class Peers:
    """The addresses that may connect; what was found of one is remembered.

    :param networks: those they are of.
    """

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)
        self._judged: dict[str, bool] = {}

    def allow(self, host: str) -> bool:
        """Whether an address may connect; an IPv4 address in IPv6's form is the IPv4 address."""
        if host not in self._judged:
            if len(self._judged) > _MOST_JUDGED:
                self._judged.clear()
            address = ip_address(host.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            self._judged[host] = any(address in network for network in self._networks)
        return self._judged[host]
