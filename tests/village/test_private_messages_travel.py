"""Private messages: to the people named and to nobody else, each peer in its own stream and order."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandRefused
from tests.support.foreign_papers import PUBLIC
from tests.support.village import Node, Village

CANARY = "betweenthetwoofus"


async def _acquainted(village: Village) -> tuple[Node, Node, str]:
    """Return two nodes whose ana and ben know each other from a group."""
    a, b, ward = await village.shared_ward()
    await a.post(ward, "Hello", as_="ana")
    await village.rest()
    return a, b, ward


async def _send(node: Node, to: str, text: str, *, as_: str) -> str:
    return str((await node.run("message", "send", to, "--as", as_, text=text))["uri"])


async def _texts(node: Node, handle: str) -> list[str]:
    """Return a member's messages, oldest first."""
    return [message["text"].strip() for message in reversed(await node.messages(as_=handle))]


async def test_messages_go_both_ways_and_only_their_people_read_them(village: Village) -> None:
    a, b, _ = await _acquainted(village)
    await a.member("ada")

    await _send(a, b.person("ben"), f"{CANARY} one", as_="ana")
    await village.rest()
    await _send(b, a.person("ana"), f"{CANARY} two", as_="ben")
    await village.rest()

    for node, handle in ((a, "ana"), (b, "ben")):
        assert await _texts(node, handle) == [f"{CANARY} one", f"{CANARY} two"]
        assert [set(message["people"]) for message in await node.messages(as_=handle)] == [
            {a.person("ana"), b.person("ben")}
        ] * 2
    assert await a.messages(as_="ada") == []


async def test_a_message_is_in_no_groups_log_and_on_no_third_node(village: Village) -> None:
    a, b, ward = await _acquainted(village)
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))

    await _send(a, b.person("ben"), CANARY, as_="ana")
    await village.rest()

    assert await village.find_kept(CANARY, b)
    assert village.find_said(CANARY, c) == []
    assert await village.find_kept(CANARY, c) == []
    assert not [row for node in (a, b) for row in (await node.rows())["log_entries"] if CANARY in row]


async def test_each_peer_has_a_stream_of_its_own_for_messages(village: Village) -> None:
    a, b, ward = await _acquainted(village)
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))
    await c.post(ward, "Hi", as_="cleo")
    await village.rest()
    await b.stop()

    for number in range(3):
        await _send(a, b.person("ben"), f"to ben {number}", as_="ana")
        await _send(a, c.person("cleo"), f"to cleo {number}", as_="ana")
    await village.rest()
    lanes = (await a.lanes(b))["direct"], (await a.lanes(c))["direct"]
    to_cleo = await _texts(c, "cleo")
    await b.start()
    await village.pass_time(60)

    assert to_cleo == [f"to cleo {number}" for number in range(3)]
    assert (lanes[0]["queued"], lanes[0]["state"], lanes[1]["queued"]) == (3, "backoff", 0)
    assert await _texts(b, "ben") == [f"to ben {number}" for number in range(3)]


async def test_nobody_reads_a_message_by_its_address(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    peer, other = await village.foreign_friend(a), await village.foreign_friend(a)
    dora = peer.person("dora")
    await peer.send(f"{a.origin}/inbox", peer.message(dora, [a.person("ana")]), dora)
    await village.rest()
    uri = await _send(a, dora.uri, CANARY, as_="ana")
    await village.rest()
    sent = await peer.wait_for("Create")

    replies = [await who.get(url) for who in (peer, other) for url in (uri, sent.document["id"])]

    assert CANARY in sent.body.decode()
    assert [reply.status for reply in replies] == [404] * 4


async def test_a_message_from_elsewhere_arrives_with_its_html_made_harmless(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    text = 'Hi<script>alert(1)</script><img src="https://tracker.example/x" onerror="x()">'

    reply = await peer.send(f"{a.origin}/people/ana/inbox", peer.message(dora, [a.person("ana")], text), dora)
    await village.rest()

    [row] = await a.select("SELECT html FROM posts")
    assert reply.status == 202
    assert await _texts(a, "ana") == ["Hi"]
    assert not any(word in row.html for word in ("script", "onerror", "tracker"))


async def test_t18_what_names_the_public_is_no_private_message(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    peer = await village.foreign_friend(a)
    dora, ana = peer.person("dora"), a.person("ana")
    before = await a.content()

    for public in (PUBLIC, "as:Public", "Public"):
        for field in ("to", "cc"):
            inner = peer.message(dora, [ana], **{field: [ana, public]})
            outer = peer.prove(peer.message(dora, [ana]) | {field: [ana, public]}, dora)
            for activity in (inner, outer):
                await peer.send(f"{a.origin}/inbox", activity, dora)
    await village.rest()

    assert await a.content() == before
    assert await a.messages(as_="ana") == []


async def test_t18_a_second_create_widens_nobodys_audience(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    await a.member("ada")
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    first = peer.message(dora, [a.person("ana")])
    await peer.send(f"{a.origin}/inbox", first, dora)
    await village.rest()

    wider = [a.person("ana"), a.person("ada")]
    for verb in ("Create", "Update", "Announce"):
        again = peer.activity(verb, dora, first["object"] | {"to": wider}, to=wider, cc=[])
        await peer.send(f"{a.origin}/inbox", again, dora)
    await village.rest()

    assert await a.messages(as_="ada") == []
    assert [set(message["people"]) for message in await a.messages(as_="ana")] == [{a.person("ana"), dora.uri}]


async def test_t01_nobody_writes_a_message_in_anothers_name(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    peer, other = await village.foreign_friend(a), await village.foreign_friend(a)
    dora, mallory, ana = peer.person("dora"), peer.person("mallory"), a.person("ana")
    before = await a.content()

    replies = [
        await peer.send(f"{a.origin}/inbox", peer.message(dora, [ana]), mallory),
        await peer.send(f"{a.origin}/inbox", peer.message(other.person("eve"), [ana]), mallory),
        await peer.send(f"{a.origin}/inbox", peer.message(mallory, [ana], attributedTo=dora.uri), mallory),
        await peer.send(f"{a.origin}/inbox", peer.message(mallory, [ana], attributedTo=ana), mallory),
    ]
    await village.rest()

    assert all(reply.status in (400, 401, 403) for reply in replies), [reply.status for reply in replies]
    assert await a.content() == before


async def test_nobody_is_written_to_who_was_never_met(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await b.member("bea")

    with pytest.raises(CommandRefused, match="not known here"):
        await _send(a, f"bea@{b.host}", "Hello", as_="ana")
