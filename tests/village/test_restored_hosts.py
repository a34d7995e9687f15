"""A host that comes back from an old backup: nothing that its members hold is lost, and who was put out stays out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.commands import CommandRefused
from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _backed_up(village: Village) -> tuple[Node, Node, str, str]:
    """Return a host with a post in its group, a hospital whose ben is in it, the group, and the backup of that moment."""
    a, b, ward = await village.shared_ward()
    await a.post(ward, "before", as_="ana")
    await village.rest()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    return a, b, ward, kept


async def _restore(a: Node, kept: str) -> None:
    await a.stop()
    await go_back(a, kept)
    await a.start()


async def _recover(village: Village, node: Node) -> None:
    """Let time pass until a restored node has heard who is there."""
    for _ in range(40):
        await village.pass_time(30)
        if (await node.run("status"))["state"] == "ready":
            await village.rest()
            return
    raise AssertionError("the node does not come back")


async def _log(node: Node) -> list[tuple[int, str, int]]:
    rows = await node.select(
        "SELECT l.seq, l.chain, l.epoch FROM log_entries l JOIN groups g ON g.group_id = l.group_id"
        " WHERE g.staff_of IS NULL ORDER BY l.group_id, l.seq"
    )
    return [(row.seq, row.chain, row.epoch) for row in rows]


async def _epoch(node: Node) -> int:
    [row] = await node.select("SELECT epoch FROM groups WHERE staff_of IS NULL")
    return int(row.epoch)


async def test_what_the_members_nodes_hold_comes_back_as_it_stood(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    for text in ("one", "two"):
        await a.post(ward, text, as_="ana")
    await b.post(ward, "three", as_="ben")
    await village.rest()
    log, texts = await _log(a), await a.texts(ward, as_="ana")

    await _restore(a, kept)
    await _recover(village, a)

    assert await _log(a) == log == await _log(b)
    assert await a.texts(ward, as_="ana") == texts == ["before", "one", "two", "three"]
    assert await _epoch(a) == 2
    assert (await a.run("status"))["state"] == "ready"


async def test_after_a_restore_the_log_goes_on_in_a_new_epoch_everywhere(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await a.post(ward, "lost and found", as_="ana")
    await village.rest()

    await _restore(a, kept)
    await _recover(village, a)
    await a.post(ward, "after", as_="ana")
    await b.post(ward, "answer", as_="ben")
    await village.rest()

    assert await _log(a) == await _log(b)
    assert await b.texts(ward, as_="ben") == ["before", "lost and found", "after", "answer"]
    assert [epoch for _, _, epoch in await _log(b)][-2:] == [2, 2]


async def test_who_was_removed_stays_out_when_the_host_is_restored_with_all_peers_down(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await a.run("group", "remove", ward, b.person("ben"), "--yes")
    await village.rest()
    await b.stop()

    await _restore(a, kept)
    await _recover(village, a)
    await a.post(ward, "not for ben", as_="ana")
    await b.start()
    await village.pass_time(600)

    roster = await a.roster(ward)
    assert roster[b.person("ben")]["state"] == "removed"
    assert await b.select("SELECT post_id FROM posts") == []
    assert village.find_said("not for ben", b) == []


async def test_who_joined_after_the_backup_is_still_in(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))

    await _restore(a, kept)
    await _recover(village, a)
    await a.post(ward, "for all", as_="ana")
    await village.rest()

    assert "for all" in await b.texts(ward, as_="bea")


async def test_what_was_erased_after_the_backup_stays_erased(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    [before] = await a.posts(ward, as_="ana")
    await a.run("post", "withdraw", before["uri"], "--as", "ana")
    later = await a.post(ward, "canary of the second", as_="ana")
    await a.run("post", "withdraw", later["uri"], "--as", "ana")
    await village.rest()

    await _restore(a, kept)
    await _recover(village, a)

    assert {post["state"] for post in await a.posts(ward, as_="ana")} == {"withdrawn"}
    assert await village.find_kept("canary of the second", a) == []
    assert await _log(a) == await _log(b)


async def test_until_the_members_nodes_were_asked_nothing_gets_a_number(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await a.post(ward, "only b has it", as_="ana")
    await village.rest()
    await b.stop()

    await _restore(a, kept)
    await village.pass_time(60)
    state = (await a.run("status"))["state"]
    with pytest.raises(CommandRefused, match="restored from a backup"):
        await a.post(ward, "too early", as_="ana")
    reading = await a.texts(ward, as_="ana")
    await b.start()
    await _recover(village, a)
    await a.post(ward, "in time", as_="ana")
    await village.rest()

    assert (state, reading) == ("recovering", ["before"])
    assert await a.texts(ward, as_="ana") == ["before", "only b has it", "in time"] == await b.texts(ward, as_="ben")


async def _with_a_second_node(village: Village) -> tuple[Node, Node, Node, str, str]:
    """Return a host, a hospital and a practice with ben and dora in its group, the group, and a backup of the host."""
    a, b, ward = await village.shared_ward()
    d = await village.node("practice")
    await village.befriend(a, d)
    await d.member("dora")
    await village.let_in(a, ward, (d, "dora"))
    await a.post(ward, "before", as_="ana")
    await village.rest()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    return a, b, d, ward, kept


async def test_what_a_node_brings_too_late_is_said_anew_at_the_end_on_all_nodes(village: Village) -> None:
    a, b, d, ward, kept = await _with_a_second_node(village)
    await b.stop()
    late = await d.post(ward, "late", as_="dora")
    await a.post(ward, "of the host", as_="ana")
    await village.rest()
    await d.stop()

    await _restore(a, kept)
    await b.start()
    await _recover(village, a)
    await a.post(ward, "after", as_="ana")
    await village.rest()
    await d.start()
    for _ in range(12):
        await village.pass_time(60)

    texts = await a.texts(ward, as_="ana")
    assert sorted(texts) == ["after", "before", "late", "of the host"]
    assert texts[:2] == ["before", "after"]
    assert await b.texts(ward, as_="ben") == texts == await d.texts(ward, as_="dora")
    assert await _log(a) == await _log(b) == await _log(d)
    assert [post["uri"] for post in await b.posts(ward, as_="ben") if post["text"] == "late"] == [late["uri"]]
    assert [await node.select("SELECT chain FROM orphans") for node in (a, b, d)] == [[], [], []]


async def test_a_restore_that_nobody_declared_is_noticed_and_mended(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await a.post(ward, "lost", as_="ana")
    await village.rest()
    log = await _log(a)

    await a.stop()
    await go_back(a, kept, is_declared=False)
    await a.start()
    for _ in range(12):
        await village.pass_time(60)

    assert await _log(a) == log == await _log(b)
    assert await _epoch(a) == 2


async def test_a_host_that_wrote_on_after_an_undeclared_restore_loses_neither_history(village: Village) -> None:
    a, b, ward, kept = await _backed_up(village)
    await a.post(ward, "lost", as_="ana")
    await village.rest()
    await b.stop()

    await a.stop()
    await go_back(a, kept, is_declared=False)
    await a.start()
    await a.post(ward, "written on", as_="ana")
    await b.start()
    for _ in range(20):
        await village.pass_time(60)

    assert sorted(await a.texts(ward, as_="ana")) == ["before", "lost", "written on"]
    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben")
    assert await _log(a) == await _log(b)


async def test_nobody_stays_signed_in_over_a_restore(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    await a.run("member", "token", "ana", "--scopes", "read")
    await a.stop()
    kept = await take_snapshot(a)

    await go_back(a, kept)
    await a.start()

    [row] = await a.select("SELECT COUNT(*) AS n FROM api_tokens WHERE revoked_at IS NULL")
    assert row.n == 0


async def test_t17_what_a_copy_kept_for_its_host_goes_with_the_copy(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "canary that is kept", as_="ana")
    await village.rest()
    await b.core.store.write(_keep_newest)

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()

    assert "canary that is kept" not in str(await b.rows())


async def _keep_newest(tx: Any) -> None:
    """Keep the newest entry outside the log too, as a copy does that was cut."""
    await tx.run(
        "INSERT INTO orphans (group_id, chain, activity_uri, seq, epoch, document, asks, kept_at)"
        " SELECT group_id, chain, activity_uri, seq, epoch, document, 0, 0 FROM log_entries ORDER BY seq DESC LIMIT 1"
    )
