"""The signed client: everything this node asks of other nodes goes through here.

*How it works.* One session of the HTTP library is kept for the whole process, so connections stay open between
requests. Each request walks the same way: `EgressPolicy.check_url`, then the signer, then the wire, and each hop of a
redirect walks it again from the start. Names are looked up and sockets opened by the policy too (egress.py says why).
Nothing a peer answers is trusted to be small, quick or honestly labelled: bodies are read piece by piece and unpacked
with a limit (bodies.py), all hops together have one deadline, only the media types asked for are taken (T33 to T35).

Errors have two meanings only. `Unreachable`: try later; its internal sentence begins with one of the words in
`TROUBLES`. `Refusing`: stop, and tell the operator; `EgressRefused` is the one that never left this node.

This is the home of aiohttp: nothing else imports it. Signing comes in as an argument, so this module knows no keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from .. import __version__
from ..foundation.errors import ConfigError, Refusing, Unreachable
from .bodies import BodyTooLarge, BodyUnreadable, read_body
from .certificates import CertificateNotes
from .egress import AddressBlocked, EgressPolicy, EgressRefused
from .mediatypes import ACCEPT_ACTIVITY, ACTIVITY_JSON, get_essence, is_activity_type
from .message import Answer, Request

Signer = Callable[[Request], Request]
"""Return the request with the headers of a signature added; method, target and body stay as they are."""

Headers = tuple[tuple[str, str], ...]

USER_AGENT = f"rounds/{__version__}"
TROUBLES = ("dns", "connect", "tls", "timeout", "reset", "http", "status")

DOCUMENT_LIMIT_BYTES = 262_144
ANSWER_LIMIT_BYTES = 65_536
MAX_REDIRECTS = 3
CONNECT_TIMEOUT_SECONDS = 5.0
FIRST_BYTE_TIMEOUT_SECONDS = 10.0
MEDIA_TIMEOUT_SECONDS = 30.0
JSON_TYPES = frozenset({"application/json", "application/jrd+json"})

# Servers commonly close idle connections after 5 s. Letting go a little earlier avoids most deliveries that would be
# written into a connection which the other side is just closing.
_KEEPALIVE_SECONDS = 4.0
# The caller's own limits (64 deliveries, 300 key fetches) are lower; this one only keeps a mistake from eating sockets.
_CONNECTION_LIMIT = 512
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_LATER = frozenset({408, 425, 429})
_TIMEOUT: Final = aiohttp.ClientTimeout(
    total=None, sock_connect=CONNECT_TIMEOUT_SECONDS, sock_read=FIRST_BYTE_TIMEOUT_SECONDS
)


class SignedClient:
    """Ask other nodes for documents, and bring them ours.

    Args:
        policy: What may be contacted.
        ca_file: A PEM file of authorities to trust besides the system's; empty for none.
        fetch_timeout_seconds: All hops of one document together, from the first look-up to the last byte.
        deliver_timeout_seconds: One delivery, likewise.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        ca_file: str = "",
        fetch_timeout_seconds: float = 5.0,
        deliver_timeout_seconds: float = 20.0,
    ) -> None:
        self._policy = policy
        self._ca_file = ca_file
        self._fetch_timeout_seconds = fetch_timeout_seconds
        self._deliver_timeout_seconds = deliver_timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self.certificates = CertificateNotes()

    async def start(self) -> None:
        """Open the session; call it once, in the running loop, before anything else.

        Raises:
            ConfigError: `ca_file` cannot be used.
        """
        context = await asyncio.to_thread(build_tls_context, self._ca_file)
        self.certificates.watch(context)
        connector = aiohttp.TCPConnector(
            ssl=context,
            resolver=_PolicyResolver(self._policy),
            socket_factory=self._policy.open_socket,
            use_dns_cache=False,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            limit=_CONNECTION_LIMIT,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
            timeout=_TIMEOUT,
        )

    async def close(self) -> None:
        """Close all connections; what is under way fails as `Unreachable`."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get_document(
        self,
        url: str,
        *,
        signer: Signer,
        limit_bytes: int = DOCUMENT_LIMIT_BYTES,
        timeout_seconds: float | None = None,
        headers: Headers = (),
    ) -> tuple[str, bytes]:
        """Dereference an ActivityPub document.

        Args:
            url: Its id, or where it is said to be. A fragment is left out.
            signer: Signs every hop.
            limit_bytes: The largest body, unpacked; pages of a group log may have 8 MB.
            timeout_seconds: All hops together; the client's own `fetch_timeout_seconds` when None.
            headers: Sent beside the usual ones.

        Returns:
            The URL that answered, and the body as it came. The caller still has to check that the document's id is that
            URL.

        Raises:
            EgressRefused: The URL, or a redirect, leads where this node does not go.
            Refusing: A 4xx (`remote_status` holds it), another media type, too large, too many redirects.
            Unreachable: No connection, too slow, 408, 425, 429 or 5xx.

        Spec: ActivityPub §3.2; signatures.md T3, T33, T34, T35.
        """
        final_url, _, body = await self._get(
            url,
            signer=signer,
            accept=ACCEPT_ACTIVITY,
            limit_bytes=limit_bytes,
            is_wanted=is_activity_type,
            timeout_seconds=timeout_seconds,
            headers=headers,
        )
        return final_url, body

    async def get_json(
        self, url: str, *, signer: Signer | None = None, content_types: Collection[str] = JSON_TYPES
    ) -> tuple[str, bytes]:
        """Fetch a JSON document that is not ActivityPub: NodeInfo, WebFinger.

        Args:
            url: Where it is.
            signer: Signs every hop; None sends the request unsigned.
            content_types: The types taken, without parameters.

        Returns:
            The URL that answered, and the body as it came, for `read_nodeinfo` or `read_jrd`.

        Raises:
            As `get_document`.
        """
        final_url, _, body = await self._get(
            url,
            signer=signer,
            accept=", ".join(sorted(content_types)),
            limit_bytes=DOCUMENT_LIMIT_BYTES,
            is_wanted=lambda content_type: get_essence(content_type) in content_types,
        )
        return final_url, body

    async def get_bytes(self, url: str, *, signer: Signer, limit_bytes: int) -> tuple[str, bytes]:
        """Fetch a file of any type.

        Returns:
            The media type the peer claims, without parameters (never a reason to trust the bytes), and the bytes.

        Raises:
            As `get_document`.
        """
        _, content_type, body = await self._get(
            url,
            signer=signer,
            accept="*/*",
            limit_bytes=limit_bytes,
            is_wanted=lambda content_type: True,
            timeout_seconds=MEDIA_TIMEOUT_SECONDS,
        )
        return get_essence(content_type), body

    async def post(self, url: str, body: bytes, *, signer: Signer, headers: Headers = ()) -> Answer:
        """Deliver one activity, once.

        Args:
            url: The inbox.
            body: The exact bytes to send; the signer digests the same ones.
            signer: Called now, so that a repeated delivery is signed afresh.
            headers: More headers, lower-case names, to be signed or not as the signer likes.

        Returns:
            Whatever the peer answered, redirects and refusals included, with at most 64 kB of body.

        Raises:
            EgressRefused: The inbox is where this node does not go.
            Unreachable: There is no answer; `internal` begins with dns, connect, tls, timeout, reset or http.

        Spec: ActivityPub §7; reliability.md 4.5.
        """
        checked = self._policy.check_url(url)
        more = (("content-type", ACTIVITY_JSON), ("accept-encoding", "identity"), *headers)
        with _as_our_errors(checked):
            async with asyncio.timeout(self._deliver_timeout_seconds):
                async with self._exchange("POST", checked, signer, more, body) as response:
                    return await _read_answer(response)

    async def _get(
        self,
        url: str,
        *,
        signer: Signer | None,
        accept: str,
        limit_bytes: int,
        is_wanted: Callable[[str], bool],
        timeout_seconds: float | None = None,
        headers: Headers = (),
    ) -> tuple[str, str, bytes]:
        """Return final URL, Content-Type and body of a GET, following redirects within the origin."""
        checked = self._policy.check_url(url)
        more = (("accept", accept), ("accept-encoding", "gzip, deflate"), *headers)
        with _as_our_errors(checked):
            async with asyncio.timeout(timeout_seconds or self._fetch_timeout_seconds):
                for _ in range(MAX_REDIRECTS + 1):
                    async with self._exchange("GET", checked, signer, more, b"") as response:
                        if response.status not in _REDIRECTS:
                            content_type = _check_answer(response, checked, is_wanted)
                            return checked, content_type, await _read_wanted(response, checked, limit_bytes)
                        checked = self._check_redirect(checked, response)
        raise Refusing(internal=f"more than {MAX_REDIRECTS} redirects from {url[:200]}")

    def _check_redirect(self, checked: str, response: aiohttp.ClientResponse) -> str:
        """Return where a redirect leads; a signed request never follows one to another origin (T3)."""
        location = response.headers.get("location")
        if not location:
            raise Refusing(internal=f"{checked} redirects nowhere", remote_status=response.status)
        try:
            joined = urljoin(checked, location)
        except ValueError:
            raise EgressRefused(internal=f"{checked} redirects to {location[:200]!r}") from None
        following = self._policy.check_url(joined)
        if urlsplit(following)[:2] != urlsplit(checked)[:2]:
            raise EgressRefused(internal=f"{checked} redirects to {following[:200]}", remote_status=response.status)
        return following

    @contextlib.asynccontextmanager
    async def _exchange(
        self, method: str, checked: str, signer: Signer | None, headers: Headers, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one signed request to a checked URL and yield the response, its body not yet read."""
        if self._session is None:
            raise Unreachable(internal="http: the client is not running")
        netloc = urlsplit(checked).netloc
        target = checked[checked.index("/", checked.index("://") + 3) :]
        request = Request(method, target, (("host", netloc), ("user-agent", USER_AGENT), *headers), body)
        signed = request if signer is None else signer(request)
        # `encoded=True`: the library must not touch the target, it has just been signed.
        async with self._session.request(
            method, URL(checked, encoded=True), headers=signed.headers, data=body or None, allow_redirects=False
        ) as response:
            yield response


