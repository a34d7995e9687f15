"""Private thanks go to the author's node and to no other; bookmarks, mutes and blocks go nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from node.app import Application
from node.community.members.service import make_token, require_member
from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.phone import Phone
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

STATUSES = "/api/v1/statuses"
_THANKS = "SELECT actor_id, post_id, activity_uri FROM thanks"


async def _phone(node: Node, handle: str) -> Phone:
    member = await require_member(node.core, handle)
    token = await make_token(node.core, handle, "read write follow", by="a test")
    return Phone(Application(node.house), node.host, token, member)


@dataclass(slots=True)
class _Ward:
    """Ana's group on A; Ben of B and Cleo of C are in it. C and B know each other too."""

    village: Village
    a: Node
    b: Node
    c: Node
    uri: str
    ana: Phone
    ben: Phone
    cleo: Phone

    async def find(self, phone: Phone) -> str:
        """Return the id of the one topic of home, as somebody's app sees it."""
        return str((await phone.get("/api/v1/timelines/home")).json[0]["reblog"]["id"])


@pytest.fixture
async def ward(village: Village) -> _Ward:
    """Give three nodes and a group with somebody of each."""
    a, b, uri = await village.shared_ward()
    c = await village.node("clinic")
    await village.befriend(a, c)
    await village.befriend(b, c)
    await c.member("cleo")
    await village.let_in(a, uri, (c, "cleo"))
    phones = [await _phone(node, handle) for node, handle in ((a, "ana"), (b, "ben"), (c, "cleo"))]
    return _Ward(village, a, b, c, uri, *phones)


async def _thankers(phone: Phone, status_id: str) -> list[str]:
    return [each["acct"] for each in (await phone.get(f"{STATUSES}/{status_id}/favourited_by")).json]


async def test_thanks_reach_the_author_elsewhere_and_can_be_taken_back(ward: _Ward) -> None:
    await ward.a.post(ward.uri, "Hello", as_="ana")
    await ward.village.rest()
    at_ana, at_ben = await ward.find(ward.ana), await ward.find(ward.ben)

    thanked = await ward.ben.post(f"{STATUSES}/{at_ben}/favourite")
    await ward.village.rest()
    told = await _thankers(ward.ana, at_ana)
    await ward.ben.post(f"{STATUSES}/{at_ben}/unfavourite")
    await ward.village.rest()

    assert (thanked.status, thanked.json["favourited"], thanked.json["favourites_count"]) == (200, True, 0)
    assert told == [f"ben@{ward.b.host}"]
    assert await _thankers(ward.ana, at_ana) == []
    assert await ward.a.select(_THANKS) == await ward.b.select(_THANKS) == []


async def test_t17_thanks_for_a_member_of_another_node_pass_the_groups_host_by(ward: _Ward) -> None:
    await ward.c.post(ward.uri, "From Cleo", as_="cleo")
    await ward.village.rest()
    at_ben, at_cleo = await ward.find(ward.ben), await ward.find(ward.cleo)

    await ward.ben.post(f"{STATUSES}/{at_ben}/favourite")
    await ward.village.rest()

    assert await _thankers(ward.cleo, at_cleo) == [f"ben@{ward.b.host}"]
    [kept] = await ward.b.select(_THANKS)
    assert ward.village.find_said(kept.activity_uri, ward.c) != []
    assert ward.village.find_said(kept.activity_uri, ward.a) == []
    assert await ward.village.find_kept(kept.activity_uri, ward.a) == []


async def test_bookmarks_mutes_and_blocks_leave_no_trace_on_any_other_node(ward: _Ward) -> None:
    await ward.a.post(ward.uri, "Hello", as_="ana")
    await ward.village.rest()
    at_ben = await ward.find(ward.ben)
    account = (await ward.ben.get(f"{STATUSES}/{at_ben}")).json["account"]["id"]
    said_before = [len(node.proxy.conversations) for node in ward.village.nodes]

    for target in (
        f"{STATUSES}/{at_ben}/bookmark", f"{STATUSES}/{at_ben}/mute",
        f"/api/v1/accounts/{account}/mute", f"/api/v1/accounts/{account}/block",
    ):  # fmt: skip
        assert (await ward.ben.post(target)).status == 200
    await ward.village.rest()

    assert [len(node.proxy.conversations) for node in ward.village.nodes] == said_before


