"""What was decided after a backup holds after it was put back: roles, verifications, bans, deletions nobody else saw."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from node.community.verification.recording import change_state
from tests.support.commands import CommandRefused
from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _keep(node: Node) -> str:
    await node.stop()
    kept = await take_snapshot(node)
    await node.start()
    return kept


async def _put_back(village: Village, node: Node, kept: str) -> None:
    await node.stop()
    await go_back(node, kept)
    await node.start()
    for _ in range(40):
        await village.pass_time(30)
        if (await node.run("status"))["state"] == "ready":
            await village.rest()
            return
    raise AssertionError("the node does not come back")


async def test_who_was_staff_no_more_is_not_staff_again(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "role", ward, b.person("ben"), "moderator")
    await village.rest()
    kept = await _keep(a)
    await a.run("group", "role", ward, b.person("ben"), "member")
    await village.rest()

    await _put_back(village, a, kept)

    assert (await a.roster(ward))[b.person("ben")]["role"] == "member"


async def test_a_verification_that_was_revoked_is_not_current_again(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    kept = await _keep(a)
    await change_state(a.core, "ana", "revoked", by="vera", reason="a letter came")

    await _put_back(village, a, kept)

    [row] = await a.select("SELECT state FROM verifications")
    [member] = await a.select("SELECT assurance FROM members WHERE handle = 'ana'")
    assert (row.state, member.assurance) == ("revoked", "A0")


async def test_who_asked_and_was_banned_since_the_backup_is_banned(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    kept = await _keep(a)
    await b.join(ward, as_="bea")
    await village.rest()
    await a.run("group", "ban", ward, b.person("bea"), "--yes")
    await village.rest()

    await _put_back(village, a, kept)

    assert (await a.roster(ward))[b.person("bea")]["state"] == "banned"


async def test_who_asked_again_after_a_removal_still_asks(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "remove", ward, b.person("ben"), "--yes")
    await village.rest()
    await b.join(ward, as_="ben")
    await village.rest()
    kept = await _keep(a)

    await _put_back(village, a, kept)

    assert (await a.roster(ward))[b.person("ben")]["state"] == "requested"


async def test_a_deletion_that_no_other_node_had_seen_is_said_again(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    post = await a.post(ward, "canary of a bad night", as_="ana")
    await village.rest()
    kept = await _keep(a)
    await b.stop()
    await a.run("post", "withdraw", post["uri"], "--as", "ana")

    await a.stop()
    await go_back(a, kept)
    await b.start()
    await a.start()
    for _ in range(12):
        await village.pass_time(30)

    assert [each["state"] for each in await b.posts(ward, as_="ben")] == ["removed"]
    assert await village.find_kept("canary of a bad night", a) == []
    assert await village.find_kept("canary of a bad night", b) == []


async def test_words_that_were_erased_and_are_handed_over_late_are_taken_back_there(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    kept = await _keep(a)
    post = await a.post(ward, "canary that came late", as_="ana")
    await village.rest()
    await b.stop()
    await a.run("post", "withdraw", post["uri"], "--as", "ana")

    await a.stop()
    await go_back(a, kept)
    await a.start()
    await a.run("recovering", "end", ward)
    for _ in range(4):
        await village.pass_time(10)
    await a.post(ward, "the log goes on", as_="ana")
    await b.start()
    for _ in range(20):
        await village.pass_time(60)

    assert "canary that came late" not in await b.texts(ward, as_="ben")
    assert await village.find_kept("canary that came late", a) == []
    assert await village.find_kept("canary that came late", b) == []
    assert await b.select("SELECT chain FROM orphans") == []


async def test_a_picture_of_a_deleted_post_goes_again(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    out = io.BytesIO()
    Image.new("RGB", (24, 16), "red").save(out, "PNG")
    words = ["--image-data", base64.b64encode(out.getvalue()).decode(), "--alt", "A red field"]
    post = await a.run("post", "add", ward, "--as", "ana", *words, text="Look")
    kept = await _keep(a)
    await a.run("post", "withdraw", post["uri"], "--as", "ana")
    before = await a.select("SELECT sha256 FROM media")

    await _put_back(village, a, kept)

    assert await a.select("SELECT sha256 FROM media") == before == []
    assert [path for path in a.core.media_folder.rglob("*") if path.is_file()] == []


async def test_an_operator_ends_the_waiting_for_a_node_that_is_gone(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    kept = await _keep(a)
    await b.stop()
    await a.stop()
    await go_back(a, kept)
    await a.start()
    await village.pass_time(10)

    waiting = (await a.run("recovering", "list"))["groups"]
    await a.run("recovering", "end", ward)
    for _ in range(4):
        await village.pass_time(10)

    assert [(each["group"], each["unheard"]) for each in waiting] == [("ward", [b.host])]
    assert (await a.run("recovering", "list"))["groups"] == []
    await a.post(ward, "on we go", as_="ana")
    with pytest.raises(CommandRefused, match="does not wait"):
        await a.run("recovering", "end", ward)
    assert "group.stop_waiting" in {line["action"] for line in await a.audit()}
