"""Members of two nodes talk through their apps: looked up, asked, let in, read, answered, changed, taken back, left."""

from __future__ import annotations

import pytest

from node.app import Application
from node.community.members.service import make_token, require_member
from tests.support.phone import Phone, as_upload
from tests.support.practice import words
from tests.support.village import Node, Village
from tests.village.test_pictures_travel import a_picture

HOME = "/api/v1/timelines/home"


async def _phone(node: Node, handle: str) -> Phone:
    await node.member(handle)
    member = await require_member(node.core, handle)
    token = await make_token(node.core, handle, "read write follow", by="a test")
    return Phone(Application(node.house), node.host, token, member)


class _Pair:
    """Two nodes, Ana and her group on one of them, Ben on the other, each with an app."""

    def __init__(self, village: Village, society: Node, hospital: Node, ana: Phone, ben: Phone) -> None:
        self.village, self.society, self.hospital, self.ana, self.ben = village, society, hospital, ana, ben
        self.address = f"ward@{society.host}"

    async def look_up(self) -> str:
        """Let Ben's app find the group; return its account's id there."""
        return str((await self.ben.get(f"/api/v1/accounts/lookup?acct={self.address}")).json["id"])

    async def let_in(self) -> str:
        """Let Ben ask by app and be approved; return the id of the group's account at his node."""
        account_id = await self.look_up()
        await self.ben.post(f"/api/v1/accounts/{account_id}/follow", {"comment": "night shifts"})
        await self.village.rest()
        await self.society.approve(f"{self.society.origin}/groups/ward", self.hospital.person("ben"))
        await self.village.rest()
        return account_id


@pytest.fixture
async def pair(village: Village) -> _Pair:
    """Give two nodes that trust each other."""
    society, hospital = await village.node("society"), await village.node("hospital")
    await village.befriend(society, hospital)
    ana, ben = await _phone(society, "ana"), await _phone(hospital, "ben")
    await society.group("ward", owner="ana")
    return _Pair(village, society, hospital, ana, ben)


async def test_a_group_elsewhere_is_found_asked_and_read_in_an_app(pair: _Pair) -> None:
    await pair.ana.post("/api/v1/statuses", {"status": "@ward First words"})
    account_id = await pair.look_up()

    asked = await pair.ben.post(f"/api/v1/accounts/{account_id}/follow", {"comment": "night shifts"})
    await pair.village.rest()
    roster = await pair.society.run("group", "roster", "ward")
    await pair.let_in()

    assert (asked.status, asked.json["requested"]) == (200, True)
    assert ("requested", "night shifts") in [(each["state"], each["reason"]) for each in roster["members"]]
    assert words(await pair.ben.get(HOME)) == ["@ward First words"]
    shared = (await pair.ben.get(HOME)).json[0]
    assert shared["account"]["acct"] == pair.address
    assert shared["reblog"]["account"]["acct"] == f"ana@{pair.society.host}"
    assert shared["reblog"]["url"].startswith(f"{pair.hospital.origin}/groups/{pair.address}/threads/")
    (relationship,) = (await pair.ben.get(f"/api/v1/accounts/relationships?id[]={account_id}")).json
    assert (relationship["following"], relationship["requested"]) == (True, False)
    (own_list,) = (await pair.ben.get("/api/v1/lists")).json
    assert words(await pair.ben.get(f"/api/v1/timelines/list/{own_list['id']}")) == ["@ward First words"]


