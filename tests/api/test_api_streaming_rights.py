"""Streaming: nobody is told what they may not read now (T22, T25, T26, T27, T54)."""

from __future__ import annotations

import msgspec
import pytest

from node.community.apps.service import end_grant
from node.community.groups.service import leave_group
from node.community.members.service import hash_secret, make_reset_link, set_password_by_link, suspend_member
from node.community.posts.listening import Noted, Said
from node.community.posts.streaming import StreamHub
from node.domain.streams import LIST, NOTIFICATIONS, USER, Stream
from tests.support.group_life import put_out
from tests.support.listening_app import EventStream, ListeningApp, brief, listen
from tests.support.practice import Practice

CANARY = "canaryofastream"


async def test_t54_without_a_live_token_no_stream_is_opened(practice: Practice, hub: StreamHub) -> None:
    for token in (None, "0" * 43, ""):
        for place in ("protocol", "query", "header"):
            app = await ListeningApp.connect(practice.lone.app, token, "stream=user", place=place)
            assert (app.status, app.json) == (401, {"error": "The access token is invalid"}), (token, place)
        events = await EventStream.open(practice.lone.app, token, "/user")
        assert events.status == 401
    assert hub.count == 0


async def test_t54_each_stream_needs_its_scope(practice: Practice, hub: StreamHub) -> None:
    place = f"list&list=g{practice.ward.group_id}"
    needed = {"user": "read:statuses", "user:notification": "read:notifications", "direct": "read:statuses",
              place: "read:lists", "hashtag&tag=rota": "read:statuses"}  # fmt: skip

    for stream, scope in needed.items():
        enough = await practice.phone(practice.ben.member, scope)
        others = " ".join(sorted({"read:accounts", "write", *needed.values()} - {scope}))
        too_little = await practice.phone(practice.ben.member, others)
        refused = await ListeningApp.connect(practice.lone.app, too_little.token, f"stream={stream}")
        path = "/" + stream.replace(":", "/").replace("&", "?")
        events = await EventStream.open(practice.lone.app, too_little.token, path)

        assert (await listen(practice, enough, f"stream={stream}")).is_open
        assert (refused.status, refused.json["error"]) == (403, "This action is outside the authorized scopes"), stream
        assert events.status == 403, stream


async def test_t54_home_has_no_notifications_for_a_token_that_may_not_read_them(
    practice: Practice, hub: StreamHub
) -> None:
    phone = await practice.phone(practice.ben.member, "read:statuses")
    app = await listen(practice, phone)

    await practice.say(practice.ana, "@ward @ben look")
    await hub.look()

    assert brief(await app.told()) == [("user", "update", "@ward @ben look")]


async def test_t25_a_revoked_token_hears_nothing_more(practice: Practice, hub: StreamHub) -> None:
    apps = [await listen(practice, practice.ben, f"stream={name}") for name in ("user", "direct")]
    events = await EventStream.open(practice.lone.app, practice.ben.token, "/user")
    other = await practice.phone(practice.ben.member)
    elsewhere = await listen(practice, other)

    await end_grant(practice.lone.core, practice.ben.member, hash_secret(practice.ben.token or ""))
    await practice.say(practice.ana, f"@ward @ben {CANARY}")
    await hub.look()
    for app in (*apps, events):
        await app.ended()

    assert [app.heard() for app in apps] == [[], []] and CANARY.encode() not in events.said
    assert {app.code for app in apps} == {1008}
    assert len(await elsewhere.told(2)) == 2 and hub.count == 1


async def test_t25_a_suspended_members_streams_close(practice: Practice, hub: StreamHub) -> None:
    app = await listen(practice, practice.ben)
    events = await EventStream.open(practice.lone.app, practice.ben.token, "/user/notification")

    await suspend_member(practice.lone.core, "ben", by="a test", reason="")
    await practice.say(practice.ana, f"@ward @ben {CANARY}")
    await hub.look()
    await app.ended()
    await events.ended()

    assert app.heard() == [] and CANARY.encode() not in events.said


async def test_t55_a_new_password_closes_every_stream(practice: Practice, hub: StreamHub) -> None:
    app = await listen(practice, practice.ben)

    link = await make_reset_link(practice.lone.core, "ben", by="a test")
    await set_password_by_link(practice.lone.core, link.rpartition("/")[2], "correct horse battery")
    await hub.look()

    await app.ended()


