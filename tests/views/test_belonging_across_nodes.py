"""Pages of belonging between nodes: ask elsewhere, decide for a group elsewhere, report to its staff, leave for good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser_form import Browser
from tests.support.databases import Databases
from tests.support.village import KeyPool, Node, Village, open_village

pytestmark = pytest.mark.long_on("postgresql")


@pytest.fixture(scope="session")
def key_pool() -> KeyPool:
    """Give the RSA keys of this session."""
    return KeyPool()


@pytest.fixture
async def village(
    databases: Databases, tmp_path: Path, key_pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Village]:
    """Give a village without nodes."""
    async with open_village(databases, tmp_path, key_pool, monkeypatch) as made:
        yield made


async def _browser(node: Node, handle: str) -> Browser:
    return await Browser(node).enter(handle)


async def _state(node: Node, group: str, person: str) -> str:
    row = (await node.roster(group)).get(person)
    return str(row["state"]) if row else ""


async def test_a_member_finds_a_group_elsewhere_asks_and_is_let_in_after_their_node(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana")
    ana, ben = await _browser(a, "ana"), await _browser(b, "ben")

    await ben.get("/groups/find")
    await ben.submit("find-group", address=f"ward@{a.host}")
    assert ben.path == f"/groups/ward@{a.host}/join"
    await ben.submit("join", reason="Night shifts.")
    await village.rest()
    await ana.get("/groups/ward/requests")
    await ana.submit("admit-node", confirm="1")
    await ana.submit("decide", decision="approve")
    await village.rest()

    assert await _state(b, ward, b.person("ben")) == "member"
    await ben.get(f"/groups/ward@{a.host}/members")
    assert ben.status == 200
    assert all(word in ben.words for word in ("Society", "Hospital", "Hosts the group"))


async def test_a_hidden_group_elsewhere_is_found_by_nobody_who_is_not_in_it(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await b.member("chi")
    circle = await a.group("circle", owner="ana", hidden=True)
    ana, ben = await _browser(a, "ana"), await _browser(b, "ben")
    await ana.get("/groups/circle/members")
    await ana.submit("invite", person=f"ben@{b.host}")
    await ana.submit("admit-node", confirm="1")
    await village.rest()
    await ben.get(f"/groups/circle@{a.host}/join")
    await ben.submit("join")
    await village.rest()
    assert await _state(b, circle, b.person("ben")) == "member"
    chi = await _browser(b, "chi")

    pages = []
    for handle in ("circle", "absent"):
        await chi.get("/groups/find")
        await chi.submit("find-group", address=f"{handle}@{a.host}")
        pages.append((chi.status, chi.text.replace(f"{handle}@", "@")))

    assert pages[0] == pages[1]
    assert pages[0][0] == 422


async def test_staff_elsewhere_admits_a_node_and_lets_a_person_in(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await a.run("group", "role", ward, b.person("ben"), "facilitator")
    await village.rest()
    await c.join(ward, as_="cleo")
    await village.rest()
    ben = await _browser(b, "ben")

    await ben.get(f"/groups/ward@{a.host}/requests")
    assert "One person asks to join" in ben.words
    await ben.submit("admit-node", confirm="1")
    await village.rest()
    await ben.submit("decide", decision="approve")
    await village.rest()

    assert await _state(a, ward, c.person("cleo")) == "member"
    assert await _state(c, ward, c.person("cleo")) == "member"
    await ben.get(f"/groups/ward@{a.host}/requests")
    assert "Nobody asks to join now" in ben.words


async def test_a_report_of_a_member_elsewhere_comes_before_the_groups_staff(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await a.post(ward, "The lady in bed 12.", as_="ana")
    await village.rest()
    ben, ana = await _browser(b, "ben"), await _browser(a, "ana")

    await ben.get(f"/groups/ward@{a.host}/threads/{posted['uri'].rpartition('/')[2]}/report")
    await ben.submit("report", rule="patient", note="A bed number.")
    assert ben.status == 200
    await village.rest()

    await ana.get("/groups/ward/requests")
    for said in ("It could identify a patient", "A bed number.", "Reported by Ben"):
        assert said in ana.words


async def test_who_leaves_a_group_elsewhere_and_takes_posts_back_leaves_no_words_anywhere(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    for text in ("One canary-5d1e.", "Two canary-5d1e."):
        await b.post(ward, text, as_="ben")
    await village.rest()
    ben = await _browser(b, "ben")

    await ben.get(f"/groups/ward@{a.host}/leave")
    assert "2 posts of yours stand here" in ben.words
    await a.stop()  # so that everything waits: what is taken back goes out although nothing is kept here any more
    await ben.submit("leave", posts="withdraw")
    await a.start()
    await village.pass_time(900)

    assert ben.path == "/groups"
    assert await _state(a, ward, b.person("ben")) == "left"
    assert [post["state"] for post in await a.posts(ward, as_="ana")] == ["withdrawn", "withdrawn"]
    assert "canary-5d1e" not in str(await a.content())
    assert "canary-5d1e" not in str(await b.content())


async def test_a_request_elsewhere_is_taken_back_there_too(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana")
    ben = await _browser(b, "ben")
    await ben.get("/groups/find")
    await ben.submit("find-group", address=f"ward@{a.host}")
    await ben.submit("join", reason="Night shifts.")
    await village.rest()

    await ben.get(f"/groups/ward@{a.host}/join")
    await ben.submit("take-back")
    await village.rest()

    assert await _state(a, ward, b.person("ben")) == "left"
