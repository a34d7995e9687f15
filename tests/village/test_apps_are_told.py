"""Members' apps on two nodes: what one does is told to the other, in lists and in streams, until the right to it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from node.app import Application
from node.community.groups.reports import report_post
from node.community.members.service import make_token, require_member, suspend_member
from tests.support.listening_app import ListeningApp
from tests.support.phone import Phone, Reply
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

NOTIFICATIONS, CONVERSATIONS = "/api/v1/notifications", "/api/v1/conversations"


class _Pair:
    """Two nodes; Ana and her group on one of them, Ben, who is in it, on the other; each with an app."""

    def __init__(self, village: Village, society: Node, hospital: Node, ana: Phone, ben: Phone) -> None:
        self.village, self.society, self.hospital, self.ana, self.ben = village, society, hospital, ana, ben
        self.address = f"ward@{society.host}"

    async def listen(self, name: str) -> ListeningApp:
        """Let Ben's app listen to a stream."""
        app = await ListeningApp.connect(Application(self.hospital.house), self.ben.token, f"stream={name}")
        assert app.is_open
        return app


async def _phone(node: Node, handle: str) -> Phone:
    await node.member(handle)
    member = await require_member(node.core, handle)
    token = await make_token(node.core, handle, "read write follow", by="a test")
    return Phone(Application(node.house), node.host, token, member)


@pytest.fixture
async def pair(village: Village) -> AsyncIterator[_Pair]:
    """Give two nodes that share a group."""
    society, hospital = await village.node("society"), await village.node("hospital")
    await village.befriend(society, hospital)
    ana, ben = await _phone(society, "ana"), await _phone(hospital, "ben")
    ward = await society.group("ward", owner="ana")
    await village.let_in(society, ward, (hospital, "ben"))
    yield _Pair(village, society, hospital, ana, ben)
    for node in (society, hospital):
        node.house.streams.stop()
        await node.house.streams.rest()


def _types(reply: Reply) -> list[tuple[str, str]]:
    assert reply.status == 200, reply.body
    return [(each["type"], each["account"]["acct"]) for each in reply.json]


async def test_an_answer_on_another_node_is_a_notification_and_goes_when_it_is_taken_back(pair: _Pair) -> None:
    topic = (await pair.ben.post("/api/v1/statuses", {"status": f"@{pair.address} Question"})).json
    await pair.village.rest()
    before = _types(await pair.ben.get(NOTIFICATIONS))
    (at_ana,) = [each["reblog"] for each in (await pair.ana.get("/api/v1/timelines/home")).json]

    answer = (await pair.ana.post("/api/v1/statuses", {"status": "Answer", "in_reply_to_id": at_ana["id"]})).json
    await pair.village.rest()
    (told,) = (await pair.ben.get(NOTIFICATIONS)).json
    await pair.ana.delete(f"/api/v1/statuses/{answer['id']}")
    await pair.village.rest()

    assert before == []
    assert (told["type"], told["account"]["acct"]) == ("mention", f"ana@{pair.society.host}")
    assert told["status"]["in_reply_to_id"] == topic["id"]
    assert _types(await pair.ben.get(NOTIFICATIONS)) == []
    assert (await pair.ben.get(f"{NOTIFICATIONS}/{told['id']}")).status == 404


async def test_a_change_on_another_node_is_told_to_whoever_answered(pair: _Pair) -> None:
    topic = (await pair.ana.post("/api/v1/statuses", {"status": "@ward Dose: 5 mg"})).json
    await pair.village.rest()
    (at_ben,) = [each["reblog"] for each in (await pair.ben.get("/api/v1/timelines/home")).json]
    await pair.ben.post("/api/v1/statuses", {"status": "Thank you.", "in_reply_to_id": at_ben["id"]})
    await pair.village.rest()

    await pair.ana.put(f"/api/v1/statuses/{topic['id']}", {"status": "@ward Dose: 6 mg"})
    await pair.village.rest()

    assert _types(await pair.ben.get(NOTIFICATIONS)) == [("update", f"ana@{pair.society.host}")]
    assert _types(await pair.ana.get(NOTIFICATIONS)) == [("mention", f"ben@{pair.hospital.host}")]