async def test_what_apps_say_travels_is_answered_changed_and_taken_back(pair: _Pair) -> None:
    await pair.let_in()
    said = await pair.ben.post("/api/v1/statuses", {"status": f"@{pair.address} Question"}, idempotency_key="k")
    again = await pair.ben.post("/api/v1/statuses", {"status": f"@{pair.address} Question"}, idempotency_key="k")
    await pair.village.rest()

    (at_ana,) = [each["reblog"] for each in (await pair.ana.get(HOME)).json]
    await pair.ana.post("/api/v1/statuses", {"status": "Answer", "in_reply_to_id": at_ana["id"]})
    await pair.village.rest()

    assert said.json["id"] == again.json["id"]
    assert (at_ana["uri"], at_ana["account"]["acct"]) == (said.json["uri"], f"ben@{pair.hospital.host}")
    context = (await pair.ben.get(f"/api/v1/statuses/{said.json['id']}/context")).json
    assert [each["content"] for each in context["descendants"]] == ["<p>Answer</p>\n"]
    assert context["descendants"][0]["in_reply_to_id"] == said.json["id"]

    edited = await pair.ben.put(f"/api/v1/statuses/{said.json['id']}", {"status": f"@{pair.address} Better"})
    await pair.village.rest()
    assert "Better" in edited.json["content"]
    assert "Better" in (await pair.ana.get(f"/api/v1/statuses/{at_ana['id']}")).json["content"]

    await pair.ben.delete(f"/api/v1/statuses/{said.json['id']}")
    await pair.village.rest()
    assert (await pair.ana.get(f"/api/v1/statuses/{at_ana['id']}")).status == 404


async def test_a_private_message_reaches_somebody_known_from_the_group(pair: _Pair) -> None:
    await pair.let_in()
    await pair.ana.post("/api/v1/statuses", {"status": "@ward Hello"})
    await pair.village.rest()

    sent = await pair.ben.post(
        "/api/v1/statuses", {"status": f"@ana@{pair.society.host} a word", "visibility": "direct"}
    )
    await pair.village.rest()

    assert sent.status == 200, sent.body
    assert sent.json["visibility"] == "direct"
    assert [each["acct"] for each in sent.json["mentions"]] == [f"ana@{pair.society.host}"]
    assert words(await pair.ana.get(HOME)) == ["@ward Hello"]
    (received,) = await pair.society.messages(as_="ana")
    assert received["uri"] == sent.json["uri"]


async def test_leaving_in_an_app_takes_everything_of_the_group_away(pair: _Pair) -> None:
    posted = await pair.ana.post("/api/v1/statuses", {"status": "@ward Hello"})
    account_id = await pair.let_in()
    at_ben = (await pair.ben.get(HOME)).json[0]["reblog"]["id"]

    left = await pair.ben.post(f"/api/v1/accounts/{account_id}/unfollow")
    await pair.village.rest()

    assert (left.status, left.json["following"], left.json["requested"]) == (200, False, False)
    assert (await pair.ben.get(HOME)).json == []
    assert (await pair.ben.get(f"/api/v1/statuses/{at_ben}")).status == 404
    assert (await pair.ben.get("/api/v1/lists")).json == []
    refused = await pair.ben.post("/api/v1/statuses", {"status": f"@{pair.address} Hello"})
    assert refused.status == 422
    assert (await pair.ana.get(f"/api/v1/statuses/{posted.json['id']}")).status == 200


async def test_a_picture_from_an_app_travels_and_so_does_its_new_description(pair: _Pair) -> None:
    await pair.let_in()
    added = (await pair.ben.send("POST", "/api/v2/media", **as_upload(a_picture(), description="A red field"))).json
    said = await pair.ben.post("/api/v1/statuses", {"status": f"@{pair.address} Look", "media_ids": [added["id"]]})
    await pair.village.rest()

    (first,) = (await pair.ana.get(HOME)).json[0]["reblog"]["media_attachments"]
    loaded = await pair.ana.get("/" + first["url"].split("/", 3)[3])
    body = b'{"media_attributes": [{"id": "%b", "description": "A field of poppies"}]}' % added["id"].encode()
    path = f"/api/v1/statuses/{said.json['id']}"
    edited = await pair.ben.send("PUT", path, body=body, content_type="application/json")
    await pair.village.rest()

    (second,) = (await pair.ana.get(HOME)).json[0]["reblog"]["media_attachments"]
    assert (loaded.status, loaded.headers["content-type"]) == (200, "image/jpeg")
    assert (edited.status, edited.json["media_attachments"][0]["description"]) == (200, "A field of poppies")
    assert (first["id"], first["description"]) == (second["id"], "A red field")
    assert second["description"] == "A field of poppies"
    assert (await pair.ben.get(path)).json["media_attachments"][0]["description"] == "A field of poppies"
