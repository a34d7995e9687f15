"""The table of contract.md 2.5, route by route: what exists and is private answers like what does not exist.

The routes are those of the node's own register, so a new one is asked here without anybody thinking of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from node.outbox.routes import ROUTES
from tests.support.foreign import ACTIVITY_JSON, ForeignPeer, Reply
from tests.support.foreign_papers import sign_request
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

_TOKEN = "a" * 26
_ABSENT = {"<handle>": "nobody", "<token>": _TOKEN, "<seq>": "1"}
_NOT_COMPARED = {"date"}


@dataclass(frozen=True)
class Pair:
    """A path that leads to something private, and one of the same form that leads nowhere."""

    route: str
    existing: str
    absent: str


async def _private_things(village: Village) -> tuple[Node, list[Pair], str, str]:
    """Return a node, a pair of paths for each of its routes, a listed group and a hidden one."""
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    hidden = await a.group("circle", owner="ana", hidden=True)
    await a.post(ward, "Words", as_="ana")
    posted = await a.post(hidden, "Hidden words", as_="ana")
    [activity] = [row.activity_uri for row in await a.core.store.read(_entries, posted["seq"])]
    await a.core.store.write(_add_media, posted["uri"])
    found = {"<token>": {"post": posted["uri"], "activity": activity, "media": f"/{'m' * 26}"}}
    pairs = []
    for route in ROUTES:
        token = found["<token>"].get(route.name, "").rpartition("/")[2]
        handle = "ana" if route.path.startswith("/people") else "circle"
        existing = _fill(route.path, {"<handle>": handle, "<token>": token, "<seq>": "1"})
        absent = _fill(route.path, _ABSENT)
        pairs += [Pair(route.name, one, other) for one, other in zip(existing, absent, strict=True)]
    pairs.append(Pair("staff", "/groups/ward/staff", "/groups/nobody/staff"))
    pairs.append(Pair("staff log", "/groups/ward/staff/log", "/groups/nobody/staff/log"))
    pairs.append(Pair("log of a listed group", "/groups/ward/log", "/groups/nobody/log"))
    pairs.append(Pair("page of a log", "/groups/ward/log?after=0&limit=5", "/groups/nobody/log?after=0&limit=5"))
    return a, pairs, ward, hidden


def _fill(path: str, values: dict[str, str]) -> list[str]:
    """Return the paths that a register's path stands for; `<a|b>` stands for two."""
    for name, value in values.items():
        path = path.replace(name, value)
    if "<" not in path:
        return [path]
    before, _, rest = path.partition("<")
    names, _, after = rest.partition(">")
    return [f"{before}{name}{after}" for name in names.split("|")]


async def _entries(tx: Any, seq: int) -> list[Any]:
    found: list[Any] = await tx.all(
        """SELECT e.activity_uri FROM log_entries e JOIN actors a ON a.actor_id = e.group_id
          WHERE e.seq = :seq AND a.handle = 'circle'""",
        seq=seq,
    )
    return found


async def _add_media(tx: Any, post_uri: str) -> None:
    await tx.run(
        """INSERT INTO media (token, post_id, group_id, owner_id, sha256, media_type, size_bytes, width, height, alt,
           source_uri, state, tries, due_at, created_at)
          SELECT :token, post_id, group_id, author_id, :sha256, 'image/png', 1, 1, 1, '', NULL, 'ready', 0, 0, 0
          FROM posts WHERE uri = :uri""",
        token="m" * 26,
        sha256="0" * 64,
        uri=post_uri,
    )


def _visible(reply: Reply) -> tuple[int, frozenset[str], bytes]:
    """Return what may not differ between two answers."""
    return reply.status, frozenset(set(reply.headers) - _NOT_COMPARED), reply.body


