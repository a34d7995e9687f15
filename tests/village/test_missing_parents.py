"""A reply whose parent the host lacks: the host asks for the parent, waits a bounded time, then keeps a place free."""

from __future__ import annotations

import pytest

from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Village

pytestmark = pytest.mark.long_on("postgresql")


async def test_a_parent_that_the_host_lost_is_fetched_from_the_node_of_who_replies(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "before", as_="ana")
    await village.rest()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    parent = await b.post(ward, "parent", as_="ben")
    await village.rest()
    await b.stop()
    await a.stop()
    await go_back(a, kept)
    await a.start()
    await a.run("recovering", "end", ward)
    for _ in range(4):
        await village.pass_time(10)
    await a.post(ward, "the log goes on", as_="ana")

    await b.start()
    await b.post(ward, "reply", as_="ben", reply_to=parent["uri"])
    for _ in range(20):
        await village.pass_time(30)

    texts = await a.texts(ward, as_="ana")
    assert texts == ["before", "the log goes on", "parent", "reply"] == await b.texts(ward, as_="ben")
    [row] = await a.select("SELECT parent_id FROM posts WHERE source = 'reply'")
    assert row.parent_id is not None


async def test_a_reply_whose_parent_never_comes_is_taken_with_its_place_kept_free(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)
    lost = f"{peer.origin}/posts/lost"

    await peer.send(f"{ward}/inbox", peer.create(dora, ward, "Reply", inReplyTo=lost), dora)
    await peer.send(f"{ward}/inbox", peer.create(dora, ward, "Something else"), dora)
    await village.rest()
    at_first = await a.texts(ward, as_="ana")
    for _ in range(9):
        await village.pass_time(13)

    assert at_first == ["Something else"], "nobody waits for one who waits"
    assert await b.texts(ward, as_="ben") == ["Something else", "Reply"]
    [row] = await b.select("SELECT in_reply_to, parent_id FROM posts WHERE in_reply_to IS NOT NULL")
    assert (row.in_reply_to, row.parent_id) == (lost, None)
    assert peer.received("Reject") == []


@pytest.mark.parametrize("comes_later", [True, False])
async def test_a_post_whose_deletion_came_first_is_never_shown(village: Village, comes_later: bool) -> None:
    a, b, ward = await village.shared_ward()
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)
    create = peer.create(dora, ward, "canary that was taken back")
    deletion = peer.submit("Delete", dora, ward, create["object"]["id"])

    await peer.send(f"{ward}/inbox", deletion, dora)
    await village.rest()
    for _ in range(9 if comes_later else 2):
        await village.pass_time(13)
    await peer.send(f"{ward}/inbox", create, dora)
    for _ in range(9):
        await village.pass_time(13)

    shown = [post for post in await b.posts(ward, as_="ben") if post["state"] == "live"]
    assert shown == []
    assert "canary that was taken back" not in str(await b.rows())
