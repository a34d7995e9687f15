"""A member of ours asks a group on another node: only that group's answer to that request changes anything (T13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from node.community.groups.service import join_group, know_group, leave_group
from node.domain.groups import Group, Membership
from node.federation.grouplog.checkpoint import build_checkpoint
from node.federation.grouplog.entry import chain_zero
from node.federation.grouplog.position import Position
from node.store.rosters import get_membership, list_groups_of
from tests.support.corridor import Corridor
from tests.support.requesters import ForeignActor, a_foreign_actor, know_actor


@dataclass(slots=True)
class Asking:
    """Mia of our node and the group *hall* of friend.example. follow: the id of her request."""

    corridor: Corridor
    hall: ForeignActor
    group: Group
    follow: str = ""

    async def ask(self) -> None:
        """Let Mia ask to join."""
        lone = self.corridor.lone
        place = await join_group(
            lone.core, lone.house.tables, member=self.corridor.mia, group_uri=self.hall.uri, reason="nights"
        )
        self.follow = place.request_uri or ""

    async def leave(self) -> None:
        """Let Mia leave, or take her request back."""
        lone = self.corridor.lone
        await leave_group(lone.core, lone.house.tables, member=self.corridor.mia, group_id=self.group.group_id)

    def accept(
        self, *, about: str | None = None, number: str = "accept", by: ForeignActor | None = None
    ) -> dict[str, Any]:
        """Return an Accept of Mia's request, with a checkpoint signed by the group."""
        mia = self.corridor.mia.uri
        follow = {"type": "Follow", "id": about or self.follow, "actor": mia, "object": self.hall.uri}
        checkpoint = build_checkpoint(self.hall.uri, Position(1, 0, chain_zero(self.hall.uri)), self.hall.ed25519)
        result = {"type": "Member", "object": mia, "context": self.hall.uri, "role": "member"}
        return (by or self.hall).activity(
            "Accept", follow, number=number, to=[mia], checkpoint=checkpoint, result=result
        )

    def reject(self, *, number: str = "reject", by: ForeignActor | None = None) -> dict[str, Any]:
        """Return a Reject of Mia's request."""
        return (by or self.hall).activity("Reject", self.follow, number=number, summary="refused: Full.")

    async def state(self) -> str | None:
        """Return where Mia stands."""
        place = await self.corridor.lone.core.store.read(_place, self)
        return place.state if place else None


@pytest.fixture
async def asking(corridor: Corridor) -> Asking:
    hall = a_foreign_actor("friend.example", "hall", kind="Group")
    await know_actor(corridor.lone.core, hall)
    group = await know_group(corridor.lone.core, hall.uri)
    assert group is not None
    return Asking(corridor, hall, group)


async def test_a_request_waits_until_the_group_accepts_it(asking: Asking) -> None:
    await asking.ask()
    before = await asking.state()

    await asking.corridor.send(asking.hall, asking.accept())

    assert (before, await asking.state()) == ("requested", "member")


@pytest.mark.parametrize("speaker", ["fay", "abe", "another group", "the node", "the group's namesake"])
async def test_t13_an_accept_of_anybody_but_the_group_lets_nobody_in(asking: Asking, speaker: str) -> None:
    others = {
        "fay": asking.corridor.fay,
        "abe": asking.corridor.abe,
        "another group": a_foreign_actor("friend.example", "cellar", kind="Group"),
        "the node": a_foreign_actor("friend.example", kind="Application"),
        "the group's namesake": a_foreign_actor("ally.example", "hall", kind="Group"),
    }
    other = others[speaker]
    await know_actor(asking.corridor.lone.core, other)
    if other.kind == "Group":
        await know_group(asking.corridor.lone.core, other.uri)
    await asking.ask()

    answer = await asking.corridor.send(other, asking.accept(by=other))

    assert answer.status in (202, 400)
    assert await asking.state() == "requested"


async def test_t13_an_accept_of_another_request_lets_nobody_in(asking: Asking) -> None:
    await asking.ask()
    ids = [
        f"{asking.follow}x", asking.hall.uri, asking.corridor.mia.uri, f"{asking.hall.origin}/activities/1", "", "1",
        asking.follow.upper(),
    ]  # fmt: skip

    for number, other in enumerate(ids):
        await asking.corridor.send(asking.hall, asking.accept(about=other or None, number=f"accept-{number}") | (
            {} if other else {"object": {}}
        ))  # fmt: skip

    assert await asking.state() == "requested"


