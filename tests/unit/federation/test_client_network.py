"""Where the signed client connects to, over TLS or not, and what it calls the trouble it meets."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback_peer import Handler, Peer, a_client, a_peer, an_answer, unsigned

from node.federation.client import SignedClient
from node.federation.egress import AddressInfo, EgressPolicy, EgressRefused
from node.foundation.errors import ConfigError, Unreachable


async def test_trouble_has_a_name(client: SignedClient, friend: Peer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed_port = unused.getsockname()[1]

    async def trouble(url: str, handler: Handler | None = None) -> str:
        friend.handler = handler
        with pytest.raises(Unreachable) as failed:
            await client.post(url, b"{}", signer=unsigned)
        return failed.value.internal.partition(":")[0]

    inbox = f"http://friend.test:{friend.port}/inbox"
    assert await trouble(f"http://unknown.test:{friend.port}/inbox") == "dns"
    assert await trouble(f"http://friend.test:{closed_port}/inbox") == "connect"
    assert await trouble(inbox, friend.hang_up) == "reset"
    assert await trouble(inbox, friend.speak_another_protocol) == "http"


async def test_a_client_that_was_closed_reaches_nobody(friend: Peer) -> None:
    async with a_client() as client:
        await client.close()

        with pytest.raises(Unreachable):
            await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)


# Where connections go


async def test_t31_a_literal_address_that_slips_past_the_check_finds_no_socket(friend: Peer) -> None:
    class ForgetfulPolicy(EgressPolicy):
        def check_url(self, url: str) -> str:
            return url

    client = SignedClient(ForgetfulPolicy(lambda origin: True, insecure_loopback=False))
    await client.start()

    try:
        for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"):
            with pytest.raises(EgressRefused):
                await client.get_document(f"http://{host}:{friend.port}/actor", signer=unsigned)
    finally:
        await client.close()

    assert friend.connections == 0


async def test_t31_a_name_that_moves_inside_between_two_requests_is_refused(friend: Peer) -> None:
    answers = [["127.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    friend.otherwise = an_answer(more="connection: close\r\n")

    async with a_client(lookup=rebinding) as client:
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)
        for _ in range(2):
            with pytest.raises(EgressRefused):
                await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert answers == []
    assert friend.connections == 1


async def test_t31_rebinding_between_check_and_connect_changes_nothing() -> None:
    looked_up: list[str] = []
    opened: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["93.184.216.34"] if len(looked_up) == 1 else ["127.0.0.1"]

    class WatchedPolicy(EgressPolicy):
        def open_socket(self, info: AddressInfo) -> socket.socket:
            opened.append(info[4][0])
            raise OSError(101, "no network in tests")

    client = SignedClient(WatchedPolicy(lambda origin: True, insecure_loopback=False, lookup=rebinding))
    await client.start()

    try:
        with pytest.raises(Unreachable, match=r"^connect: "):
            await client.post("https://friend.example/inbox", b"{}", signer=unsigned)
    finally:
        await client.close()

    assert looked_up == ["friend.example"]
    assert set(opened) == {"93.184.216.34"}


async def test_t31_several_blocked_addresses_are_a_refusal(friend: Peer) -> None:
    class ForgetfulPolicy(EgressPolicy):
        async def resolve(self, host: str, port: int) -> list[str]:
            return ["127.0.0.1", "::1", "127.0.0.2"]

    client = SignedClient(ForgetfulPolicy(lambda origin: True, insecure_loopback=False))
    await client.start()

    try:
        with pytest.raises(EgressRefused):
            await client.post("https://friend.example/inbox", b"{}", signer=unsigned)
    finally:
        await client.close()

    assert friend.connections == 0


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PEM file with a key and a certificate of its own making for friend.test."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "friend.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("friend.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "friend.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_tls_needs_a_certificate_of_the_name_from_a_trusted_authority(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async with a_peer(context) as friend:
        async with a_client(ca_file=str(certificate)) as trusting:
            answer = await trusting.post(f"https://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)
            with pytest.raises(Unreachable, match=r"^tls: "):
                await trusting.post(f"https://other.test:{friend.port}/inbox", b"{}", signer=unsigned)
        async with a_client() as doubting:
            with pytest.raises(Unreachable, match=r"^tls: "):
                await doubting.post(f"https://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert answer.status == 200
    assert [request.one("host") for request in friend.requests] == [f"friend.test:{friend.port}"]


async def test_an_authority_file_that_cannot_be_used_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    policy = EgressPolicy(lambda origin: True, insecure_loopback=False)

    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(ConfigError, match="ca_file"):
            await SignedClient(policy, ca_file=str(tmp_path / name)).start()
