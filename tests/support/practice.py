"""A practice: one node with a group, its owner Ana, its member Ben, and Cy who is not in it, each with an app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from node.community.groups.service import NewGroup, create_group, join_group
from node.community.members.service import make_token
from node.domain.actors import Member
from node.domain.groups import Group
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import HOST, LoneHouse, a_lone_house
from tests.support.phone import Phone, Reply

ALL_SCOPES = "read write follow push"


@dataclass(slots=True)
class Practice:
    """The node of a test, with who is in it.

    ana: owner of the group `ward`. ben: its member. cy: a member of the node alone. nobody: an app without a token.
    """

    lone: LoneHouse
    ward: Group
    ana: Phone
    ben: Phone
    cy: Phone
    nobody: Phone

    async def phone(self, member: Member, scopes: str = ALL_SCOPES) -> Phone:
        """Return an app signed in as a member."""
        token = await make_token(self.lone.core, member.handle, scopes, by="a test")
        return Phone(self.lone.app, HOST, token, member)

    async def group(self, handle: str, *members: Phone, **more: Any) -> Group:
        """Make a group of Ana's that anybody may join, with more members."""
        house = self.lone.house
        new = NewGroup(handle, handle.capitalize(), **{"policy": "open"} | more)
        group = await create_group(house.core, house.tables, new, owner=self.ana.member, by="a test")
        for phone in members:
            await self.join(group, phone)
        return group

    async def join(self, group: Group, phone: Phone) -> None:
        """Bring somebody into an open group."""
        house = self.lone.house
        await join_group(house.core, house.tables, member=phone.member, group_uri=group.uri, reason="")

    async def say(self, phone: Phone, text: str, **more: Any) -> Any:
        """Post by app, and return the status."""
        reply = await phone.post("/api/v1/statuses", {"status": text, **more})
        assert reply.status == 200, reply.body
        return reply.json


@asynccontextmanager
async def a_practice(databases: Databases, clock: FrozenClock) -> AsyncIterator[Practice]:
    """Open a node with the group `ward`."""
    async with a_lone_house(databases, clock) as lone:
        members = [await lone.member(handle) for handle in ("ana", "ben", "cy")]
        nobody = Phone(lone.app, HOST)
        made = Practice(lone, None, nobody, nobody, nobody, nobody)  # type: ignore[arg-type]
        made.ana, made.ben, made.cy = [await made.phone(member) for member in members]
        made.ward = await made.group("ward", made.ben)
        yield made


def words(reply: Reply) -> list[str]:
    """Return what the posts of a timeline say, in its order."""
    assert reply.status == 200, reply.body
    return [status["reblog"]["content"].strip().removeprefix("<p>").removesuffix("</p>") for status in reply.json]
