"""The stage of the inbox tests.

Mia is ours, Fay and Finn are of friend.example, Abe is of ally.example. Ward is a group of ours with Mia and Fay in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.federation.message import Answer, Request
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import let_in, make_group
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.requesters import ForeignActor, a_foreign_actor, ask, know_actor, know_peer
from tests.support.traces import read_rows

# What an activity can do to a node. Left out: what says that something came (`activities`, `peers`), and what goes out.
EFFECTS = (
    "actors", "actor_keys", "acquaintances", "admissions", "audit", "groups", "log_entries", "media", "memberships",
    "mentions", "post_people", "post_versions", "posts", "readers", "submissions", "members", "author_cards",
)  # fmt: skip


@dataclass(slots=True)
class Corridor:
    """The stage of the inbox tests."""

    lone: LoneHouse
    mia: Member
    ward: Group
    fay: ForeignActor
    finn: ForeignActor
    abe: ForeignActor
    stranger: ForeignActor
    known: dict[str, Actor]

    @property
    def now(self) -> Any:
        """The instant at which the clock stands."""
        return self.lone.clock.now()

    async def post(self, request: Request) -> Answer:
        """Put a finished request to the application, and let the node act on what it took."""
        answer = await ask(self.lone.app, request)
        await self.lone.work()
        return answer

    async def send(self, foreign: ForeignActor, document: Any, *, target: str = "/inbox") -> Answer:
        """Send something signed by somebody, and let the node act on it."""
        return await self.post(foreign.deliver(document, self.now, target=target))

    async def effects(self) -> dict[str, list[str]]:
        """Return every row that an activity could have made or changed."""
        rows = await read_rows(self.lone.core.config.database, self.lone.core.data)
        return {table: rows[table] for table in EFFECTS}

    async def texts(self) -> list[str]:
        """Return the texts of all posts, in order."""
        rows = await self.lone.core.store.read(lambda tx: tx.all("SELECT html FROM posts ORDER BY post_id"))
        return [row.html for row in rows]


@asynccontextmanager
async def a_corridor(databases: Databases, clock: FrozenClock, **more: Any) -> AsyncIterator[Corridor]:
    """Set the stage on a new node; `more` goes to `a_lone_house`."""
    async with a_lone_house(databases, clock, **more) as lone:
        mia = await lone.member("mia")
        friend = await know_peer(lone.core, "friend.example")
        await know_peer(lone.core, "ally.example")
        people = {name: a_foreign_actor("friend.example", name) for name in ("fay", "finn")}
        people["abe"] = a_foreign_actor("ally.example", "abe")
        known = {name: await know_actor(lone.core, foreign) for name, foreign in people.items()}
        ward = await make_group(lone, "ward", mia)
        await let_in(lone, ward, known["fay"], friend)
        stranger = a_foreign_actor("stranger.example", "fay")
        yield Corridor(lone, mia, ward, people["fay"], people["finn"], people["abe"], stranger, known)
