"""The end of a ban: by staff, on the members page, told to the person's node; and groups that are nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.community.groups.bans import lift_ban
from node.community.groups.service import NewGroup, create_group
from node.foundation.errors import Conflict, Forbidden
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.commands import CommandRefused
from tests.support.databases import Databases
from tests.support.group_life import put_out
from tests.support.lone_house import ORIGIN
from tests.support.village import Village
from tests.support.ward import Ward, a_ward


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    async with a_ward(databases, clock) as made:
        yield made


async def test_staff_lifts_a_ban_and_the_person_may_ask_again(scene: Ward) -> None:
    await put_out(scene.lone, scene.ward, scene.people["mia"], ban=True)
    mia, moe = await scene.at("mia"), await scene.at("moe")
    await mia.get("/groups/ward/join")
    assert not [form for form in mia.page.forms if form.id == "join"]
    await moe.get("/groups/ward/members")
    assert "Banned" in moe.words

    await moe.submit("lift-ban")

    assert (moe.steps, await scene.place("mia")) == ([303, 200], ("removed", "member"))
    assert "Banned" not in moe.words
    await mia.get("/groups/ward/join")
    await mia.submit("join", reason="I am sorry.")
    assert mia.page.alerts == []
    assert await scene.place("mia") == ("requested", "member")


async def test_a_ban_that_is_lifted_already_is_said(scene: Ward) -> None:
    await put_out(scene.lone, scene.ward, scene.people["mia"], ban=True)
    moe = await scene.at("moe")
    await moe.get("/groups/ward/members")
    form = dict(moe.find_form("lift-ban").pairs)
    await moe.submit("lift-ban")

    await moe.post("/groups/ward/members/lift", {"csrf": form["csrf"], "person": "mia@home.example"})

    assert (moe.status, moe.page.alerts) == (422, ["This person is not banned any more."])


async def test_t17_members_without_a_role_see_no_bans_and_lift_none(scene: Ward) -> None:
    pia: Any = await scene.lone.member("pia")
    scene.people["pia"] = pia
    await create_group(scene.lone.core, scene.lone.house.tables, NewGroup("other", "Other"), owner=pia, by="pia")
    await put_out(scene.lone, scene.ward, scene.people["moe"], ban=True)
    mia = await scene.at("mia")

    await mia.get("/groups/ward/members")
    shown = ("Banned" in mia.words, "moe@" in mia.text)
    await mia.get("/me/settings")
    await mia.post("/groups/ward/members/lift", {"csrf": mia.csrf, "person": "moe@home.example"})

    assert shown == (False, False)
    assert mia.status == 404
    assert (await scene.place("moe"))[0] == "banned"
    with pytest.raises(Forbidden):
        await lift_ban(
            scene.lone.core, staff=scene.people["mia"], group_id=scene.ward.group_id,
            actor_id=scene.people["moe"].actor_id, by="mia",
        )  # fmt: skip


@pytest.mark.parametrize("handle", ["mia", "otto"])
async def test_who_is_not_banned_has_no_ban_to_lift(scene: Ward, handle: str) -> None:
    with pytest.raises(Conflict):
        await lift_ban(
            scene.lone.core, staff=None, group_id=scene.ward.group_id, actor_id=scene.people[handle].actor_id, by="operator"
        )  # fmt: skip


async def test_the_node_of_a_banned_person_learns_that_it_is_over(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "ban", "ward", b.person("ben"), "--reason", "contempt", "--yes")
    await village.rest()
    ana, ben = await Browser(a).enter("ana"), await Browser(b).enter("ben")
    await ben.get(f"/groups/ward@{a.host}/join")
    assert "does not take a request from you" in ben.words

    await ana.get("/groups/ward/members")
    await ana.submit("lift-ban")
    await village.rest()
    await ben.get(f"/groups/ward@{a.host}/join")
    await ben.submit("join", reason="I am sorry.")
    await village.rest()

    for node in (a, b):
        assert (await node.roster(ward))[b.person("ben")]["state"] == "requested"
    with pytest.raises(CommandRefused):
        await a.run("group", "unban", "ward", b.person("ben"))


async def test_t17_only_the_group_itself_lifts_a_ban_of_a_copy(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "ban", "ward", b.person("ben"), "--yes")
    await village.rest()
    c = await village.foreign_friend(b)
    eve = c.person("eve")
    block = {
        "type": "Block",
        "actor": ward,
        "object": b.person("ben"),
        "id": f"{a.origin}/activities/x",
        "target": ward,
    }

    await c.send(f"{b.origin}/inbox", c.activity("Undo", eve, block, to=[b.person("ben")]), eve)
    await village.rest()

    assert (await b.roster(ward))[b.person("ben")]["state"] == "banned"


@pytest.mark.parametrize("handle", ["new", "find", "ward"])
async def test_a_group_is_made_once_and_given_to_its_owner_alone(scene: Ward, handle: str) -> None:
    core, tables = scene.lone.core, scene.lone.house.tables

    with pytest.raises(Conflict):
        await create_group(core, tables, NewGroup(handle, "Ward"), owner=scene.people["otto"], by="operator")

    again = await create_group(core, tables, NewGroup("ward", "Ward"), owner=scene.people["ana"], by="operator")
    assert again.uri == f"{ORIGIN}/groups/ward"
