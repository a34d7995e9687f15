"""The house: one node in one process, opened from its data directory, doing its work, closed again.

Doors are given a `House`: the core for what they read and write, the tables for what they record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

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
from node.inbox.dispatch import Tables
from node.inbox.pictures import PictureFetcher
from node.inbox.process import Processor
from node.inbox.pull import Puller
from node.inbox.receive import Receiver
from node.outbox.deliver import Deliverer
from node.store.actors import get_actor_by_uri, insert_actor
from node.store.company import STRAYS_BELL, Company, SharedBell
from node.store.core import TIDY_BELL, Core
from node.store.engine import Store, Tx
from node.store.journal import bring_up_to_date, open_journal
from node.store.keyring import Keyring, insert_own_keys
from node.store.migrate import migrate
from node.store.opening import open_store
from node.store.peerbook import PeerBook
from node.store.peers import list_peers
from node.store.reserve import make_room_to_open
from node.store.rosters import list_groups
from node.store.stray_files import sweep_files
from node.store.uploads import forget_uploads

from .distance.service import end_mutes
from .duties import RECOVERY, Duties, Work
from .groups.hosting import count_readers
from .operating.schedule import BackupSchedule
from .operating.watching import Watcher
from .polls.keeping import PollKeeper
from .posts.streaming import StreamHub
from .posts.submit import Resender
from .posts.sweeping import NotificationSweeper
from .reading.live import LiveHub
from .recovery import Recoverer
from .restoring import take_up
from .revoking import make_lacking
from .rooms import open_rooms
from .rotation import KeyKeeper
from .verification.rechecking import Rechecker
from .verification.service import configured_registers

if TYPE_CHECKING:
    from node.store.postgres import PostgresStore

READERS_SECONDS = 86_400
COUNTS_SECONDS = 60
_YOUNG_SECONDS = 30.0
# A stop takes at most 15 s for what is being sent, then so long for what else is under way, and so long to cut that off.
STOP_SECONDS, CUT_OFF_SECONDS = 3, 2


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
    make_room_to_open(data)
    store = await open_store(config.database, data=data, clock=clock)
    try:
        async with store.alone():
            core = await _open(data, store, config=config, clock=clock, node_key=node_key, ids=ids or RandomIds(clock))
        await core.client.start()
    except BaseException:
        await store.close()
        raise
    return core


async def _open(data: Path, store: Store, *, config: Config, clock: Clock, node_key: bytes, ids: Ids) -> Core:
    """Bring the database to the newest schema, and do what a restore asks for; one process at a time does."""
    await migrate(store, now=clock.now())
    await open_journal(store, data / "journal.log")
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
        ids=ids,
        store=store,
        keyring=Keyring(store, node_key),
        peers=peers,
        client=client,
        bell=Bell() if store.dialect == "sqlite" else SharedBell(),
    )
    if isinstance(core.bell, SharedBell):
        core.company = Company(core, cast("PostgresStore", store), core.bell)
    if config.media.startswith("s3:"):
        from node.store.bucket import Bucket  # obstore is an extra: only nodes with a bucket need it

        core.bucket = Bucket(config.media)
    await _ensure_instance(core)
    await core.keyring.open_attesting(core.instance_uri)
    for peer in await store.read(list_peers):
        peers.put(peer)
    if await take_up(core):
        for peer in await store.read(list_peers):
            peers.put(peer)
    await make_lacking(core)
    return core


async def close_core(core: Core) -> None:
    """Close what `open_core` opened."""
    await core.client.close()
    if core.company is not None:
        await core.company.close()
    if core.bucket is not None:
        await core.bucket.close()
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
        self.poll_keeper = PollKeeper(core, self.tables)
        self.recoverer = Recoverer(core, self.tables)
        self.rechecker = Rechecker(core)
        self.key_keeper = KeyKeeper(core)
        self.backups = BackupSchedule(core)
        self.watcher = Watcher(core)
        self.live = LiveHub(core)
        self.streams = StreamHub(core)
        self.sweeper = NotificationSweeper(core)
        self.is_ready = False
        self._duties: Duties | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._sleepers: list[asyncio.Task[None]] = []  # those of the tasks that a stop cuts off in their sleep

    def start(self, *, works: bool = True) -> None:
        """Begin to work: act on arrivals, deliver, pull, fetch pictures, tidy.

        Args:
            works: Whether this process does the node's work besides answering; needs others that do, if not.
        """
        if self.core.company is None:
            workers: list[Work] = [
                self.recoverer,
                self.processor,
                self.deliverer,
                self.puller,
                self.resender,
                self.poll_keeper,
                self.pictures,
            ]
            sleepers = [self._tidy, self._keep_counts, self.watcher.run]
            sleepers += [
                self._count_readers,
                self.rechecker.run,
                self.key_keeper.run,
                self.backups.run,
                self.sweeper.run,
            ]
        else:
            workers = [self.deliverer] if works else []
            sleepers = [self._tidy, self._keep_counts, self.watcher.run, self.core.company.run]
            if works:
                self._duties = Duties(self.core, self.core.company, self._list_duties())
                sleepers.append(self._duties.run)
        if self.core.bucket is not None:
            sleepers.append(self._fill_bucket)
        elif self.core.company is not None:
            sleepers.append(self._sweep_after_others)
        self._tasks = [asyncio.create_task(worker.run()) for worker in workers]
        self._tasks += [asyncio.create_task(sleeper()) for sleeper in sleepers]
        self._sleepers = self._tasks[-len(sleepers) :]
        self.is_ready = True

    async def stop(self) -> None:
        """Stop working within 20 s; what is under way is finished or left for the next start, or for others."""
        self.is_ready = False
        for worker in (self.recoverer, self.processor, self.puller, self.resender, self.poll_keeper, self.pictures):
            worker.stop()
        self.live.stop()
        self.streams.stop()
        await self.deliverer.stop()
        await self.live.rest()
        await self.streams.rest()
        if self._tasks:
            for task in self._sleepers:
                task.cancel()
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=CUT_OFF_SECONDS)  # nobody may use what is closed next
        if self._duties is not None:
            await self._duties.stop()
        await self._save_counts()

    async def _sweep_after_others(self) -> None:
        """Delete files here whose pictures another process has erased; what is young may still get its row."""
        while True:
            if await self.core.bell.wait(STRAYS_BELL, at_most_seconds=3600):
                await asyncio.sleep(_YOUNG_SECONDS)
                try:
                    await sweep_files(self.core, left_seconds=_YOUNG_SECONDS)
                except (NodeError, OSError) as error:
                    get_logger().error("sweep_failed", reason=type(error).__name__)

    async def _fill_bucket(self) -> None:
        """Move what lies in the data directory into the bucket, once."""
        from node.store.bucket import fill_bucket

        while self.core.bucket is not None:
            try:
                await asyncio.to_thread(fill_bucket, self.core.bucket, self.core.data / "media")
                return
            except (NodeError, OSError) as error:
                get_logger().error("bucket_not_filled", reason=type(error).__name__)
                await asyncio.sleep(60)

    def _list_duties(self) -> dict[str, Callable[[Core], Work]]:
        """Return {what one process does for all: makes it from a core that writes only while it is held}."""

        def take(name: str, make: Callable[[Core], Any]) -> Callable[[Core], Work]:
            def begin(core: Core) -> Work:
                work: Work = make(core)
                setattr(self, name, work)
                return work

            return begin

        return {
            "arrivals": take(
                "processor",
                lambda core: Processor(core, self.tables, self.receiver, self.dereferencer, self.pictures),
            ),
            "pulls": take("puller", lambda core: Puller(core, self.receiver.entries)),
            "pictures": take("pictures", PictureFetcher),
            "resending": take("resender", Resender),
            "polls": take("poll_keeper", lambda core: PollKeeper(core, self.tables)),
            RECOVERY: take("recoverer", lambda core: Recoverer(core, self.tables)),
            "rechecking": take("rechecker", Rechecker),
            "keys": take("key_keeper", KeyKeeper),
            "backups": take("backups", BackupSchedule),
            "notifications": take("sweeper", NotificationSweeper),
            "readers": lambda core: _ReaderCounter(core, self.tables),
        }

    async def _count_readers(self) -> None:
        await _ReaderCounter(self.core, self.tables).run()

    async def _keep_counts(self) -> None:
        """Write once a minute how much came and went, and what the journal's file lacks; end what has had its time."""
        while True:
            await asyncio.sleep(COUNTS_SECONDS)
            await self._save_counts()
            try:
                await end_mutes(self.core)
            except NodeError as error:
                get_logger().warning("mutes_not_ended", code=error.code)

    async def _save_counts(self) -> None:
        try:
            await self.core.tally.save(self.core.store)
            await bring_up_to_date(self.core.store, self.core.store.journal)
        except NodeError as error:
            get_logger().warning("counts_unsaved", code=error.code)

    async def _tidy(self) -> None:
        """After something was erased, make its bytes leave the files too; at first, what a crash has kept from leaving."""
        is_first, is_rung = True, self.core.store.dialect == "sqlite"
        while True:
            try:
                if is_first or not is_rung:
                    await sweep_files(self.core)
                    await forget_uploads(self.core)
                if is_rung:
                    await self.core.store.tidy()
            except (NodeError, OSError) as error:
                get_logger().error("tidy_failed", reason=type(error).__name__)
            is_first, is_rung = False, await self.core.bell.wait(TIDY_BELL, at_most_seconds=3600)


class _ReaderCounter:
    """Tells the members of each group hosted here, once a day, who can read it, where the numbers have changed."""

    def __init__(self, core: Core, tables: Tables) -> None:
        self._core = core
        self._tables = tables

    async def run(self) -> None:
        """Count once a day, until cancelled."""
        while True:
            await asyncio.sleep(READERS_SECONDS)
            for group in await self._core.store.read(list_groups):
                if group.is_local:
                    await self._core.write(count_readers, self._core, self._tables, group.group_id)
