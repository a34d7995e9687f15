"""Live: open pages are told that there is more to read. A hint that nobody needs; a page asks anew when it is opened.

*How it works.* Each open page holds a `Stream`. While there is one, a round a second asks the store what is new, for all
of them together (`store.announcements`), so that a round costs the same with one page as with a thousand, and whoever
wrote: this process or another one. Permission is asked again for every post and every viewer: membership now, above
what the member may see. A session that has ended, and a member who was suspended, are told nothing more and their
streams end with that round; so does the page of a group that somebody is no longer in.

A stream begins with what is newer than the page, which the browser names; what comes in meanwhile is counted once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from node.foundation.errors import Busy, NotFound
from node.foundation.logs import get_logger
from node.store.announcements import (
    Novelty,
    Progress,
    list_group_progress,
    list_living,
    list_novelties,
    list_since,
    list_still_in,
)
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import list_joined

# A hint of another process rings it (issue 4); without one a round begins each second.
LIVE_BELL = "live"
PACE_SECONDS = 1.0
HEARTBEAT_SECONDS = 25.0
STREAMS_LIMIT = 1000
STREAMS_OF_SESSION = 3
# Groups that are looked through when a page of all groups opens; a page that is so far behind knows that it is.
_GROUPS_AT_BEGINNING = 20


@dataclass(frozen=True, slots=True)
class News:
    """New posts in one thread: how many."""

    group_id: int
    root_id: int
    posts: int


@dataclass(slots=True, eq=False)
class Stream:
    """One open page.

    group_id: the group it shows; None for all of the viewer's. after_id: the newest post it knows of.
    is_crowded_out: it is over because its session opened more pages since.
    """

    session_id: int
    viewer_id: int
    group_id: int | None
    after_id: int
    is_over: bool = False
    is_crowded_out: bool = False
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _new: dict[int, tuple[int, int]] = field(default_factory=dict)

    def note(self, group_id: int, novelty: Novelty) -> None:
        """Have the page told of a post, unless it knows it or shows something else."""
        if novelty.post_id > self.after_id and self.group_id in (None, group_id):
            self._new[novelty.post_id] = (group_id, novelty.root_id)
            self._bell.set()

    def end(self) -> None:
        """Tell the page nothing more."""
        self.is_over = True
        self._new.clear()
        self._bell.set()

    async def wait(self, *, at_most_seconds: float) -> list[News]:
        """Return what is new since the last time; nothing when the time has passed, or the stream is over."""
        try:
            async with asyncio.timeout(at_most_seconds):
                await self._bell.wait()
        except TimeoutError:
            return []
        return self.take()

    def take(self) -> list[News]:
        """Return what is new since the last time."""
        self._bell.clear()
        if not self._new:
            return []
        self.after_id = max(self._new)
        counted = Counter(self._new.values())
        self._new.clear()
        return [News(group_id, root_id, posts) for (group_id, root_id), posts in counted.items()]


class LiveHub:
    """The open pages of one process. pace_seconds: between rounds. heartbeat_seconds: of a page that nothing is new to."""

    def __init__(self, core: Core) -> None:
        self.pace_seconds = PACE_SECONDS
        self.heartbeat_seconds = HEARTBEAT_SECONDS
        self._core = core
        self._streams: dict[Stream, None] = {}  # a set that keeps the order: the oldest first
        self._progress: dict[int, Progress] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def count(self) -> int:
        """How many pages are open."""
        return len(self._streams)

    async def admit(self, *, viewer_id: int, group_id: int | None) -> None:
        """Raise unless a page may be opened.

        Raises:
            Busy: There are too many, or the node is about to stop.
            NotFound: The viewer is not in the group.
        """
        if self._is_stopped or len(self._streams) >= STREAMS_LIMIT:
            raise Busy
        if group_id is not None and not await self._core.store.read(_is_in, viewer_id, group_id):
            raise NotFound("There is no such group.")

    async def follow(
        self, *, session_id: int, viewer_id: int, group_id: int | None, after_id: int
    ) -> AsyncGenerator[list[News] | None, None]:
        """Give what is new to a page until it closes or is closed; at first and now and then perhaps nothing.

        None is the last that a page gets when it shall not come back by itself.
        """
        stream = self._open(Stream(session_id, viewer_id, group_id, after_id))
        try:
            if self._progress is None:
                found = await self._core.store.read(list_group_progress)
                self._progress = found if self._progress is None else self._progress
            for missed_in, missed in await self._core.store.read(_list_missed, viewer_id, group_id, after_id):
                for novelty in missed:
                    stream.note(missed_in, novelty)
            yield stream.take()
            while not stream.is_over:
                news = await stream.wait(at_most_seconds=self.heartbeat_seconds)
                if not stream.is_over:
                    yield news
            if stream.is_crowded_out:
                yield None
        finally:
            self._streams.pop(stream, None)

    async def look(self) -> None:
        """Ask once what is new, and tell whom it concerns."""
        before = self._progress
        if before is None or not self._streams:
            return
        sessions = list({stream.session_id for stream in self._streams})
        now, living = await self._core.store.read(_look, sessions)
        self._progress = now
        for stream in list(self._streams):
            if stream.session_id not in living:
                stream.end()
        changed = [group_id for group_id, progress in now.items() if before.get(group_id, progress) != progress]
        for group_id in changed:
            await self._tell(group_id, before[group_id], now[group_id])

    def stop(self) -> None:
        """End every stream at once and open no more."""
        self._is_stopped = True
        for stream in list(self._streams):
            stream.end()
        self._core.bell.ring(LIVE_BELL)

    async def rest(self) -> None:
        """Wait, after `stop`, until the present round is over."""
        if self._task is not None:
            await self._task

    def _open(self, stream: Stream) -> Stream:
        """Keep a stream; the oldest of its session makes room."""
        same = [each for each in self._streams if each.session_id == stream.session_id]
        for each in same[: max(0, len(same) + 1 - STREAMS_OF_SESSION)]:
            each.is_crowded_out = True
            each.end()
            self._streams.pop(each, None)
        self._streams[stream] = None
        if self._is_stopped:
            stream.end()
        elif self._task is None:
            self._task = asyncio.create_task(self._run())
        return stream

    async def _run(self) -> None:
        """Look once a second, while anybody does."""
        while self._streams and not self._is_stopped:
            await self._core.bell.wait(LIVE_BELL, at_most_seconds=self.pace_seconds)
            try:
                await self.look()
            except Exception:  # the next round may go well; until then pages are told nothing
                get_logger().exception("live_failed")
        self._task, self._progress = None, None

    async def _tell(self, group_id: int, before: Progress, now: Progress) -> None:
        """Tell those who look what is new in a group, and end the streams of those who are no longer in it."""
        concerned = [stream for stream in self._streams if stream.group_id in (None, group_id)]
        viewer_ids = list({stream.viewer_id for stream in concerned})
        if not viewer_ids:
            return
        novelties, still_in = await self._core.store.read(_list_news, group_id, before, now, viewer_ids)
        for stream in concerned:
            if stream.group_id == group_id and stream.viewer_id not in still_in:
                stream.end()
            for novelty in novelties.get(stream.viewer_id, ()):
                stream.note(group_id, novelty)


async def _look(tx: Tx, session_ids: list[int]) -> tuple[dict[int, Progress], set[int]]:
    return await list_group_progress(tx), await list_living(tx, session_ids=session_ids)


async def _list_news(
    tx: Tx, group_id: int, before: Progress, now: Progress, viewer_ids: list[int]
) -> tuple[dict[int, list[Novelty]], set[int]]:
    """Return ({viewer: what is new to them}, who is in the group)."""
    found: dict[int, list[Novelty]] = {}
    if now.applied_seq > before.applied_seq:
        seqs = {"after_seq": before.applied_seq, "up_to_seq": now.applied_seq}
        for novelty in await list_novelties(tx, group_id=group_id, viewer_ids=viewer_ids, **seqs):
            found.setdefault(novelty.viewer_id, []).append(novelty)
    return found, await list_still_in(tx, group_id=group_id, viewer_ids=viewer_ids)


async def _list_missed(tx: Tx, viewer_id: int, group_id: int | None, after_id: int) -> list[tuple[int, list[Novelty]]]:
    """Return (group, what is newer than the page) of the groups that a page shows."""
    newer = [each for each in await list_joined(tx, viewer_id=viewer_id) if each.newest_post_id > after_id]
    wanted = [each.group_id for each in newer if group_id in (None, each.group_id)]
    return [
        (each, await list_since(tx, viewer_id=viewer_id, group_id=each, after_id=after_id))
        for each in wanted[:_GROUPS_AT_BEGINNING]
    ]


async def _is_in(tx: Tx, viewer_id: int, group_id: int) -> bool:
    return viewer_id in await list_still_in(tx, group_id=group_id, viewer_ids=[viewer_id])
