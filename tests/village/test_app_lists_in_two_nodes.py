"""What apps list changes with what somebody does on another node: requests, members, pages, tags, search, history, reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from node.app import Application
from node.community.groups.pages import read_requests_page
from node.community.members.service import make_token, require_member
from tests.support.phone import Phone
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

ACCOUNTS = "/api/v1/accounts"


@dataclass(slots=True)
class _Two:
    """Two nodes, Ana and her group `ward` on one of them, Ben on the other, each with an app."""

    village: Village
    society: Node
    hospital: Node
    ana: Phone
    ben: Phone

    async def find_group(self) -> str:
        """Let Ben's app find the group by search; return its account's id there."""
        found = await self.ben.get(f"/api/v2/search?q=@ward@{self.society.host}&resolve=true&type=accounts")
        return str(found.json["accounts"][0]["id"])

    async def ask(self) -> str:
        """Let Ben ask to join by app."""
        group = await self.find_group()
        await self.ben.post(f"{ACCOUNTS}/{group}/follow", {"comment": "night shifts"})
        await self.village.rest()
        return group

    async def let_in(self) -> str:
        """Let Ben in; return the id of the group's account at his node."""
        group = await self.ask()
        await self.society.approve(f"{self.society.origin}/groups/ward", self.hospital.person("ben"))
        await self.village.rest()
        return group


@pytest.fixture
async def two(village: Village) -> _Two:
    """Give two nodes that trust each other."""
    society, hospital = await village.node("society"), await village.node("hospital")
    await village.befriend(society, hospital)
    ana, ben = await _phone(society, "ana"), await _phone(hospital, "ben")
    await society.group("ward", owner="ana")
    return _Two(village, society, hospital, ana, ben)


async def _phone(node: Node, handle: str) -> Phone:
    await node.member(handle)
    member = await require_member(node.core, handle)
    token = await make_token(node.core, handle, "read write follow", by="a test")
    return Phone(Application(node.house), node.host, token, member)


async def _listed(phone: Phone, target: str) -> list[str]:
    """Return the words of the statuses in a list."""
    reply = await phone.get(target)
    assert reply.status == 200, reply.body
    found: Any = reply.json["statuses"] if isinstance(reply.json, dict) else reply.json
    return [re.sub(r"<[^>]*>", "", (each["reblog"] or each)["content"]).strip() for each in found]


async def test_a_request_from_elsewhere_comes_before_staff_and_its_decision_changes_who_follows(two: _Two) -> None:
    followers = f"{ACCOUNTS}/{(await two.ana.get(f'{ACCOUNTS}/lookup?acct=ward')).json['id']}/followers"
    before = [each["acct"] for each in (await two.ana.get(followers)).json]
    group = await two.ask()

    (asking,) = (await two.ana.get("/api/v1/follow_requests")).json
    unadmitted = await two.ana.post(f"/api/v1/follow_requests/{asking['id']}/authorize")
    await two.let_in()

    assert before == ["ana"]
    assert (asking["acct"], asking["fields"][0]["value"]) == (f"ben@{two.hospital.host}", "Ward: night shifts")
    assert (unadmitted.status, "admitted" in unadmitted.json["error"]) == (422, True)
    assert (await two.ana.get("/api/v1/follow_requests")).json == []
    assert {each["acct"] for each in (await two.ana.get(followers)).json} == {"ana", f"ben@{two.hospital.host}"}
    assert [each["id"] for each in (await two.ben.get(f"{ACCOUNTS}/{two.ben.member.actor_id}/following")).json] == [
        group
    ]


async def test_every_list_changes_with_what_is_said_and_taken_back_elsewhere(two: _Two) -> None:
    group = await two.let_in()
    said = (await two.ana.post("/api/v1/statuses", {"status": "@ward About #rota"})).json
    await two.village.rest()
    ana = (await two.ben.get(f"{ACCOUNTS}/search?q=ana@{two.society.host}")).json[0]["id"]
    lists = (
        f"{ACCOUNTS}/{group}/statuses", f"{ACCOUNTS}/{ana}/statuses", "/api/v1/timelines/public",
        "/api/v1/timelines/public?remote=true", "/api/v1/timelines/tag/rota", "/api/v2/search?q=rota&type=statuses",
    )  # fmt: skip

    for target in lists:
        assert await _listed(two.ben, target) == ["@ward About #rota"], target
    assert await _listed(two.ben, "/api/v1/timelines/public?local=true") == []

    await two.ana.post(f"/api/v1/statuses/{said['id']}/pin")
    await two.ana.put(f"/api/v1/statuses/{said['id']}", {"status": "@ward More about #rota"})
    await two.village.rest()
    (pinned,) = (await two.ben.get(f"{ACCOUNTS}/{group}/statuses?pinned=true")).json
    history = (await two.ben.get(f"/api/v1/statuses/{pinned['reblog']['id']}/history")).json
    assert ["More" in each["content"] for each in history] == [False, True]

    await two.ana.delete(f"/api/v1/statuses/{said['id']}")
    await two.village.rest()
    for target in (*lists, f"{ACCOUNTS}/{group}/statuses?pinned=true"):
        assert await _listed(two.ben, target) == [], target


