"""Streaming: apps that listen are told of posts, notifications and messages as they come. A hint; the lists have it all.

*How it works.* While any app listens, a round a second asks the store for all of them at once (`store.streaming`): which
tokens still live, how far each group has come, and what is fresh among notifications and conversations. So a round costs
as many statements with one app as with a thousand, and whoever wrote: this process, another one, or the inbox. Whose token
has ended, or who was suspended, is told nothing more and the connection ends with that round, before anything else is
looked at. What has come is read with the permissions of that moment: membership now, above what the member may see.

*What is fresh* is known by its number, and numbers follow the clock; but they are given out before their transaction ends, and
machines' clocks differ a little. So each round looks a minute back and remembers what it has told.

Spec: Mastodon API, methods/streaming; signatures.md T25; decision 0025.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from node.domain.notifications import KINDS, Notification
from node.domain.posts import Post
from node.domain.streams import DIRECT, HASHTAG, LIST, NOTIFICATIONS, USER, Stream
from node.foundation.errors import Busy, NotFound, TooMany
from node.foundation.ids import number_at
from node.foundation.logs import get_logger
from node.store.announcements import Progress, list_group_progress, list_still_in
from node.store.conversations import Conversation, get_conversation
from node.store.core import Core
from node.store.engine import Tx
from node.store.notifications import list_notifications
from node.store.rosters import get_group
from node.store.streaming import (
    Window,
    list_changed_for,
    list_entry_kinds,
    list_fresh_conversations,
    list_fresh_notifications,
    list_gone_for,
    list_living_tokens,
    list_topics_for,
    list_written_for,
)

from .browsing import list_tags
from .listening import Listener, Noted, Said, TakenAway, Talked
from .notifications import Told, gather_told
from .reading import Reading, read_ids
from .spreading import Spread, spread

# A hint of another process rings it; without one a round begins each second.
LIVE_BELL = "live"
PACE_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
LISTENERS_LIMIT = 2000
LISTENERS_OF_TOKEN = 16
STREAMS_OF_LISTENER = 50
_LOOK_BACK = timedelta(minutes=1)
# Of these the post is new, so that nothing in it is one reader's own yet.
_FRESH_KINDS = frozenset({"named", "answer", "followed", "new"})
_USER, _NOTIFICATIONS, _DIRECT = Stream(USER), Stream(NOTIFICATIONS), Stream(DIRECT)
_TOO_MANY = "This app listens too often at the same time."

Fresh = tuple[int, ...]


class StreamHub:
    """The apps that listen to one process. pace_seconds: between rounds. heartbeat_seconds: where nothing happens."""

    def __init__(self, core: Core) -> None:
        self.pace_seconds = PACE_SECONDS
        self.heartbeat_seconds = HEARTBEAT_SECONDS
        self._core = core
        self._listeners: dict[Listener, None] = {}
        self._progress: dict[int, Progress] | None = None
        self._told: set[Fresh] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._listeners)

    async def admit(self, *, token_hash: str, viewer_id: int, stream: Stream) -> None:
        """Raise unless a connection for one stream may be opened.

        Raises:
            Busy, TooMany: As for `open`.
            NotFound: It is the list of a group that the member is not in.
        """
        self._check(token_hash)
        await self._require_list(viewer_id, stream)

    @property
    def is_stopped(self) -> bool:
        """Whether every connection has ended because the node stops."""
        return self._is_stopped

    async def open(self, *, token_hash: str, viewer_id: int, hears_notifications: bool, is_lasting: bool) -> Listener:
        """Return a connection that is told of what comes from now on, once it asks for streams. Give it back with `close`.

        Raises:
            Busy: There are too many, or the node is about to stop.
            TooMany: This token has too many.
        """
        self._check(token_hash)
        listener = Listener(token_hash, viewer_id, hears_notifications, is_lasting)
        self._listeners[listener] = None
        try:
            progress, fresh = await self._core.store.read(_begin, viewer_id, self._find_floor())
        except BaseException:
            self.close(listener)
            raise
        self._told |= {each for each in fresh if not self._is_awaited(viewer_id, each)}
        if self._progress is None:
            self._progress = progress
        if self._is_stopped:
            listener.end()
        elif self._task is None:
            self._task = asyncio.create_task(self._run())
        return listener

    async def subscribe(self, listener: Listener, stream: Stream) -> None:
        """Tell a connection of one more stream; the caller has checked the scope.

        Raises:
            NotFound: It is the list of a group that the member is not in.
            TooMany: It listens to too many already.
        """
        await self._require_list(listener.viewer_id, stream)
        if len(listener.streams) >= STREAMS_OF_LISTENER:
            raise TooMany(_TOO_MANY)
        listener.streams.add(stream)

    def close(self, listener: Listener) -> None:
        """Forget a connection."""
        listener.end()
        self._listeners.pop(listener, None)

    async def look(self) -> None:
        """Ask once what is new, and tell whom it concerns."""
        before = self._progress
        if before is None or not self._listeners:
            return
        listeners = list(self._listeners)
        tokens = list({each.token_hash for each in listeners})
        notified, talking = self._find_viewers(_USER, _NOTIFICATIONS), self._find_viewers(_DIRECT)
        floor = self._find_floor()
        living, now, fresh = await self._core.store.read(_look, tokens, notified, talking, floor)
        self._progress = now
        for listener in listeners:
            if listener.token_hash not in living:
                listener.end()
        new, self._told = fresh - self._told, {each for each in self._told if each[-1] > floor} | fresh
        for group_id, progress in now.items():
            known = before.get(group_id, progress)
            if progress != known:
                await self._tell_of_group(Window(group_id, known.applied_seq, progress.applied_seq))
        if new:
            await self._tell_of_own(new)

    def stop(self) -> None:
        """End every connection at once and open no more."""
        self._is_stopped = True
        for listener in list(self._listeners):
            listener.end()
        self._core.bell.ring(LIVE_BELL)

    async def rest(self) -> None:
        """Wait, after `stop`, until the present round is over."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        """Look once a second, while anybody listens."""
        while self._listeners and not self._is_stopped:
            await self._core.bell.wait(LIVE_BELL, at_most_seconds=self.pace_seconds)
            try:
                await self.look()
            except Exception:  # the next round may go well; until then apps are told nothing
                get_logger().exception("streaming_failed")
        self._task, self._progress = None, None
        self._told.clear()

    def _check(self, token_hash: str) -> None:
        if self._is_stopped or len(self._listeners) >= LISTENERS_LIMIT:
            raise Busy
        if sum(each.token_hash == token_hash for each in self._listeners) >= LISTENERS_OF_TOKEN:
            raise TooMany(_TOO_MANY, retry_after_seconds=60)

    async def _require_list(self, viewer_id: int, stream: Stream) -> None:
        if stream.group_id is not None and not await self._core.store.read(_is_in, viewer_id, stream.group_id):
            raise NotFound("There is no such list.")

    def _is_awaited(self, viewer_id: int, fresh: Fresh) -> bool:
        """Whether another connection of a member waits for something, so that a new one may not have it taken for told."""
        wanted = {_DIRECT} if len(fresh) > 2 else {_USER, _NOTIFICATIONS}
        return any(each.streams & wanted for each in self._list_of(viewer_id))

    def _find_floor(self) -> int:
        return number_at(self._core.clock.now() - _LOOK_BACK)

    def _find_viewers(self, *streams: Stream) -> list[int]:
        wanted = set(streams)
        return sorted({each.viewer_id for each in self._listeners if each.streams & wanted})

    def _find_taggers(self) -> dict[int, set[Stream]]:
        """Return the tags that each viewer listens to, as streams."""
        found: dict[int, set[Stream]] = {}
        for listener in self._listeners:
            for stream in listener.streams:
                if stream.name == HASHTAG:
                    found.setdefault(listener.viewer_id, set()).add(stream)
        return found

    def _list_of(self, viewer_id: int) -> list[Listener]:
        return [each for each in self._listeners if each.viewer_id == viewer_id]

    async def _tell_of_group(self, window: Window) -> None:
        """Tell those who listen to home or to the group's list what is new in it, and nothing more to who is in it no longer."""
        own = Stream(LIST, window.group_id)
        taggers, concerned = self._find_taggers(), self._find_viewers(_USER, own)
        hearing = sorted({*self._find_viewers(_USER, _NOTIFICATIONS, own), *taggers})
        if not hearing:
            return
        wanted = _Wanted(concerned, hearing, sorted(taggers))
        news = await self._core.store.read(_read_group, self._core, window, wanted)
        for viewer_id in set(hearing) - news.still_in:
            for listener in self._list_of(viewer_id):
                listener.forget_group(window.group_id)
                if own in listener.streams:
                    listener.drop(own)
        self._tell_of_new(news, own, taggers)
        for viewer_id, reading in news.changed.items():
            for post in reading.posts:
                tagged = _pick(taggers.get(viewer_id, set()), post)
                self._tell(viewer_id, Said(post, reading, is_change=True), _USER, own, *tagged)
        for viewer_id, post_id, is_topic in news.gone:  # nobody can say any more which tags stood in it
            self._tell(viewer_id, TakenAway(post_id, is_topic), _USER, own, *taggers.get(viewer_id, ()))

    def _tell_of_new(self, news: _News, own: Stream, taggers: dict[int, set[Stream]]) -> None:
        for viewer_id, post_id, is_quiet in news.topics:
            if (post := news.spread.posts.get(post_id)) is not None:
                streams = (own,) if is_quiet else (_USER, own)
                self._tell(viewer_id, Said(post, news.spread.read_as(viewer_id)), *streams)
        for viewer_id, post_id in news.written:
            if (post := news.spread.posts.get(post_id)) is not None:
                said = Said(post, news.spread.read_as(viewer_id), is_plain=True)
                self._tell(viewer_id, said, *_pick(taggers.get(viewer_id, set()), post))

    async def _tell_of_own(self, fresh: set[Fresh]) -> None:
        """Tell members of their own notifications and conversations: (viewer, number) and (viewer, number, newest)."""
        noted: dict[int, set[int]] = {}
        talked: dict[int, set[int]] = {}
        for viewer_id, number, *newest in fresh:
            (talked if newest else noted).setdefault(viewer_id, set()).add(number)
        for viewer_id, told in await self._core.store.read(_read_notifications, self._core, noted):
            for listener in self._list_of(viewer_id):
                if listener.hears_notifications:
                    listener.note(_USER, Noted(told))
                    listener.note(_NOTIFICATIONS, Noted(told))
        for viewer_id, numbers in talked.items():
            found, reading = await self._core.store.read(_read_conversations, self._core, viewer_id, sorted(numbers))
            posts = {post.post_id: post for post in reading.posts}
            for conversation in found:
                if conversation.newest_id in posts:
                    self._tell(viewer_id, Talked(conversation, posts[conversation.newest_id], reading), _DIRECT)

    def _tell(self, viewer_id: int, what: Said | TakenAway | Talked, *streams: Stream) -> None:
        for listener in self._list_of(viewer_id):
            for stream in streams:
                listener.note(stream, what)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who is to be told of a group: who listens to home or to its list, who to anything of it, who to tags."""

    concerned: list[int]
    hearing: list[int]
    tagging: list[int]


class _News:
    """What is new in a group. topics: (viewer, post, whether the group is quiet to them). changed: by viewer.

    written: (viewer, post) of topics and answers, for those who listen to tags.
    """

    def __init__(self) -> None:
        self.still_in: set[int] = set()
        self.topics: list[tuple[int, int, bool]] = []
        self.written: list[tuple[int, int]] = []
        self.spread = Spread(Reading([], {}, {}, {}, {}, {}), {})
        self.changed: dict[int, Reading] = {}
        self.gone: list[tuple[int, int, bool]] = []


async def _begin(tx: Tx, viewer_id: int, floor: int) -> tuple[dict[int, Progress], set[Fresh]]:
    return await list_group_progress(tx), await _list_fresh(tx, [viewer_id], [viewer_id], floor)


async def _look(
    tx: Tx, tokens: list[str], notified: list[int], talking: list[int], floor: int
) -> tuple[set[str], dict[int, Progress], set[Fresh]]:
    living = await list_living_tokens(tx, token_hashes=tokens)
    return living, await list_group_progress(tx), await _list_fresh(tx, notified, talking, floor)


async def _list_fresh(tx: Tx, notified: list[int], talking: list[int], floor: int) -> set[Fresh]:
    """Return (viewer, notification) and (viewer, conversation, newest message) with numbers above a floor."""
    found: set[Fresh] = set()
    if notified:
        found.update(await list_fresh_notifications(tx, viewer_ids=notified, after_id=floor))
    if talking:
        found.update(await list_fresh_conversations(tx, viewer_ids=talking, after_id=floor))
    return found


async def _is_in(tx: Tx, viewer_id: int, group_id: int) -> bool:
    group = await get_group(tx, group_id=group_id)
    if group is None or group.is_staff_room:  # a staff room has no list
        return False
    return viewer_id in await list_still_in(tx, group_id=group_id, viewer_ids=[viewer_id])


def _pick(streams: set[Stream], post: Post) -> list[Stream]:
    """Return those of some streams of tags in which a post belongs."""
    tags = list_tags(post) if streams else set()
    return [stream for stream in streams if stream.tag in tags]


async def _read_group(tx: Tx, core: Core, window: Window, wanted: _Wanted) -> _News:
    news = _News()
    news.still_in = await list_still_in(tx, group_id=window.group_id, viewer_ids=wanted.hearing)
    viewer_ids = sorted({*wanted.concerned, *wanted.tagging})
    if window.up_to_seq <= window.after_seq or not viewer_ids:
        return news
    if wanted.concerned:
        news.topics = await list_topics_for(tx, window, viewer_ids=wanted.concerned)
    if wanted.tagging:
        news.written = await list_written_for(tx, window, viewer_ids=wanted.tagging)
    if news.topics or news.written:
        topics = [(viewer_id, post_id) for viewer_id, post_id, _ in news.topics]
        news.spread = await spread(tx, core, [*topics, *news.written])
    kinds = await list_entry_kinds(tx, window)
    if "update" in kinds:
        changed: dict[int, list[int]] = {}
        for viewer_id, post_id in await list_changed_for(tx, window, viewer_ids=viewer_ids):
            changed.setdefault(viewer_id, []).append(post_id)
        news.changed = {
            viewer_id: await read_ids(tx, core, viewer_id, post_ids) for viewer_id, post_ids in changed.items()
        }
    if kinds & {"delete", "remove"}:
        news.gone = await list_gone_for(tx, window, viewer_ids=viewer_ids)
    return news


async def _read_notifications(tx: Tx, core: Core, fresh: dict[int, set[int]]) -> list[tuple[int, Told]]:
    """Return (viewer, notification) of what is shown to each of them now, the oldest first."""
    shown: list[tuple[int, Notification]] = []
    for viewer_id, numbers in fresh.items():
        first, last = min(numbers), max(numbers)
        rows = await list_notifications(
            tx, viewer_id=viewer_id, kinds=list(KINDS), before_id=last + 1, after_id=first - 1
        )
        shown += [(viewer_id, row) for row in rows if row.notification_id in numbers]
    new = [(viewer_id, row) for viewer_id, row in shown if row.kind in _FRESH_KINDS]
    together = None
    if new:
        pairs = [(viewer_id, row.post_id or 0) for viewer_id, row in new]
        together = await spread(tx, core, pairs, people={row.from_id for _, row in new})
    found = []
    for viewer_id, row in sorted(shown, key=lambda each: each[1].notification_id):
        if together is not None and row.kind in _FRESH_KINDS:
            found.append((viewer_id, Told([row], together.posts, together.read_as(viewer_id))))
        else:
            found.append((viewer_id, await gather_told(tx, core, viewer_id, [row])))
    return found


async def _read_conversations(
    tx: Tx, core: Core, viewer_id: int, numbers: list[int]
) -> tuple[list[Conversation], Reading]:
    found = [await get_conversation(tx, viewer_id=viewer_id, conversation_id=number) for number in numbers]
    known = [each for each in found if each is not None]
    return known, await read_ids(tx, core, viewer_id, [each.newest_id for each in known])
