"""Certificates: seen on the connections that are made anyway, and warned of before they end."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.domain.pressure import days_to_warn
from node.federation.certificates import Seen, look_at_own
from node.federation.client import build_tls_context
from node.foundation.errors import Unreachable
from tests.pressure.conftest import Disk
from tests.support.clock import NOON
from tests.support.corridor import Corridor
from tests.unit.federation.loopback_peer import a_client, a_peer, unsigned

_NAME = "localhost"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a PEM file with a key and a certificate that vouches for itself."""

    def make(*, name: str = _NAME, ends_at: datetime) -> Path:
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(private.public_key())
            .serial_number(1)
            .not_valid_before(ends_at - timedelta(days=90))
            .not_valid_after(ends_at)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(private, hashes.SHA256())
        )
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = tmp_path / f"{ends_at.timestamp()}.pem"
        path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
        return path

    return make


def _serve(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_delivery_sees_when_the_certificate_ends(make: Make) -> None:
    ends_at = (datetime.now(UTC) + timedelta(days=10)).replace(microsecond=0)
    path = make(name="friend.test", ends_at=ends_at)

    async with a_peer(_serve(path)) as friend, a_client(ca_file=str(path)) as client:
        await client.post(f"https://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)
        connections = friend.connections

    assert client.certificates.seen == {"friend.test": Seen(ends_at)}
    assert connections == 1  # nothing was looked up for it


async def test_a_certificate_that_has_ended_is_named(make: Make) -> None:
    path = make(name="friend.test", ends_at=datetime.now(UTC) - timedelta(days=1))

    async with a_peer(_serve(path)) as friend, a_client(ca_file=str(path)) as client:
        with pytest.raises(Unreachable):
            await client.post(f"https://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert client.certificates.seen == {"friend.test": Seen(None, "certificate has expired")}


async def test_our_own_certificate_is_looked_at_as_a_peer_would(make: Make) -> None:
    ends_at = (datetime.now(UTC) + timedelta(days=10)).replace(microsecond=0)
    path = make(ends_at=ends_at)

    async with a_peer(_serve(path)) as front:
        good = await look_at_own(_NAME, front.port, build_tls_context(str(path)))
        untrusted = await look_at_own(_NAME, front.port, ssl.create_default_context())
    nobody = await look_at_own(_NAME, front.port, ssl.create_default_context())

    assert good == Seen(ends_at)
    assert untrusted is not None and untrusted.ends_at is None and "self-signed" in untrusted.problem
    assert nobody is None


@pytest.mark.parametrize(
    ("days", "warning"), [(30, None), (21, None), (20.9, 21), (7, 21), (6.9, 7), (1.9, 2), (-1, 2)]
)
def test_warnings_come_at_21_7_and_2_days(days: float, warning: int | None) -> None:
    assert days_to_warn(NOON + timedelta(days=days), now=NOON) == warning


@pytest.mark.parametrize(
    ("seen", "alerts"),
    [
        (Seen(NOON + timedelta(days=60)), ()),
        (Seen(NOON + timedelta(days=20)), ("certificate_own",)),
        (Seen(None, "Hostname mismatch"), ("certificate_own_refused",)),
    ],
)
async def test_operators_are_warned_of_their_own_certificate(
    corridor: Corridor, disk: Disk, seen: Seen, alerts: tuple[str, ...]
) -> None:
    disk.own = seen

    await corridor.lone.house.watcher.look()

    assert corridor.lone.core.pressure.alerts == alerts


async def test_what_was_seen_of_a_peers_certificate_outlives_a_restart(corridor: Corridor) -> None:
    core, ends_at = corridor.lone.core, NOON + timedelta(days=5)
    seen = core.client.certificates.seen
    seen["friend.example"] = Seen(ends_at)
    await corridor.lone.house.watcher.look()
    before = core.pressure.alerts

    seen.clear()
    core.pressure.certificates = {}
    corridor.lone.clock.advance(700)
    await corridor.lone.house.watcher.look()

    assert before == ("certificate_peer",)
    assert core.pressure.certificates == {"friend.example": Seen(ends_at)}
