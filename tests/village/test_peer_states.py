"""A peer's life: draft, verified, active, paused, parted; and what becomes of what waits in between."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.foundation.fingerprints import fingerprint_words
from tests.support.commands import CommandRefused
from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.foreign_papers import sha256_hex
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

_PICTURE = b"\x89PNG\r\n\x1a\n and nothing that anybody could see"


async def _peer(node: Node, other: Any) -> dict[str, Any]:
    shown: dict[str, Any] = await node.run("peer", "show", other.host)
    return shown


async def _state(node: Node, other: Any) -> str:
    return str((await _peer(node, other))["state"])


async def test_t62_a_wrong_fingerprint_adds_nobody_and_is_on_record_once(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    before = len(await a.audit())

    for wrong in ("0" * 64, " ".join(fingerprint_words("0" * 64))):
        with pytest.raises(CommandRefused, match="does not match") as refused:
            await a.run("peer", "add", b.origin, "--fingerprint", wrong, "--yes")
        assert refused.value.code == 1

    assert (await a.run("peer", "list"))["peers"] == []
    assert [row["action"] for row in (await a.audit())[before:]] == ["peer.wrong_fingerprint"] * 2


async def test_a_fingerprint_is_taken_as_hex_and_as_eight_words(village: Village) -> None:
    a, b, c = [await village.node(name) for name in ("society", "hospital", "clinic")]

    await a.run("peer", "add", b.origin, "--fingerprint", (await b.fingerprint()).upper(), "--yes")
    words = (await c.run("key", "fingerprint"))["words"]
    await a.run("peer", "add", c.origin, "--fingerprint", " ".join(words), "--yes")

    for other in (b, c):
        shown = await _peer(a, other)
        assert (shown["state"], shown["pinned"], shown["software"]["name"]) == ("active", True, "rounds")
        assert shown["fingerprint"]["hex"] == await other.fingerprint()


async def test_a_node_that_cannot_be_reached_stays_a_draft(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital", up=False)

    with pytest.raises(CommandRefused, match="kept as a draft") as refused:
        await a.run("peer", "add", b.origin, "--fingerprint", "0" * 64, "--yes")
    await b.start()
    kept = await _state(a, b)
    await a.add_peer(b)

    assert (refused.value.code, kept) == (1, "draft")
    assert await _state(a, b) == "active"


async def test_a_peer_goes_from_draft_over_verified_to_active(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    fingerprint = await b.fingerprint()

    states = [(await a.run("peer", "add", b.origin))["state"]]
    states.append((await a.run("peer", "verify", b.host, "--fingerprint", fingerprint))["state"])
    states.append((await a.run("peer", "resume", b.host))["state"])
    states.append((await a.run("peer", "pause", b.host, "--reason", "maintenance"))["state"])
    states.append((await a.run("peer", "resume", b.host))["state"])
    states.append((await a.run("peer", "part", b.host, "--reason", "merged"))["state"])

    assert states == ["draft", "verified", "active", "paused", "active", "parted"]
    actions = [row["action"] for row in await a.audit() if row["target"] == b.host]
    assert actions == [f"peer.{state}" for state in states]
    assert (await a.run("audit", "verify"))["ok"]


async def test_before_it_is_active_nothing_goes_to_a_peer_or_comes_from_it(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await a.member("ana")
    await b.member("ben")
    await a.group("ward", owner="ana")
    await a.run("peer", "add", b.origin, "--fingerprint", await b.fingerprint())
    await b.add_peer(a)

    with pytest.raises(CommandRefused):
        await b.join(f"ward@{a.host}", as_="ben")
    with pytest.raises(CommandRefused) as tested:
        await b.run("peer", "test", a.host)

    assert '"listed","ok":false' in tested.value.sentence
    assert await a.select("SELECT uri FROM activities") == []


async def test_one_sided_trust_keeps_everything_waiting_and_loses_nothing(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.run("peer", "part", a.host, "--reason", "by mistake")

    for number in range(3):
        await a.post(ward, str(number), as_="ana")
    await village.rest()
    lane = (await a.lanes(b))[ward]
    await b.add_peer(a)
    await village.pass_time(60)

    assert (lane["state"], lane["queued"], lane["error"]["code"]) == ("backoff", 4, "refused")  # ana's card goes first
    assert await b.texts(ward, as_="ben") == ["0", "1", "2"]
    assert (await a.lanes(b))[ward]["error"] is None


async def test_a_pause_freezes_both_ways_and_a_resumption_delivers_once(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "before", as_="ana")
    await village.rest()
    await b.run("peer", "pause", a.host)
    talk = a.proxy.bytes_passed

    await a.post(ward, "from the host", as_="ana")
    await b.post(ward, "from the member", as_="ben")
    await village.rest()
    await village.pass_time(3600)
    frozen = await b.texts(ward, as_="ben"), await a.texts(ward, as_="ana")
    lanes = (await a.lanes(b))[ward], (await b.lanes(a))["direct"]
    said_meanwhile = a.proxy.bytes_passed - talk
    await b.run("peer", "resume", a.host)
    await village.pass_time(3600)

    assert frozen == (["before", "from the member"], ["before", "from the host"])
    assert (lanes[0]["state"], lanes[0]["error"]["status"]) == ("backoff", 503)
    assert (lanes[1]["state"], lanes[1]["queued"]) == ("paused", 1)
    assert said_meanwhile == 0, "a paused peer was contacted"
    assert await a.texts(ward, as_="ana") == ["before", "from the host", "from the member"]
    assert await b.texts(ward, as_="ben") == ["before", "from the host", "from the member"]
    assert len(await a.select("SELECT uri FROM posts")) == 3


async def _a_waiting_submission(village: Village) -> tuple[Node, ForeignPeer, str]:
    """Return a host with a submission that was taken, and waits for a picture that does not come."""
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)
    attachment = {"type": "Image", "mediaType": "image/png", "url": f"{peer.origin}/media/one", "name": "",
                  "digestSha256": sha256_hex(_PICTURE)}  # fmt: skip
    reply = await peer.send(f"{ward}/inbox", peer.create(dora, ward, "Waits", attachment=[attachment]), dora)
    assert reply.status == 202
    await village.rest()
    assert await a.select("SELECT uri FROM activities WHERE state = 'waiting'")
    peer.answers["/media/one"] = lambda _: web.Response(body=_PICTURE, content_type="image/png")
    return a, peer, ward


async def test_t15_what_a_peer_sent_before_we_parted_is_not_acted_on(village: Village) -> None:
    a, peer, ward = await _a_waiting_submission(village)

    await a.run("peer", "part", peer.host, "--reason", "broken into")
    peer.requests.clear()
    await village.pass_time(600)

    assert await a.posts(ward, as_="ana") == []
    assert [row.state for row in await a.select("SELECT state FROM activities WHERE type = 'Create'")] == ["dropped"]
    assert peer.requests == []


async def test_t15_what_a_peer_sent_before_a_pause_waits_for_its_end(village: Village) -> None:
    a, peer, ward = await _a_waiting_submission(village)

    await a.run("peer", "pause", peer.host)
    await village.pass_time(600)
    while_paused = await a.posts(ward, as_="ana")
    await a.run("peer", "resume", peer.host)
    await village.pass_time(600)

    assert while_paused == []
    assert [text.strip() for text in await a.texts(ward, as_="ana")] == ["Waits"]


async def test_a_parted_peer_gets_nothing_more_and_is_no_member_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("peer", "part", b.host, "--reason", "merged")

    await a.post(ward, "Not for them", as_="ana")
    await village.pass_time(3600)

    assert village.find_said("Not for them", b) == []
    assert await b.texts(ward, as_="ben") == []


async def test_t62_a_pinned_peer_that_shows_another_key_is_paused_until_its_operator_was_asked(
    village: Village,
) -> None:
    a = await village.node("society")
    peer = await village.foreign()
    fingerprint = sha256_hex(peer.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "add", peer.origin, "--fingerprint", fingerprint, "--yes")
    first = await peer.get(f"{a.origin}/groups/nobody")

    peer.instance.ed25519 = Ed25519PrivateKey.generate()
    peer.instance.rsa = peer.person("thief").rsa
    second = await peer.get(f"{a.origin}/groups/nobody")
    third = await peer.get(f"{a.origin}/groups/nobody")

    assert (first.status, second.status, third.status) == (404, 401, 503)
    shown = await _peer(a, peer)
    assert (shown["state"], shown["error"]["code"]) == ("paused", "key_changed")
    assert [row["reason"] for row in await a.audit() if row["action"] == "peer.paused"] == ["key_changed"]


async def test_t62_a_pinned_peer_goes_on_with_a_new_key_once_people_have_compared_it(village: Village) -> None:
    a = await village.node("society")
    peer = await village.foreign()
    old = sha256_hex(peer.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "add", peer.origin, "--fingerprint", old, "--yes")
    await peer.get(f"{a.origin}/groups/nobody")
    peer.instance.ed25519 = Ed25519PrivateKey.generate()
    peer.instance.rsa = peer.person("renewed").rsa
    await peer.get(f"{a.origin}/groups/nobody")
    assert (await _peer(a, peer))["state"] == "paused"

    new = sha256_hex(peer.instance.ed25519.public_key().public_bytes_raw())
    with pytest.raises(CommandRefused):
        await a.run("peer", "rekey", peer.host, "--fingerprint", old)
    locked = (await _peer(a, peer))["error"]["code"]
    with pytest.raises(CommandRefused):
        await a.run("peer", "rekey", peer.host, "--fingerprint", new)
    await a.run("peer", "add", peer.host)
    await a.run("peer", "rekey", peer.host, "--fingerprint", new)

    shown = await _peer(a, peer)
    assert locked == "wrong_fingerprint"
    assert (shown["state"], shown["fingerprint"]["hex"], shown["error"]) == ("active", new, None)
    assert (await peer.get(f"{a.origin}/groups/nobody")).status == 404


async def test_t05_a_key_that_its_owner_does_not_list_proves_nothing(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    dora, thief = peer.person("dora"), peer.person("thief")
    await village.let_foreign_in(a, ward, peer, dora)
    orphan = {"@context": "https://w3id.org/security/v1", "id": f"{peer.origin}/keys/1", "type": "Key",
              "owner": dora.uri, "publicKeyPem": thief.document["publicKey"]["publicKeyPem"]}  # fmt: skip
    peer.answer_json("/keys/1", orphan)

    as_dora = ForeignActor(dora.uri, "Person", "Dora", thief.rsa)
    by_orphan = await peer.send(f"{ward}/inbox", peer.create(dora, ward), as_dora, key_id=f"{peer.origin}/keys/1")
    by_theft = await peer.send(f"{ward}/inbox", peer.create(dora, ward), as_dora)
    await village.rest()

    assert (by_orphan.status, by_theft.status) == (401, 401)
    assert await a.posts(ward, as_="ana") == []


async def test_t62_who_comes_back_with_another_key_after_parting_brings_no_old_keys_along(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign()
    old = sha256_hex(peer.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "add", peer.origin, "--fingerprint", old, "--yes")
    dora, renewed = peer.person("dora"), peer.person("renewed")
    await village.let_foreign_in(a, ward, peer, dora)
    stolen = ForeignActor(dora.uri, "Person", "Dora", dora.rsa, dora.ed25519)
    await a.run("peer", "part", peer.host, "--reason", "they were broken into", "--yes")

    peer.instance.ed25519, peer.instance.rsa = Ed25519PrivateKey.generate(), peer.person("instance").rsa
    dora.rsa, dora.ed25519 = renewed.rsa, renewed.ed25519
    new = sha256_hex(peer.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "add", peer.origin, "--fingerprint", new, "--yes")
    by_thief = await peer.send(f"{ward}/inbox", peer.create(stolen, ward, "By a thief"), stolen)
    by_dora = await peer.send(f"{ward}/inbox", peer.create(dora, ward, "By Dora"), dora)
    await village.rest()

    assert (by_thief.status, by_dora.status) == (401, 202)
    assert await a.texts(ward, as_="ana") in ([], ["By Dora"])
