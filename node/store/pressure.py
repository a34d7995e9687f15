"""The pressure a node is under, in memory: judged once a second by one task, asked by every door.

Doors ask without waiting and without counting anything. What stands here is at most a few seconds old.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from node.domain.peers import Peer
from node.domain.pressure import LOG_LIMIT_BYTES, Announcement, Load, Room, may_take
from node.federation.certificates import Seen
from node.foundation.errors import TooMany, Unavailable

NO_PICTURES = "This node is short of room and takes no pictures now. Its operators know."
_LATER_SECONDS, _MUCH_LATER_SECONDS = 5, 120


@dataclass(slots=True)
class Pressure:
    """How hard it is for one node in one process.

    room: of the disk. is_spent: the reserve was given up. load: what came and waits.
    log_bytes: the database's log. oldest_seconds: how long the oldest transaction in the database has lasted.
    jumped_seconds: how far the clock was set while the node ran; None while it is to be trusted.
    announcements: what operators tell everybody, and what lies ahead. recovering: groups that ask for what a restore lost.
    certificates: {host: what was seen}, ours too.
    alerts: what operators are told of on every page, by the names of the checks.
    """

    room: Room = Room.PLENTY
    is_spent: bool = False
    load: Load = field(default_factory=Load)
    log_bytes: int = 0
    oldest_seconds: int = 0
    jumped_seconds: int | None = None
    announcements: tuple[Announcement, ...] = ()
    recovering: int = 0
    certificates: Mapping[str, Seen] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()

    @property
    def may_sign(self) -> bool:
        """Whether requests are signed: not by a clock that was set under our feet."""
        return self.jumped_seconds is None

    @property
    def may_cache(self) -> bool:
        """Whether pictures of other nodes are fetched."""
        return self.room < Room.LOW

    @property
    def may_work(self) -> bool:
        """Whether what came is acted on: that writes much."""
        return self.room < Room.FULL

    def find_maintenance(self, now: datetime) -> Announcement | None:
        """Return the maintenance for which the node is away now."""
        for each in self.announcements:
            if each.is_maintenance and each.from_at <= now and each.is_shown(now):
                return each
        return None

    def check_arrival(self, peer: Peer) -> None:
        """Raise unless an activity of a peer can be taken now.

        Raises:
            Unavailable: There is no room for it.
            TooMany: Too much waits, and this peer has its share of it.
        """
        if self.room >= Room.SCARCE or self.log_bytes > LOG_LIMIT_BYTES:
            raise Unavailable(internal="no room for what comes", retry_after_seconds=_spread(_MUCH_LATER_SECONDS))
        if not may_take(self.load, peer.peer_id):
            internal = f"{self.load.total} activities wait, {self.load.waiting.get(peer.peer_id, 0)} of {peer.host}"
            raise TooMany(internal=internal, retry_after_seconds=_spread(_LATER_SECONDS))

    def check_upload(self) -> None:
        """Raise unless a member's picture can be kept.

        Raises:
            Unavailable: There is no room.
        """
        if self.room >= Room.SCARCE:
            raise Unavailable(NO_PICTURES)

    def check_write(self) -> None:
        """Raise unless members can write.

        Raises:
            Unavailable: There is no room.
        """
        if self.room >= Room.FULL:
            raise Unavailable(
                "The disk of this node is full. You can read, and nothing new can be written. Its operators know."
            )


def _spread(seconds: int) -> int:
    """Return a time around so many seconds: peers that were all told to go shall not all come back at once."""
    return random.randint(seconds, 3 * seconds)  # noqa: S311 a spread in time, not a secret