class _PolicyResolver(AbstractResolver):
    """Let the library look names up through the policy."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return checked addresses in the library's form."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._policy.resolve(host, port)
        ]

    async def close(self) -> None:
        """Hold nothing, so let go of nothing."""


def build_tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, and those of a PEM file when one is named.

    Raises:
        ConfigError: The file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not ca_file:
        return context
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise ConfigError(f"federation.ca_file {ca_file} cannot be used: {error}.") from None
    return context


def _check_answer(response: aiohttp.ClientResponse, url: str, is_wanted: Callable[[str], bool]) -> str:
    """Return the Content-Type of a 200 that may be read."""
    status = response.status
    if status >= 500 or status in _TRY_LATER:
        raise Unreachable(internal=f"status: {url} answered {status}")
    if status != 200:
        raise Refusing(internal=f"{url} answered {status}", remote_status=status)
    content_types = response.headers.getall("content-type", [])
    if len(content_types) > 1 or not is_wanted("".join(content_types)):
        raise Refusing(internal=f"{url} is called {str(content_types)[:200]}", remote_status=status)
    return "".join(content_types)


async def _read_wanted(response: aiohttp.ClientResponse, url: str, limit_bytes: int) -> bytes:
    encoding = ", ".join(response.headers.getall("content-encoding", []))
    try:
        return await read_body(response.content.iter_any(), encoding=encoding, limit_bytes=limit_bytes)
    except BodyTooLarge:
        raise Refusing(internal=f"{url} has more than {limit_bytes} bytes", remote_status=200) from None
    except BodyUnreadable as error:
        raise Refusing(internal=f"{url}: {error}", remote_status=200) from None


async def _read_answer(response: aiohttp.ClientResponse) -> Answer:
    """Return an answer with as much of its body as we care to read; the connection of a longer one is closed."""
    pieces = bytearray()
    async for piece in response.content.iter_any():
        pieces += piece
        if len(pieces) >= ANSWER_LIMIT_BYTES:
            break
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in response.raw_headers
    )
    return Answer(response.status, headers, bytes(pieces[:ANSWER_LIMIT_BYTES]))


@contextlib.contextmanager
def _as_our_errors(url: str) -> Iterator[None]:
    """Turn the library's errors into ours; the order matters, its classes are each other's children."""
    try:
        yield
    except aiohttp.ClientConnectorDNSError as error:
        raise _unreachable("dns", url, error) from error
    except aiohttp.ClientSSLError as error:
        raise _unreachable("tls", url, error) from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, AddressBlocked):
            raise EgressRefused(internal=f"{url}: {error.os_error}") from error
        raise _unreachable("connect", url, error) from error
    except TimeoutError as error:
        raise _unreachable("timeout", url, error) from error
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, OSError) as error:
        raise _unreachable("reset", url, error) from error
    except aiohttp.InvalidURL as error:
        raise EgressRefused(internal=f"the HTTP library does not take {url[:200]}") from error
    except aiohttp.ClientError as error:
        raise _unreachable("http", url, error) from error


def _unreachable(trouble: str, url: str, error: Exception) -> Unreachable:
    return Unreachable(internal=f"{trouble}: {url[:200]}: {type(error).__name__} {str(error)[:200]}")
