"""A friend on loopback, a client to reach it, and a key to sign with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from loopback_peer import Peer, a_client, a_peer

from node.federation.client import SignedClient
from node.federation.message import Request
from node.federation.signatures.cavage import sign_cavage
from node.federation.signatures.keys import PrivateKey, generate_rsa_key

KEY_ID = "https://home.example/actor#main-key"


@pytest.fixture
async def friend() -> AsyncIterator[Peer]:
    async with a_peer() as peer:
        yield peer


@pytest.fixture
async def client(friend: Peer) -> AsyncIterator[SignedClient]:
    async with a_client() as opened:
        yield opened


@pytest.fixture(scope="session")
def rsa_key() -> PrivateKey:
    return generate_rsa_key()


@pytest.fixture
def signer(rsa_key: PrivateKey) -> Callable[[Request], Request]:
    return lambda request: sign_cavage(request, rsa_key, KEY_ID, now=datetime.now(UTC))
