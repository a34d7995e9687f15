"""How people of other nodes come into a group and go from it, in every policy; and which nodes may hold it."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandRefused
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _two(village: Village, **settings: object) -> tuple[Node, Node, str]:
    """Return a society with a group of ana's, and a hospital whose ben is not in it."""
    a, b = await village.node("society"), await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    return a, b, await a.group("ward", owner="ana", **settings)  # type: ignore[arg-type]


async def _state(node: Node, ward: str, person: str) -> str | None:
    place = (await node.roster(ward)).get(person)
    return str(place["state"]) if place else None


async def test_a_request_shows_its_reason_to_the_host_and_waits(village: Village) -> None:
    a, b, ward = await _two(village)

    state = await b.join(ward, as_="ben", reason="I do the *night* shifts.")
    await village.rest()

    place = (await a.roster(ward))[b.person("ben")]
    assert (state, place["state"], place["reason"]) == ("requested", "requested", "I do the *night* shifts.")
    assert (await a.run("group", "show", ward))["pending"] == 1
    assert await _state(b, ward, b.person("ben")) == "requested"
    with pytest.raises(CommandRefused):
        await b.posts(ward, as_="ben")


async def test_an_approved_member_reads_all_that_was_said_before(village: Village) -> None:
    a, b, ward = await _two(village)
    for text in ("one", "two"):
        await a.post(ward, text, as_="ana")

    await village.let_in(a, ward, (b, "ben"))

    assert await b.texts(ward, as_="ben") == ["one", "two"]
    assert await _state(a, ward, b.person("ben")) == "member"
    assert await _state(b, ward, b.person("ben")) == "member"


async def test_a_rejection_comes_back_with_its_reason_and_another_try_is_open(village: Village) -> None:
    a, b, ward = await _two(village)
    await b.join(ward, as_="ben")
    await village.rest()

    await a.run("group", "reject", ward, b.person("ben"), "--reason", "Please say where you work.")
    await village.rest()
    first = (await b.roster(ward))[b.person("ben")]
    again = await b.join(ward, as_="ben", reason="At the hospital.")
    await village.rest()

    assert (first["state"], first["reason"]) == ("rejected", "Please say where you work.")
    assert again == "requested"
    assert (await a.roster(ward))[b.person("ben")]["reason"] == "At the hospital."


async def test_an_open_group_lets_in_at_once_where_the_node_is_admitted(village: Village) -> None:
    a, b, ward = await _two(village, policy="open")
    await a.run("group", "admit", ward, b.host, "--yes")

    await b.join(ward, as_="ben")
    await village.rest()

    assert await _state(b, ward, b.person("ben")) == "member"


async def test_no_policy_lets_anybody_in_before_their_node_is_admitted(village: Village) -> None:
    a, b, ward = await _two(village, policy="open")

    await b.join(ward, as_="ben")
    await village.rest()
    before = await _state(a, ward, b.person("ben"))
    with pytest.raises(CommandRefused, match="admitted"):
        await a.run("group", "approve", ward, b.person("ben"), "--yes")
    await a.approve(ward, b.person("ben"))
    await village.rest()

    assert before == "requested"
    assert await _state(b, ward, b.person("ben")) == "member"


async def test_an_admission_is_a_record_of_its_own_that_ends_with_the_last_member(village: Village) -> None:
    a, b, ward = await _two(village)
    await b.member("bea")
    await village.let_in(a, ward, (b, "ben"), (b, "bea"))
    admitted = await a.select("SELECT decided_by, because_of, base_seq FROM admissions")

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()
    after_one = await a.select("SELECT peer_id FROM admissions")
    await b.run("group", "leave", ward, "--as", "bea")
    await village.rest()

    assert [tuple(row) for row in admitted] == [("operator", b.person("ben"), 0)]
    assert len(after_one) == 1
    assert await a.select("SELECT peer_id FROM admissions") == []
    assert await a.run("audit", "list")
    assert "group.admit" in [row["action"] for row in await a.audit()]


async def test_nobody_asks_to_join_a_group_that_takes_members_by_invitation(village: Village) -> None:
    a, b, ward = await _two(village, policy="invite")

    with pytest.raises(CommandRefused, match="by invitation only"):
        await b.join(ward, as_="ben")

    assert await _state(a, ward, b.person("ben")) is None


async def test_an_invitation_needs_the_node_to_be_admitted(village: Village) -> None:
    a, b, ward = await _two(village, policy="invite")

    with pytest.raises(CommandRefused, match="admitted"):
        await a.run("group", "invite", ward, f"ben@{b.host}")
    await village.rest()

    assert await b.select("SELECT state FROM memberships") == []


async def test_an_invitation_across_nodes_lets_in_whoever_takes_it(village: Village) -> None:
    a, b, ward = await _two(village, policy="invite", hidden=True)
    await a.post(ward, "For the invited", as_="ana")
    await a.run("group", "admit", ward, b.host, "--yes")

    await a.run("group", "invite", ward, f"ben@{b.host}")
    await village.rest()
    invited = await _state(b, ward, b.person("ben"))
    await b.join(ward, as_="ben")
    await village.rest()

    assert invited == "invited"
    assert await _state(b, ward, b.person("ben")) == "member"
    assert await b.texts(ward, as_="ben") == ["For the invited"]


