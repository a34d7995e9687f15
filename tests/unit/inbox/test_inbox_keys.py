"""Whose key is it: documents that bind a key to somebody else, actors that take another's key, keys that change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.federation.message import Answer
from node.federation.signatures.keys import fingerprint_hex, format_public_pem
from node.foundation.errors import Busy, NodeError, Unreachable
from node.store.peers import get_peer_by_host, update_peer_facts
from tests.support.corridor import Corridor
from tests.support.lone_house import ORIGIN, PaperWire, rsa_key
from tests.support.requesters import ForeignActor, a_foreign_actor, a_get, a_post, ask

FRIEND, ALLY = "https://friend.example", "https://ally.example"


def a_key_document(key_id: str, owner: Any, *, key: str = "an attacker's") -> dict[str, Any]:
    """Return a document that says of a key whose it is."""
    pem = format_public_pem(rsa_key(key).public)
    return {
        "@context": "https://w3id.org/security/v1",
        "id": key_id,
        "type": "Key",
        "owner": owner,
        "publicKeyPem": pem,
    }


async def speak_with(corridor: Corridor, key_id: str, *, actor: ForeignActor, key: str = "an attacker's") -> Answer:
    """Send a post of `actor` under a key id, signed with an attacker's key."""
    signer = replace(actor, rsa=rsa_key(key))
    request = a_post(actor.post_in(corridor.ward.uri, "Hello"))
    return await corridor.post(signer.sign(request, corridor.now, key_id=key_id))


async def test_t05_a_key_that_its_owner_does_not_list_is_an_orphan(corridor: Corridor) -> None:
    key_id = f"{FRIEND}/keys/9"
    corridor.lone.wire.documents = {
        key_id: a_key_document(key_id, corridor.fay.uri),
        corridor.fay.uri: corridor.fay.document(),
    }
    before = await _keys(corridor)

    answer = await speak_with(corridor, key_id, actor=corridor.fay)

    assert answer.status == 401
    assert await corridor.texts() == []
    assert await _keys(corridor) == before


async def test_t05_a_key_that_names_an_owner_on_another_origin_is_refused(corridor: Corridor) -> None:
    key_id = f"{FRIEND}/keys/9"
    corridor.lone.wire.documents = {
        key_id: a_key_document(key_id, corridor.abe.uri),
        corridor.abe.uri: corridor.abe.document(),
    }

    answer = await speak_with(corridor, key_id, actor=corridor.abe)

    assert answer.status == 401
    assert set(corridor.lone.wire.asked) == {key_id}