async def test_somebody_elsewhere_who_is_blocked_stands_in_no_list_and_in_every_thread(ward: _Ward) -> None:
    await ward.a.post(ward.uri, "From Ana", as_="ana")
    await ward.village.rest()
    at_ben = await ward.find(ward.ben)
    account = (await ward.ben.get(f"{STATUSES}/{at_ben}")).json["account"]["id"]

    await ward.ben.post(f"/api/v1/accounts/{account}/block")
    topic = await ward.c.post(ward.uri, "From Cleo", as_="cleo")
    await ward.village.rest()
    await ward.a.post(ward.uri, "An answer of Ana's", as_="ana", reply_to=topic["uri"])
    await ward.village.rest()

    home = [each["reblog"]["content"] for each in (await ward.ben.get("/api/v1/timelines/home")).json]
    thread = (await ward.ben.get(f"{STATUSES}/{await ward.find(ward.ben)}/context")).json
    assert home == ["<p>From Cleo</p>\n"]
    assert ["An answer of Ana" in each["content"] for each in thread["descendants"]] == [True]


async def test_what_an_author_elsewhere_takes_back_leaves_every_list_of_marks(ward: _Ward) -> None:
    posted = await ward.a.post(ward.uri, "Hello", as_="ana")
    await ward.village.rest()
    at_ana, at_ben = await ward.find(ward.ana), await ward.find(ward.ben)
    for act in ("bookmark", "favourite"):
        await ward.ben.post(f"{STATUSES}/{at_ben}/{act}")
    await ward.village.rest()
    before = [len((await ward.ben.get(f"/api/v1/{name}")).json) for name in ("bookmarks", "favourites")]

    await ward.ana.delete(f"{STATUSES}/{at_ana}")
    await ward.village.rest()

    assert posted["uri"] and before == [1, 1]
    assert [(await ward.ben.get(f"/api/v1/{name}")).json for name in ("bookmarks", "favourites")] == [[], []]
    for node in (ward.a, ward.b):
        assert await node.select(_THANKS) == []


async def test_a_mark_follows_a_post_that_gets_its_place_late(ward: _Ward) -> None:
    await ward.a.stop()
    waiting = await ward.ben.post(STATUSES, {"status": f"@ward@{ward.a.host} While A is away"})
    await ward.ben.post(f"{STATUSES}/{waiting.json['id']}/bookmark")
    await ward.a.start()
    await ward.a.post(ward.uri, "Meanwhile", as_="ana")
    await ward.village.pass_time(120)

    (kept,) = (await ward.ben.get("/api/v1/bookmarks")).json

    assert (kept["uri"], kept["bookmarked"]) == (waiting.json["uri"], True)


class _Foreign:
    """A society with Ana's post in her group, and an outside party with Dora, who is in it, and Ezra, who is not."""

    def __init__(self, a: Node, peer: ForeignPeer, post_uri: str) -> None:
        self.a, self.peer, self.post_uri = a, peer, post_uri
        self.dora, self.ezra = peer.person("dora"), peer.person("ezra")

    def like(self, by: ForeignActor, **more: Any) -> dict[str, Any]:
        """Return somebody's Like of the post, to its author alone unless told otherwise."""
        return self.peer.activity("Like", by, self.post_uri, **({"to": [self.a.person("ana")]} | more))

    async def send(self, activity: dict[str, Any], by: ForeignActor) -> int:
        """Bring an activity to the node."""
        return (await self.peer.send(f"{self.a.origin}/inbox", activity, by)).status


@pytest.fixture
async def foreign(village: Village) -> _Foreign:
    """Give the outside party."""
    a = await village.node("society")
    await a.member("ana")
    uri = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    await village.let_foreign_in(a, uri, peer, peer.person("dora"))
    posted = await a.post(uri, "Hello", as_="ana")
    await village.rest()
    return _Foreign(a, peer, posted["uri"])


