"""A node with much on it: groups of very different size, members who see all, some and hardly any of it.

Filled through the store's own functions, as the services call them; only what no reader looks at (log entries, proofs)
is left out. On PostgreSQL the same rows are copied over.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from node.community.house import close_core, open_core
from node.community.members.service import NewMember, add_member
from node.community.operating.moving import move
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer as PeerRow
from node.domain.peers import PeerPolicy
from node.federation.grouplog.entry import chain_zero
from node.foundation.clock import SystemClock
from node.foundation.logs import configure_logs
from node.store.actors import insert_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.notifications import tell
from node.store.objects import insert_post
from node.store.peers import insert_peer
from node.store.rosters import admit_peer, insert_group, let_in, put_request, set_base

from .nodes import PASSWORD
from .peers import Actor as RemoteActor

GROUPS = 200
VIEWERS = ("ordinary", "seldom", "everywhere")
_AUTHORS = 300
_BATCH = 500
_TOPICS_OF_TEN = 4
_LONG_THREAD = 45
_VERY_LONG_THREAD = 200
_TOLD_OF_ONE_IN = 10
_LEFT_ONE_IN = 5
_SELDOM = 2_000
_WORDS = "Who covers the night shift on Friday? I can swap with Thursday, the ward is quiet then. " * 4


@dataclass(slots=True)
class Filled:
    """What was put into a node.

    paths: of some of its posts, for a peer that may read them. root_id: of a thread of two hundred that two viewers may read.
    """

    posts: int
    paths: list[str] = field(default_factory=list)
    root_id: int = 0


def fill(data: Path, *, posts: int, friend: RemoteActor) -> Filled:
    """Fill a new node's SQLite database.

    Args:
        data: Its data directory; nothing serves it.
        posts: How many posts, replies included.
        friend: The instance actor of a peer that shall be active and hold every group.
    """
    configure_logs(level="error")
    return asyncio.run(_fill(data, posts, friend))


def copy_to_postgres(data: Path, target: Path, address: str) -> None:
    """Make `target` the data directory of the same node on PostgreSQL, with every row of the SQLite file."""
    configure_logs(level="error")
    shutil.copytree(data, target, ignore=shutil.ignore_patterns("rounds.sqlite*", "rounds.sock", "node.log"))
    shutil.copy(data / "rounds.sqlite", target)
    asyncio.run(move(target, address, clock=SystemClock(), note=lambda sentence: None))


async def _fill(data: Path, posts: int, friend: RemoteActor) -> Filled:
    core = await open_core(data)
    try:
        members = [
            (await add_member(core, NewMember(handle, handle.title(), password=PASSWORD), by="bench"))[0]
            for handle in VIEWERS
        ]
        crowd = _Crowd(core, friend, random.Random(1), members)
        await core.store.write(crowd.insert_people)
        for rank in range(1, GROUPS + 1):
            await core.store.write(crowd.insert_group, rank)
        for first in range(0, posts, _BATCH):
            await core.store.write(crowd.insert_posts, min(_BATCH, posts - first))
        await core.store.write(crowd.insert_thread, 1, _LONG_THREAD)
        root_id = await core.store.write(crowd.insert_thread, 11, _VERY_LONG_THREAD)
        await core.store.write(crowd.let_viewers_in, posts)
        for viewer in crowd.viewers:
            await core.store.write(crowd.tell_viewer, viewer)
        return Filled(posts, crowd.random.sample(crowd.paths, min(400, len(crowd.paths))), root_id)
    finally:
        await close_core(core)


class _Crowd:
    """Makes the rows. The group of rank r gets posts in proportion to 1/r, as communities do."""

    def __init__(self, core: Core, friend: RemoteActor, chance: random.Random, members: list[Member]) -> None:
        self.core, self.friend, self.random = core, friend, chance
        self.viewers = dict(zip(VIEWERS, members, strict=True))
        self.peer_id = core.ids.number()
        self.authors = [core.ids.number() for _ in range(_AUTHORS)]
        self.friend_id = core.ids.number()
        self.groups: list[Group] = []
        self.topics: list[list[tuple[int, str]]] = []
        self.seqs: list[int] = []
        self.paths: list[str] = []
        self.written: list[list[tuple[int, int]]] = []
        self.visible: dict[str, dict[int, int]] = {viewer: {} for viewer in VIEWERS}

    async def insert_people(self, tx: Tx) -> None:
        """Insert authors of this node, the peer and somebody on it."""
        origin, host = self.core.origin, self.core.host
        for n, actor_id in enumerate(self.authors):
            uri = f"{origin}/people/author{n}"
            await insert_actor(
                tx, actor=Actor(actor_id, uri, "person", f"author{n}", host, True, None, f"Author {n}", "", None)
            )
        there = self.friend.peer
        uri, inbox = f"{there.origin}/people/p0", f"{there.origin}/inbox"
        actor = Actor(self.friend_id, uri, "person", "p0", there.host, False, None, "P", "", inbox)
        await insert_actor(tx, actor=actor, fetched_at=tx.now)
        peer = PeerRow(
            self.peer_id, there.host, there.origin, there.host, "active", None, False, f"{there.origin}/actor",
            None, None, PeerPolicy(), None, None, None, None, None, None,
        )  # fmt: skip
        await insert_peer(tx, peer=peer)

    async def insert_group(self, tx: Tx, rank: int) -> None:
        """Insert a group of this node with a member on the peer."""
        core, group_id = self.core, self.core.ids.number()
        uri, handle = f"{core.origin}/groups/ward{rank}", f"ward{rank}"
        await insert_actor(
            tx, actor=Actor(group_id, uri, "group", handle, core.host, True, None, f"Ward {rank}", "", None)
        )
        zero = chain_zero(uri)
        group = Group(
            group_id=group_id, uri=uri, handle=handle, host=core.host, is_local=True, peer_id=None, staff_of=None,
            title=f"Ward {rank}", policy="request", is_hidden=False, history="all", new_node_approvals=1, epoch=1,
            base_seq=0, base_chain=zero, head_seq=0, head_chain=zero, applied_seq=0,
        )  # fmt: skip
        await insert_group(tx, group=group)
        await admit_peer(
            tx, group_id=group_id, peer_id=self.peer_id, decided_by="bench", because_of="bench", base_seq=0
        )
        await self._let_in(tx, group_id, self.friend_id, 0)
        self.groups.append(group)
        self.topics.append([])
        self.written.append([])
        self.seqs.append(0)

    async def insert_posts(self, tx: Tx, count: int) -> None:
        """Insert posts: four topics to six replies, each in a group by its weight."""
        weights = [1 / rank for rank in range(1, GROUPS + 1)]
        for place in self.random.choices(range(GROUPS), weights, k=count):
            topics = self.topics[place]
            is_topic = not topics or self.random.randrange(10) < _TOPICS_OF_TEN
            parent = None if is_topic else self.random.choice(topics[-50:])
            token = self.core.ids.token()
            values = self._values(tx, place, token, parent)
            await insert_post(tx, values=values)
            if is_topic:
                topics.append((values["post_id"], values["uri"]))
            self.paths.append(f"/posts/{token}")

    async def insert_thread(self, tx: Tx, place: int, replies: int) -> int:
        """Insert a topic with so many answers into a group; return its number."""
        root: tuple[int, str] | None = None
        for _ in range(1 + replies):
            values = self._values(tx, place, self.core.ids.token(), root)
            await insert_post(tx, values=values)
            root = root or (values["post_id"], values["uri"])
        assert root is not None
        return root[0]

    async def let_viewers_in(self, tx: Tx, posts: int) -> None:
        """Finish the logs; let one member into every tenth group, one into all, one where they see a hundredth."""
        for place, (group, seq) in enumerate(zip(self.groups, self.seqs, strict=True)):
            await set_base(tx, group_id=group.group_id, epoch=1, seq=seq, chain="0" * 64)
            await self._let_viewer_in(tx, place, "everywhere", 0)
        for place in range(1, GROUPS, 10):
            await self._let_viewer_in(tx, place, "ordinary", 0)
        # Half of what they see stands in a small group, half at the end of the largest, which they joined late.
        small = min(range(GROUPS), key=lambda place: abs(self.seqs[place] - posts // 200))
        await self._let_viewer_in(tx, small, "seldom", 0)
        await self._let_viewer_in(tx, 0, "seldom", self.seqs[0] - posts // 200)

    async def tell_viewer(self, tx: Tx, viewer: str) -> None:
        """Tell a viewer that a tenth of what they may read names them, and of a fifth as much that they may not read any more."""
        seen = self.visible[viewer]
        readable = [post for place, after in seen.items() for post in self.written[place][after:]]
        gone = [post for place, posts in enumerate(self.written) if place not in seen for post in posts]
        count = max(1, len(readable) // _TOLD_OF_ONE_IN)
        told = self.random.sample(readable, count)
        told += self.random.sample(gone, min(len(gone), count // _LEFT_ONE_IN))
        self.random.shuffle(told)
        for post_id, author_id in told:
            await tell(
                tx, notification_id=self.core.ids.number(), kind="named",
                actor_ids=[self.viewers[viewer].actor_id], from_id=author_id, post_id=post_id,
            )  # fmt: skip

    async def _let_viewer_in(self, tx: Tx, place: int, viewer: str, visible_after: int) -> None:
        self.visible[viewer][place] = visible_after
        await self._let_in(tx, self.groups[place].group_id, self.viewers[viewer].actor_id, visible_after)

    async def _let_in(self, tx: Tx, group_id: int, actor_id: int, visible_after: int) -> None:
        await put_request(tx, group_id=group_id, actor_id=actor_id, state="requested")
        await let_in(
            tx, group_id=group_id, actor_id=actor_id, role="member", joined_seq=visible_after,
            visible_after=visible_after, decided_by="bench",
        )  # fmt: skip

    def _values(self, tx: Tx, place: int, token: str, parent: tuple[int, str] | None) -> dict[str, Any]:
        self.seqs[place] += 1
        post_id, uri = self.core.ids.number(), f"{self.core.origin}/posts/{token}"
        group, author_id = self.groups[place], self.random.choice(self.authors)
        self.written[place].append((post_id, author_id))
        seldom = f"case{self.random.randrange(_SELDOM)} shared{self.random.randrange(20)}"  # for who searches
        document = {
            "id": uri,
            "type": "Note",
            "to": [group.uri, f"{group.uri}/followers"],
            "audience": group.uri,
            "content": f"<p>{_WORDS}</p>",
            "source": {"content": _WORDS, "mediaType": "text/markdown"},
        }
        return {
            "post_id": post_id,
            "uri": uri,
            "audience": "group",
            "group_id": group.group_id,
            "author_id": author_id,
            "parent_id": parent[0] if parent else None,
            "root_id": parent[0] if parent else post_id,
            "in_reply_to": parent[1] if parent else None,
            "seq": self.seqs[place],
            "state": "live",
            "title": "" if parent else "Night shifts in December",
            "warning": "",
            "source": _WORDS,
            "html": f"<p>{_WORDS} {seldom}</p>",
            "document": msgspec.json.encode(document).decode(),
            "activity_uri": f"{self.core.origin}/activities/{token}",
            "published_at": tx.now,
        }
