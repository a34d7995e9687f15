"""A group may keep what was said before somebody joined from them: by the number of the entry, never by time."""

from __future__ import annotations

from tests.support.village import Village

EARLIER = "wordsbeforebenjoined"


async def test_a_node_admitted_later_never_gets_what_was_said_before(village: Village) -> None:
    a = await village.node("society")
    b = await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana", history="since_join")
    await a.post(ward, EARLIER, as_="ana")

    await village.let_in(a, ward, (b, "ben"))
    await a.post(ward, "After", as_="ana")
    await village.rest()

    assert await b.texts(ward, as_="ben") == ["After"]
    assert await village.find_kept(EARLIER, b) == []
    assert village.find_said(EARLIER, b) == []
    log = (await b.run("group", "show", ward))["log"]
    host_log = (await a.run("group", "show", ward))["log"]
    assert log["base"] > 0
    assert (log["seq"], log["chain"]) == (host_log["seq"], host_log["chain"])


async def test_a_later_member_of_the_same_node_reads_from_their_own_joining_on(village: Village) -> None:
    a, b, ward = await village.shared_ward(history="since_join")
    await b.member("bea")
    await a.post(ward, "one", as_="ana")
    await village.rest()

    await village.let_in(a, ward, (b, "bea"))
    await a.post(ward, "two", as_="ana")
    await village.rest()

    assert await b.texts(ward, as_="ben") == ["one", "two"]
    assert await b.texts(ward, as_="bea") == ["two"]


async def test_a_reply_to_something_earlier_is_shown_with_its_parent_missing(village: Village) -> None:
    a = await village.node("society")
    b = await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana", history="since_join")
    earlier = await a.post(ward, EARLIER, as_="ana", title=EARLIER)
    await village.let_in(a, ward, (b, "ben"))

    reply = await a.post(ward, "A reply", as_="ana", reply_to=earlier["uri"])
    await village.rest()
    answer = await b.post(ward, "An answer to the reply", as_="ben", reply_to=reply["uri"])
    await village.rest()

    posts = {post["uri"]: post for post in await b.posts(ward, as_="ben")}
    assert posts[reply["uri"]]["in_reply_to"] == earlier["uri"]
    assert earlier["uri"] not in posts
    assert await a.texts(ward, as_="ana") == [EARLIER, "A reply", "An answer to the reply"]
    assert posts[answer["uri"]]["state"] == "live"
    assert await village.find_kept(EARLIER, b) == []


async def test_an_edit_or_a_withdrawal_of_something_earlier_tells_nothing_of_it(village: Village) -> None:
    a = await village.node("society")
    b = await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana", history="since_join")
    first = await a.post(ward, EARLIER, as_="ana")
    second = await a.post(ward, f"{EARLIER} too", as_="ana")
    await village.let_in(a, ward, (b, "ben"))

    await a.run("post", "withdraw", first["uri"], "--as", "ana")
    await a.run("post", "withdraw", second["uri"], "--as", "ana")
    await village.rest()

    assert await b.posts(ward, as_="ben") == []
    assert await village.find_kept(EARLIER, b) == []


async def test_a_change_of_the_setting_moves_nobodys_base(village: Village) -> None:
    a = await village.node("society")
    b = await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana", history="since_join")
    await a.post(ward, EARLIER, as_="ana")
    await village.let_in(a, ward, (b, "ben"))

    await a.run("group", "change", ward, "--history", "all")
    await a.post(ward, "After", as_="ana")
    await village.rest()

    assert await b.texts(ward, as_="ben") == ["After"]
    assert (await b.run("group", "show", ward))["history"] == "all"
    assert await village.find_kept(EARLIER, b) == []


async def test_nobody_reads_below_the_base_by_asking_the_host(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana", history="since_join")
    earlier = await a.post(ward, EARLIER, as_="ana")
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)
    await a.post(ward, "After", as_="ana")
    [activity] = await a.select("SELECT activity_uri FROM posts WHERE uri = :uri", uri=earlier["uri"])

    page = await peer.get(f"{ward}/log?after=0&limit=50")
    others = [await peer.get(url) for url in (f"{ward}/log/1", f"{ward}/log/2", earlier["uri"], activity.activity_uri)]
    outbox = await peer.get(f"{ward}/outbox")

    assert EARLIER.encode() not in page.body + outbox.body
    assert b"After" in page.body
    assert [reply.status for reply in others] == [404] * 4
