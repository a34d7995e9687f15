"""The list of peers: a node is on it only when two operators have compared its key, and nothing federates before (T62)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.community.peering.service import WrongFingerprint, add_peer, part_peer, pause_peer, resume_peer, verify_peer
from node.federation.signatures.keys import fingerprint_hex
from node.foundation.errors import Conflict, Forbidden, Invalid, NodeError, NotFound
from node.foundation.fingerprints import fingerprint_words
from node.store.audit import list_audit
from node.store.peers import list_peers
from tests.support.corridor import Corridor
from tests.support.requesters import a_foreign_actor, a_get, ask, know_actor

NEW = a_foreign_actor("new.example", kind="Application")
PRINT = fingerprint_hex(NEW.ed25519.public)
WRONG = fingerprint_hex(a_foreign_actor("other.example", kind="Application").ed25519.public)


async def add(corridor: Corridor, *, fingerprint: str | None = PRINT, activate: bool = True, **more: Any) -> Any:
    """Add new.example."""
    return await add_peer(
        corridor.lone.core,
        "new.example",
        fingerprint=fingerprint,
        activate=activate,
        unpinned=False,
        by="operator",
        **more,
    )


async def states(corridor: Corridor) -> dict[str, str]:
    """Return the state of every peer in the store, which is what counts after a restart."""
    return {peer.host: peer.state for peer in await corridor.lone.core.store.read(list_peers)}


@pytest.fixture
def shown(corridor: Corridor) -> Corridor:
    """Let new.example show its instance actor."""
    corridor.lone.wire.documents = {NEW.uri: NEW.prove(NEW.document(), corridor.now)}
    return corridor


@pytest.mark.parametrize(
    "typed",
    [PRINT, PRINT.upper(), " ".join(fingerprint_words(PRINT)), f" {PRINT} "],
    ids=["hex", "HEX", "words", "spaces"],
)
async def test_t62_the_right_fingerprint_as_hex_or_words_makes_a_peer_active(shown: Corridor, typed: str) -> None:
    peer = await add(shown, fingerprint=typed)

    assert (peer.state, peer.is_pinned, peer.fingerprint) == ("active", True, PRINT)
    assert (await states(shown))["new.example"] == "active"


@pytest.mark.parametrize("typed", [WRONG, " ".join(fingerprint_words(WRONG)), "0" * 64], ids=["hex", "words", "zero"])
async def test_t62_a_wrong_fingerprint_leaves_no_peer_and_one_row_in_the_audit_log(shown: Corridor, typed: str) -> None:
    before = await shown.lone.core.store.read(list_audit)

    with pytest.raises(WrongFingerprint):
        await add(shown, fingerprint=typed)

    rows = (await shown.lone.core.store.read(list_audit))[len(before) :]
    assert [(row.action, row.target) for row in rows] == [("peer.wrong_fingerprint", "new.example")]
    assert "new.example" not in await states(shown)
    assert shown.lone.core.peers.by_host("new.example") is None


async def test_t62_what_is_no_fingerprint_is_no_consent(shown: Corridor) -> None:
    for typed in ("", "yes", "a b c", PRINT[:63]):
        with pytest.raises(Invalid):
            await add(shown, fingerprint=typed)

    assert "new.example" not in await states(shown)


@pytest.mark.parametrize(
    ("fingerprint", "activate", "state"),
    [(None, True, "draft"), (None, False, "draft"), (PRINT, False, "verified")],
    ids=["no fingerprint", "neither", "fingerprint alone"],
)
async def test_t62_nothing_federates_before_both_words_are_spoken(
    shown: Corridor, fingerprint: str | None, activate: bool, state: str
) -> None:
    await know_actor(shown.lone.core, NEW)

    peer = await add(shown, fingerprint=fingerprint, activate=activate)

    read = await ask(shown.lone.app, NEW.sign(a_get("/groups/ward"), shown.now))
    wrote = await shown.send(NEW, NEW.activity("View", shown.ward.uri))
    assert (peer.state, read.status, wrote.status) == (state, 404, 403)


async def test_t62_a_node_that_does_not_prove_its_own_key_is_not_added(corridor: Corridor) -> None:
    other = a_foreign_actor("new.example", kind="Application", key="another")
    documents: tuple[dict[str, Any], ...] = (
        NEW.document() | {"proof": other.prove(NEW.document(), corridor.now)["proof"]},
        NEW.prove(NEW.document(), corridor.now) | {"name": "changed"},
        NEW.prove(NEW.document(id="https://new.example/other"), corridor.now),
        NEW.prove(NEW.document(inbox="https://friend.example/inbox"), corridor.now),
        corridor.fay.document(),
        {},
    )
    for document in documents:
        corridor.lone.wire.documents = {NEW.uri: document}
        with pytest.raises(NodeError):
            await add(corridor)

    assert "new.example" not in await states(corridor)


async def test_t62_a_changed_key_of_an_active_peer_is_not_taken_over_by_adding_it_again(shown: Corridor) -> None:
    await add(shown)
    taken_over = a_foreign_actor("new.example", kind="Application", key="an attacker's")
    shown.lone.wire.documents = {NEW.uri: taken_over.prove(taken_over.document(), shown.now)}

    for fingerprint in (None, PRINT, fingerprint_hex(taken_over.ed25519.public)):
        with pytest.raises(Conflict):
            await add(shown, fingerprint=fingerprint)

    peer = shown.lone.core.peers.by_host("new.example")
    assert peer is not None
    assert peer.fingerprint == PRINT


async def test_t62_a_node_that_cannot_be_reached_stays_a_draft(corridor: Corridor) -> None:
    with pytest.raises(NodeError):
        await add(corridor)

    assert (await states(corridor))["new.example"] == "draft"


async def test_t62_peers_without_a_fingerprint_are_for_test_nodes(shown: Corridor) -> None:
    with pytest.raises(Forbidden):
        await add_peer(shown.lone.core, "new.example", fingerprint=None, activate=True, unpinned=True, by="operator")

    assert "new.example" not in await states(shown)


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "home.example",
        "http://new.example",
        "new.example:8443",
        "new.example/x",
        "a@new.example",
        "",
    ],
)
async def test_t32_t62_what_is_no_public_node_is_not_added(corridor: Corridor, name: str) -> None:
    before = await states(corridor)

    with pytest.raises(NodeError):
        await add_peer(corridor.lone.core, name, fingerprint=PRINT, activate=True, unpinned=False, by="operator")

    assert await states(corridor) == before
    assert corridor.lone.wire.requests == 0


async def test_t62_a_parted_peer_is_a_stranger_until_it_is_added_again(shown: Corridor) -> None:
    await add(shown)
    await part_peer(shown.lone.core, "new.example", by="operator", reason="")
    await know_actor(shown.lone.core, NEW)
    parted = await ask(shown.lone.app, NEW.sign(a_get("/groups/ward"), shown.now))
    with pytest.raises(Conflict):
        await resume_peer(shown.lone.core, "new.example", by="operator", reason="")

    await verify_peer(shown.lone.core, "new.example", fingerprint=PRINT, activate=True, by="operator")
    again = await ask(shown.lone.app, NEW.sign(a_get("/groups/ward"), shown.now))

    assert (parted.status, again.status) == (404, 200)


async def test_a_peer_that_is_not_listed_cannot_be_paused_or_parted(corridor: Corridor) -> None:
    for act in (pause_peer, part_peer, resume_peer):
        with pytest.raises(NotFound):
            await act(corridor.lone.core, "stranger.example", by="operator", reason="")


async def test_t62_the_list_in_memory_is_the_one_in_the_store(shown: Corridor) -> None:
    await add(shown)
    await pause_peer(shown.lone.core, "friend.example", by="operator", reason="")
    await part_peer(shown.lone.core, "ally.example", by="operator", reason="")

    remembered = {peer.host: replace(peer, last_received_at=None) for peer in shown.lone.core.peers.all()}
    kept = {peer.host: replace(peer, last_received_at=None) for peer in await shown.lone.core.store.read(list_peers)}

    assert {host: peer.state for host, peer in remembered.items()} == {host: peer.state for host, peer in kept.items()}
