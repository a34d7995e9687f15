"""Each group has a hidden companion where its staff meet, wherever they live.

Requests are laid before them there,
and their decisions are submitted back (wire.md 4.12).
"""

from __future__ import annotations

import pytest

from node.community.groups.service import find_group
from node.community.groups.staff import admit_node, decide_request, set_role
from node.community.members.service import require_member
from node.foundation.errors import Forbidden
from tests.support.commands import CommandRefused
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _decide(node: Node, handle: str, ward: str, person: str, *, approve: bool, note: str = "") -> None:
    """Have a member of a node decide about somebody's request."""
    group = await find_group(node.core, ward)
    assert group is not None
    [asker] = await node.select("SELECT actor_id FROM actors WHERE uri = :uri", uri=person)
    staff = await require_member(node.core, handle)
    await decide_request(node.core, node.house.tables, staff=staff, group_id=group.group_id, actor_id=asker.actor_id,
                         approve=approve, note=note, by=handle)  # fmt: skip


async def _three(village: Village) -> tuple[Node, Node, Node, str]:
    """Return a host, a node whose ben wants to join, and a node whose dan is facilitator of the group."""
    a, b, d = await village.node("society"), await village.node("hospital"), await village.node("distant")
    await village.befriend(a, b)
    await village.befriend(a, d)
    for node, handle in ((a, "ana"), (b, "ben"), (d, "dan")):
        await node.member(handle)
    ward = await a.group("ward", owner="ana")
    await village.let_in(a, ward, (d, "dan"))
    await a.run("group", "role", ward, d.person("dan"), "facilitator")
    await village.rest()
    return a, b, d, ward


async def _state(node: Node, ward: str, person: str) -> str:
    return str((await node.roster(ward))[person]["state"])


async def test_a_new_facilitator_elsewhere_comes_into_the_staff_room(village: Village) -> None:
    a, _, d, ward = await _three(village)

    staff = await d.roster(f"{ward}/staff")

    assert staff[d.person("dan")]["state"] == "member"
    assert (await d.roster(ward))[d.person("dan")]["role"] == "facilitator"
    assert f"{ward}/staff" in await a.lanes(d)


async def test_a_facilitator_elsewhere_approves_a_request_from_a_third_node(village: Village) -> None:
    a, b, d, ward = await _three(village)
    await a.run("group", "admit", ward, b.host, "--yes")

    await b.join(ward, as_="ben", reason="I know Dan.")
    await village.rest()
    asked = (await d.roster(ward))[b.person("ben")]
    await _decide(d, "dan", ward, b.person("ben"), approve=True)
    await village.rest()

    assert (asked["state"], asked["reason"]) == ("requested", "I know Dan.")
    assert await _state(a, ward, b.person("ben")) == "member"
    assert await _state(b, ward, b.person("ben")) == "member"
    staff_log = await a.select(
        """SELECT e.kind, e.actor_uri FROM log_entries e JOIN actors g ON g.actor_id = e.group_id
          WHERE g.uri = :uri ORDER BY e.seq""",
        uri=f"{ward}/staff",
    )
    assert ("create", ward) in [tuple(row) for row in staff_log]
    assert ("update", d.person("dan")) in [tuple(row) for row in staff_log]


async def test_a_facilitator_elsewhere_rejects_a_request_with_a_note(village: Village) -> None:
    a, b, d, ward = await _three(village)
    await b.join(ward, as_="ben")
    await village.rest()

    await _decide(d, "dan", ward, b.person("ben"), approve=False, note="Please ask your chief first.")
    await village.rest()

    place = (await b.roster(ward))[b.person("ben")]
    assert (place["state"], place["reason"]) == ("rejected", "Please ask your chief first.")
    assert await _state(a, ward, b.person("ben")) == "rejected"
    assert await _state(d, ward, b.person("ben")) != "requested"


