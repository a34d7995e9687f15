"""A group as its pages are tested: who may do what in it, who is outside, and somebody of a new node who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from node.domain.groups import Group
from node.domain.posts import page_token
from node.store.engine import Tx
from node.store.objects import get_post
from node.store.rosters import get_membership
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import let_in, make_group
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.requesters import a_foreign_actor, know_actor, know_peer


@dataclass(slots=True)
class Ward:
    """A node with the group *ward* of Ana and Moe (moderator) with Mia in it, the hidden *circle* of Ana, and Otto."""

    lone: LoneHouse
    ward: Group
    circle: Group
    people: dict[str, Any]

    async def at(self, handle: str) -> Browser:
        """Return somebody's browser, signed in."""
        return await Browser(self.lone).enter(handle)

    async def place(self, handle: str, group: Group | None = None) -> tuple[str, str]:
        """Return (state, role) of somebody in ward, or another group."""
        actor_id = self.people[handle].actor_id
        found = await self.lone.core.store.read(_place, (group or self.ward).group_id, actor_id)
        return (found.state, found.role) if found else ("", "")

    async def post_page(self, post_id: int) -> str:
        """Return the page of a post of ward."""
        post = await self.lone.core.store.read(get_seen, self.people["ana"].actor_id, post_id)
        return f"/groups/ward/threads/{page_token(post.uri)}"


async def _place(tx: Tx, group_id: int, actor_id: int) -> Any:
    return await get_membership(tx, group_id=group_id, actor_id=actor_id)


async def get_seen(tx: Tx, viewer_id: int, post_id: int) -> Any:
    """Return a post as somebody sees it."""
    return await get_post(tx, viewer_id=viewer_id, post_id=post_id)


@asynccontextmanager
async def a_ward(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    """Set the scene on a new node."""
    async with a_lone_house(databases, clock) as lone:
        people: dict[str, Any] = {handle: await lone.member(handle) for handle in ("ana", "moe", "mia", "otto")}
        ward = await make_group(lone, "ward", people["ana"])
        circle = await make_group(lone, "circle", people["ana"], is_hidden=True)
        for handle in ("moe", "mia"):
            await let_in(lone, ward, people[handle])
        made = Ward(lone, ward, circle, people)
        ana = await made.at("ana")
        await ana.get("/groups/ward/members?person=moe@home.example")
        await ana.submit("role", role="moderator")
        assert await made.place("moe") == ("member", "moderator")
        yield made


async def fay_asks(scene: Ward) -> Any:
    """Have somebody of a node that is new to ward ask to join it."""
    await know_peer(scene.lone.core, "friend.example")
    fay = a_foreign_actor("friend.example", "fay")
    scene.people["fay"] = await know_actor(scene.lone.core, fay)
    follow = fay.activity("Follow", scene.ward.uri, content="<p>Night shifts.</p>", to=[scene.ward.uri])
    await scene.lone.receive(fay, follow)
    assert await scene.place("fay") == ("requested", "member")
    return fay


async def csrf_of(browser: Browser) -> str:
    """Return the token of a browser's forms, from a page that always has one."""
    await browser.get("/me")
    return browser.csrf
