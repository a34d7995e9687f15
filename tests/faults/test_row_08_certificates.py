"""Row 8: a certificate that has expired, names somebody else, or that nobody has signed; and the right one again."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.waiting import until_true

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


class Authority:
    """A certificate authority of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "authority.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of these tests")])
        made = self._build(self._name, self._key, days=10).add_extension(x509.BasicConstraints(True, None), True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        signed = made.add_extension(usage, True).sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str = "localhost", *, days: int = 10, is_own: bool = True) -> Path:
        """Return a file with a key and a certificate for a name; `days` below 0: it has expired. not is_own: signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = self._build(subject, key, days=days, issuer=None if is_own else subject)
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        signed = built.sign(self._key if is_own else key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self.folder / f"{name}{days}{is_own}{key.public_key().public_numbers().x % 10**8}.pem"
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return file

    def _build(self, subject: x509.Name, key: Any, *, days: int, issuer: x509.Name | None = None) -> Any:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return builder.add_extension(own, False).add_extension(authority, False)


@dataclass(frozen=True)
class Secured:
    """Two nodes behind TLS, the authority that they trust, and what the second one's door shows."""

    pair: Neighbours
    authority: Authority
    door: ssl.SSLContext

    def show(self, file: Path) -> None:
        """Let the second node's door show this certificate to whoever comes from now on."""
        self.door.load_cert_chain(file)
        self.pair.b.proxy.disturb(None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    """Give two nodes that speak https with each other."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder)
    doors: dict[str, ssl.SSLContext] = {}

    def make(name: str) -> dict[str, Any]:
        doors[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        doors[name].load_cert_chain(authority.issue())
        doors[name].num_tickets = 0  # no connection rests on what was shown before
        return {"tls": doors[name]}

    settings = f'ca_file = "{authority.file}"\ndeliver_timeout_seconds = 3'
    async with the_neighbours(folder, ["sqlite:"] * 2, settings=settings, make=make) as pair:
        await pair.rest()
        yield Secured(pair, authority, doors["hospital"])


_BAD: dict[str, Callable[[Authority], Path]] = {
    "has expired": lambda authority: authority.issue(days=-1),
    "names somebody else": lambda authority: authority.issue("elsewhere.example"),
    "is signed by itself": lambda authority: authority.issue(is_own=False),
}


@pytest.mark.parametrize("certificate", _BAD)
async def test_row_08_a_certificate_that_cannot_be_trusted_holds_the_lane_until_it_is_renewed(
    secured: Secured, certificate: str
) -> None:
    pair = secured.pair
    secured.show(_BAD[certificate](secured.authority))
    uri = await pair.speak(pair.a)

    async def is_held() -> bool:
        lanes = (await pair.a.tell("lane", "list"))["lanes"]
        return any(lane["queued"] and lane["error"] and lane["error"]["code"] == "unreachable" for lane in lanes)

    await until_true(is_held)
    came = await pair.has(pair.b, uri)
    spoken = await pair.speak(pair.b)  # the other way is as ever, and the contact starts ours again
    secured.show(secured.authority.issue())
    await until_true(lambda: pair.has(pair.b, uri), seconds=60)
    await pair.rest()

    assert not came
    assert await pair.has(pair.a, spoken)
    assert await pair.check() == []


async def test_row_08_without_trust_in_our_authority_nothing_is_sent_at_all(secured: Secured) -> None:
    assert secured.pair.a.origin.startswith("https://")
    assert secured.pair.b.origin.startswith("https://")
    sent = b"".join(bytes(talk.sent) for talk in secured.pair.b.proxy.conversations)
    assert b"POST /" in sent, "behind the door it is the node that answers"
