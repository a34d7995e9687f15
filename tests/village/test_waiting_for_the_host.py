"""Writing while the group's host cannot be reached: seen by its author alone, editable, and in order afterwards."""

from __future__ import annotations

import pytest

from node.community.members.service import require_member
from node.store.objects import get_post
from tests.support.commands import CommandRefused
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

CANARY = "wordsthatneverleave"


async def _a_ward_without_host(village: Village) -> tuple[Node, Node, str]:
    """Return a stopped host, a node with ben and bea in its group, and the group."""
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))
    await a.stop()
    return a, b, ward


async def _come_back(village: Village, a: Node) -> None:
    await a.start()
    await village.pass_time(120)


async def test_a_post_waits_seen_by_its_author_alone_and_comes_into_the_order_later(village: Village) -> None:
    a, b, ward = await _a_ward_without_host(village)

    posted = await b.post(ward, "Anybody there?", as_="ben")
    await village.rest()
    mine, others = await b.posts(ward, as_="ben"), await b.posts(ward, as_="bea")
    await _come_back(village, a)

    assert posted["state"] == "waiting_for_host"
    assert [(post["text"], post["state"], post["seq"]) for post in mine] == [
        ("Anybody there?", "waiting_for_host", None)
    ]
    assert others == []
    for handle in ("ben", "bea"):
        assert [post["state"] for post in await b.posts(ward, as_=handle)] == ["live"]
    assert await a.texts(ward, as_="ana") == ["Anybody there?"]
    assert (await b.run("status"))["waiting"]["submissions"] == 0


async def test_several_posts_and_a_reply_to_one_that_waits_keep_their_order(village: Village) -> None:
    a, b, ward = await _a_ward_without_host(village)

    first = await b.post(ward, "one", as_="ben", title="Topic")
    await b.post(ward, "two", as_="ben", reply_to=first["uri"])
    await b.post(ward, "three", as_="bea")
    await _come_back(village, a)

    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="bea")
    assert sorted(await a.texts(ward, as_="ana")) == ["one", "three", "two"]
    [reply] = [post for post in await a.posts(ward, as_="ana") if post["text"] == "two"]
    assert reply["in_reply_to"] == first["uri"]


async def test_a_waiting_post_can_be_changed(village: Village) -> None:
    a, b, ward = await _a_ward_without_host(village)
    posted = await b.post(ward, "First", as_="ben")

    await b.edit(posted["uri"], "Second", as_="ben")
    while_waiting = await b.texts(ward, as_="ben")
    await _come_back(village, a)

    assert while_waiting == ["Second"]
    assert await a.texts(ward, as_="ana") == ["Second"]
    assert await b.texts(ward, as_="bea") == ["Second"]


async def test_what_is_forgotten_before_it_left_never_leaves(village: Village) -> None:
    a, b, ward = await _a_ward_without_host(village)
    posted = await b.post(ward, CANARY, as_="ben")

    await b.edit(posted["uri"], "Somebody", as_="ben", forget_earlier=True)
    await _come_back(village, a)

    assert await a.texts(ward, as_="ana") == ["Somebody"]
    assert await b.texts(ward, as_="ben") == ["Somebody"]
    assert await village.find_kept(CANARY, a) == []
    assert village.find_said(CANARY, a) == []


async def test_a_withdrawn_waiting_post_never_leaves(village: Village) -> None:
    a, b, ward = await _a_ward_without_host(village)
    posted = await b.post(ward, CANARY, as_="ben")

    await b.run("post", "withdraw", posted["uri"], "--as", "ben")
    await _come_back(village, a)

    assert await a.texts(ward, as_="ana") == []
    assert village.find_said(CANARY, a) == []
    assert [post["state"] for post in await b.posts(ward, as_="bea")] == []


