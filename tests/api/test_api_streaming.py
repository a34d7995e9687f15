"""Streaming: what an app is told as it comes, and how."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from node.community.members.service import hash_secret, suspend_member
from node.community.posts import streaming
from node.community.posts.streaming import StreamHub
from node.community.reading.following import set_levels
from tests.support.listening_app import EventStream, ListeningApp, brief, listen
from tests.support.practice import Practice


async def test_home_is_told_of_a_topic_once_as_the_groups_sharing_and_never_of_answers(
    practice: Practice, hub: StreamHub
) -> None:
    app = await listen(practice, practice.ben)

    topic = await practice.say(practice.ana, "@ward Question")
    await practice.say(practice.ana, "More", in_reply_to_id=topic["id"])
    await hub.look()

    [told] = await app.told()
    status = msgspec.json.decode(told["payload"])
    assert (told["stream"], told["event"]) == (["user"], "update")
    assert (status["account"]["acct"], status["reblog"]["id"]) == ("ward", topic["id"])
    assert status == (await practice.ben.get("/api/v1/timelines/home")).json[0]


async def test_a_list_is_told_of_its_group_alone(practice: Practice, hub: StreamHub) -> None:
    await practice.group("night", practice.ben)
    place = f"g{practice.ward.group_id}"
    app = await listen(practice, practice.ben, f"stream=list&list={place}")

    await practice.say(practice.ana, "@night Not here")
    await practice.say(practice.ana, "@ward Here")
    await hub.look()

    assert brief(await app.told()) == [(f"list {place}", "update", "@ward Here")]


async def test_a_notification_comes_with_home_and_by_itself(practice: Practice, hub: StreamHub) -> None:
    home, alone = [await listen(practice, practice.ben, f"stream={name}") for name in ("user", "user:notification")]

    await practice.say(practice.ana, "@ward @ben look")
    await hub.look()

    assert brief(await home.told(2)) == [
        ("user", "update", "@ward @ben look"), ("user", "notification", "@ward @ben look"),
    ]  # fmt: skip
    [told] = await alone.told()
    assert msgspec.json.decode(told["payload"]) == (await practice.ben.get("/api/v1/notifications")).json[0]


async def test_a_private_message_is_a_conversation_for_who_is_in_it(practice: Practice, hub: StreamHub) -> None:
    apps = [await listen(practice, phone, "stream=direct") for phone in (practice.ana, practice.ben, practice.cy)]

    await practice.say(practice.ana, "@ben a word", visibility="direct")
    await hub.look()

    for app in apps[:2]:
        assert brief(await app.told()) == [("direct", "conversation", "@ben a word")]
    assert apps[2].heard() == []


async def test_a_change_and_a_withdrawal_are_told(practice: Practice, hub: StreamHub) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    app = await listen(practice, practice.ben)

    await practice.ana.put(f"/api/v1/statuses/{topic['id']}", {"status": "@ward Better"})
    await hub.look()
    changed = await app.told()
    await practice.ana.delete(f"/api/v1/statuses/{topic['id']}")
    await hub.look()

    assert brief(changed) == [("user", "status.update", "@ward Better")]
    shared = str(int(topic["id"]) + 1)
    assert brief(await app.told(2)) == [("user", "delete", shared), ("user", "delete", topic["id"])]


async def test_nothing_is_told_twice_and_nothing_from_before(practice: Practice, hub: StreamHub) -> None:
    await practice.say(practice.ana, "@ward @ben before")
    app = await listen(practice, practice.ben)
    await hub.look()

    await practice.say(practice.ana, "@ward @ben after")
    for _ in range(3):
        await hub.look()

    assert [each[2] for each in brief(await app.told(2))] == ["@ward @ben after"] * 2
    assert app.heard() == []


async def test_one_more_connection_takes_nothing_from_those_that_are_open(practice: Practice, hub: StreamHub) -> None:
    home, talk = await listen(practice, practice.ben), await listen(practice, practice.ben, "stream=direct")

    await practice.say(practice.ana, "@ward @ben look")
    await practice.say(practice.ana, "@ben a word", visibility="direct")
    later = await listen(practice, practice.ben, "stream=user:notification")
    await hub.look()

    assert ("user", "notification", "@ward @ben look") in brief(await home.told(2))
    assert brief(await talk.told()) == [("direct", "conversation", "@ben a word")]
    await hub.look()
    assert (home.heard(), talk.heard(), len(later.heard())) == ([], [], 2)


async def test_one_socket_carries_several_streams_and_lets_go_of_them(practice: Practice, hub: StreamHub) -> None:
    place = f"g{practice.ward.group_id}"
    app = await listen(practice, practice.ben, "")

    await app.say(type="subscribe", stream="user")
    await app.say(type="subscribe", stream="list", list=place)
    await _settle(hub, app, practice, {"user", "list"})
    await practice.say(practice.ana, "@ward One")
    await hub.look()
    both = brief(await app.told(2))
    await app.say(type="unsubscribe", stream="user")
    await _settle(hub, app, practice, {"list"})
    await practice.say(practice.ana, "@ward Two")
    await hub.look()

    assert both == [("user", "update", "@ward One"), (f"list {place}", "update", "@ward One")]
    assert brief(await app.told()) == [(f"list {place}", "update", "@ward Two")]


async def test_a_tag_is_told_wherever_it_is_written_of_topics_and_answers_to_who_may_read_them(
    practice: Practice, hub: StreamHub
) -> None:
    await practice.group("night", practice.cy)
    ben = await listen(practice, practice.ben, "stream=hashtag&tag=Rota")
    cy = await EventStream.open(practice.lone.app, practice.cy.token, "/hashtag?tag=rota")

    topic = await practice.say(practice.ana, "@ward Who? #rota")
    await practice.say(practice.ana, "@ward #other")
    await practice.say(practice.ana, "Me, says the #ROTA", in_reply_to_id=topic["id"])
    await practice.say(practice.ana, "@night Nights #rota")
    await hub.look()
    told = await ben.told(2)
    heard = await cy.told()
    tagged = (await practice.ben.get("/api/v1/timelines/tag/rota")).json
    await practice.ana.delete(f"/api/v1/statuses/{topic['id']}")
    await hub.look()

    assert [each["stream"] for each in told] == [["hashtag", "rota"]] * 2
    assert [msgspec.json.decode(each["payload"]) for each in told] == tagged[::-1]
    assert [(event, entity["content"][:9]) for event, entity in heard] == [("update", "<p>@night")]
    assert topic["id"] in [each["payload"] for each in await ben.told(2) if each["event"] == "delete"]
    assert [event for event, _ in cy.heard()] == []
    await cy.leave()


async def test_what_an_app_asks_for_wrongly_is_answered_and_changes_nothing(practice: Practice, hub: StreamHub) -> None:
    app = await listen(practice, practice.ben)

    for text in ("", "x", "[]", '{"type":1}', '{"type":"subscribe"', '{"type":"sing","stream":"user"}', "\\ud800"):
        await app.say_bytes(text)
    await app.say(type="subscribe", stream="firehose")
    await app.say(type="subscribe", stream="list", list="g42")
    await app.say(type="subscribe", stream="list")
    await app.say(type="subscribe", stream="hashtag")
    await app.say(type="subscribe", stream="hashtag", tag="7")
    answers = await app.told(5)

    assert [each["status"] for each in answers] == [400, 404, 400, 400, 400]
    assert app.is_open


@pytest.mark.parametrize("place", ["protocol", "query", "header"])
async def test_the_token_stands_in_the_protocol_in_the_address_or_in_a_header(
    practice: Practice, hub: StreamHub, place: str
) -> None:
    app = await listen(practice, practice.ben, place=place)

    assert app.subprotocol == (practice.ben.token if place == "protocol" else None)


async def test_a_quiet_group_is_not_told_in_home_and_is_in_its_list(practice: Practice, hub: StreamHub) -> None:
    place = f"g{practice.ward.group_id}"
    await set_levels(practice.lone.core, viewer=practice.ben.member, levels={practice.ward.group_id: "quiet"})
    home, listing = [await listen(practice, practice.ben, f"stream={name}") for name in ("user", f"list&list={place}")]

    await practice.say(practice.ana, "@ward Hello")
    await hub.look()

    assert brief(await listing.told()) == [(f"list {place}", "update", "@ward Hello")]
    assert home.heard() == []


async def test_an_event_stream_tells_the_same_in_its_own_form(practice: Practice, hub: StreamHub) -> None:
    hub.heartbeat_seconds = 0.01
    events = await EventStream.open(practice.lone.app, practice.ben.token, "?stream=user", place="query")

    await practice.say(practice.ana, "@ward Hello")
    await hub.look()
    [(event, status)] = await events.told()
    await events.leave()

    assert (events.status, events.headers["content-type"]) == (200, "text/event-stream")
    assert events.headers["access-control-allow-origin"] == "*"
    assert (event, status["reblog"]["content"]) == ("update", "<p>@ward Hello</p>\n")
    assert events.said.startswith(b":)\n\n") and hub.count == 0


async def test_a_round_comes_by_itself_within_two_seconds(practice: Practice, hub: StreamHub) -> None:
    hub.pace_seconds = streaming.PACE_SECONDS
    app = await listen(practice, practice.ben)

    async with asyncio.timeout(2):
        await practice.say(practice.ana, "@ward Hello")
        told = await app.told()
    async with asyncio.timeout(2):
        await suspend_member(practice.lone.core, "ben", by="a test", reason="")
        await app.ended()

    assert brief(told) == [("user", "update", "@ward Hello")]


async def test_a_round_asks_as_much_of_the_store_with_many_apps_as_with_one(practice: Practice, hub: StreamHub) -> None:
    counts = practice.lone.core.store.counts
    asked = []

    for more in (1, 12):
        apps = [await listen(practice, practice.ben) for _ in range(more)]
        await hub.look()
        before = counts.statements
        await hub.look()
        idle = counts.statements - before
        await practice.say(practice.ana, "@ward Hello")
        before = counts.statements
        await hub.look()
        asked.append((idle, counts.statements - before))
        assert [len(await app.told()) for app in apps] == [1] * more

    assert asked[0] == asked[1] and asked[0][0] <= 4


async def test_a_token_opens_only_so_many_and_a_node_too(
    practice: Practice, hub: StreamHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "LISTENERS_OF_TOKEN", 1)
    monkeypatch.setattr(streaming, "LISTENERS_LIMIT", 2)

    first = await listen(practice, practice.ben)
    again = await ListeningApp.connect(practice.lone.app, practice.ben.token, "stream=user")
    await listen(practice, practice.ana)
    third = await ListeningApp.connect(practice.lone.app, practice.cy.token, "stream=user")

    assert (first.is_open, again.status, third.status) == (True, 429, 503)


async def test_an_app_that_takes_nothing_is_ended(
    practice: Practice, hub: StreamHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await hub.open(token_hash="x", viewer_id=practice.ben.member.actor_id, hears_notifications=True,
                              is_lasting=True)  # fmt: skip
    monkeypatch.setattr("node.community.posts.listening.WAITING_LIMIT", 1)
    await hub.subscribe(listener, streaming.Stream("user"))
    app = await listen(practice, practice.ana)

    for text in ("@ward One", "@ward Two"):
        await practice.say(practice.ana, text)
    listener.token_hash = hash_secret(practice.ben.token or "")
    await hub.look()

    assert listener.is_over and app.is_open


async def test_a_connection_that_is_left_is_forgotten(practice: Practice, hub: StreamHub) -> None:
    app = await listen(practice, practice.ben)
    opened = hub.count

    await app.leave()

    assert (opened, hub.count) == (1, 0)


async def test_a_node_that_stops_closes_every_connection_and_opens_none(practice: Practice, hub: StreamHub) -> None:
    app = await listen(practice, practice.ben)

    hub.stop()
    await app.ended()
    refused = await ListeningApp.connect(practice.lone.app, practice.ben.token, "stream=user")

    assert (app.code, refused.status) == (1001, 503)


async def _settle(hub: StreamHub, app: ListeningApp, practice: Practice, names: set[str]) -> None:
    """Wait until the node has heard which streams an app wants."""
    async with asyncio.timeout(10):
        while {stream.name for listener in hub._listeners for stream in listener.streams} != names:
            await practice.lone.core.store.read(lambda tx: tx.value("SELECT 1 AS yes"))
