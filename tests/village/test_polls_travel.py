"""Polls between two nodes: asked on one, voted on both, counted by the group's host, ended in time, and secret."""

from __future__ import annotations

from typing import Any

import pytest

from node.app import Application
from node.community.members.service import make_token, require_member
from tests.support.phone import Phone
from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Node, Village
from tests.support.waiting import until_true

HOUR = 3600
_VOTES = "SELECT state, place, actor_id FROM poll_votes ORDER BY actor_id, place"


async def _phone(node: Node, handle: str) -> Phone:
    member = await require_member(node.core, handle)
    token = await make_token(node.core, handle, "read write", by="a test")
    return Phone(Application(node.house), node.host, token, member)


class _Pair:
    """A society with ana's group, and a hospital whose ben is in it, each with an app."""

    def __init__(self, village: Village, a: Node, b: Node, ward: str) -> None:
        self.village, self.a, self.b, self.ward = village, a, b, ward

    async def ask(self, node: Node, handle: str, *, hours: float = 24, **more: Any) -> str:
        """Ask by app whether nights should change; return the poll's id as that app knows it."""
        group = "@ward" if node is self.a else f"@ward@{self.a.host}"
        form = {"status": f"{group} Twelve-hour nights?", "poll[options]": ["Yes", "No", "Undecided"]}
        form |= {"poll[expires_in]": str(int(hours * HOUR)), **{f"poll[{key}]": value for key, value in more.items()}}
        asked = await (await _phone(node, handle)).post("/api/v1/statuses", form)
        assert asked.status == 200, asked.body
        await self.village.rest()
        return str(asked.json["poll"]["id"])

    async def see(self, node: Node, handle: str) -> dict[str, Any]:
        """Return the newest poll in somebody's home."""
        home = await (await _phone(node, handle)).get("/api/v1/timelines/home")
        found: dict[str, Any] = home.json[0]["reblog"]["poll"]
        return found

    async def vote(self, node: Node, handle: str, *places: int) -> Any:
        """Vote in the newest poll."""
        poll = await self.see(node, handle)
        phone = await _phone(node, handle)
        return await phone.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": [str(place) for place in places]})

    async def counts(self, node: Node, handle: str) -> list[int | None]:
        """Return how the answers of the newest poll stand for somebody."""
        return [option["votes_count"] for option in (await self.see(node, handle))["options"]]


@pytest.fixture
async def pair(village: Village) -> _Pair:
    """Give two nodes that share a group."""
    return _Pair(village, *await village.shared_ward())


async def test_a_poll_is_asked_voted_on_and_counted_across_two_nodes(pair: _Pair) -> None:
    await pair.ask(pair.b, "ben")

    voted = await pair.vote(pair.b, "ben", 1)
    await pair.vote(pair.a, "ana", 0)
    await pair.village.rest()
    at_once = await pair.see(pair.b, "ben")
    await pair.village.pass_time(60)

    assert (voted.status, voted.json["voted"], voted.json["own_votes"]) == (200, True, [1])
    assert (at_once["expired"], at_once["own_votes"]) == (False, [1])
    assert await pair.counts(pair.a, "ana") == await pair.counts(pair.b, "ben") == [1, 1, 0]
    assert (await pair.see(pair.b, "ben"))["voters_count"] == 2
    assert {row.state for row in await pair.b.select(_VOTES)} == {"counted"}


async def test_a_poll_ends_in_time_with_a_last_count_everywhere(pair: _Pair) -> None:
    await pair.ask(pair.a, "ana", hours=1, hide_totals="true")
    await pair.vote(pair.b, "ben", 2)
    await pair.village.pass_time(60)
    before = await pair.see(pair.b, "ben")

    await pair.village.pass_time(HOUR + 60)
    late = await pair.vote(pair.a, "ana", 0)

    assert [option["votes_count"] for option in before["options"]] == [None, None, None]
    assert (before["voters_count"], before["expired"]) == (1, False)
    assert (late.status, late.json["error"]) == (422, "This poll has ended.")
    assert await pair.counts(pair.a, "ana") == await pair.counts(pair.b, "ben") == [0, 0, 1]
    assert (await pair.see(pair.b, "ben"))["expired"] is True
    closed = "SELECT closed_seq FROM polls WHERE closed_at IS NOT NULL"
    assert await pair.a.select(closed) == await pair.b.select(closed) != []
    assert [row.place for row in await pair.a.select(_VOTES)] == []  # nobody needs to know any more who chose what


async def test_a_vote_is_for_the_host_alone(pair: _Pair) -> None:
    village, c = pair.village, await pair.village.node("clinic")
    await village.befriend(pair.a, c)
    await c.member("cara")
    await village.let_in(pair.a, pair.ward, (c, "cara"))
    await pair.ask(pair.a, "ana")

    await pair.vote(pair.b, "ben", 1)
    await village.pass_time(60)

    assert await pair.counts(c, "cara") == [0, 1, 0]
    assert village.find_said("#vote", c) == []
    assert await c.select(_VOTES) == []
    said = await pair.a.select("SELECT document FROM log_entries WHERE kind = 'count'")
    assert said
    assert not any(word in row.document for row in said for word in ("/people/ben", '"Yes"', '"No"', "Undecided"))
    assert await pair.a.select("SELECT 1 AS yes FROM activities WHERE document LIKE '%#vote%'") == []


