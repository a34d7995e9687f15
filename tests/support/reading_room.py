"""A ward to read and write in: one node with a group, its owner Ana, its member Ben, and Cy who is not in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from node.community.members.service import make_reset_link, set_password_by_link
from node.community.posts.model import Posted
from node.community.posts.service import create_post
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.posts import Draft
from node.foundation.clock import Clock
from tests.support.browser_form import Browser
from tests.support.databases import Databases
from tests.support.group_life import let_in, make_group
from tests.support.lone_house import LoneHouse, a_lone_house

PASSWORD = "correct horse battery"

THREAD_LINK = re.compile(r'<h[23] class="row-title"><a href="([^"#]+)[^"]*">([^<]*)</a>')


@dataclass(slots=True)
class Ward:
    """The node of a test, with who is in its group."""

    lone: LoneHouse
    group: Group
    ana: Member
    ben: Member
    cy: Member

    async def browser(self, handle: str, agent: str = "A browser") -> Browser:
        """Return a browser in which somebody is signed in."""
        return await Browser(self.lone, agent=agent).enter(handle)

    async def say(
        self, author: Member, text: str, *, title: str = "", to: Posted | None = None, group: Group | None = None
    ) -> Posted:
        """Let somebody write a topic, or an answer to a post."""
        return await create_post(
            self.lone.core,
            self.lone.house.tables,
            author=author,
            group_id=(group or self.group).group_id,
            draft=Draft(text, title=title),
            reply_to=to.post_id if to else None,
        )

    async def set_password(self, handle: str) -> None:
        """Give somebody the password of the tests."""
        link = await make_reset_link(self.lone.core, handle, by="a test")
        await set_password_by_link(self.lone.core, link.rpartition("/")[2], PASSWORD)


def page_of(posted: Posted, group: str = "ward") -> str:
    """Return the path of a post's page."""
    return f"/groups/{group}/threads/{posted.uri.rpartition('/')[2]}"


@asynccontextmanager
async def a_reading_room(databases: Databases, clock: Clock) -> AsyncIterator[Ward]:
    """Open a node with the group `ward`."""
    async with a_lone_house(databases, clock) as lone:
        ana, ben, cy = [await lone.member(handle) for handle in ("ana", "ben", "cy")]
        group = await make_group(lone, "ward", ana)
        await let_in(lone, group, ben)
        yield Ward(lone, group, ana, ben, cy)


async def a_long_thread(ward: Ward, answers: int) -> Posted:
    """Return a topic of Ana's with so many answers."""
    topic = await ward.say(ward.ana, "Word 1.", title="A long one")
    for number in range(2, answers + 2):
        await ward.say(ward.ana, f"Word {number}.", to=topic)
    return topic


async def list_drafts(ward: Ward) -> list[tuple[str, str]]:
    """Return (title, text) of every draft on the node."""
    rows = await ward.lone.core.store.read(lambda tx: tx.all("SELECT title, text FROM drafts ORDER BY saved_at"))
    return [tuple(row) for row in rows]
