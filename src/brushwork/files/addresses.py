"""Which hosts, addresses and ports a URL of a client may lead to. Opens nothing and resolves nothing.

An address is public or it is not: everything that is not plainly a host on the internet is refused, with every way to
write or to wrap it. What an operator allows beyond that is `Allowed`.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

WEB_PORTS = (80, 443)

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")

DENIED: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments, a cloud's metadata among them
    IPv4Network("192.88.99.0/24"),  # relays into 6to4
    IPv4Network("168.63.129.16/32"),  # public by its number; inside Azure, the host of the machine answers there
    IPv6Network("2001::/23"),  # Teredo, benchmarks and other assignments
    IPv6Network("2002::/16"),  # 6to4: holds any IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
"""Beside what Python itself calls not global, which differs between its versions."""

HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_public(address: Address) -> bool:
    """Whether this is a host on the internet, seen from anywhere."""
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return False
        if address in NAT64:  # how machines that have only IPv6 reach IPv4: it is that address which counts
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in GLOBAL_UNICAST:  # mapped and compatible IPv4 addresses are outside, too
            return False
    in_denied = any(address.version == network.version and address in network for network in DENIED)
    return address.is_global and not (address.is_multicast or address.is_reserved or in_denied)


def literal(host: str) -> Address | None:
    """The address that a host is, or None for a name. Raises ValueError for what is neither, in earnest.

    `127.1`, `0x7f000001`, `2130706433` and `0177.0.0.1` are addresses to some resolvers and names to others.
    """
    if ":" in host:
        return IPv6Address(host)
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return IPv4Address(host)
    if not HOST.fullmatch(host):
        raise ValueError("not a host")
    return None


@dataclass(frozen=True)
class Allowed:
    """What an operator opens: hosts by name, and networks; each at one port or, where that is None, at all."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """Read `images.internal,cdn.internal:8080,10.0.0.0/8,[fd00::1]:9000`. Raises ValueError that names the item."""
        hosts: set[tuple[str, int | None]] = set()
        networks: list[tuple[Network, int | None]] = []
        for item in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                found, port = parse_item(item)
            except ValueError:
                raise ValueError(f"{item!r} is no host, address or network, with or without a port") from None
            if isinstance(found, str):
                hosts.add((found, port))
            else:
                networks.append((found, port))
        return cls(frozenset(hosts), tuple(networks))

    def takes(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address`, which `host` stands for, may be opened."""
        return self.opens(host, port, address) or (port in WEB_PORTS and is_public(address))

    def opens(self, host: str, port: int, address: Address) -> bool:
        """Whether the operator has named this host or address; the public internet is open without."""
        is_opened = any(address in network and at in (None, port) for network, at in self.networks)
        return is_opened or self.names(host, port)

    def takes_port(self, host: str, port: int) -> bool:
        """Whether there is any address at which this port may be used."""
        return port in WEB_PORTS or self.names(host, port) or any(at in (None, port) for _, at in self.networks)

    def names(self, host: str, port: int) -> bool:
        return (host, None) in self.hosts or (host, port) in self.hosts


ITEM = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")


def parse_item(item: str) -> tuple[str | Network, int | None]:
    if "/" in item or (item.count(":") > 1 and "[" not in item):
        return ip_network(item), None
    matched = ITEM.fullmatch(item)
    if matched is None or not 0 < int(matched["port"] or 80) < 65_536:
        raise ValueError("not an item")
    host = matched["v6"] or matched["host"]
    address = literal(host)
    return host if address is None else ip_network(address), int(matched["port"]) if matched["port"] else None
