"""What a search finds: for one viewer, in the groups they are in now, the newest first.

*How it works.* The shards that a viewer may look into stand in one list, the one with the newest post first. They are asked
in batches, a few shards at first and up to 32 at a time, and merged by the posts' numbers: a shard that holds nothing
newer than what is still to be shown is not asked yet. A word that stands in many posts ends early; one that stands in few
costs one look-up for each shard. What the index names is a candidate only: every post is read through `READABLE_POST`.

*Bounds.* A call asks the index at most `ASKS_LIMIT` times, reads at most `READ_LIMIT` posts and says from where to go on
(`Found.before_id`): SQLite has one reader, and others wait for it. Of 100,000 posts a page costs 10 to 35 CPU-ms; the dearest
is a word that hardly anybody has written, for a member of 200 groups, which asks every shard: 140 on SQLite, 55 on PostgreSQL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from node.domain.posts import Post
from node.domain.searching import Query

from .distance import list_hidden_authors
from .engine import Tx
from .objects import list_posts_by_id
from .pairs import SEARCH_MATCH
from .search_index import SOURCES_WORD, author_word, key_of
from .visibility import VIEWER_IS_ACTIVE

ASKS_LIMIT = 40
READ_LIMIT = 400
_SHARDS_AT_ONCE = 32
_READ_AT_ONCE = 40
_MATCHES_LIMIT = 200  # as in the statement
_NEWER_THAN_ALL = 2**62
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
_SHARDS = f"""SELECT s.group_id, s.shard, s.newest_id FROM memberships vm
  JOIN groups g ON g.group_id = vm.group_id
  JOIN search_shards s ON s.group_id = vm.group_id AND s.shard >= (vm.visible_after + 1) / 1024
  WHERE vm.actor_id = :viewer_id AND vm.state = 'member' AND g.staff_of IS NULL AND {VIEWER_IS_ACTIVE}
   AND (s.group_id = :group_id OR CAST(:group_id AS BIGINT) = 0)
   AND s.oldest_id < :before_id AND s.latest_at >= :from_at AND s.earliest_at < :to_at
  ORDER BY s.newest_id DESC"""

_JOINED = f"""SELECT g.group_id, g.title, a.handle, a.host, a.is_local FROM memberships vm
  JOIN groups g ON g.group_id = vm.group_id JOIN actors a ON a.actor_id = g.group_id
  WHERE vm.actor_id = :viewer_id AND vm.state = 'member' AND g.staff_of IS NULL AND {VIEWER_IS_ACTIVE}
  ORDER BY g.title, g.group_id LIMIT 500"""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a group's log that a viewer may look into. newest_id: no post in it has a larger number."""

    group_id: int
    shard: int
    newest_id: int


@dataclass(frozen=True, slots=True)
class JoinedGroup:
    """A group in which somebody can search."""

    group_id: int
    title: str
    handle: str
    host: str
    is_local: bool

    @property
    def address(self) -> str:
        """`ward`, or `ward@a.example`: the last part of its page's path."""
        return self.handle if self.is_local else f"{self.handle}@{self.host}"


@dataclass(frozen=True, slots=True)
class Found:
    """Posts in which the words of a query stand, the newest first.

    before_id: where to go on; None when there is nothing more.
    """

    posts: list[Post]
    before_id: int | None


@dataclass(slots=True)
class _Batch:
    """Shards that are asked together. ids: what they hold, the newest first; below `floor` nothing has been asked yet."""

    fts: str
    tsquery: str
    floor: int
    ids: deque[int] = field(default_factory=deque)
    is_done: bool = False

    async def refill(self, tx: Tx) -> None:
        """Ask for the next matches."""
        rows = await tx.all(SEARCH_MATCH, fts=self.fts, tsquery=self.tsquery, before_id=self.floor)
        self.ids.extend(row.post_id for row in rows)
        self.is_done = len(rows) < _MATCHES_LIMIT
        self.floor = self.ids[-1] if rows else 0


async def list_joined_groups(tx: Tx, *, viewer_id: int) -> list[JoinedGroup]:
    """Return at most 500 groups in which somebody can search, by title."""
    return [JoinedGroup(*row) for row in await tx.all(_JOINED, viewer_id=viewer_id)]