async def _ask(peer: ForeignPeer, a: Node, path: str, who: str) -> Reply:
    url = a.origin + path
    if who == "unsigned":
        return await peer.request("GET", url, headers={"accept": ACTIVITY_JSON})
    if who == "browser":
        return await peer.request("GET", url, headers={"accept": "text/html"})
    if who == "bad signature":
        signed = sign_request("GET", f"{a.origin}/elsewhere", b"", key=peer.instance.rsa,
                              key_id=f"{peer.instance.uri}#main-key", now=a.core.clock.now())  # fmt: skip
        return await peer.request("GET", url, headers={**signed, "accept": ACTIVITY_JSON})
    return await peer.get(url)


async def _make(peer: ForeignPeer, a: Node, state: str) -> None:
    """Have the node's list say this of the outside party."""
    if state == "nobody":
        return
    await a.run("peer", "add", peer.origin, "--unpinned", *([] if state in ("draft", "verified") else ["--yes"]))
    if state == "draft":
        await a.core.store.write(_set_draft, a.core, peer.host)
    elif state == "paused":
        await a.run("peer", "pause", peer.host)
    elif state == "parted":
        await a.run("peer", "part", peer.host)
    assert (await a.run("peer", "show", peer.host))["state"] == state
    peer.requests.clear()


async def _set_draft(tx: Any, core: Any, host: str) -> None:
    await tx.run("UPDATE peers SET state = 'draft' WHERE host = :host", host=host)
    known = core.peers.by_host(host)
    tx.after_commit(lambda: core.peers.put(replace(known, state="draft")))


# What the node's list says of who asks, how they ask, and the answer.
_READERS = [
    ("nobody", "unsigned", 401),
    ("nobody", "browser", 303),
    ("active", "bad signature", 401),
    ("nobody", "signed", 404),
    ("draft", "signed", 404),
    ("verified", "signed", 404),
    ("parted", "signed", 404),
    ("paused", "signed", 503),
    ("active", "signed", 404),
]


async def test_t23_every_route_answers_for_private_things_as_for_absent_ones(village: Village) -> None:
    a, pairs, _, _ = await _private_things(village)
    for state, who, status in _READERS:
        peer = await village.foreign()
        await _make(peer, a, state)

        for pair in pairs:
            existing, absent = await _ask(peer, a, pair.existing, who), await _ask(peer, a, pair.absent, who)
            row = f"{pair.route} asked by {state}, {who}"

            assert _visible(existing) == _visible(absent), f"{row} tells {pair.existing} from {pair.absent}"
            assert existing.status == status, f"{row} answers {existing.status}"
            assert status != 503 or "retry-after" in existing.headers, row
            assert status != 303 or existing.headers["location"] == "/sign-in", row
            assert "no-store" in existing.headers["cache-control"], row
        assert state == "active" or peer.requests == [], f"{state} was asked for a key"


async def test_t22_no_other_spelling_of_an_address_opens_what_is_private(village: Village) -> None:
    a, pairs, _, _ = await _private_things(village)
    peer = await village.foreign()

    for pair in pairs:
        for form in ("{}/", "{}.json", "{}?x=1", "/{}", "{}%20"):
            for accept in (ACTIVITY_JSON, "text/html"):
                reply = await peer.request("GET", a.origin + form.format(pair.existing), headers={"accept": accept})

                assert reply.status in (303, 401, 404), f"{form} of {pair.route} answers {reply.status}"
                assert b"words" not in reply.body.lower()


async def test_t22_no_other_method_tells_private_things_from_absent_ones(village: Village) -> None:
    a, pairs, _, _ = await _private_things(village)
    peer = await village.foreign()

    for pair in pairs:
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            replies = [
                await peer.request(method, a.origin + path, headers={"accept": ACTIVITY_JSON})
                for path in (pair.existing, pair.absent)
            ]

            assert _visible(replies[0]) == _visible(replies[1]), f"{method} of {pair.route}"
            assert replies[0].status == 401, f"{method} of {pair.route} answers {replies[0].status}"