async def test_a_report_travels_to_the_staff_of_the_groups_host(two: _Two) -> None:
    await two.let_in()
    said = (await two.ana.post("/api/v1/statuses", {"status": "@ward Room 4"})).json
    await two.village.rest()
    (at_ben,) = (await two.ben.get("/api/v1/timelines/public")).json
    form = {"account_id": at_ben["account"]["id"], "status_ids": [at_ben["id"]], "rule_ids": ["1"], "comment": "Look."}

    sent = await two.ben.post("/api/v1/reports", form)
    await two.village.rest()

    ward = int((await two.ana.get(f"{ACCOUNTS}/lookup?acct=ward")).json["id"])
    page = await read_requests_page(two.society.core, viewer=two.ana.member, group_id=ward)
    assert sent.status == 200, sent.body
    assert [(each.rule, each.note, each.post.uri if each.post else "") for each in page.reports] == [
        ("patient", "Look.", said["uri"])
    ]


async def test_what_somebody_says_of_themselves_travels_to_nodes_that_know_them(two: _Two) -> None:
    await two.let_in()
    await two.ana.post("/api/v1/statuses", {"status": "@ward Hello"})
    await two.village.rest()
    (seen,) = (await two.ben.get("/api/v1/timelines/public")).json

    changed = await two.ana.send(
        "PATCH", f"{ACCOUNTS}/update_credentials", body=b"note=Nights+%26+days",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    await two.village.rest()

    assert changed.status == 200, changed.body
    shown = (await two.ben.get(f"{ACCOUNTS}/{seen['account']['id']}")).json
    assert shown["note"] == "<p>Nights &amp; days</p>"


async def _snapshot(phone: Phone, targets: tuple[str, ...]) -> dict[str, Any]:
    """Return what stands in lists, without what differs from one asking to the next; none may be empty."""
    found = {}
    for target in targets:
        reply = await phone.get(target)
        assert reply.status == 200, (target, reply.body)
        found[target] = reply.json
    return found


async def _list_unchanged(phone: Phone, before: dict[str, Any]) -> list[str]:
    """Return which lists were empty before, or are now as they were then. One that is absent now has changed."""
    assert [target for target, found in before.items() if not found] == []
    return [target for target, found in before.items() if (await phone.get(target)).json == found]


async def test_home_a_list_marks_filters_and_a_thread_lose_what_is_taken_back_elsewhere(two: _Two) -> None:
    group = await two.let_in()
    topic = (await two.ana.post("/api/v1/statuses", {"status": "@ward Handover"})).json
    answer = (await two.ana.post("/api/v1/statuses", {"status": "At seven", "in_reply_to_id": topic["id"]})).json
    await two.village.rest()
    (shared,) = (await two.ben.get("/api/v1/timelines/home")).json
    status = f"/api/v1/statuses/{shared['reblog']['id']}"
    kept = (await two.ben.post("/api/v2/filters", {"title": "Read", "context": ["home"]})).json
    marked = f"/api/v2/filters/{kept['id']}/statuses"
    for path, form in (
        (f"{status}/bookmark", {}), (f"{status}/favourite", {}), (marked, {"status_id": shared["reblog"]["id"]}),
    ):  # fmt: skip
        assert (await two.ben.post(path, form)).status == 200, path
    await two.village.rest()
    (thread,) = [(await two.ben.get(f"{status}/context")).json["descendants"]]
    lists = (
        "/api/v1/timelines/home", f"/api/v1/timelines/list/g{group}", "/api/v1/bookmarks", "/api/v1/favourites", marked,
    )  # fmt: skip
    before = await _snapshot(two.ben, lists)

    await two.ana.delete(f"/api/v1/statuses/{answer['id']}")
    await two.village.rest()
    without_answer = (await two.ben.get(f"{status}/context")).json["descendants"]
    await two.ana.delete(f"/api/v1/statuses/{topic['id']}")
    await two.village.rest()

    assert [len(found) for found in before.values()] == [1] * len(lists)
    assert ([each["content"] for each in thread], without_answer) == (["<p>At seven</p>\n"], [])
    assert [(await two.ben.get(target)).json for target in lists] == [[]] * len(lists)


async def test_a_removal_on_the_host_takes_the_group_out_of_every_list_of_the_members_app(two: _Two) -> None:
    group = await two.let_in()
    own = f"{ACCOUNTS}/{two.ben.member.actor_id}"
    before = await _snapshot(two.ben, (
        "/api/v1/lists", f"/api/v1/lists/g{group}/accounts", f"{own}/following", f"{ACCOUNTS}/{group}/lists",
        f"{ACCOUNTS}/{group}/followers", f"{ACCOUNTS}/relationships?id[]={group}", f"{ACCOUNTS}/search?q=ward&following=true",
    ))  # fmt: skip

    await two.society.run(
        "group", "remove", "ward", two.hospital.person("ben"), "--reason", "left the hospital", "--yes"
    )
    await two.village.rest()

    assert await _list_unchanged(two.ben, before) == []
    assert (await two.ben.get("/api/v1/lists")).json == (await two.ben.get(f"{own}/following")).json == []
    assert (await two.ben.get(f"/api/v1/lists/g{group}/accounts")).status == 404


async def test_who_takes_back_a_request_or_leaves_elsewhere_leaves_the_lists_of_staff(two: _Two) -> None:
    ward = (await two.ana.get(f"{ACCOUNTS}/lookup?acct=ward")).json["id"]
    group = await two.ask()
    asking = await _snapshot(two.ana, ("/api/v1/follow_requests", "/api/v1/notifications"))

    await two.ben.post(f"{ACCOUNTS}/{group}/unfollow")
    await two.village.rest()
    unasked = await _list_unchanged(two.ana, asking)
    await two.let_in()
    inside = await _snapshot(two.ana, (f"{ACCOUNTS}/{ward}/followers",))
    await two.ben.post(f"{ACCOUNTS}/{group}/unfollow")
    await two.village.rest()

    assert unasked == []
    assert [len(found) for found in inside.values()] == [2]
    assert [each["acct"] for each in (await two.ana.get(f"{ACCOUNTS}/{ward}/followers")).json] == ["ana"]


async def test_every_list_of_accounts_shows_what_somebody_elsewhere_says_of_themselves_now(two: _Two) -> None:
    await two.let_in()
    await two.ana.post("/api/v1/statuses", {"status": "@ward Hello"})
    await two.village.rest()
    (seen,) = (await two.ben.get("/api/v1/timelines/public")).json
    ana = seen["account"]["id"]
    for act in ("mute", "block"):
        assert (await two.ben.post(f"{ACCOUNTS}/{ana}/{act}")).status == 200
    found = f"{ACCOUNTS}/search?q=ana@{two.society.host}"
    before = await _snapshot(two.ben, ("/api/v1/mutes", "/api/v1/blocks", found))

    changed = await two.ana.send(
        "PATCH", f"{ACCOUNTS}/update_credentials", body=b"note=Nights", content_type="application/x-www-form-urlencoded"
    )
    await two.village.rest()

    assert changed.status == 200, changed.body
    assert await _list_unchanged(two.ben, before) == []


async def test_a_conversation_and_a_history_grow_with_what_is_written_elsewhere(two: _Two) -> None:
    await two.let_in()
    topic = (await two.ana.post("/api/v1/statuses", {"status": "@ward Dose: 5 mg"})).json
    await two.village.rest()
    (seen,) = (await two.ben.get("/api/v1/timelines/public")).json
    direct = {"status": f"@ana@{two.society.host} a word", "visibility": "direct"}
    await two.ben.post("/api/v1/statuses", direct)
    await two.village.rest()
    (at_ana,) = (await two.ana.get("/api/v1/conversations")).json
    history = f"/api/v1/statuses/{seen['id']}/history"
    before = await _snapshot(two.ben, ("/api/v1/conversations", history))

    await two.ana.put(f"/api/v1/statuses/{topic['id']}", {"status": "@ward Dose: 6 mg"})
    answer = {"status": "yes?", "visibility": "direct", "in_reply_to_id": at_ana["last_status"]["id"]}
    await two.ana.post("/api/v1/statuses", answer)
    await two.village.rest()

    assert await _list_unchanged(two.ben, before) == []
    (talk,) = (await two.ben.get("/api/v1/conversations")).json
    assert (talk["id"], talk["unread"]) == (before["/api/v1/conversations"][0]["id"], True)
    assert [len(before[history]), len((await two.ben.get(history)).json)] == [1, 2]
