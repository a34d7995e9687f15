"""Pages over what came from other nodes: who reads, who is known through whom, what waits; small pages, own times."""

from __future__ import annotations

from node.store.threads import PAGE_POSTS
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.group_life import let_in
from tests.support.reading_room import THREAD_LINK, Ward, a_long_thread, page_of
from tests.support.requesters import a_foreign_actor, know_actor, know_peer
from tests.support.village import Village


async def test_t23_somebody_known_by_another_nodes_word_is_shown_as_such(ward: Ward) -> None:
    peer = await know_peer(ward.lone.core, "friend.example")
    fay = a_foreign_actor("friend.example", "fay")
    known = await know_actor(ward.lone.core, fay)
    await let_in(ward.lone, ward.group, known, peer)
    note = fay.note("<p>From afar</p>", to=[f"{ward.lone.core.origin}/groups/ward"])
    answer = await ward.lone.receive(fay, fay.activity("Create", note, to=[f"{ward.lone.core.origin}/groups/ward"]))
    ben = await ward.browser("ben")

    await ben.get("/groups/ward")
    [(path, _)] = THREAD_LINK.findall(ben.text)
    await ben.get(path)

    assert answer.status == 202
    assert "From afar" in ben.words and "friend.example" in ben.words


async def test_each_page_names_the_nodes_that_read(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "Between two nodes", as_="ana", title="Two")
    await village.rest()
    ben = await Browser(b).enter("ben")

    await ben.get(f"/groups/ward@{a.host}")
    group = ben.words
    [(path, _)] = THREAD_LINK.findall(ben.text)
    await ben.get(path)

    for words in (group, ben.words):
        assert "2 physicians can read this at" in words
        assert "Society" in words and "Hospital" in words
        assert "The operators of these nodes technically can too." in words
    assert "Hosted by Society" in group


async def test_t23_a_person_of_a_third_node_is_known_through_the_host(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))
    await c.post(ward, "From the clinic", as_="cleo", title="Third")
    await village.rest()
    ben = await Browser(b).enter("ben")

    await ben.get(f"/groups/ward@{a.host}")
    [(path, _)] = THREAD_LINK.findall(ben.text)
    await ben.get(path)

    assert "From the clinic" in ben.words
    assert f"Known through {a.host}" in ben.words


async def test_a_post_that_waits_for_the_host_is_shown_to_its_author_alone(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))
    posted = await a.post(ward, "A question", as_="ana", title="Rounds")
    await village.rest()
    await a.stop()
    await b.post(ward, "An answer in a storm", as_="ben", reply_to=posted["uri"])
    ben, bea = [await Browser(b).enter(handle) for handle in ("ben", "bea")]
    path = f"/groups/ward@{a.host}/threads/{posted['uri'].rpartition('/')[2]}"

    await ben.get(path)
    waiting = ben.words
    await bea.get(path)
    before = bea.words
    await a.start()
    await village.pass_time(3600)
    await ben.get(path)
    await bea.get(path)

    assert "An answer in a storm" in waiting and "Waiting for the group's host since" in waiting
    assert "An answer in a storm" not in before
    assert "An answer in a storm" in bea.words
    assert "An answer in a storm" in ben.words and "Waiting for the group's host" not in ben.words


async def test_pages_of_reading_are_small(ward: Ward) -> None:
    topic = await a_long_thread(ward, PAGE_POSTS)
    ben = await ward.browser("ben")

    sizes = {path: len((await ben.get(path)).body) for path in ("/", "/groups", "/groups/ward", page_of(topic))}

    assert {path: size for path, size in sizes.items() if size > 150_000} == {}


async def test_times_are_the_readers_own(ward: Ward, clock: FrozenClock) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    clock.advance(2 * 24 * 3600)
    ben = await ward.browser("ben")

    await ben.get(page_of(topic))
    utc = ben.words
    await ben.get("/me/settings")
    await ben.submit("settings", time_zone="Asia/Tokyo")
    await ben.get(page_of(topic))

    assert "Saturday, 12:00" in utc
    assert "Saturday, 21:00" in ben.words
    assert 'datetime="2026-11-21T12:00:00+00:00"' in ben.text
