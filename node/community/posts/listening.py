"""Apps that listen: what each holds open, and what waits to be told to it.

A `Listener` is one connection of one token. It hears of the streams it asked for; what happens is put into its queue by
the hub (`streaming`), with everything a door needs to write it down. One that does not take what waits for it is ended: its
app comes back and reads the lists, which have everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from node.domain.posts import Post
from node.domain.streams import Stream
from node.store.conversations import Conversation

from .notifications import Told
from .reading import Reading

WAITING_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Said:
    """A post that is new in a list, or was changed (is_change). is_plain: told as itself, not as the group's sharing."""

    post: Post
    reading: Reading
    is_change: bool = False
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class TakenAway:
    """A post that was taken away. is_topic: it stood in lists as the group's sharing, too."""

    post_id: int
    is_topic: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """A notification, alone in what was told."""

    told: Told


@dataclass(frozen=True, slots=True)
class Talked:
    """A conversation with a new message."""

    conversation: Conversation
    message: Post
    reading: Reading


What = Said | TakenAway | Noted | Talked


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to be told, for one stream."""

    stream: Stream
    what: What


@dataclass(slots=True, eq=False)
class Listener:
    """One connection of an app.

    streams: what it asked for. hears_notifications: whether its token may know of them; else its `user` has none.
    is_lasting: whether it goes on without any stream, as a websocket does. is_over: it is told nothing more.
    """

    token_hash: str
    viewer_id: int
    hears_notifications: bool
    is_lasting: bool
    streams: set[Stream] = field(default_factory=set)
    is_over: bool = False
    _waiting: deque[Happening] = field(default_factory=deque)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, stream: Stream, what: What) -> None:
        """Have the app told of something, if it listens to that stream."""
        if self.is_over or stream not in self.streams:
            return
        if len(self._waiting) >= WAITING_LIMIT:
            self.end()
            return
        self._waiting.append(Happening(stream, what))
        self._bell.set()

    def drop(self, stream: Stream) -> None:
        """Tell it nothing more of one stream; without any, a connection for that stream alone is over."""
        self.streams.discard(stream)
        if not self.streams and not self.is_lasting:
            self.end()

    def forget_group(self, group_id: int) -> None:
        """Tell it nothing of a group that its member is no longer in, not even what waits."""
        self._waiting = deque(each for each in self._waiting if _group_of(each.what) != group_id)

    def end(self) -> None:
        """Tell the app nothing more, not even what waits."""
        self.is_over = True
        self._waiting.clear()
        self._bell.set()

    async def wait(self, *, at_most_seconds: float, at_most: int = WAITING_LIMIT) -> list[Happening]:
        """Return what waits to be told; nothing when the time has passed, or it is over.

        Args:
            at_most_seconds: How long to wait for something.
            at_most: How much to return. What stays behind may yet be taken from the app, as when its member leaves a group.
        """
        try:
            async with asyncio.timeout(at_most_seconds):
                await self._bell.wait()
        except TimeoutError:
            return []
        waiting = [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]
        if not self._waiting:
            self._bell.clear()
        return waiting


def _group_of(what: What) -> int | None:
    """Return the group in which something was said; None for what is a member's own, and for a number alone."""
    if isinstance(what, Said):
        return what.post.group_id
    return what.told.notifications[0].group_id if isinstance(what, Noted) else None