async def test_thanks_of_other_software_are_taken_once_and_taken_back(village: Village, foreign: _Foreign) -> None:
    like = foreign.like(foreign.dora)

    statuses = [await foreign.send(like, foreign.dora) for _ in range(2)]
    statuses.append(await foreign.send(foreign.like(foreign.dora), foreign.dora))
    await village.rest()
    taken = await foreign.a.select(_THANKS)
    undo = foreign.peer.activity("Undo", foreign.dora, like, to=[foreign.a.person("ana")])
    statuses.append(await foreign.send(undo, foreign.dora))
    await village.rest()

    assert statuses == [202] * 4
    assert len(taken) == 1
    assert await foreign.a.select(_THANKS) == []


async def test_thanks_that_still_wait_are_taken_back_all_the_same(village: Village, foreign: _Foreign) -> None:
    like = foreign.like(foreign.ezra)
    await foreign.send(like, foreign.ezra)
    await village.rest()
    await foreign.send(foreign.peer.activity("Undo", foreign.ezra, like), foreign.ezra)
    await village.rest()

    await village.let_foreign_in(foreign.a, f"{foreign.a.origin}/groups/ward", foreign.peer, foreign.ezra)
    await village.pass_time(120)

    assert await foreign.a.select(_THANKS) == []


@pytest.mark.parametrize("to", ["group", "public", "group as audience"])
async def test_t18_a_vote_is_no_thanks(village: Village, foreign: _Foreign, to: str) -> None:
    ward = f"{foreign.a.origin}/groups/ward"
    more = {
        "group": {"to": [ward]}, "public": {"to": ["as:Public"]}, "group as audience": {"audience": ward},
    }[to]  # fmt: skip

    await foreign.send(foreign.like(foreign.dora, **more), foreign.dora)
    await village.rest()

    assert await foreign.a.select(_THANKS) == []


async def test_t23_who_cannot_read_a_post_thanks_for_nothing_and_learns_nothing(
    village: Village, foreign: _Foreign
) -> None:
    nothing = f"{foreign.a.origin}/posts/{'a' * 26}"
    absent = foreign.peer.activity("Like", foreign.ezra, nothing, to=[foreign.a.person("ana")])

    statuses = [await foreign.send(each, foreign.ezra) for each in (foreign.like(foreign.ezra), absent)]
    await village.rest()

    assert statuses == [202, 202]
    assert await foreign.a.select(_THANKS) == []


async def test_t12_nobody_takes_back_the_thanks_of_another(village: Village, foreign: _Foreign) -> None:
    like = foreign.like(foreign.dora)
    await foreign.send(like, foreign.dora)
    await village.rest()

    undo = foreign.peer.activity("Undo", foreign.ezra, like["id"], to=[foreign.a.person("ana")])
    await foreign.send(undo, foreign.ezra)
    await village.rest()

    assert len(await foreign.a.select(_THANKS)) == 1


async def test_thanks_that_could_not_arrive_are_refused_with_a_sentence(village: Village) -> None:
    a, b, uri = await village.shared_ward()
    c = await village.node("clinic")
    await village.befriend(a, c)  # B and C do not know each other
    await c.member("cleo")
    await village.let_in(a, uri, (c, "cleo"))
    await c.post(uri, "From Cleo", as_="cleo")
    await village.rest()
    ben = await _phone(b, "ben")
    status = (await ben.get("/api/v1/timelines/home")).json[0]["reblog"]["id"]

    refused = await ben.post(f"{STATUSES}/{status}/favourite")
    kept = await ben.post(f"{STATUSES}/{status}/bookmark")

    assert refused.status == 422
    assert "Your thanks would not arrive." in refused.json["error"]
    assert (kept.json["bookmarked"], kept.json["favourited"]) == (True, False)
    assert await b.select(_THANKS) == []


async def test_a_node_whose_last_member_left_keeps_no_mark_of_the_group(ward: _Ward) -> None:
    await ward.a.post(ward.uri, "Hello", as_="ana")
    await ward.village.rest()
    at_ben = await ward.find(ward.ben)
    for act in ("bookmark", "favourite", "mute"):
        await ward.ben.post(f"{STATUSES}/{at_ben}/{act}")
    await ward.village.rest()

    await ward.b.run("group", "leave", ward.uri, "--as", "ben")
    await ward.village.rest()

    assert await ward.b.select("SELECT post_id FROM bookmarks") == await ward.b.select(_THANKS) == []
    assert await ward.b.select("SELECT root_id FROM followed_threads") == []
