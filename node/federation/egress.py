"""The guard on all that this node asks of other machines: what may be named, and what may be connected to.

`client.py` asks three times for each request, and each question stands for itself:

1. `check_url` before any name is looked up: scheme, host, port and origin (T32).
2. `resolve` looks the name up once and judges every address that came back; one bad address refuses them all.
3. `open_socket` sees the address that will really be connected to, whatever happened before. It is the last line: the
   HTTP library does not ask a resolver when a URL holds a literal address, and a name may answer differently the second
   time (T31).

In production only public addresses on port 443 may be connected to. Under `insecure_loopback` loopback is permitted as
well, on any port and with http; plain http, and ports, reach loopback and nothing else.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from ..foundation.errors import Refusing

HTTPS_PORT = 443
HTTP_PORT = 80
URL_LIMIT_CHARACTERS = 2048

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Turn a host name and a port into addresses as text; raise `OSError` when there are none."""

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""One result of `getaddrinfo`: family, type, protocol, canonical name, socket address."""

# Ranges that `ipaddress` calls global on some Python or other, though they lead inside, nowhere, or through a
# translator to any IPv4 address, loopback included. The last is judged differently by 3.11 and 3.13.
_NOT_PUBLIC_4 = tuple(
    map(ipaddress.IPv4Network, ("192.88.99.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24"))
)
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2002::/16",
            "2001::/23",
            "::/96",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10",
            "2620:4f:8000::/48",
            "::ffff:0:0/96",
        ),
    )
)

# Visible ASCII but the backslash, which some readers of URLs take for a slash. `urlsplit` drops tabs and line ends
# silently, so they must be refused before it sees the text.
_URL = re.compile(r"[!-\[\]-~]+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HOST_LIMIT_CHARACTERS = 253


class EgressRefused(Refusing):
    """This node does not go there: the address is not permitted, and nothing was sent."""

    code = "egress_refused"
    sentence = "This address may not be contacted from here."


class AddressBlocked(PermissionError):
    """A socket was about to be opened to an address that is not permitted.

    An `OSError`, because the connecting code of the HTTP library collects those of several addresses and loses others.
    """


class EgressPolicy:
    """What may be contacted.

    Args:
        allowed_origins: Says whether an origin ("https://a.example", "http://localhost:9001") is one we talk to. Asked
            for every request and every redirect. Nobody is allowed by default: there is no default.
        insecure_loopback: Permit http and ports for origins on loopback. For test nodes.
        lookup: How names become addresses.
    """

    def __init__(
        self, allowed_origins: Callable[[str], bool], insecure_loopback: bool, *, lookup: Lookup | None = None
    ) -> None:
        self._allowed_origins = allowed_origins
        self._insecure_loopback = insecure_loopback
        self._lookup = lookup or look_up_addresses

    def check_url(self, url: str) -> str:
        """Return a URL as it may be requested: lower-case scheme and host, a path, no fragment.

        Path and query stay exactly as given: they are signed.

        Raises:
            EgressRefused: The scheme, user information, port, host or origin is not permitted. No name was looked up.

        Spec: signatures.md T11, T31, T32.
        """
        checked, origin = _normalise(url, self._insecure_loopback)
        if not self._allowed_origins(origin):
            raise EgressRefused(internal=f"origin {origin} is not on the list")
        return checked

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, all of them permitted.

        Raises:
            EgressRefused: One of the addresses is not permitted, or public and loopback ones are mixed.
            OSError: The name has no address.
        """
        addresses = await self._lookup(host, port)
        if not addresses:
            raise OSError(errno.ENOENT, f"{host} has no address")
        blocked = [address for address in addresses if not self.may_connect(address, port)]
        if blocked or len({is_loopback_address(address) for address in addresses}) > 1:
            raise EgressRefused(internal=f"{host} resolves to {', '.join(addresses)[:200]}")
        return addresses

    def may_connect(self, address: str, port: int) -> bool:
        """Return whether a TCP connection to this address and port is permitted at all."""
        if self._insecure_loopback and is_loopback_address(address):
            return True
        return port == HTTPS_PORT and is_public_address(address)

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """Return a socket for one address, not yet connected; for the `socket_factory` of the HTTP library.

        Raises:
            AddressBlocked: The address is not permitted. Nothing was sent.
        """
        family, kind, protocol, _, target = info
        if family not in (socket.AF_INET, socket.AF_INET6) or not self.may_connect(str(target[0]), int(target[1])):
            raise AddressBlocked(errno.EACCES, f"{target[0]} port {target[1]} is not permitted")
        return socket.socket(family, kind, protocol)