_SENDERS = [
    ("nobody", "unsigned", 401),
    ("nobody", "unreadable", 400),
    ("active", "bad signature", 401),
    ("active", "another's body", 401),
    ("nobody", "signed", 403),
    ("draft", "signed", 403),
    ("verified", "signed", 403),
    ("parted", "signed", 403),
    ("paused", "signed", 503),
]
_INBOXES = ("/inbox", "/people/ana/inbox", "/people/nobody/inbox", "/groups/ward/inbox", "/groups/circle/inbox",
            "/groups/nobody/inbox", "/groups/ward/staff/inbox")  # fmt: skip


async def test_t14_every_inbox_refuses_strangers_alike_and_before_any_fetch(village: Village) -> None:
    a, _, ward, _ = await _private_things(village)
    before = await a.content()
    for state, who, status in _SENDERS:
        peer = await village.foreign()
        await _make(peer, a, state)

        replies = []
        for path in _INBOXES:
            follow = peer.activity("Follow", peer.person("eve"), ward, to=[ward])
            replies.append(await _bring(peer, a, path, follow, who))
        row = f"{state}, {who}"

        assert {_visible(reply) for reply in replies} == {_visible(replies[0])}, f"{row}: inboxes differ"
        assert replies[0].status == status, f"{row} is answered {replies[0].status}"
        assert status != 503 or "retry-after" in replies[0].headers, row
        assert state == "active" or peer.requests == [], f"{state} was asked for a key"
    assert await a.content() == before


async def _bring(peer: ForeignPeer, a: Node, path: str, activity: dict[str, Any], who: str) -> Reply:
    url = a.origin + path
    if who == "unsigned":
        return await peer.request("POST", url, headers={"content-type": ACTIVITY_JSON}, body=b"{}")
    if who == "unreadable":
        headers = {"content-type": ACTIVITY_JSON, "signature": 'keyId="a",keyId="b"'}
        return await peer.request("POST", url, headers=headers, body=b"{}")
    if who in ("bad signature", "another's body"):
        signed_for = f"{a.origin}/elsewhere" if who == "bad signature" else url
        signed = sign_request("POST", signed_for, b"{}", key=peer.instance.rsa,
                              key_id=f"{peer.instance.uri}#main-key", now=a.core.clock.now())  # fmt: skip
        return await peer.request("POST", url, headers=signed, body=b"{}" if who == "bad signature" else b"[]")
    return await peer.send(url, activity, peer.person("eve"))


async def test_t23_a_friend_without_a_member_finds_a_hidden_groups_inbox_absent_and_a_listed_ones_open(
    village: Village,
) -> None:
    a, _, ward, hidden = await _private_things(village)
    peer = await village.foreign_friend(a)
    eve = peer.person("eve")

    at = {name: await peer.send(f"{uri}/inbox", peer.create(eve, uri), eve)
          for name, uri in (("hidden", hidden), ("absent", f"{a.origin}/groups/nobody"), ("listed", ward))}  # fmt: skip
    await village.rest()

    assert _visible(at["hidden"]) == _visible(at["absent"])
    assert at["hidden"].status == 404
    assert at["listed"].status == 202
    reject = await peer.wait_for("Reject")
    assert reject.document["actor"] == ward
    assert reject.document["summary"].startswith("refused: ")
    assert len(peer.received("Reject")) == 1


async def test_t23_a_hidden_group_is_silent_at_the_shared_inbox_too(village: Village) -> None:
    a, _, _, hidden = await _private_things(village)
    peer = await village.foreign_friend(a)
    eve = peer.person("eve")

    replies = [
        await peer.send(f"{a.origin}/inbox", activity, eve)
        for uri in (hidden, f"{a.origin}/groups/nobody")
        for activity in (peer.create(eve, uri), peer.activity("Follow", eve, uri, to=[uri]))
    ]
    await village.rest()

    assert {_visible(reply) for reply in replies} == {_visible(replies[0])}
    assert peer.received("Reject") == []


async def test_a_listed_groups_card_is_for_every_friend_and_says_nothing_of_its_members(village: Village) -> None:
    a, _, ward, _ = await _private_things(village)
    peer = await village.foreign_friend(a)

    card = await peer.get(ward)

    assert card.status == 200
    assert card.document["manuallyApprovesFollowers"] is True
    assert b"people" not in card.body