@pytest.mark.parametrize(
    "change",
    [
        lambda document: {"id": f"{ALLY}/people/newcomer"},
        lambda document: {"id": f"{FRIEND}/people/fay"},
        lambda document: {"id": document["id"] + "/"},
        lambda document: {"publicKey": document["publicKey"] | {"owner": f"{FRIEND}/people/fay"}},
        lambda document: {"publicKey": document["publicKey"] | {"id": f"{ALLY}/people/newcomer#main-key"}},
        lambda document: {"inbox": f"{ALLY}/inbox"},
        lambda document: {"endpoints": {"sharedInbox": f"{ALLY}/inbox"}},
        lambda document: {"type": "Note"},
        lambda document: {"type": None},
    ],
)
async def test_t03_t04_t05_an_actor_document_that_speaks_for_others_makes_nobody_known(
    corridor: Corridor, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    newcomer = a_foreign_actor("friend.example", "newcomer")
    document = newcomer.document()
    corridor.lone.wire.documents = {newcomer.uri: document | change(document)}
    before = await corridor.effects()

    answer = await corridor.send(newcomer, newcomer.activity("Follow", corridor.ward.uri))

    assert answer.status == 401
    assert await corridor.effects() == before


async def test_a_newcomer_of_a_peer_is_fetched_once_and_then_known(corridor: Corridor) -> None:
    newcomer = a_foreign_actor("friend.example", "newcomer")
    corridor.lone.wire.documents = {newcomer.uri: newcomer.document()}

    first = await corridor.send(newcomer, newcomer.activity("View", corridor.mia.uri, number=1))
    second = await corridor.send(newcomer, newcomer.activity("View", corridor.mia.uri, number=2))

    assert (first.status, second.status) == (202, 202)
    assert corridor.lone.wire.asked == [newcomer.uri]


async def test_t05_an_update_by_a_neighbour_changes_nobodys_key(corridor: Corridor) -> None:
    stolen = replace(corridor.fay, rsa=rsa_key("an attacker's")).document()
    before = await corridor.effects()

    answer = await corridor.send(corridor.finn, corridor.finn.activity("Update", stolen))

    assert answer.status == 400
    assert await corridor.effects() == before


@pytest.mark.parametrize(
    ("stolen_id", "victim"),
    [
        (f"{FRIEND}/people/fay#main-key", "fay"),
        (f"{ALLY}/people/abe#main-key", "abe"),
        (f"{ORIGIN}/people/mia#main-key", "mia"),
        (f"{ORIGIN}/actor#main-key", "the node itself"),
        (f"{ORIGIN}/groups/ward#ed25519", "ward"),
    ],
)
async def test_t05_nobody_takes_the_key_of_another_by_listing_it_as_their_own(
    corridor: Corridor, stolen_id: str, victim: str
) -> None:
    pem = format_public_pem(rsa_key("an attacker's").public)
    greedy = corridor.finn.document(publicKey={"id": stolen_id, "owner": corridor.finn.uri, "publicKeyPem": pem})
    corridor.lone.wire.documents = {corridor.finn.uri: greedy}
    keys = await _keys(corridor)

    await corridor.send(corridor.finn, corridor.finn.activity("Update", greedy))
    await corridor.send(
        replace(corridor.finn, rsa=rsa_key("makes us look again")), corridor.finn.activity("View", ORIGIN)
    )

    after = await _keys(corridor)
    assert after[stolen_id] == keys[stolen_id], victim
    assert (await corridor.send(corridor.fay, corridor.fay.activity("View", ORIGIN, number=7))).status == 202


async def test_t05_somebody_may_change_their_own_key_with_the_one_they_had(corridor: Corridor) -> None:
    renewed = replace(corridor.fay, rsa=rsa_key("fay's next"))

    updated = await corridor.send(corridor.fay, corridor.fay.activity("Update", renewed.document(), number="update"))
    with_new = await corridor.send(renewed, renewed.post_in(corridor.ward.uri, "New key"))
    corridor.lone.wire.documents = {corridor.fay.uri: renewed.document()}
    with_old = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Old key", number=2))

    assert (updated.status, with_new.status, with_old.status) == (202, 202, 401)
    assert await corridor.texts() == ["<p>New key</p>"]


async def test_t05_a_new_key_is_believed_when_its_own_node_shows_it(corridor: Corridor) -> None:
    renewed = replace(corridor.fay, rsa=rsa_key("fay's next"))
    corridor.lone.wire.documents = {corridor.fay.uri: renewed.document()}

    answer = await corridor.send(renewed, renewed.post_in(corridor.ward.uri, "New key"))

    assert answer.status == 202
    assert corridor.lone.wire.asked == [corridor.fay.uri]


async def test_t05_a_failing_key_is_asked_for_once_a_minute(corridor: Corridor) -> None:
    forger = replace(corridor.fay, rsa=rsa_key("an attacker's"))
    corridor.lone.wire.documents = {corridor.fay.uri: corridor.fay.document()}
    for number in range(30):
        assert (await corridor.send(forger, forger.activity("View", ORIGIN, number=number))).status == 401
    within_a_minute = len(corridor.lone.wire.asked)

    corridor.lone.clock.advance(61)
    await corridor.send(forger, forger.activity("View", ORIGIN, number="later"))

    assert (within_a_minute, len(corridor.lone.wire.asked)) == (1, 2)


async def test_t05_a_forger_does_not_lock_anybody_out(corridor: Corridor) -> None:
    forger = replace(corridor.fay, rsa=rsa_key("an attacker's"))

    for number in range(3):
        assert (await corridor.send(forger, forger.activity("View", ORIGIN, number=number))).status == 401
        answer = await corridor.send(corridor.fay, corridor.fay.activity("View", ORIGIN, number=f"honest-{number}"))
        assert answer.status == 202


async def test_t33_a_key_that_cannot_be_had_is_not_asked_for_again_for_ten_minutes(corridor: Corridor) -> None:
    newcomer = a_foreign_actor("friend.example", "newcomer")
    for number in range(5):
        assert (await corridor.send(newcomer, newcomer.activity("View", ORIGIN, number=number))).status == 401
    asked = len(corridor.lone.wire.asked)

    corridor.lone.clock.advance(601)
    corridor.lone.wire.documents = {newcomer.uri: newcomer.document()}
    answer = await corridor.send(newcomer, newcomer.activity("View", ORIGIN, number="later"))

    assert (asked, answer.status) == (1, 202)


async def test_t45_unknown_keys_cost_a_bounded_number_of_fetches(corridor: Corridor) -> None:
    for number in range(330):
        somebody = ForeignActor(f"{FRIEND}/people/p{number}", corridor.fay.rsa, corridor.fay.ed25519)
        answer = await ask(corridor.lone.app, somebody.sign(a_post(somebody.activity("View", ORIGIN)), corridor.now))
        assert answer.status == (401 if number < 300 else 429)

    assert len(corridor.lone.wire.asked) == 300


@pytest.mark.parametrize("pinned", [True, False])
async def test_t62_another_instance_key_pauses_a_pinned_peer(corridor: Corridor, pinned: bool) -> None:
    node = a_foreign_actor("friend.example", kind="Application")
    taken_over = a_foreign_actor("friend.example", kind="Application", key="an attacker's")
    core = corridor.lone.core
    peer = core.peers.by_host("friend.example")
    assert peer is not None
    pinned_peer = replace(peer, is_pinned=pinned, fingerprint=fingerprint_hex(node.ed25519.public))
    await core.store.write(update_peer_facts, peer=pinned_peer)
    core.peers.put(pinned_peer)
    corridor.lone.wire.documents = {taken_over.uri: taken_over.document()}

    answer = await corridor.post(taken_over.sign(a_get("/groups/ward"), corridor.now))
    after = await corridor.post(corridor.fay.sign(a_get("/groups/ward"), corridor.now))

    row = await core.store.read(lambda tx: get_peer_by_host(tx, host="friend.example"))
    assert row is not None
    assert (answer.status, after.status, row.state) == ((401, 503, "paused") if pinned else (200, 200, "active"))


async def _keys(corridor: Corridor) -> dict[str, Any]:
    rows = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT key_id, actor_id, public_key, sealed_private, state FROM actor_keys")
    )
    return {row.key_id: tuple(row) for row in rows}


@pytest.mark.parametrize("trouble", [Unreachable(internal="down"), Busy(internal="our database is away")])
async def test_a_key_is_asked_for_again_soon_where_its_node_or_our_database_was_down(
    corridor: Corridor, monkeypatch: pytest.MonkeyPatch, trouble: NodeError
) -> None:
    newcomer = a_foreign_actor("friend.example", "newcomer")

    async def fail(wire: PaperWire, url: str, **more: object) -> tuple[str, bytes]:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(PaperWire, "get_document", fail)
        patch.setattr(PaperWire, "get_json", fail)
        answer = await corridor.send(newcomer, newcomer.activity("View", ORIGIN, number="early"))
    corridor.lone.clock.advance(6)
    corridor.lone.wire.documents = {newcomer.uri: newcomer.document()}
    later = await corridor.send(newcomer, newcomer.activity("View", ORIGIN, number="later"))

    assert (answer.status, later.status) == (503 if isinstance(trouble, Busy) else 401, 202)