async def test_an_invitation_that_is_declined_leaves_nothing_behind_on_either_node(village: Village) -> None:
    a, b, ward = await _two(village, policy="invite", hidden=True)
    await a.run("group", "admit", ward, b.host, "--yes")
    await a.run("group", "invite", ward, f"ben@{b.host}")
    await village.rest()

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()

    assert await _state(a, ward, b.person("ben")) == "left"
    assert await a.select("SELECT peer_id FROM admissions") == []
    with pytest.raises(CommandRefused):
        await b.join(ward, as_="ben")


async def test_a_hidden_group_is_found_by_nobody_who_was_not_invited(village: Village) -> None:
    a, b, ward = await _two(village, hidden=True)

    for name in (ward, f"ward@{a.host}"):
        with pytest.raises(CommandRefused):
            await b.join(name, as_="ben")
    await village.rest()

    assert await _state(a, ward, b.person("ben")) is None
    assert await b.select("SELECT group_id FROM groups") == []


async def test_a_banned_person_learns_why_and_does_not_come_back(village: Village) -> None:
    a, b, ward = await village.shared_ward()

    await a.run("group", "ban", ward, b.person("ben"), "--reason", "Named a patient.", "--yes")
    await village.rest()
    place = (await b.roster(ward))[b.person("ben")]
    with pytest.raises(CommandRefused):
        await b.join(ward, as_="ben")

    assert (place["state"], place["reason"]) == ("banned", "Named a patient.")
    assert await _state(a, ward, b.person("ben")) == "banned"


async def test_who_left_may_ask_again_and_reads_again(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "one", as_="ana")
    await village.rest()
    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()
    await a.post(ward, "two", as_="ana")

    await village.let_in(a, ward, (b, "ben"))
    await a.post(ward, "three", as_="ana")
    await village.rest()

    assert await b.texts(ward, as_="ben") == ["one", "two", "three"]


async def test_two_members_of_one_node_share_a_copy_and_each_reads_it(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await a.post(ward, "one", as_="ana")

    await village.let_in(a, ward, (b, "bea"))
    await b.post(ward, "two", as_="bea")
    await village.rest()

    assert await b.texts(ward, as_="ben") == await b.texts(ward, as_="bea") == ["one", "two"]
    assert (await a.run("group", "show", ward))["nodes"] == [
        {"host": node.host, "members": count, "admitted_at": admitted}
        for node, count, admitted in sorted(
            [(a, 1, None), (b, 2, (await _nodes(a, ward))[b.host]["admitted_at"])], key=lambda each: each[0].host
        )
    ]


async def _nodes(node: Node, ward: str) -> dict[str, dict[str, object]]:
    return {each["host"]: each for each in (await node.run("group", "show", ward))["nodes"]}


async def test_one_member_removed_takes_nothing_from_the_other_of_the_same_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))

    await a.run("group", "remove", ward, b.person("ben"), "--reason", "left", "--yes")
    await a.post(ward, "Still here", as_="ana")
    await village.rest()

    assert await b.texts(ward, as_="bea") == ["Still here"]
    with pytest.raises(CommandRefused):
        await b.posts(ward, as_="ben")


async def test_everybody_is_told_which_nodes_hold_the_group_and_who_operates_them(village: Village) -> None:
    a, b, ward = await _two(village)
    c = await village.node("clinic")
    await a.member("ola", name="Ola Operator", role="operator")
    await village.befriend(a, c)
    await c.member("cleo")

    await village.let_in(a, ward, (b, "ben"), (c, "cleo"))

    wanted = [(node.host, name, operator, 1) for node, name, operator in
              ((a, "Society", "Ola Operator"), (b, "Hospital", "Hospital"), (c, "Clinic", "Clinic"))]  # fmt: skip
    for node in (a, b, c):
        readers = await node.select("SELECT host, name, operator, members FROM readers ORDER BY name")
        assert sorted(tuple(row) for row in readers) == sorted(wanted), node.host


async def test_a_node_whose_last_member_leaves_is_named_no_more(village: Village) -> None:
    a, b, ward = await _two(village)
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (b, "ben"), (c, "cleo"))

    await c.run("group", "leave", ward, "--as", "cleo")
    await village.rest()

    assert {row.host for row in await b.select("SELECT host FROM readers")} == {a.host, b.host}


async def test_a_changed_title_and_policy_reach_every_node_of_the_group(village: Village) -> None:
    a, b, ward = await village.shared_ward()

    await a.run("group", "change", ward, "--title", "Ward 7", "--policy", "invite")
    await village.rest()

    shown = await b.run("group", "show", ward)
    assert (shown["title"], shown["policy"]) == ("Ward 7", "invite")


async def test_the_last_owner_neither_leaves_nor_is_removed(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")

    for words in (["leave", ward, "--as", "ana"], ["remove", ward, a.person("ana"), "--yes"],
                  ["role", ward, a.person("ana"), "member"]):  # fmt: skip
        with pytest.raises(CommandRefused, match="last owner"):
            await a.run("group", *words)

    assert (await a.roster(ward))[a.person("ana")]["role"] == "owner"
