"""What every floor above the store is given: one node's configuration, clock, ids, store, keys, peers and client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate

from node.federation.client import SignedClient
from node.federation.message import Request
from node.federation.signatures.cavage import sign_cavage
from node.federation.signatures.rfc9421 import sign_rfc9421
from node.foundation.bell import Bell
from node.foundation.clock import Clock
from node.foundation.config import Config
from node.foundation.errors import Unreachable
from node.foundation.ids import Ids

from .company import Company
from .engine import P, Store, T, Tx
from .keyring import KeyNotAtHand, Keyring, OwnKeys
from .peerbook import PeerBook
from .pressure import Pressure
from .tally import Tally

if TYPE_CHECKING:
    from .bucket import Bucket  # obstore is an extra: only nodes with a bucket need it

# As wide as the window in which signatures are taken: a peer whose clock is ahead must not refuse us for it.
EXPIRES_IN_SECONDS = 3600
DOUBTS_BELL = "recovery"
TIDY_BELL = "tidy"
# Half of what one commit takes on SQLite, half of the connections on PostgreSQL: whatever comes from other nodes, what a
# member writes goes with the next commit.
ARRIVALS_AT_ONCE = {"sqlite": 100, "postgresql": 8}


@dataclass(slots=True)
class Core:
    """One node in one process. Made by `app.open_core`; two fit in one process.

    instance_id: the number of the instance actor.
    heavy: two at a time may hash a password or clean a picture. arriving: so many arrivals may wait for the database.
    bucket: where pictures are, in a node that has no folder for them.
    company: the other processes of this node; None on SQLite, where there are none.
    doubts: {(group hosted here, peer): the chain it told} of peers whose position our log does not have.
    """

    config: Config
    data: Path
    clock: Clock
    ids: Ids
    store: Store
    keyring: Keyring
    peers: PeerBook
    client: SignedClient
    bell: Bell
    instance_id: int = 0
    tally: Tally = field(default_factory=Tally)
    pressure: Pressure = field(default_factory=Pressure)
    heavy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    arriving: asyncio.Semaphore = field(init=False)
    doubts: dict[tuple[int, int], str] = field(default_factory=dict)
    company: Company | None = None
    bucket: Bucket | None = None

    def __post_init__(self) -> None:
        """Leave room for members beside what arrives."""
        self.arriving = asyncio.Semaphore(ARRIVALS_AT_ONCE[self.store.dialect])

    @property
    def origin(self) -> str:
        """Our own origin, such as "https://a.example"; every id of ours starts with it."""
        return self.config.base_url

    @property
    def host(self) -> str:
        """Our own authority, such as "a.example" or "localhost:9001"."""
        return self.config.host

    @property
    def allow_insecure(self) -> bool:
        """Whether ids with http and ports are taken; for test nodes on loopback."""
        return self.config.federation.insecure_loopback

    @property
    def instance_uri(self) -> str:
        """The id of the instance actor."""
        return f"{self.origin}/actor"

    @property
    def media_folder(self) -> Path:
        """Where pictures are kept, by their hash."""
        named = self.config.media.removeprefix("file:")
        return Path(named) if named.startswith("/") else self.data / "media"

    def doubt(self, group_id: int, peer_id: int, chain: str) -> None:
        """Note that a peer, which told this chain, may hold more of a group's log than we, its host."""
        self.doubts[group_id, peer_id] = chain
        self.bell.ring(DOUBTS_BELL)

    async def write(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a body that may need private keys of ours: those not in memory are loaded, and it runs again."""
        while True:
            try:
                return await self.store.write(body, *args, **kwargs)
            except KeyNotAtHand as wanted:
                await self.keyring.own(wanted.actor_id)

    async def write_arrival(
        self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a body that keeps what came from another node: never so many at once that our members would wait."""
        async with self.arriving:
            return await self.store.write(body, *args, **kwargs)

    def sign_rsa(self, keys: OwnKeys) -> SignRequest:
        """Return a signer in the dialect that all software reads: draft-cavage, RSA."""
        return SignRequest(self, keys)

    def sign_for(self, keys: OwnKeys, origin: str) -> SignRequest:
        """Return the signer that suits a peer: RFC 9421 with Ed25519 for our own software, else draft-cavage."""
        peer = self.peers.by_origin(origin)
        return SignRequest(self, keys, origin if peer is not None and peer.speaks_rounds else None)


@dataclass(frozen=True, slots=True)
class SignRequest:
    """Signs requests as one actor, at the moment they are sent: by RFC 9421 for `rfc9421_origin`, else draft-cavage."""

    core: Core
    keys: OwnKeys
    rfc9421_origin: str | None = None

    def __call__(self, request: Request) -> Request:
        """Return the request with its signature.

        Raises:
            Unreachable: Our clock was set while we ran, and nobody has said that it is right.
        """
        if not self.core.pressure.may_sign:
            raise Unreachable(internal="clock: nothing is signed until the clock is known to be right")
        keys, now = self.keys, self.core.clock.now()
        if self.rfc9421_origin is not None:
            return sign_rfc9421(
                request,
                keys.ed25519,
                keys.ed25519_key_id,
                now=now,
                origin=self.rfc9421_origin,
                expires_in_seconds=EXPIRES_IN_SECONDS,
            )
        return sign_cavage(request, keys.rsa, keys.rsa_key_id, now=now)