async def test_a_refused_post_goes_back_to_its_authors_drafts_with_the_reason(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    topic = await a.post(ward, "Topic", as_="ana", title="Topic")
    await village.rest()
    b.proxy.cut()
    await a.run("post", "lock", topic["uri"], "--as", "ana")
    posted = await b.post(ward, "My words", as_="ben", reply_to=topic["uri"])
    await village.rest()

    b.proxy.mend()
    await village.pass_time(60)

    [row] = await b.select("SELECT state, reason, source FROM posts WHERE uri = :uri", uri=posted["uri"])
    assert (row.state, row.source) == ("draft", "My words")
    assert "locked" in row.reason
    assert await a.texts(ward, as_="ana") == ["Topic"]


async def test_nobody_writes_in_a_group_they_were_put_out_of_meanwhile(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    b.proxy.cut()
    await a.run("group", "remove", ward, b.person("ben"), "--reason", "left", "--yes")
    await b.post(ward, CANARY, as_="ben")
    await village.rest()

    b.proxy.mend()
    await village.pass_time(60)

    assert await a.posts(ward, as_="ana") == []
    assert (await b.roster(ward))[b.person("ben")]["state"] == "removed"
    with pytest.raises(CommandRefused):
        await b.posts(ward, as_="ben")


async def test_what_was_taken_back_with_the_group_leaves_no_lane_behind(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    a.proxy.cut()  # nothing reaches the host; the host reaches everybody
    await b.post(ward, CANARY, as_="ben")
    await village.rest()

    await a.run("group", "remove", ward, b.person("ben"), "--reason", "left", "--yes")
    await village.rest()
    a.proxy.mend()
    await village.pass_time(60)

    assert all(lane["queued"] == 0 for lane in (await b.lanes(a)).values())
    assert (await b.run("status"))["at_rest"]
    assert village.find_said(CANARY, a) == []


async def test_a_submission_that_does_not_come_back_is_sent_again_and_taken_once(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    b.proxy.cut()  # the host takes it; its order does not come back
    posted = await b.post(ward, "Once", as_="ben")
    await village.rest()

    for _ in range(3):
        await village.pass_time(61)
    sent = sum(talk.sent.count(posted["uri"].encode()) for talk in a.proxy.conversations)
    b.proxy.mend()
    await village.pass_time(600)

    assert sent > 1
    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben") == ["Once"]
    assert (await b.run("status"))["waiting"]["submissions"] == 0


async def test_what_was_written_meanwhile_stands_in_the_hosts_order_on_every_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))
    await b.stop()
    topic = await a.post(ward, "at the host", as_="ana", title="Topic")
    await a.stop()
    await b.start()
    written = await b.post(ward, "while it was away", as_="ben", title="Mine")
    [before] = await b.select("SELECT post_id FROM posts WHERE uri = :uri", uri=written["uri"])

    await _come_back(village, a)

    rows = [await node.select("SELECT uri FROM posts ORDER BY post_id") for node in (a, b)]
    assert [row.uri for row in rows[0]] == [row.uri for row in rows[1]] == [topic["uri"], written["uri"]]
    [found] = await b.select("SELECT newest_post_id FROM groups WHERE staff_of IS NULL")
    [now] = await b.select("SELECT post_id, root_id, earlier_id FROM posts WHERE uri = :uri", uri=written["uri"])
    assert found.newest_post_id == now.post_id == now.root_id != before.post_id == now.earlier_id
    ben = await require_member(b.core, "ben")
    kept = await b.core.store.read(get_post, viewer_id=ben.actor_id, post_id=before.post_id)
    assert kept is not None and kept.uri == written["uri"]


@pytest.mark.parametrize("changes", [[], ["More"], ["More", "Still more"]])
async def test_t30_a_post_taken_back_while_the_host_had_it_leaves_no_words_at_its_authors_node(
    village: Village, changes: list[str]
) -> None:
    a, b, ward = await village.shared_ward()
    b.proxy.cut()  # the host takes it; its order does not come back
    posted = await b.post(ward, CANARY, as_="ben")
    for change in changes:
        await b.edit(posted["uri"], f"{change} {CANARY}", as_="ben")
    await village.rest()

    await b.run("post", "withdraw", posted["uri"], "--as", "ben")
    b.proxy.mend()
    await village.pass_time(600)

    assert await a.texts(ward, as_="ana") in ([], [""])
    kept = await b.select("SELECT kind, document FROM log_entries ORDER BY seq")
    assert [row.kind for row in kept if CANARY in row.document] == []
    assert [row.kind for row in kept if row.kind in ("create", "delete")] == ["create", "delete"]


@pytest.mark.parametrize("forget", [False, True])
async def test_t30_what_was_changed_while_the_host_had_it_is_one_post_with_its_earlier_words_or_without(
    village: Village, forget: bool
) -> None:
    a, b, ward = await village.shared_ward()
    b.proxy.cut()
    posted = await b.post(ward, CANARY, as_="ben")
    await village.rest()

    await b.edit(posted["uri"], "Second", as_="ben", forget_earlier=forget)
    b.proxy.mend()
    await village.pass_time(600)
    earlier = [await node.select("SELECT source FROM post_versions ORDER BY number") for node in (a, b)]
    kept = await b.select("SELECT document FROM log_entries WHERE kind = 'create'")

    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben") == ["Second"]
    assert [[row.source.strip() for row in rows] for rows in earlier] == ([[], []] if forget else [[CANARY]] * 2)
    assert (CANARY in kept[0].document) is not forget
    await b.run("post", "withdraw", posted["uri"], "--as", "ben")
    await village.rest()
    for node in (a, b):
        kept = await node.select("SELECT document FROM log_entries")
        assert [row for row in kept if CANARY in row.document or "Second" in row.document] == []