@pytest.mark.parametrize("ends", ["left", "put out"])
async def test_t25_who_is_no_longer_in_a_group_is_told_nothing_of_it(
    practice: Practice, hub: StreamHub, ends: str
) -> None:
    place = f"g{practice.ward.group_id}"
    home = await listen(practice, practice.ben)
    listing = await EventStream.open(practice.lone.app, practice.ben.token, f"/list?list={place}")
    house = practice.lone.house

    if ends == "left":
        await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)
    else:
        await put_out(practice.lone, practice.ward, practice.ben.member)
    await practice.say(practice.ana, f"@ward @ben {CANARY}")
    await hub.look()
    await listing.ended()
    await practice.say(practice.ana, f"@ward @ben {CANARY}")
    await hub.look()

    assert home.heard() == [] and CANARY.encode() not in listing.said
    assert home.is_open


async def test_t25_what_waits_for_a_slow_app_is_not_told_after_its_member_left(
    practice: Practice, hub: StreamHub
) -> None:
    rota, house = await practice.group("rota", practice.ben), practice.lone.house
    slow = await hub.open(
        token_hash=hash_secret(practice.ben.token or ""),
        viewer_id=practice.ben.member.actor_id,
        hears_notifications=True,
        is_lasting=True,
    )
    for stream in (Stream(USER), Stream(NOTIFICATIONS), Stream(LIST, practice.ward.group_id)):
        await hub.subscribe(slow, stream)
    for group in (practice.ward, rota):
        await practice.say(practice.ana, f"@{group.handle} @ben {CANARY}")
    await hub.look()
    first = await slow.wait(at_most_seconds=1, at_most=1)

    await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)
    await hub.look()
    rest = await slow.wait(at_most_seconds=1)
    hub.close(slow)

    assert len(first) == 1
    told_of = [
        each.what.post.group_id if isinstance(each.what, Said) else each.what.told.notifications[0].group_id
        for each in rest
        if isinstance(each.what, Said | Noted)
    ]
    assert told_of == [rota.group_id] * 3 and len(rest) == 3


async def test_t22_the_list_of_a_group_one_is_not_in_is_answered_like_one_of_no_group(
    practice: Practice, hub: StreamHub
) -> None:
    secret = await practice.group("circle", is_hidden=True)

    answers = []
    for group_id in (secret.group_id, 42):
        socket = await ListeningApp.connect(practice.lone.app, practice.ben.token, f"stream=list&list=g{group_id}")
        events = await EventStream.open(practice.lone.app, practice.ben.token, f"/list?list=g{group_id}")
        answers.append((socket.status, socket.body, events.status, events.said))

    assert answers[0] == answers[1] and answers[0][0] == 404
    assert hub.count == 0


async def test_t26_nobody_is_told_of_what_others_are_told(practice: Practice, hub: StreamHub) -> None:
    secret = await practice.group("circle", is_hidden=True)
    apps = [await listen(practice, practice.cy, f"stream={name}") for name in ("user", "user:notification", "direct")]

    await practice.say(practice.ana, f"@circle @cy {CANARY}")
    await practice.say(practice.ana, f"@ward @cy {CANARY}")
    await practice.say(practice.ana, f"@ben {CANARY}", visibility="direct")
    await hub.look()
    await practice.join(practice.ward, practice.cy)
    await practice.say(practice.ana, "@ward welcome")
    await hub.look()

    assert secret.is_hidden
    assert [each[2] for each in brief(await apps[0].told())] == ["@ward welcome"]
    assert apps[1].heard() == apps[2].heard() == []


async def test_what_one_reader_marked_or_filters_is_not_told_to_another(practice: Practice, hub: StreamHub) -> None:
    await practice.join(practice.ward, practice.cy)
    made = await practice.ben.post(
        "/api/v2/filters",
        {
            "title": "no coffee",
            "context[]": "home",
            "filter_action": "warn",
            "keywords_attributes[0][keyword]": "coffee",
        },
    )
    apps = [await listen(practice, phone) for phone in (practice.ben, practice.cy)]

    await practice.say(practice.ana, "@ward coffee")
    await hub.look()

    told = [msgspec.json.decode((await app.told())[0]["payload"])["reblog"] for app in apps]
    if made.status == 200:  # filters are another family; without them nothing can be told of them
        assert [bool(each["filtered"]) for each in told] == [True, False]
    assert [each["bookmarked"] for each in told] == [False, False]