async def test_votes_that_a_restored_host_has_lost_come_back_and_count_once(pair: _Pair) -> None:
    a, village = pair.a, pair.village
    await pair.ask(a, "ana", hours=2)
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    await pair.vote(pair.b, "ben", 1)
    await village.pass_time(60)

    await a.stop()
    await go_back(a, kept)
    await a.start()
    for _ in range(40):
        await village.pass_time(30)
        if (await a.run("status"))["state"] == "ready":
            break
    await village.rest()
    lost = await a.select("SELECT epoch FROM groups WHERE staff_of IS NULL")
    for _ in range(4):
        await village.pass_time(60)

    assert [row.epoch for row in lost] == [2]
    assert [row.state for row in await a.select(_VOTES)] == ["counted"]
    assert await pair.counts(a, "ana") == await pair.counts(pair.b, "ben") == [0, 1, 0]
    await village.pass_time(3 * HOUR)
    await village.pass_time(60)
    assert (await pair.see(pair.b, "ben"))["expired"] is True
    assert await pair.counts(a, "ana") == await pair.counts(pair.b, "ben") == [0, 1, 0]


async def test_a_host_that_was_away_at_the_end_waits_for_votes_that_were_cast_in_time(pair: _Pair) -> None:
    await pair.ask(pair.a, "ana", hours=1)
    await pair.a.stop()
    waiting = await pair.vote(pair.b, "ben", 0)
    await pair.village.pass_time(2 * HOUR)

    await pair.a.start()
    await pair.village.pass_time(300)
    early = await pair.a.select("SELECT closed_at FROM polls")
    for _ in range(4):
        await pair.village.pass_time(300)

    assert (waiting.status, waiting.json["voted"]) == (200, True)
    assert [row.closed_at for row in early] == [None]
    assert await pair.counts(pair.a, "ana") == await pair.counts(pair.b, "ben") == [1, 0, 0]
    assert [row.closed_at is not None for row in await pair.b.select("SELECT closed_at FROM polls")] == [True]


async def test_a_member_whose_node_was_restored_votes_once(pair: _Pair) -> None:
    await pair.ask(pair.a, "ana")
    await pair.b.stop()
    kept = await take_snapshot(pair.b)
    await pair.b.start()
    await pair.vote(pair.b, "ben", 1)
    await pair.village.pass_time(60)

    await pair.b.stop()
    await go_back(pair.b, kept)
    await pair.b.start()
    for _ in range(4):
        await pair.village.pass_time(60)
    again = await pair.vote(pair.b, "ben", 0)
    await pair.village.pass_time(60)

    assert again.status == 200
    assert await pair.counts(pair.a, "ana") == [0, 1, 0]
    seen = await pair.see(pair.b, "ben")
    assert (seen["voted"], seen["own_votes"]) == (True, [])  # it was counted before; for what, only the host knows


async def test_a_poll_that_is_taken_back_leaves_no_word_of_itself(pair: _Pair) -> None:
    phone = await _phone(pair.b, "ben")
    asked = await phone.post(
        "/api/v1/statuses",
        {
            "status": f"@ward@{pair.a.host} Which?",
            "poll[options]": ["canary-one", "canary-two"],
            "poll[expires_in]": "3600",
        },
    )
    await pair.village.rest()
    await pair.vote(pair.a, "ana", 0)
    await pair.village.pass_time(60)

    await phone.delete(f"/api/v1/statuses/{asked.json['id']}")
    await pair.village.rest()

    for node in (pair.a, pair.b):
        await until_true(lambda node=node: _keeps_nothing(pair, node))  # type: ignore[misc]
        assert [row for table in ("polls", "poll_answers", "poll_votes") for row in await _all(node, table)] == []
    assert (await phone.get(f"/api/v1/polls/{asked.json['poll']['id']}")).status == 404


async def _keeps_nothing(pair: _Pair, node: Node) -> bool:
    """The bytes of erased words leave the files a moment after their rows."""
    return not await pair.village.find_kept("canary-one", node)


async def _all(node: Node, table: str) -> list[Any]:
    return await node.select(f"SELECT * FROM {table}")


async def test_other_words_of_a_poll_keep_its_answers_and_its_votes(pair: _Pair) -> None:
    poll_id = await pair.ask(pair.b, "ben")
    await pair.vote(pair.a, "ana", 2)
    await pair.village.pass_time(60)
    phone = await _phone(pair.b, "ben")
    (status,) = [each["reblog"] for each in (await phone.get("/api/v1/timelines/home")).json]

    same = {"poll[options]": ["Yes", "No", "Undecided"], "poll[expires_in]": "300"}
    edited = await phone.put(f"/api/v1/statuses/{status['id']}", {"status": "@ward Ten-hour nights?", **same})
    changed = await phone.put(f"/api/v1/statuses/{status['id']}", {"status": "@ward", "poll[options]": ["Yes", "Yes!"]})
    await pair.village.rest()

    assert edited.status == 200, edited.body
    assert changed.status == 422
    at_ana = (await (await _phone(pair.a, "ana")).get("/api/v1/timelines/home")).json[0]["reblog"]
    assert "Ten-hour" in at_ana["content"]
    assert at_ana["poll"]["own_votes"] == [2]
    assert [option["votes_count"] for option in (await phone.get(f"/api/v1/polls/{poll_id}")).json["options"]] == [
        0,
        0,
        1,
    ]
