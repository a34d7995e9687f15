"""One node without a network: a real house on a real database, whose clock stands still and whose wire is paper.

Everything is real but the wire: what the node would send is written down, and what it would fetch is looked up among
the documents that a test laid out.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from node.app import Application
from node.community.house import House, close_core, open_core
from node.domain.actors import Actor, Member
from node.federation.certificates import CertificateNotes
from node.federation.message import Answer
from node.federation.signatures.keys import PrivateKey, generate_ed25519_key, generate_rsa_key
from node.foundation.clock import Clock
from node.foundation.config import build_config
from node.foundation.errors import Refusing, Unreachable
from node.store.actors import insert_actor
from node.store.core import Core
from node.store.engine import Store, Tx
from node.store.keyring import Keyring, OwnKeys, insert_own_keys
from node.store.opening import open_store
from tests.support.databases import Databases

HOST = "home.example"
ORIGIN = f"https://{HOST}"
_NODE_KEY = bytes(range(32))
_INSTANCE_ID = 1


@functools.cache
def rsa_key(name: str = "") -> PrivateKey:
    """Return the RSA key of this name for the whole run; making one takes 0.1 s."""
    return generate_rsa_key()


def body_of(document: Any) -> bytes:
    """Return a document as bytes; bytes stay as they are."""
    return document if isinstance(document, bytes) else msgspec.json.encode(document)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST that the node made."""

    url: str
    document: dict[str, Any]
    headers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class PaperWire:
    """The network of a lone house.

    documents: what can be fetched, by address; bytes are given as they are.
    asked: every address that was fetched, whether there was something or not.
    deliveries: every POST. reply: what the other side answers to one; 202 when None.
    held: what every fetch waits for, when there is something. silent: nothing is answered at all.
    certificates: what was seen of them, by a test's word.
    """

    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    reply: Callable[[Delivery], Awaitable[Answer]] | None = None
    held: asyncio.Event | None = None
    silent: bool = False
    certificates: CertificateNotes = field(default_factory=CertificateNotes)

    @property
    def requests(self) -> int:
        """How often the node went to the network at all."""
        return len(self.asked) + len(self.deliveries)

    async def get_document(self, url: str, **more: Any) -> tuple[str, bytes]:
        """Give a document that was laid out."""
        return url, await self._find(url)

    async def get_json(self, url: str, **more: Any) -> tuple[str, bytes]:
        """Give a document that was laid out."""
        return url, await self._find(url)

    async def get_bytes(self, url: str, **more: Any) -> tuple[str, bytes]:
        """Give a file that was laid out."""
        return "image/png", await self._find(url)

    async def post(self, url: str, body: bytes, *, signer: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """Write a delivery down and answer it."""
        delivery = Delivery(url, msgspec.json.decode(body), headers)
        self.deliveries.append(delivery)
        return Answer(202) if self.reply is None else await self.reply(delivery)

    async def close(self) -> None:
        """Hold nothing, so let go of nothing."""

    async def _find(self, url: str) -> bytes:
        self.asked.append(url)
        if self.held is not None:
            await self.held.wait()
        if self.silent:
            raise Unreachable(internal=f"{url} gave no answer")
        found = self.documents.get(url)
        if found is None:
            raise Refusing(internal=f"{url} answered 404", remote_status=404)
        return found if isinstance(found, bytes) else msgspec.json.encode(found)


@dataclass(slots=True)
class LoneHouse:
    """A node that is open and does nothing by itself: a test lets it work with `work`."""

    house: House
    wire: PaperWire
    app: Application
    clock: Any

    @property
    def core(self) -> Core:
        """The node's core."""
        return self.house.core

    async def work(self) -> None:
        """Let the node act on everything that has arrived."""
        while await self.house.processor.round():
            pass

    async def deliver(self) -> None:
        """Let the node send what is due now, until nothing is."""
        before = -1
        while before != len(self.wire.deliveries):
            before = len(self.wire.deliveries)
            await self.house.deliverer.look()
            await self.settle()

    async def settle(self) -> None:
        """Wait until no lane is being drained."""
        while self.house.deliverer.in_flight:
            await self.house.deliverer.settle()
            await asyncio.sleep(0)  # for the callbacks that say so

    async def receive(self, foreign: Any, document: Any, *, target: str = "/inbox") -> Answer:
        """Take an activity of somebody elsewhere, signed by them, act on it, and return the answer."""
        answer = await self.app.answer(foreign.deliver(document, self.clock.now(), target=target))
        await self.work()
        return answer

    async def member(self, handle: str, **more: Any) -> Member:
        """Make somebody with an account here, and keys."""
        return await add_member(self.core, handle, **more)


@asynccontextmanager
async def a_lone_house(
    databases: Databases, clock: Clock, *, place: tuple[str, Path] | None = None, origin: str = ORIGIN, **settings: Any
) -> AsyncIterator[LoneHouse]:
    """Open a node with an instance actor and nobody else.

    Args:
        databases: Where its database comes from.
        clock: Its time.
        place: (address, data directory) of one that was open before; a new one when None.
        origin: Its base URL.
        settings: Anything of `rounds.toml` besides base URL, name and database.
    """
    address, data = place or await databases.new_data(_place_instance if origin == ORIGIN else None)
    config = build_config({"base_url": origin, "name": "Home", "database": address} | settings)
    if place is None:
        (data / "keys").mkdir()
        (data / "keys" / "node.key").write_bytes(_NODE_KEY)
        if origin != ORIGIN:
            store = await open_store(address, data=data, clock=clock)
            await _place_instance(store, origin)
            await store.close()
    core = await open_core(data, config=config, clock=clock)
    await core.client.close()
    wire = PaperWire()
    core.client = wire  # type: ignore[assignment]
    core.keyring.make = own_keys  # type: ignore[method-assign]  # making an RSA key takes 0.1 s
    house = House(core)
    try:
        yield LoneHouse(house, wire, Application(house), clock)
    finally:
        await close_core(core)


def own_keys(actor_id: int, uri: str) -> OwnKeys:
    """Return keys for an actor of the house; they share one RSA key, which nobody compares."""
    return OwnKeys(actor_id, uri, rsa_key("home"), generate_ed25519_key())


async def add_member(
    core: Core, handle: str, *, role: str = "member", state: str = "active", is_searchable: bool = False
) -> Member:
    """Make somebody with an account and keys on a node."""
    number, uri = core.ids.number(), f"{core.origin}/people/{handle}"
    member = Member(number, uri, handle, handle.capitalize(), role, "physician", "A3", state, is_searchable)
    sealed = core.keyring.seal(own_keys(number, uri))
    await core.store.write(_insert_member, core, member, sealed)
    return member


_INSERT_MEMBER = """INSERT INTO members (actor_id, handle, password_hash, role, class, assurance, state, is_searchable,
   notice, created_at, last_seen_at, version)
  VALUES (:actor_id, :handle, NULL, :role, 'physician', 'A3', :state, :is_searchable, NULL, :created_at, NULL, 1)"""


async def _insert_member(tx: Tx, core: Core, member: Member, sealed: list[Any]) -> None:
    actor = Actor(
        member.actor_id, member.uri, "person", member.handle, core.host, True, None, member.name, "",
        f"{core.origin}/inbox",
    )  # fmt: skip
    await insert_actor(tx, actor=actor)
    await insert_own_keys(tx, actor_id=member.actor_id, sealed=sealed)
    await tx.run(
        _INSERT_MEMBER,
        actor_id=member.actor_id,
        handle=member.handle,
        role=member.role,
        state=member.state,
        is_searchable=member.is_searchable,
        created_at=tx.now,
    )


async def _place_instance(store: Store, origin: str = ORIGIN) -> None:
    """Put the instance actor there with a key made before; `open_core` would make one each time."""
    uri, host = f"{origin}/actor", origin.partition("://")[2]
    actor = Actor(_INSTANCE_ID, uri, "instance", host, host, True, None, "Home", "", f"{origin}/inbox")
    keyring = Keyring(store, _NODE_KEY)
    await store.write(_insert_instance, actor, keyring.seal(own_keys(_INSTANCE_ID, uri)))
    await keyring.open_attesting(uri)


async def _insert_instance(tx: Tx, actor: Actor, sealed: list[Any]) -> None:
    await insert_actor(tx, actor=actor)
    await insert_own_keys(tx, actor_id=actor.actor_id, sealed=sealed)
