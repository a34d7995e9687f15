"""Private means private: what was said in a group lies nowhere but with nodes that have a member in it (T17, T28)."""

from __future__ import annotations

from tests.support.commands import CommandRefused
from tests.support.village import Node, Village
from tests.support.waiting import until_true

CANARY = "canarywordsofthewardround"


async def _is_gone(village: Village, node: Node) -> bool:
    return not await village.find_kept(CANARY, node)


async def test_t17_no_byte_of_a_group_reaches_a_node_that_was_never_allowed(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    c = await village.node("stranger")
    await c.member("cleo")
    posted = await a.post(ward, f"{CANARY} one", as_="ana", title=CANARY)
    await village.rest()
    await b.post(ward, f"{CANARY} two", as_="ben", reply_to=posted["uri"])
    await village.rest()

    await c.add_peer(a)
    refused = []
    for words in (["group", "join", f"ward@{a.host}", "--as", "cleo"], ["group", "join", ward, "--as", "cleo"]):
        try:
            await c.run(*words)
        except CommandRefused as error:
            refused.append(error.code)
    await village.rest()

    assert refused == [1, 1]
    assert await village.find_kept(CANARY, b)
    assert village.find_said(CANARY, b)
    assert await village.find_kept(CANARY, c) == []
    assert village.find_said(CANARY, c) == []


async def test_t17_when_its_last_member_leaves_a_node_keeps_nothing_of_the_group(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))
    posted = await a.post(ward, f"{CANARY} one", as_="ana", title=CANARY)
    await village.rest()
    mine = await b.post(ward, f"{CANARY} two @ana@{a.host}", as_="ben", reply_to=posted["uri"])
    await village.rest()
    await b.edit(mine["uri"], f"{CANARY} three", as_="ben")
    await village.rest()

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()
    with_one_left = await b.texts(ward, as_="bea")
    await b.run("group", "leave", ward, "--as", "bea")
    await village.rest()

    assert with_one_left == [f"{CANARY} one", f"{CANARY} three"]
    await until_true(lambda: _is_gone(village, b))
    rows = await b.rows()
    assert [rows[table] for table in ("posts", "log_entries", "author_cards", "readers", "submissions")] == [[]] * 5


async def test_t17_a_node_that_left_is_sent_nothing_more(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()

    await a.post(ward, CANARY, as_="ana")
    await village.rest()

    assert village.find_said(CANARY, b) == []
    assert (await a.run("group", "show", ward))["nodes"][0]["host"] == a.host
    assert ward not in await a.lanes(b)


async def test_t17_a_removed_member_takes_the_copy_of_their_node_along(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, CANARY, as_="ana")
    await village.rest()

    await a.run("group", "remove", ward, b.person("ben"), "--reason", "left the hospital", "--yes")
    await a.post(ward, "After the removal", as_="ana")
    await village.rest()

    place = (await b.roster(ward))[b.person("ben")]
    assert (place["state"], place["reason"]) == ("removed", "left the hospital")
    await until_true(lambda: _is_gone(village, b))
    assert village.find_said("After the removal", b) == []


async def test_t17_a_removal_reaches_a_node_that_was_down_before_anything_else_does(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.stop()
    await a.post(ward, CANARY, as_="ana")
    await village.rest()

    await a.run("group", "remove", ward, b.person("ben"), "--reason", "left", "--yes")
    await b.start()
    await village.pass_time(60)

    assert (await b.roster(ward))[b.person("ben")]["state"] == "removed"
    assert village.find_said(CANARY, b) == []
    assert await village.find_kept(CANARY, b) == []


async def test_t28_what_is_said_in_a_group_is_never_logged(village: Village) -> None:
    a, b, ward = await village.shared_ward()

    await a.post(ward, CANARY, as_="ana")
    await b.post(ward, f"{CANARY} too", as_="ben")
    await village.rest()
    await b.stop()
    await a.post(ward, f"{CANARY} again", as_="ana")
    await village.rest()

    assert CANARY not in village.log_path.read_text()