async def test_t13_an_accept_without_a_request_lets_nobody_in(asking: Asking) -> None:
    asking.follow = f"{asking.corridor.mia.uri}/follow"

    await asking.corridor.send(asking.hall, asking.accept())

    assert await asking.state() is None


async def test_t13_a_reject_after_the_accept_ends_it(asking: Asking) -> None:
    await asking.ask()
    await asking.corridor.send(asking.hall, asking.accept())

    await asking.corridor.send(asking.hall, asking.reject())

    assert await asking.state() == "removed"


async def test_t13_a_reject_of_anybody_but_the_group_ends_nothing(asking: Asking) -> None:
    await asking.ask()
    await asking.corridor.send(asking.hall, asking.accept())

    for other in (asking.corridor.fay, asking.corridor.abe):
        await asking.corridor.send(other, asking.reject(by=other))

    assert await asking.state() == "member"


async def test_t13_the_accept_again_after_the_reject_lets_nobody_in(asking: Asking) -> None:
    await asking.ask()
    accept = asking.accept()
    await asking.corridor.send(asking.hall, accept)
    await asking.corridor.send(asking.hall, asking.reject())

    await asking.corridor.send(asking.hall, accept)
    await asking.corridor.send(asking.hall, asking.accept(number="another"))

    assert await asking.state() == "removed"


@pytest.mark.parametrize("was_member", [True, False])
async def test_t13_whoever_left_or_took_the_request_back_is_not_let_in_by_a_late_accept(
    asking: Asking, was_member: bool
) -> None:
    await asking.ask()
    if was_member:
        await asking.corridor.send(asking.hall, asking.accept())
    await asking.leave()

    await asking.corridor.send(asking.hall, asking.accept(number="late"))

    assert await asking.state() == "left"


async def test_t13_an_invitation_is_not_accepted_by_whoever_sent_it(asking: Asking) -> None:
    mia = asking.corridor.mia.uri
    invite = asking.hall.activity("Invite", asking.hall.uri, number="invite", target=mia, to=[mia])
    await asking.corridor.send(asking.hall, invite)
    assert await asking.state() == "invited"

    await asking.corridor.send(asking.hall, asking.accept(about=invite["id"]))

    assert await asking.state() == "invited"


async def test_an_invitation_is_taken_up_by_asking(asking: Asking) -> None:
    mia = asking.corridor.mia.uri
    invite = asking.hall.activity("Invite", asking.hall.uri, number="invite", target=mia, to=[mia])
    await asking.corridor.send(asking.hall, invite)
    await asking.ask()

    await asking.corridor.send(asking.hall, asking.accept())

    assert await asking.state() == "member"


async def test_t13_an_invitation_into_somebody_elses_group_is_no_invitation(asking: Asking) -> None:
    mia = asking.corridor.mia.uri
    abe = asking.corridor.abe
    invite = abe.activity("Invite", asking.hall.uri, target=mia, to=[mia])

    await asking.corridor.send(abe, invite)

    assert await asking.state() is None


async def test_t13_a_group_brings_nobody_into_its_staff_who_is_not_in_it(asking: Asking) -> None:
    room = a_foreign_actor("friend.example", "hall/staff", kind="Group")
    await know_actor(asking.corridor.lone.core, room)
    mia = asking.corridor.mia.uri
    result = {"type": "Member", "object": mia, "role": "owner"}

    await asking.corridor.send(room, room.activity("Accept", {"type": "Follow", "id": f"{mia}/f"}, result=result))

    groups = await asking.corridor.lone.core.store.read(
        lambda tx: list_groups_of(tx, actor_id=asking.corridor.mia.actor_id)
    )
    assert {group.host for group in groups} == {"home.example"}


async def _place(tx: Any, asking: Asking) -> Membership | None:
    return await get_membership(tx, group_id=asking.group.group_id, actor_id=asking.corridor.mia.actor_id)
