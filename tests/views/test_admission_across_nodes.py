"""A node is let in by two people where the group asks for it; a yes to a person waits until then; outsiders are told."""

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


async def _three(village: Village) -> tuple[Node, Node, Node, str]:
    """Return A with Ana's group, which asks for two people; B with Ben, outside; D with its facilitator Dee."""
    a, b, d = [await village.node(name) for name in ("society", "hospital", "college")]
    await village.befriend(a, b)
    await village.befriend(a, d)
    for node, handle in ((a, "ana"), (b, "ben"), (d, "dee")):
        await node.member(handle)
    ana = await Browser(a).enter("ana")
    await ana.get("/groups/new")
    await ana.submit(
        "new-group", title="Ward", handle="ward", policy="request", history="all", two_people="1",
        purpose="Nights.", rules="Sources,\nnot rumours.", questions="Where do you work?\nWhich nights?",
    )  # fmt: skip
    ward = f"{a.origin}/groups/ward"
    await d.join(ward, as_="dee")
    await village.rest()
    for _ in range(2):  # its operator and Ana: two people
        await ana.get("/groups/ward/requests")
        await ana.submit("admit-node", confirm="1") if _ else await a.run("group", "admit", ward, d.host, "--yes")
    await a.approve(ward, d.person("dee"))
    await a.run("group", "role", ward, d.person("dee"), "facilitator")
    await village.rest()
    return a, b, d, ward


async def _state(node: Node, group: str, person: str) -> str:
    row = (await node.roster(group)).get(person)
    return str(row["state"]) if row else ""


async def test_outsiders_are_told_what_a_group_asks_and_who_can_read_it(village: Village) -> None:
    a, b, d, _ = await _three(village)
    ben = await Browser(b).enter("ben")

    await ben.get("/groups/find")
    await ben.submit("find-group", address=f"ward@{a.host}")

    told = (
        "Nights.",
        "Sources,",
        "not rumours.",
        "Where do you work?",
        "Which nights?",
        "1–9 members",
        d.host,
        "Society",
    )
    assert [word for word in told if word not in ben.words] == []


async def test_two_people_admit_a_node_and_a_yes_from_elsewhere_waits_for_them(village: Village) -> None:
    a, b, d, ward = await _three(village)
    ana, dee = await Browser(a).enter("ana"), await Browser(d).enter("dee")
    await b.join(ward, as_="ben")
    await village.rest()

    await dee.get(f"/groups/ward@{a.host}/requests")
    await dee.submit("admit-node", confirm="1")
    await dee.submit("decide", decision="approve")
    await village.rest()
    between = await _state(a, ward, b.person("ben"))
    nodes = len(await a.select("SELECT peer_id FROM admissions"))
    await ana.get("/groups/ward/requests")
    seen = ana.words
    await ana.submit("admit-node", confirm="1")
    await village.rest()

    assert (between, nodes) == ("requested", 2)  # of Dee's node: the group, and its companion
    assert f"dee@{d.host} has agreed" in seen and f"dee@{d.host} has said yes to this person" in seen
    assert await _state(b, ward, b.person("ben")) == "member"
    assert await a.select("SELECT subject FROM assents") == []
    actions = [(row["actor"], row["action"]) for row in await a.audit() if row["action"].startswith("group.admit")]
    assert (f"dee@{d.host}", "group.admit_first") in actions and ("ana", "group.admit") in actions


async def test_one_person_who_agrees_twice_is_one_person(village: Village) -> None:
    a, b, _, ward = await _three(village)
    ana = await Browser(a).enter("ana")
    await b.join(ward, as_="ben")
    await village.rest()

    for _ in range(2):
        await ana.get("/groups/ward/requests")
        await ana.submit("admit-node", confirm="1")
    await village.rest()

    assert len(await a.select("SELECT peer_id FROM admissions")) == 2
    assert "A second person must agree" in ana.words or "second person" in ana.words


async def test_a_yes_is_forgotten_with_the_request_it_was_for(village: Village) -> None:
    a, b, d, ward = await _three(village)
    dee = await Browser(d).enter("dee")
    await b.join(ward, as_="ben")
    await village.rest()
    await dee.get(f"/groups/ward@{a.host}/requests")
    await dee.submit("admit-node", confirm="1")
    await dee.submit("decide", decision="approve")
    await village.rest()

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()
    await a.run("group", "admit", ward, b.host, "--yes")
    await village.rest()

    assert await _state(a, ward, b.person("ben")) == "left"


async def test_t15_t17_a_yes_counts_no_more_once_its_giver_has_left_the_staff(village: Village) -> None:
    a, b, d, ward = await _three(village)
    ana, dee = await Browser(a).enter("ana"), await Browser(d).enter("dee")
    await b.join(ward, as_="ben")
    await village.rest()
    await dee.get(f"/groups/ward@{a.host}/requests")
    await dee.submit("admit-node", confirm="1")
    await dee.submit("decide", decision="approve")
    await village.rest()
    await a.run("group", "role", ward, d.person("dee"), "member")
    await village.rest()

    await ana.get("/groups/ward/requests")
    seen = ana.words
    await ana.submit("admit-node", confirm="1")
    await village.rest()
    alone = len(await a.select("SELECT peer_id FROM admissions"))
    await a.run("group", "admit", ward, b.host, "--yes")
    await village.rest()

    assert f"dee@{d.host} has agreed" not in seen and f"dee@{d.host} has said yes" not in seen
    assert (alone, len(await a.select("SELECT peer_id FROM admissions"))) == (1, 2)
    assert await _state(a, ward, b.person("ben")) == "requested"


async def test_t17_a_facilitator_whose_node_calls_them_otherwise_is_still_one_person(village: Village) -> None:
    a, b, _, ward = await _three(village)
    peer = await village.foreign_friend(a)
    fay = peer.person("fay")
    await peer.send(f"{ward}/inbox", peer.activity("Follow", fay, ward, to=[ward]), fay)
    await village.rest()
    ana = await Browser(a).enter("ana")
    await ana.get("/groups/ward/requests")
    await ana.submit("admit-node", confirm="1")
    await a.run("group", "admit", ward, peer.host, "--yes")
    await a.approve(ward, fay.uri)
    await a.run("group", "role", ward, fay.uri, "facilitator")
    await village.rest()
    before = len(await a.select("SELECT peer_id FROM admissions"))

    for name, keys in (("fay", "fay"), ("faye", "renewed")):
        fay.more["preferredUsername"] = name
        fay.rsa = peer.person(keys).rsa
        vote = peer.submit("Add", fay, ward, f"{b.origin}/actor", target=f"{ward}/nodes")
        assert (await peer.send(f"{ward}/inbox", vote, fay)).status == 202
        await village.rest()

    [row] = await a.select("SELECT handle FROM actors WHERE uri = :uri", uri=fay.uri)
    assert row.handle == "faye"
    assert len(await a.select("SELECT peer_id FROM admissions")) == before
