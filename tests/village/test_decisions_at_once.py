"""Services that decide by what they read, against themselves at the same moment: one of the two must know of the other.

On PostgreSQL they really run side by side; on SQLite they share a batch. Both must come out alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from node.community.groups.service import find_group
from node.community.members.service import require_member
from node.community.posts.model import Posted
from node.community.posts.service import create_post
from node.domain.posts import Draft
from node.foundation.errors import Duplicate, NodeError
from tests.support.commands import CommandRefused
from tests.support.village import Node, Village

ROUNDS = 4


async def _at_once(*doings: Awaitable[Any]) -> list[Any]:
    """Do things side by side; return what each gave, and the refusal of each that was refused."""
    results = await asyncio.gather(*doings, return_exceptions=True)
    for result in results:
        assert not isinstance(result, BaseException) or isinstance(result, CommandRefused | NodeError), repr(result)
    return results


def _refusals(results: list[Any]) -> int:
    return sum(isinstance(result, BaseException) for result in results)


async def _a_node(village: Village, *handles: str) -> Node:
    a = await village.node("society")
    for handle in handles:
        await a.member(handle)
    return a


async def test_of_two_last_owners_who_leave_at_once_one_stays(village: Village) -> None:
    a = await _a_node(village, "ana", "ada")
    for number in range(ROUNDS):
        ward = await a.group(f"ward{number}", owner="ana", policy="open")
        await a.join(ward, as_="ada")
        await a.run("group", "role", ward, a.person("ada"), "owner")

        results = await _at_once(*(a.run("group", "leave", ward, "--as", handle) for handle in ("ana", "ada")))

        owners = [row for row in (await a.roster(ward)).values() if (row["state"], row["role"]) == ("member", "owner")]
        assert (_refusals(results), len(owners)) == (1, 1)


async def test_of_two_last_owners_who_step_down_at_once_one_stays(village: Village) -> None:
    a = await _a_node(village, "ana", "ada")
    for number in range(ROUNDS):
        ward = await a.group(f"ward{number}", owner="ana", policy="open")
        await a.join(ward, as_="ada")
        await a.run("group", "role", ward, a.person("ada"), "owner")

        results = await _at_once(
            *(a.run("group", "role", ward, a.person(handle), "member") for handle in ("ana", "ada"))
        )

        owners = [row for row in (await a.roster(ward)).values() if row["role"] == "owner"]
        assert (_refusals(results), len(owners)) == (1, 1)


async def test_a_request_approved_twice_at_once_is_answered_once(village: Village) -> None:
    a = await _a_node(village, "ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    for number in range(ROUNDS):
        asker = peer.person(f"asker{number}")
        await peer.send(f"{ward}/inbox", peer.activity("Follow", asker, ward, to=[ward]), asker)
    await village.rest()

    for number in range(ROUNDS):
        await _at_once(*(a.approve(ward, peer.person(f"asker{number}").uri) for _ in range(3)))
    await village.rest()

    accepts = [each.document["result"]["object"] for each in peer.received("Accept")]
    assert sorted(accepts) == [peer.person(f"asker{number}").uri for number in range(ROUNDS)]
    assert (await a.run("group", "show", ward))["members"] == 1 + ROUNDS


async def test_an_approval_and_a_rejection_at_once_leave_one_answer(village: Village) -> None:
    a = await _a_node(village, "ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    await a.run("group", "admit", ward, peer.host, "--yes")
    for number in range(ROUNDS):
        asker = peer.person(f"asker{number}")
        await peer.send(f"{ward}/inbox", peer.activity("Follow", asker, ward, to=[ward]), asker)
        await village.rest()

        results = await _at_once(
            a.run("group", "approve", ward, asker.uri, "--yes"),
            a.run("group", "reject", ward, asker.uri, "--reason", "no", "--yes"),
        )
        await village.rest()

        state = (await a.roster(ward))[asker.uri]["state"]
        answers = {each.type for each in peer.deliveries if asker.uri in each.body.decode() and each.type != "Announce"}
        assert _refusals(results) == 1
        assert (state, answers) in (("member", {"Accept"}), ("rejected", {"Reject"}))


async def test_posts_written_at_once_get_numbers_of_their_own_without_a_gap(village: Village) -> None:
    a = await _a_node(village, "ana", "ada")
    ward = await a.group("ward", owner="ana", policy="open")
    await a.join(ward, as_="ada")
    await a.post(ward, "first of ana", as_="ana")
    await a.post(ward, "first of ada", as_="ada")
    head = (await a.run("group", "show", ward))["log"]["seq"]

    results = await _at_once(*(a.post(ward, str(number), as_=("ana", "ada")[number % 2]) for number in range(30)))

    assert sorted(result["seq"] for result in results) == list(range(head + 1, head + 31))
    assert len(await a.texts(ward, as_="ana")) == 32


async def test_joining_twice_at_once_is_joining_once(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana")
    here = await a.group("here", owner="ana", policy="open")
    await a.member("ada")

    results = await _at_once(*(a.join(here, as_="ada") for _ in range(4)), *(b.join(ward, as_="ben") for _ in range(4)))
    await village.rest()

    assert _refusals(results) == 0, results
    assert [row.type for row in await a.select("SELECT type FROM activities")] == ["Follow"]
    assert (await a.run("group", "show", here))["members"] == 2
    offers = await a.select("SELECT seq FROM log_entries WHERE kind = 'create'")
    assert len(offers) == 1, "the staff was asked more than once"


async def test_two_operators_who_suspend_each_other_at_once_leave_one(village: Village) -> None:
    a = await village.node("society")
    for number in range(ROUNDS):
        pair = [f"ola{number}", f"per{number}"]
        for handle in pair:
            await a.member(handle, role="operator")
        others = await a.select("SELECT handle FROM members WHERE role = 'operator' AND state = 'active'")
        for row in others:
            if row.handle not in pair:
                await a.run("member", "suspend", row.handle)

        results = await _at_once(*(a.run("member", "suspend", handle) for handle in pair))

        assert _refusals(results) == 1
        active = await a.select("SELECT handle FROM members WHERE role = 'operator' AND state = 'active'")
        assert len(active) == 1
    assert (await a.run("audit", "verify"))["ok"]


async def test_a_request_that_a_client_sends_twice_at_once_makes_one_post(village: Village) -> None:
    a = await _a_node(village, "ana")
    ward = await a.group("ward", owner="ana")
    group = await find_group(a.core, ward)
    assert group is not None
    ana = await require_member(a.core, "ana")

    def write(number: int) -> Awaitable[Posted]:
        key = ("a token", f"key {number}")
        draft = Draft(f"Post {number}")
        return create_post(a.core, a.house.tables, author=ana, group_id=group.group_id, draft=draft, idempotency=key)

    for number in range(ROUNDS):
        results = await _at_once(*(write(number) for _ in range(4)))
        again = await write(number)  # what a door does for who was told that another was faster

        assert all(isinstance(result, Duplicate) or result == again for result in results)
        assert again in results
    assert await a.texts(ward, as_="ana") == [f"Post {number}" for number in range(ROUNDS)]


async def test_a_removal_and_a_post_at_once_leave_no_post_after_the_removal(village: Village) -> None:
    a = await _a_node(village, "ana", "ada")
    ward = await a.group("ward", owner="ana", policy="open")
    for number in range(ROUNDS):
        await a.join(ward, as_="ada")
        await a.post(ward, f"Warm {number}", as_="ada")

        await _at_once(
            a.run("group", "remove", ward, a.person("ada"), "--reason", "x", "--yes"),
            *(a.post(ward, f"Late {number} {each}", as_="ada") for each in range(5)),
        )

        assert (await a.roster(ward))[a.person("ada")]["state"] == "removed"
        count = len(await a.texts(ward, as_="ana"))
        [refused] = await _at_once(a.post(ward, "Too late", as_="ada"))
        assert isinstance(refused, CommandRefused)
        assert len(await a.texts(ward, as_="ana")) == count


async def test_a_node_admitted_twice_at_once_is_admitted_once(village: Village) -> None:
    a = await _a_node(village, "ana")
    peer = await village.foreign_friend(a)
    ward = await a.group("ward", owner="ana")

    results = await _at_once(*(a.run("group", "admit", ward, peer.host, "--yes") for _ in range(4)))

    assert _refusals(results) == 0
    assert len(await a.select("SELECT peer_id FROM admissions")) == 1
    assert [row["action"] for row in await a.audit()].count("group.admit") == 1
