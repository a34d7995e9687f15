"""A hosts a group; B and D are peers of A and know nothing of each other. B never speaks to D (wire.md 4.9)."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.community.distance import service as distance
from node.community.members.service import require_member
from tests.support.commands import CommandRefused
from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _a_triangle(village: Village) -> tuple[Node, Node, Node, str]:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))
    return a, b, d, ward


async def _a_foreign_triangle(village: Village) -> tuple[Node, Node, ForeignPeer, ForeignActor, str]:
    """Return A, B and an outside party as D, whose dora is in the group."""
    a, b, ward = await village.shared_ward()
    d = await village.foreign_friend(a)
    dora = d.person("dora")
    await village.let_foreign_in(a, ward, d, dora)
    return a, b, d, dora, ward


async def test_posts_of_a_peers_peer_are_read_and_labelled_as_known_through_the_host(village: Village) -> None:
    a, b, d, ward = await _a_triangle(village)

    await d.post(ward, "From afar", as_="dan", title="Topic")
    await village.rest()
    [post] = await b.posts(ward, as_="ben")
    await b.post(ward, "And back", as_="ben", reply_to=post["uri"])
    await village.rest()

    assert (post["author"], post["name"], post["known_through"]) == (d.person("dan"), "Dan", a.host)
    assert [post["known_through"] for post in await d.posts(ward, as_="dan")] == [None, a.host]
    assert [post["known_through"] for post in await a.posts(ward, as_="ana")] == [None, None]
    assert await d.texts(ward, as_="dan") == ["From afar", "And back"]


async def test_members_nodes_that_do_not_know_each_other_exchange_no_byte(village: Village) -> None:
    a, b, d, ward = await _a_triangle(village)

    first = await d.post(ward, "From afar", as_="dan")
    await village.rest()
    await b.post(ward, f"Thanks @dan@{d.host}", as_="ben", reply_to=first["uri"])
    await village.rest()
    await d.edit(first["uri"], "Changed", as_="dan")
    await village.rest()

    assert {talk.client for talk in b.proxy.conversations} == {a.host}
    assert {talk.client for talk in d.proxy.conversations} == {a.host}


async def test_nobody_writes_privately_to_somebody_known_through_a_host_alone(village: Village) -> None:
    _, b, d, ward = await _a_triangle(village)
    await d.post(ward, "From afar", as_="dan")
    await village.rest()

    with pytest.raises(CommandRefused, match="does not talk to"):
        await b.run("message", "send", d.person("dan"), "--as", "ben", text="Psst")

    assert await b.messages(as_="ben") == []


async def test_an_author_of_an_unknown_node_is_shown_and_never_contacted(village: Village) -> None:
    a, b, d, dora, ward = await _a_foreign_triangle(village)

    await d.send(f"{ward}/inbox", d.create(dora, ward, "From elsewhere"), dora)
    await village.rest()

    [post] = await b.posts(ward, as_="ben")
    assert (post["author"], post["text"].strip(), post["known_through"]) == (dora.uri, "From elsewhere", a.host)
    assert {each.key_id.partition("/actor")[0].partition("/groups")[0] for each in d.requests if each.key_id} == {
        a.origin
    }


async def test_a_changed_name_comes_as_a_new_card_before_the_next_post(village: Village) -> None:
    a, b, d, dora, ward = await _a_foreign_triangle(village)
    await d.send(f"{ward}/inbox", d.create(dora, ward, "As Dora"), dora)
    await village.rest()

    dora.name = "Dr. Dora"
    told = await d.send(f"{a.origin}/inbox", d.activity("Update", dora, dora.document, to=[f"{a.origin}/actor"]), dora)
    await village.rest()
    await d.send(f"{ward}/inbox", d.create(dora, ward, "As Dr. Dora"), dora)
    await village.rest()

    assert told.status == 202
    assert [post["name"] for post in await b.posts(ward, as_="ben")] == ["Dr. Dora", "Dr. Dora"]
    assert await _names_on_cards(b, dora.uri) == ["Dora", "Dr. Dora"]


async def test_a_new_key_comes_as_a_new_card_and_proves_what_is_said_from_then_on(village: Village) -> None:
    a, b, d, dora, ward = await _a_foreign_triangle(village)
    await d.send(f"{ward}/inbox", d.create(dora, ward, "By the old key"), dora)
    await village.rest()

    dora.ed25519 = Ed25519PrivateKey.generate()
    await d.send(f"{a.origin}/inbox", d.activity("Update", dora, dora.document, to=[f"{a.origin}/actor"]), dora)
    await village.rest()
    await d.send(f"{ward}/inbox", d.create(dora, ward, "By the new key"), dora)
    await village.rest()

    assert [text.strip() for text in await b.texts(ward, as_="ben")] == ["By the old key", "By the new key"]
    assert len(await _names_on_cards(b, dora.uri)) == 2


async def test_who_joins_later_judges_each_entry_by_the_key_that_was_in_force_then(village: Village) -> None:
    a, _, d, dora, ward = await _a_foreign_triangle(village)
    await d.send(f"{ward}/inbox", d.create(dora, ward, "By the old key"), dora)
    await village.rest()
    dora.ed25519 = Ed25519PrivateKey.generate()
    await d.send(f"{a.origin}/inbox", d.activity("Update", dora, dora.document, to=[f"{a.origin}/actor"]), dora)
    await village.rest()
    await d.send(f"{ward}/inbox", d.create(dora, ward, "By the new key"), dora)
    await village.rest()

    e = await village.node("latecomer")
    await village.befriend(a, e)
    await e.member("eva")
    await village.let_in(a, ward, (e, "eva"))

    assert [text.strip() for text in await e.texts(ward, as_="eva")] == ["By the old key", "By the new key"]


async def test_a_card_that_the_authors_own_node_contradicts_is_held_and_told_to_the_groups_host(
    village: Village,
) -> None:
    a, _, d, dora, ward = await _a_foreign_triangle(village)
    await d.send(f"{ward}/inbox", d.create(dora, ward, "By the old key"), dora)
    await village.rest()
    dora.ed25519 = Ed25519PrivateKey.generate()
    await d.send(f"{a.origin}/inbox", d.activity("Update", dora, dora.document, to=[f"{a.origin}/actor"]), dora)
    await village.rest()

    e = await village.node("latecomer")
    await village.befriend(a, e)
    await e.run("peer", "add", d.origin, "--unpinned", "--yes")
    await e.member("eva")
    await village.let_in(a, ward, (e, "eva"))

    lane = (await a.lanes(e))[ward]
    assert (lane["error"]["code"], lane["error"]["status"]) == ("item", 400)
    assert await e.texts(ward, as_="eva") == []


async def test_once_two_nodes_are_peers_the_label_goes(village: Village) -> None:
    _, b, d, ward = await _a_triangle(village)
    await d.post(ward, "From afar", as_="dan")
    await village.rest()

    await village.befriend(b, d)
    await d.post(ward, "From near", as_="dan")
    await village.rest()

    assert [post["known_through"] for post in await b.posts(ward, as_="ben")] == [None, None]


async def _names_on_cards(node: Node, actor_uri: str) -> list[str]:
    rows = await node.select("SELECT document FROM author_cards WHERE actor_uri = :uri ORDER BY seq", uri=actor_uri)
    return [msgspec.json.decode(row.document)["name"] for row in rows]


@pytest.mark.parametrize("ends", ["left", "put out"])
async def test_t17_a_node_keeps_nothing_of_a_group_whose_author_a_member_keeps_at_a_distance(
    village: Village, ends: str
) -> None:
    a, b, d, ward = await _a_triangle(village)
    await d.post(ward, "From afar", as_="dan")
    await village.rest()
    [dan] = await b.select("SELECT actor_id FROM actors WHERE uri = :uri", uri=d.person("dan"))
    ben = await require_member(b.core, "ben")
    await distance.mute(b.core, viewer=ben, actor_id=dan.actor_id)
    await distance.block(b.core, viewer=ben, actor_id=dan.actor_id)

    if ends == "left":
        await b.run("group", "leave", ward, "--as", "ben")
    else:
        await a.run("group", "remove", ward, b.person("ben"), "--reason", "left", "--yes")
    await village.rest()

    rows = await b.rows()
    assert [rows[table] for table in ("posts", "log_entries", "author_cards")] == [[]] * 3
    kept = await distance.list_blocked(b.core, viewer=ben), await distance.list_muted(b.core, viewer=ben)
    assert [[each.target_id for each in rows] for rows in kept] == [[dan.actor_id]] * 2