async def test_who_comes_back_to_a_group_is_not_told_again_of_what_was_before(pair: _Pair) -> None:
    topic = (await pair.ana.post("/api/v1/statuses", {"status": "@ward Dose: 5 mg"})).json
    await pair.village.rest()
    (at_ben,) = [each["reblog"] for each in (await pair.ben.get("/api/v1/timelines/home")).json]
    await pair.ben.post("/api/v1/statuses", {"status": "Thank you.", "in_reply_to_id": at_ben["id"]})
    poll = {"status": f"@{pair.address} Nights?", "poll[options]": ["Yes", "No"], "poll[expires_in]": "300"}
    await pair.ben.post("/api/v1/statuses", poll)
    await pair.village.rest()
    await pair.ana.put(f"/api/v1/statuses/{topic['id']}", {"status": "@ward Dose: 6 mg"})
    await pair.village.pass_time(400)
    before = sorted(each["type"] for each in (await pair.ben.get(NOTIFICATIONS)).json)

    await pair.hospital.run("group", "leave", pair.address, "--as", "ben")
    await pair.village.rest()
    await pair.village.let_in(pair.society, pair.address, (pair.hospital, "ben"))

    assert before == ["poll", "update"]
    assert len((await pair.ben.get("/api/v1/timelines/home")).json) == 2
    assert _types(await pair.ben.get(NOTIFICATIONS)) == []


async def test_a_message_and_its_answer_are_one_conversation_on_both_nodes(pair: _Pair) -> None:
    await pair.ana.post("/api/v1/statuses", {"status": "@ward Hello"})
    await pair.village.rest()
    assert (await pair.ben.get(CONVERSATIONS)).json == []

    sent = await pair.ben.post(
        "/api/v1/statuses", {"status": f"@ana@{pair.society.host} a word", "visibility": "direct"}
    )
    await pair.village.rest()
    (at_ana,) = (await pair.ana.get(CONVERSATIONS)).json
    answer = {"status": "yes?", "visibility": "direct", "in_reply_to_id": at_ana["last_status"]["id"]}
    await pair.ana.post("/api/v1/statuses", answer)
    await pair.village.rest()

    assert at_ana["unread"] and [each["acct"] for each in at_ana["accounts"]] == [f"ben@{pair.hospital.host}"]
    (at_ben,) = (await pair.ben.get(CONVERSATIONS)).json
    assert (at_ben["unread"], at_ben["last_status"]["in_reply_to_id"]) == (True, sent.json["id"])
    assert [each["type"] for each in (await pair.ben.get(NOTIFICATIONS)).json] == ["mention"]


async def test_a_request_and_a_report_from_another_node_are_told_to_the_staff(pair: _Pair) -> None:
    posted = (await pair.ana.post("/api/v1/statuses", {"status": "@ward Mr. N., born 1950"})).json
    await pair.hospital.member("bea")
    await pair.village.rest()

    await pair.hospital.run("group", "join", pair.address, "--as", "bea", "--reason", "nights")
    (group,) = [each["account"] for each in (await pair.ben.get("/api/v1/timelines/home")).json]
    house = pair.hospital.house
    await report_post(house.core, house.tables, reporter=pair.ben.member, group_id=int(group["id"]),
                      post_uri=posted["uri"], rule="patient", note="a name")  # fmt: skip
    await pair.village.rest()

    assert sorted(_types(await pair.ana.get(NOTIFICATIONS))) == [
        ("admin.report", f"ben@{pair.hospital.host}"), ("follow_request", f"bea@{pair.hospital.host}"),
    ]  # fmt: skip
    assert _types(await pair.ben.get(NOTIFICATIONS)) == []


async def test_t25_a_stream_is_told_across_nodes_until_its_token_ends(pair: _Pair) -> None:
    hub = pair.hospital.house.streams
    hub.pace_seconds = 3600
    app = await pair.listen("user")

    posted = (await pair.ana.post("/api/v1/statuses", {"status": "@ward One"})).json
    await pair.village.rest()
    await hub.look()
    [told] = await app.told()
    await pair.ana.put(f"/api/v1/statuses/{posted['id']}", {"status": "@ward Two"})
    await pair.village.rest()
    await hub.look()
    [changed] = await app.told()
    await pair.ana.delete(f"/api/v1/statuses/{posted['id']}")
    await pair.village.rest()
    await hub.look()
    gone = await app.told(2)
    await suspend_member(pair.hospital.core, "ben", by="a test", reason="")
    await pair.ana.post("/api/v1/statuses", {"status": "@ward Three"})
    await pair.village.rest()
    await hub.look()
    await app.ended()

    assert [each["event"] for each in (told, changed, *gone)] == ["update", "status.update", "delete", "delete"]
    assert msgspec.json.decode(told["payload"])["reblog"]["uri"] == posted["uri"]
    assert app.heard() == []
