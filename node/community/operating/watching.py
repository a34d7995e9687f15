"""The watch: once a second one task measures what the node is under, and puts it where every door can ask for it.

*How it works.* `look` measures and judges; what follows from it for others stands in `core.pressure`. What it does itself:
it keeps the reserve on the disk and gives it up when the disk is full, makes room by letting pictures of other nodes go,
and tells operators once when something begins and once when it ends: in the audit log, in the node's log, and by the line
that their pages show while it lasts.

Several processes of one node each keep their own watch.

Spec: reliability.md 4.7; decision 0018.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from node.domain.peers import Peer
from node.domain.pressure import Load, Room, judge_room
from node.federation.certificates import Seen, look_at_own
from node.federation.client import build_tls_context
from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.outbox.publish import LANES_BELL
from node.store.activities import list_backlog
from node.store.audit import write_audit
from node.store.board import find_clock_accepted, list_announcements
from node.store.clock_moves import bring_forward
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import count_unapplied_of_peers
from node.store.peers import list_certificates, update_peer_certificate
from node.store.recovering import list_recovering
from node.store.reserve import Reserve, Volume, measure_volume

from .checks import BAD, WARN, look_at_pressure
from .clocks import ClockWatch
from .making_room import trim_pictures
from .service import measure_disk

LOOK_SECONDS = 1.0
# After a write was refused for want of room that the disk says is there, the node stays careful for so long.
CAREFUL_SECONDS = 60.0
_TIDY_SECONDS = 60.0
_BOARD_SECONDS = 2.0
_STRAIN_SECONDS = 5.0
_OWN_CERTIFICATE_SECONDS = 86_400.0
_CERTIFICATES_SECONDS = 600.0
_PICTURES_SECONDS = 300.0
_ALERTS = (WARN, BAD)


class Watcher:
    """Keeps the watch for one process.

    measure: gives the room on a folder's disk. look_at_own: gives the certificate that our public address shows.
    """

    def __init__(
        self,
        core: Core,
        measure: Callable[..., Volume] = measure_volume,
        look_at_own: Callable[..., Awaitable[Seen | None]] = look_at_own,
    ) -> None:
        self._core = core
        self._measure = measure
        self._look_at_own = look_at_own
        self._reserve = Reserve(core.data, core.config.reserve_bytes)
        self._clock = ClockWatch(core)
        self._careful_until = 0.0
        self._kept: dict[int, datetime] = {}
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            try:
                await self.look()
            except NodeError as error:
                get_logger().warning("watch_failed", code=error.code, reason=error.internal)
            except Exception:  # the watch goes on whatever one look finds
                get_logger().exception("watch_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Measure everything that is due, and say what follows."""
        core = self._core
        await self._look_at_disk()
        core.pressure.load = await core.store.read(_read_load, core)
        if self._is_due("board", _BOARD_SECONDS):
            core.pressure.announcements = tuple(await core.store.read(list_announcements))
            core.pressure.recovering = len(await core.store.read(list_recovering))
        if self._clock.look(await core.store.read(find_clock_accepted)):
            await core.store.write(bring_forward)
            core.bell.ring(LANES_BELL)
        if self._is_due("strain", _STRAIN_SECONDS):
            core.pressure.log_bytes, core.pressure.oldest_seconds = await core.store.measure_strain()
        if not core.store.is_tidy and self._is_due("tidy", _TIDY_SECONDS):
            await core.store.tidy()
        if self._is_due("certificates", _CERTIFICATES_SECONDS):
            await self._look_at_certificates()
        if self._is_due("pictures", _PICTURES_SECONDS):
            await trim_pictures(core)
        await self._tell()

    async def _look_at_disk(self) -> None:
        core, pressure = self._core, self._core.pressure
        now = core.clock.monotonic()
        if is_full := core.store.trouble == "full":
            core.store.trouble = ""
            if await asyncio.to_thread(self._reserve.give_up):
                with contextlib.suppress(NodeError):  # it is tried again each minute
                    await core.store.tidy()
        room = Room.PLENTY
        for folder in (core.data, core.media_folder):
            room = max(room, await asyncio.to_thread(self._judge, folder))
        if is_full and room < Room.FULL:  # a quota: the disk's own numbers do not show it, nor when it is over
            self._careful_until = now + CAREFUL_SECONDS
        room = Room.FULL if now < self._careful_until else room
        pressure.room = room
        if room < Room.FULL and self._reserve.missing_bytes:
            await asyncio.to_thread(self._reserve.make)
        pressure.is_spent = bool(self._reserve.missing_bytes)

    def _judge(self, folder: Path) -> Room:
        if not folder.is_dir():
            return Room.PLENTY
        volume = self._measure(folder, missing_bytes=self._reserve.missing_bytes)
        return judge_room(total_bytes=volume.total_bytes, free_bytes=volume.free_bytes, before=self._core.pressure.room)

    async def _look_at_certificates(self) -> None:
        """Keep what connections have seen; once a day look at our own."""
        core = self._core
        seen = dict(core.client.certificates.seen)
        known = await core.store.read(list_certificates)
        news: dict[int, datetime] = {}
        found: dict[str, Seen] = {}
        for peer in core.peers.all():
            if peer.state not in ("active", "paused"):
                continue
            own_sight = seen.get(_name_of(peer))
            each = own_sight or _known(known.get(peer.peer_id))
            if each is not None:
                found[peer.host] = each
            # What another process saw since is not put back by what this one saw before.
            if own_sight is not None and own_sight.ends_at not in (None, self._kept.get(peer.peer_id)):
                news[peer.peer_id] = self._kept[peer.peer_id] = own_sight.ends_at
        if news:
            await core.store.write(_keep_certificates, news)
        if (own := core.pressure.certificates.get(core.host)) is not None:
            found[core.host] = own
        core.pressure.certificates = found
        if self._is_due("own certificate", _OWN_CERTIFICATE_SECONDS) and not core.config.is_test_node:
            await self._look_at_own_certificate()

    async def _look_at_own_certificate(self) -> None:
        core = self._core
        parts = urlsplit(core.origin)
        if parts.scheme != "https" or parts.hostname is None:
            return
        context = await asyncio.to_thread(build_tls_context, core.config.federation.ca_file)
        own = await self._look_at_own(parts.hostname, parts.port or 443, context)
        if own is not None:
            core.pressure.certificates = {**core.pressure.certificates, core.host: own}

    async def _tell(self) -> None:
        """Tell operators what began and what ended."""
        core = self._core
        checks = look_at_pressure(core, await asyncio.to_thread(measure_disk, core.data))
        alerts = tuple(check.name for check in checks if check.state in _ALERTS)
        before = core.pressure.alerts
        if alerts == before:
            return
        core.pressure.alerts = alerts
        begun = [name for name in alerts if name not in before]
        ended = [name for name in before if name not in alerts]
        get_logger().warning("pressure_changed", begun=begun, ended=ended)
        with contextlib.suppress(NodeError):  # a database that takes nothing: the node's log has it
            await core.store.write(_note, core.host, begun, ended)

    def _is_due(self, name: str, every_seconds: float) -> bool:
        now = self._core.clock.monotonic()
        if now < self._due.get(name, now):
            return False
        self._due[name] = now + every_seconds
        return True


def _name_of(peer: Peer) -> str:
    return urlsplit(peer.origin).hostname or ""


def _known(ends_at: datetime | None) -> Seen | None:
    return None if ends_at is None else Seen(ends_at)


async def _read_load(tx: Tx, core: Core) -> Load:
    frozen_ids = [peer.peer_id for peer in core.peers.all() if peer.state == "paused"]
    backlog = await list_backlog(tx, frozen_ids=frozen_ids)
    waiting = {peer_id: n for peer_id, n, _ in backlog}
    for peer_id, n in (await count_unapplied_of_peers(tx)).items():
        waiting[peer_id] = waiting.get(peer_id, 0) + n
    oldest = max((tx.now - at for _, _, at in backlog), default=timedelta())
    return Load(waiting, oldest.total_seconds())


async def _keep_certificates(tx: Tx, news: dict[int, datetime]) -> None:
    for peer_id, ends_at in news.items():
        await update_peer_certificate(tx, peer_id=peer_id, ends_at=ends_at)


async def _note(tx: Tx, host: str, begun: list[str], ended: list[str]) -> None:
    for action, names in (("pressure.begun", begun), ("pressure.ended", ended)):
        for name in names:
            await write_audit(tx, actor="node", action=action, target=host, reason=name)
