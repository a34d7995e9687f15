"""What members write, change and take back, as every node of the group shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.commands import CommandRefused
from tests.support.village import Node, Village
from tests.support.waiting import until_true

CANARY = "nameofapatientbymistake"
_BREAK = {
    "sqlite": "CREATE TRIGGER breaks BEFORE INSERT ON posts WHEN NEW.html LIKE '%poison%' BEGIN SELECT RAISE(ABORT, 'no'); END",
    "postgresql": "ALTER TABLE posts ADD CONSTRAINT breaks CHECK (html NOT LIKE '%poison%') NOT VALID",
}
_MEND = {"sqlite": "DROP TRIGGER breaks", "postgresql": "ALTER TABLE posts DROP CONSTRAINT breaks"}


async def _both(a: Node, b: Node, ward: str) -> list[dict[str, Any]]:
    """Return the posts of a group, which both nodes show alike but for who is known through whom."""
    at_host, elsewhere = await a.posts(ward, as_="ana"), await b.posts(ward, as_="ben")
    assert at_host == elsewhere
    return at_host


async def _is_gone(village: Village, node: Node) -> bool:
    return not await village.find_kept(CANARY, node)


async def test_topics_and_replies_have_one_order_everywhere(village: Village) -> None:
    a, b, ward = await village.shared_ward()

    topic = await a.post(ward, "What do you do at *night*?", as_="ana", title="Night shifts")
    await village.rest()
    reply = await b.post(ward, "Sleep.", as_="ben", reply_to=topic["uri"])
    await village.rest()
    await a.post(ward, "Lucky you.", as_="ana", reply_to=reply["uri"])
    await village.rest()

    posts = await _both(a, b, ward)
    assert [post["text"] for post in posts] == ["What do you do at *night*?", "Sleep.", "Lucky you."]
    assert [post["in_reply_to"] for post in posts] == [None, topic["uri"], reply["uri"]]
    assert posts[0]["title"] == "Night shifts"
    assert [post["seq"] for post in posts] == sorted(post["seq"] for post in posts)


async def test_a_content_warning_and_mentions_arrive(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    first = await a.post(ward, "Hello", as_="ana")
    await village.rest()

    await b.post(ward, f"Ask @ana@{a.host}", as_="ben", warning="Blood", reply_to=first["uri"])
    await village.rest()

    [_, post] = await _both(a, b, ward)
    assert post["warning"] == "Blood"
    for node in (a, b):
        mentions = await node.select("SELECT actor_uri FROM mentions")
        assert [row.actor_uri for row in mentions] == [a.person("ana")], node.host


async def test_many_posts_from_both_sides_at_once_are_in_one_order_and_none_is_missing(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    wanted = set()

    for number in range(15):
        wanted |= {f"a{number}", f"b{number}"}
        await a.post(ward, f"a{number}", as_="ana")
        await b.post(ward, f"b{number}", as_="ben")
    await village.rest()

    posts = await _both(a, b, ward)
    texts = [post["text"] for post in posts]
    assert len(texts) == 30
    assert set(texts) == wanted
    assert [text for text in texts if text[0] == "b"] == [f"b{number}" for number in range(15)]
    logs = [(await node.run("group", "show", ward))["log"] for node in (a, b)]
    assert logs[0] == logs[1]


async def test_an_edit_shows_the_new_text_and_keeps_the_earlier_one(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await b.post(ward, "First", as_="ben")
    await village.rest()

    await b.edit(posted["uri"], "Second", as_="ben")
    await village.rest()

    [post] = await _both(a, b, ward)
    assert post["text"] == "Second"
    assert post["edited_at"] is not None
    for node in (a, b):
        assert [row.source for row in await node.select("SELECT source FROM post_versions")] == ["First"], node.host


async def test_the_earlier_text_is_erased_on_every_node_when_its_author_asks(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await b.post(ward, f"{CANARY} was here", as_="ben")
    await village.rest()
    await b.edit(posted["uri"], f"{CANARY} was there", as_="ben")
    await village.rest()

    await b.edit(posted["uri"], "Somebody was here", as_="ben", forget_earlier=True)
    await village.rest()

    assert [post["text"] for post in await _both(a, b, ward)] == ["Somebody was here"]
    for node in (a, b):
        await until_true(lambda node=node: _is_gone(village, node))  # type: ignore[misc]
        assert await node.select("SELECT * FROM post_versions") == []
    logs = [(await node.run("group", "show", ward))["log"] for node in (a, b)]
    assert logs[0] == logs[1]


async def _a_late_node(village: Village, a: Node, ward: str) -> Node:
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))
    return c


async def test_a_node_that_joins_after_an_erasure_checks_the_whole_chain_and_gets_no_erased_word(
    village: Village,
) -> None:
    a, b, ward = await village.shared_ward()
    posted = await b.post(ward, CANARY, as_="ben")
    await village.rest()
    await b.edit(posted["uri"], "Somebody", as_="ben", forget_earlier=True)
    await village.rest()
    taken_back = await a.post(ward, CANARY, as_="ana")
    await a.run("post", "withdraw", taken_back["uri"], "--as", "ana")

    c = await _a_late_node(village, a, ward)

    assert village.find_said(CANARY, c) == []
    assert await village.find_kept(CANARY, c) == []
    assert (await c.run("group", "show", ward))["log"] == (await a.run("group", "show", ward))["log"]


async def test_an_edit_that_erased_the_first_text_stands_alone_for_who_joins_later(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await b.post(ward, CANARY, as_="ben", title="Topic")
    await village.rest()
    await b.edit(posted["uri"], "Somebody", as_="ben", forget_earlier=True)
    await village.rest()

    c = await _a_late_node(village, a, ward)

    assert [(post["uri"], post["text"]) for post in await c.posts(ward, as_="cleo")] == [(posted["uri"], "Somebody")]


async def test_a_withdrawn_post_leaves_its_place_and_none_of_its_words(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await a.post(ward, CANARY, as_="ana", title=CANARY, warning=CANARY)
    await village.rest()
    await b.post(ward, "A reply", as_="ben", reply_to=posted["uri"])
    await village.rest()

    await a.run("post", "withdraw", posted["uri"], "--as", "ana")
    await village.rest()

    first, second = await _both(a, b, ward)
    assert (first["state"], first["text"], first["title"], first["warning"]) == ("withdrawn", "", None, None)
    assert (second["state"], second["in_reply_to"]) == ("live", posted["uri"])
    for node in (a, b):
        await until_true(lambda node=node: _is_gone(village, node))  # type: ignore[misc]


async def test_staff_remove_a_post_and_everybody_sees_why(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await b.post(ward, CANARY, as_="ben")
    await village.rest()

    await a.run("post", "remove", posted["uri"], "--as", "ana", "--reason", "It names a patient.")
    await village.rest()

    [post] = await _both(a, b, ward)
    assert (post["state"], post["reason"], post["text"]) == ("removed", "It names a patient.", "")
    for node in (a, b):
        await until_true(lambda node=node: _is_gone(village, node))  # type: ignore[misc]


async def test_a_moderator_elsewhere_removes_locks_and_pins(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "role", ward, b.person("ben"), "moderator")
    await village.rest()
    [kept, removed] = [await a.post(ward, text, as_="ana", title=text) for text in ("Keep", "Remove")]
    await village.rest()

    await b.run("post", "remove", removed["uri"], "--as", "ben", "--reason", "Twice the same.")
    await b.run("post", "pin", kept["uri"], "--as", "ben")
    await b.run("post", "lock", kept["uri"], "--as", "ben")
    await village.rest()

    first, second = await _both(a, b, ward)
    assert (first["pinned"], first["locked"], first["state"]) == (True, True, "live")
    assert (second["state"], second["reason"]) == ("removed", "Twice the same.")


async def test_a_plain_member_neither_removes_nor_locks_nor_pins(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await a.post(ward, "Keep", as_="ana")
    await village.rest()

    for words in (["remove", posted["uri"], "--reason", "I dislike it."], ["pin", posted["uri"]],
                  ["lock", posted["uri"]], ["withdraw", posted["uri"]]):  # fmt: skip
        with pytest.raises(CommandRefused):
            await b.run("post", *words, "--as", "ben")
    with pytest.raises(CommandRefused):
        await b.edit(posted["uri"], "Mine", as_="ben")
    await village.rest()

    [post] = await _both(a, b, ward)
    assert (post["state"], post["pinned"], post["locked"], post["text"]) == ("live", False, False, "Keep")


async def test_a_locked_thread_takes_no_reply_until_it_is_opened_again(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    topic = await a.post(ward, "Topic", as_="ana", title="Topic")
    await a.run("post", "lock", topic["uri"], "--as", "ana")
    await village.rest()

    with pytest.raises(CommandRefused, match="locked"):
        await b.post(ward, "But", as_="ben", reply_to=topic["uri"])
    await a.run("post", "unlock", topic["uri"], "--as", "ana")
    await village.rest()
    await b.post(ward, "At last", as_="ben", reply_to=topic["uri"])
    await village.rest()

    assert [post["text"] for post in await _both(a, b, ward)] == ["Topic", "At last"]


async def test_what_staff_say_in_a_locked_thread_does_not_open_it(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    topic = await a.post(ward, "Topic", as_="ana", title="Topic")
    await a.run("post", "lock", topic["uri"], "--as", "ana")
    last = await a.post(ward, "Enough of this.", as_="ana", reply_to=topic["uri"])
    await village.rest()

    with pytest.raises(CommandRefused, match="locked"):
        await b.post(ward, "But", as_="ben", reply_to=last["uri"])

    assert [post["text"] for post in await _both(a, b, ward)] == ["Topic", "Enough of this."]


async def test_pins_are_taken_off_again(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await a.post(ward, "Rules", as_="ana")
    await a.run("post", "pin", posted["uri"], "--as", "ana")
    await village.rest()
    pinned = [post["pinned"] for post in await _both(a, b, ward)]

    await a.run("post", "unpin", posted["uri"], "--as", "ana")
    await village.rest()

    assert pinned == [True]
    assert [post["pinned"] for post in await _both(a, b, ward)] == [False]


async def test_an_entry_that_cannot_be_applied_is_a_dead_letter_and_what_comes_behind_it_is_there(
    village: Village, database_kind: str
) -> None:
    a, b, ward = await village.shared_ward()
    await b.core.store.script([_BREAK[database_kind]])
    for text in ("before", "poison", "behind"):
        await a.post(ward, text, as_="ana")
    await village.rest()
    for _ in range(4):
        await village.pass_time(1600)
    shown = await b.texts(ward, as_="ben")
    letters = (await b.run("deadletter", "list"))["deadletters"]

    await b.core.store.script([_MEND[database_kind]])
    await b.run("deadletter", "retry", str(letters[0]["id"]))
    await village.rest()

    assert shown == ["before", "behind"]
    assert [(each["direction"], each["peer"]) for each in letters] == [("in", a.host)]
    assert letters[0]["activity"].startswith(f"{ward}/log/")
    assert await b.texts(ward, as_="ben") == ["before", "poison", "behind"]
    assert (await b.run("deadletter", "list"))["deadletters"] == []