@functools.lru_cache(maxsize=1024)
def _normalise(url: str, insecure_loopback: bool) -> tuple[str, str]:
    """Return a URL as it may be requested, and its origin; whether that origin may be contacted is asked elsewhere."""
    if len(url) > URL_LIMIT_CHARACTERS or not _URL.fullmatch(url):
        raise EgressRefused(internal=f"not a plain URL: {url[:100]!r}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise EgressRefused(internal=f"not a URL: {url[:100]!r}") from None
    if "@" in parts.netloc:
        raise EgressRefused(internal="user information in a URL")
    netloc = _check_host(host, insecure_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and insecure_loopback):
        raise EgressRefused(internal=f"scheme {parts.scheme[:20]!r} is not permitted")
    if parts.netloc.lower() != netloc:
        netloc = _check_port(netloc, parts.netloc, port, parts.scheme, insecure_loopback)
    origin = f"{parts.scheme}://{netloc}"
    rest = url[len(parts.scheme) + len("://") + len(parts.netloc) :].partition("#")[0]
    return origin + (rest if rest.startswith("/") else f"/{rest}"), origin


def _check_host(host: str, insecure_loopback: bool) -> str:
    """Return the host as it stands in an origin; refuse literal addresses, but loopback's on test nodes."""
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        if not (insecure_loopback and is_loopback_address(host)):
            raise EgressRefused(internal=f"literal address {host[:100]!r}")
        return f"[{host}]" if ":" in host else host
    if len(host) > _HOST_LIMIT_CHARACTERS or not all(map(_LABEL.fullmatch, host.split("."))):
        raise EgressRefused(internal=f"host {host[:100]!r} is not a plain name")
    return host


def _check_port(host: str, netloc: str, port: int | None, scheme: str, insecure_loopback: bool) -> str:
    """Return host and port as they stand in an origin, for a URL that names a port."""
    if netloc.lower() != f"{host}:{port}" or not insecure_loopback:
        raise EgressRefused(internal=f"port in {netloc[:100]!r} is not permitted")
    # One origin has one spelling; and 443, on which public addresses may be connected to, is never spoken in clear.
    if port in (0, HTTPS_PORT) or (scheme == "http" and port == HTTP_PORT):
        raise EgressRefused(internal=f"port {port} cannot be written in an {scheme} URL")
    return f"{host}:{port}"


def is_public_address(ip: str) -> bool:
    """Return whether an address belongs to a machine on the public Internet.

    >>> is_public_address("93.184.216.34"), is_public_address("10.0.0.1"), is_public_address("64:ff9b::7f00:1")
    (True, False, False)

    Spec: signatures.md T31; RFC 6890. Addresses with a zone ("fe80::1%eth0"), IPv4 addresses in the clothes of IPv6 and
    anything that is not an address are not public.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if "%" in ip or not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return not any(address in network for network in _NOT_PUBLIC_6)


def is_loopback_address(ip: str) -> bool:
    """Return whether an address is 127.0.0.0/8 or ::1, in that very form."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_loopback
    return str(address) == "::1"


async def look_up_addresses(host: str, port: int) -> list[str]:
    """Return the addresses the machine's resolver knows for a name, without repeats.

    Raises:
        OSError: There are none, or the resolver does not answer.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except UnicodeError as error:
        raise OSError(errno.EINVAL, f"{host} is not a name") from error
    return list(dict.fromkeys(str(info[4][0]) for info in found))