async def find_posts(tx: Tx, *, viewer_id: int, query: Query, count: int, before_id: int = _NEWER_THAN_ALL) -> Found:
    """Return at most `count` posts that a viewer may read and in which every word of a query stands.

    Phrases are not compared: their words are looked for, each by itself.
    """
    filters = query.filters
    from_at, to_at = filters.from_at or _EARLIEST, filters.to_at or _LATEST
    shards = [
        Shard(*row)
        for row in await tx.all(
            _SHARDS,
            viewer_id=viewer_id,
            group_id=filters.group_id or 0,
            before_id=before_id,
            from_at=from_at,
            to_at=to_at,
        )
    ]
    hidden = await list_hidden_authors(tx, viewer_id=viewer_id)
    merge = _Merge(shards, query, before_id)
    posts: list[Post] = []
    read = 0
    while len(posts) < count and read < READ_LIMIT:
        ids = await merge.take(tx, min(count - len(posts), _READ_AT_ONCE))
        if not ids:
            break
        read += len(ids)
        for post in await list_posts_by_id(tx, viewer_id=viewer_id, post_ids=ids):
            is_shown = post.state == "live" and post.seq is not None and post.author_id not in hidden
            if is_shown and from_at <= post.published_at < to_at:
                posts.append(post)
    return Found(posts, merge.before_id)


class _Merge:
    """Candidates from many shards in one order."""

    def __init__(self, shards: list[Shard], query: Query, before_id: int) -> None:
        self._waiting = deque(shards)
        self._query = query
        self._floor = before_id
        self._asked: list[_Batch] = []
        self._asks = 0
        self._at_once = 1

    @property
    def before_id(self) -> int | None:
        """Where to go on behind what was taken; None when all was."""
        is_over = not self._waiting and all(batch.is_done and not batch.ids for batch in self._asked)
        return None if is_over else self._floor

    async def take(self, tx: Tx, count: int) -> list[int]:
        """Return the numbers of the next candidates; none at the end, and when enough was asked."""
        taken: list[int] = []
        while len(taken) < count:
            for batch in self._asked:
                if not batch.ids and not batch.is_done and not await self._ask(tx, batch):
                    return taken
            newest = max((batch.ids[0] for batch in self._asked if batch.ids), default=0)
            if self._waiting and self._waiting[0].newest_id >= newest:
                if not await self._open(tx):
                    return taken
                continue
            if not newest:
                break
            for batch in self._asked:  # one post stands in one shard, but keys may coincide
                if batch.ids and batch.ids[0] == newest:
                    batch.ids.popleft()
            taken.append(newest)
            self._floor = newest
        return taken

    async def _open(self, tx: Tx) -> bool:
        """Ask the next shards, twice as many as before; return False when enough was asked."""
        if self._asks >= ASKS_LIMIT:
            self._floor = min(self._floor, self._waiting[0].newest_id + 1)
            return False
        keys = []
        for _ in range(min(self._at_once, len(self._waiting))):
            shard = self._waiting.popleft()
            keys.append(key_of(shard.group_id, shard.shard))
        self._at_once = min(self._at_once * 2, _SHARDS_AT_ONCE)
        self._asked.append(_Batch(_to_fts(keys, self._query), _to_tsquery(keys, self._query), self._floor))
        return await self._ask(tx, self._asked[-1])

    async def _ask(self, tx: Tx, batch: _Batch) -> bool:
        if self._asks >= ASKS_LIMIT:
            return False
        self._asks += 1
        await batch.refill(tx)
        return True


def _words_of(query: Query) -> list[str]:
    """Return the whole words that must stand in the index for a post."""
    words = list(query.sought.words)
    if query.filters.author_id is not None:
        words.append(author_word(query.filters.author_id))
    if query.filters.with_sources:
        words.append(SOURCES_WORD)
    return words


def _to_fts(keys: Sequence[str], query: Query) -> str:
    """Return a query for FTS5; the words are bare words of its language: lower case, digits, letters of other scripts."""
    words, prefix = _words_of(query), query.sought.prefix
    return " OR ".join(
        "(" + " AND ".join([*(f"{key}{word}" for word in words), *([f"{key}{prefix}*"] if prefix else [])]) + ")"
        for key in keys
    )


def _to_tsquery(keys: Sequence[str], query: Query) -> str:
    """Return a query for PostgreSQL; no word has a quote or a backslash in it."""
    words, prefix = _words_of(query), query.sought.prefix
    return " | ".join(
        "(" + " & ".join([*(f"'{key}{word}'" for word in words), *([f"'{key}{prefix}':*"] if prefix else [])]) + ")"
        for key in keys
    )
