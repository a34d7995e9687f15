"""The house: one node in one process, opened from its data directory, doing its work, closed again.

Doors are given a `House`: the core for what they read and write, the tables for what they record.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from node.domain.actors import Actor
from node.domain.registers import check_registers
from node.federation.client import SignedClient
from node.federation.egress import EgressPolicy
from node.foundation.bell import Bell
from node.foundation.clock import Clock, SystemClock
from node.foundation.config import Config, load_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.ids import Ids, RandomIds
from node.foundation.logs import get_logger
from node.inbox.dereference import Dereferencer
from node.inbox.pictures import PictureFetcher
from node.inbox.process import Processor
from node.inbox.pull import Puller
from node.inbox.receive import Receiver
from node.outbox.deliver import Deliverer
from node.store.actors import get_actor_by_uri, insert_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.journal import Journal, bring_up_to_date
from node.store.keyring import Keyring, insert_own_keys
from node.store.migrate import migrate
from node.store.opening import open_store
from node.store.peerbook import PeerBook
from node.store.peers import list_peers
from node.store.rosters import list_groups

from .groups.hosting import count_readers
from .operating.schedule import BackupSchedule
from .posts.submit import Resender
from .purge import TIDY_BELL
from .reading.live import LiveHub
from .recovery import Recoverer
from .restoring import take_up
from .rooms import open_rooms
from .verification.rechecking import Rechecker
from .verification.service import configured_registers

READERS_SECONDS = 86_400
COUNTS_SECONDS = 60


async def open_core(
    data: Path, *, config: Config | None = None, clock: Clock | None = None, ids: Ids | None = None
) -> Core:
    """Open a node's data directory: configuration, keys, database brought to the newest schema, peers.

    Raises:
        ConfigError: The directory or its configuration cannot be used.
        StoreError: The database cannot be opened, or is newer than this release.
    """
    config = config or load_config(data)
    if problems := check_registers(configured_registers(config)):
        raise ConfigError(*problems)
    clock = clock or SystemClock()
    key_path = data / "keys" / "node.key"
    try:
        node_key = key_path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"The key file {key_path} is missing. Restore it from the backup.") from None
    store = await open_store(config.database, data=data, clock=clock)
    store.journal = Journal(data / "journal.log")
    try:
        await migrate(store, now=clock.now())
        await bring_up_to_date(store, store.journal)
        peers = PeerBook()
        policy = EgressPolicy(peers.may_contact, config.federation.insecure_loopback)
        client = SignedClient(
            policy,
            ca_file=config.federation.ca_file,
            fetch_timeout_seconds=config.federation.fetch_timeout_seconds,
            deliver_timeout_seconds=config.federation.deliver_timeout_seconds,
        )
        core = Core(
            config=config,
            data=data,
            clock=clock,
            ids=ids or RandomIds(clock),
            store=store,
            keyring=Keyring(store, node_key),
            peers=peers,
            client=client,
            bell=Bell(),
        )
        await _ensure_instance(core)
        await core.keyring.open_attesting(core.instance_uri)
        for peer in await store.read(list_peers):
            peers.put(peer)
        if await take_up(core):
            for peer in await store.read(list_peers):
                peers.put(peer)
        await client.start()
    except BaseException:
        await store.close()
        raise
    return core


async def close_core(core: Core) -> None:
    """Close what `open_core` opened."""
    await core.client.close()
    await core.store.close()


async def _ensure_instance(core: Core) -> None:
    """Make the instance actor with its keys, once."""
    actor = await core.store.read(_find_instance, core.instance_uri)
    if actor is None:
        actor_id = core.ids.number()
        keys = await asyncio.to_thread(core.keyring.make, actor_id, core.instance_uri)
        actor = Actor(
            actor_id, core.instance_uri, "instance", core.host, core.host, True, None, core.config.name, "",
            f"{core.origin}/inbox",
        )  # fmt: skip
        await core.store.write(_insert_instance, actor, core.keyring.seal(keys))
        actor = await core.store.read(_find_instance, core.instance_uri)
    core.instance_id = actor.actor_id if actor else 0


async def _find_instance(tx: Tx, uri: str) -> Actor | None:
    return await get_actor_by_uri(tx, uri=uri)


async def _insert_instance(tx: Tx, actor: Actor, sealed: list[Any]) -> None:
    if await insert_actor(tx, actor=actor):
        await insert_own_keys(tx, actor_id=actor.actor_id, sealed=sealed)


class House:
    """An opened node with its rooms and its work; `start` and `stop` bracket the work.

    Args:
        core: From `open_core`; the caller closes it.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.rooms, self.tables = open_rooms()
        self.dereferencer = Dereferencer(core)
        self.receiver = Receiver(core, self.dereferencer)
        self.pictures = PictureFetcher(core)
        self.processor = Processor(core, self.tables, self.receiver, self.dereferencer, self.pictures)
        self.puller = Puller(core, self.receiver.entries)
        self.deliverer = Deliverer(core)
        self.resender = Resender(core)
        self.recoverer = Recoverer(core, self.tables)
        self.rechecker = Rechecker(core)
        self.backups = BackupSchedule(core)
        self.live = LiveHub(core)
        self.is_ready = False
        self._tasks: list[asyncio.Task[None]] = []
        self._sleepers: list[asyncio.Task[None]] = []  # those of the tasks that a stop cuts off in their sleep

    def start(self) -> None:
        """Begin to work: act on arrivals, deliver, pull, fetch pictures, tidy."""
        workers = (self.recoverer, self.processor, self.deliverer, self.puller, self.resender, self.pictures)
        self._tasks = [asyncio.create_task(worker.run()) for worker in workers]
        sleepers = (self._tidy, self._count_readers, self._keep_counts, self.rechecker.run, self.backups.run)
        self._tasks += [asyncio.create_task(sleeper()) for sleeper in sleepers]
        self._sleepers = self._tasks[-len(sleepers) :]
        self.is_ready = True

    async def stop(self) -> None:
        """Stop working within 20 s; what is under way is finished or left for the next start."""
        self.is_ready = False
        for worker in (self.recoverer, self.processor, self.puller, self.resender, self.pictures):
            worker.stop()
        self.live.stop()
        await self.deliverer.stop()
        await self.live.rest()
        if self._tasks:
            for task in self._sleepers:
                task.cancel()
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
        await self._save_counts()

    async def _count_readers(self) -> None:
        """Tell the members of each group hosted here, once a day, who can read it, where the numbers have changed."""
        while True:
            await asyncio.sleep(READERS_SECONDS)
            for group in await self.core.store.read(list_groups):
                if group.is_local:
                    await self.core.write(count_readers, self.core, self.tables, group.group_id)

    async def _keep_counts(self) -> None:
        """Write once a minute how much came and went."""
        while True:
            await asyncio.sleep(COUNTS_SECONDS)
            await self._save_counts()

    async def _save_counts(self) -> None:
        try:
            await self.core.tally.save(self.core.store)
        except NodeError as error:
            get_logger().warning("counts_unsaved", code=error.code)

    async def _tidy(self) -> None:
        """After something was erased, make its bytes leave the files too."""
        while True:
            if await self.core.bell.wait(TIDY_BELL, at_most_seconds=3600):
                try:
                    await self.core.store.tidy()
                except NodeError as error:
                    get_logger().error("tidy_failed", code=error.code)