async def test_staff_elsewhere_let_nobody_in_before_the_node_is_admitted(village: Village) -> None:
    a, b, d, ward = await _three(village)
    await b.join(ward, as_="ben")
    await village.rest()

    await _decide(d, "dan", ward, b.person("ben"), approve=True)
    await village.rest()

    assert await _state(a, ward, b.person("ben")) == "requested"
    assert await _state(b, ward, b.person("ben")) == "requested"


async def test_a_plain_member_decides_nothing_and_sees_no_request(village: Village) -> None:
    a, b, d, ward = await _three(village)
    e = await village.node("elsewhere")
    await village.befriend(a, e)
    await e.member("eva")
    await village.let_in(a, ward, (e, "eva"))

    await b.join(ward, as_="ben", reason="Between us: I am ill.")
    await village.rest()

    assert await e.select("SELECT uri FROM actors WHERE uri = :uri", uri=b.person("ben")) == []
    assert await village.find_kept("Between us", e) == []
    assert village.find_said("Between us", e) == []
    assert await village.find_kept("Between us", d) != []


async def test_who_is_staff_no_more_is_out_of_the_room_and_their_node_forgets_it(village: Village) -> None:
    a, b, d, ward = await _three(village)
    await b.join(ward, as_="ben", reason="Between us: I am ill.")
    await village.rest()

    await a.run("group", "role", ward, d.person("dan"), "member")
    await village.rest()

    assert f"{ward}/staff" not in await a.lanes(d)
    rows = await d.rows()
    assert not [row for row in rows["log_entries"] if "Between us" in row]
    with pytest.raises(Forbidden):
        await _decide(d, "dan", ward, b.person("ben"), approve=True)


async def test_a_facilitator_leaving_the_group_leaves_its_staff_room_too(village: Village) -> None:
    a, _, d, ward = await _three(village)

    await d.run("group", "leave", ward, "--as", "dan")
    await village.rest()

    assert await _state(a, f"{ward}/staff", d.person("dan")) in ("left", "removed")
    assert {stream for stream in await a.lanes(d)} <= {"control", "direct"}
    assert (await d.rows())["log_entries"] == []


async def test_the_staff_rooms_address_is_absent_for_nodes_without_staff(village: Village) -> None:
    a, b, ward = await village.shared_ward()

    with pytest.raises(CommandRefused):
        await b.join(f"{ward}/staff", as_="ben")

    assert a.person("ana") in await a.roster(f"{ward}/staff")


async def test_roles_decide_who_admits_a_node_and_who_gives_roles(village: Village) -> None:
    a = await village.node("society")
    b = await village.node("hospital")
    await village.befriend(a, b)
    people = {role: await a.member(role) for role in ("owner", "facilitator", "moderator", "plain")}
    ward = await a.group("ward", owner="owner", policy="open")
    for handle in ("facilitator", "moderator", "plain"):
        await a.join(ward, as_=handle)
    for role in ("facilitator", "moderator"):
        await a.run("group", "role", ward, people[role], role)
    group = await find_group(a.core, ward)
    assert group is not None
    peer = a.core.peers.by_host(b.host)
    [plain] = await a.select("SELECT actor_id FROM actors WHERE uri = :uri", uri=people["plain"])

    allowed: dict[str, list[str]] = {"admit": [], "give roles": []}
    for handle in ("plain", "moderator", "facilitator", "owner"):
        member = await require_member(a.core, handle)
        try:
            await admit_node(
                a.core, a.house.tables, staff=member, group_id=group.group_id, peer=peer, because_of="test", by=handle
            )
            allowed["admit"].append(handle)
        except Forbidden:
            pass
        try:
            await set_role(a.core, a.house.tables, owner=member, group_id=group.group_id, actor_id=plain.actor_id,
                           role="moderator", by=handle)  # fmt: skip
            allowed["give roles"].append(handle)
        except Forbidden:
            pass

    assert allowed == {"admit": ["facilitator", "owner"], "give roles": ["owner"]}
