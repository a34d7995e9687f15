"""What operators do about peers. Every step is audited; nothing federates before `active`."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from node.domain.actors import ASSURANCE_LEVELS
from node.domain.peers import WRONG_FINGERPRINT, Peer, PeerPolicy, may_change
from node.federation.nodeinfo import Software, refuse_software
from node.foundation.errors import Conflict, Forbidden, Invalid, NodeError, NotFound, RemoteFailure
from node.foundation.fingerprints import matches_fingerprint
from node.outbox.publish import LANES_BELL
from node.store.activities import drop_waiting_of
from node.store.actors import retire_keys_of_host
from node.store.attestations import forget_words_of
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.officers import forget_assents_to_keys
from node.store.peers import (
    clear_peer_error,
    count_peer,
    get_peer,
    get_peer_by_host,
    insert_peer,
    take_peer,
    update_peer_error,
    update_peer_facts,
    update_peer_policy,
    update_peer_state,
)
from node.store.probes import forget_probe

from .facts import Facts, ask_facts, parse_peer
from .officers import NEEDS_OFFICERS, agree_to_key, wants_two

LOCKED = (
    "Wrong words ended the last attempt to compare this node's key. Begin again: it is asked for its key anew, and its "
    "operator reads you all eight words."
)
RETENTION_DAYS_LONGEST = 36_500


class WrongFingerprint(Conflict):
    """The node's key is not the one its operator read out; the attempt ends and is on record."""

    code = "wrong_fingerprint"
    sentence = (
        "The fingerprint does not match: this is not the node whose operator you talked to, or its key has changed. "
        "Nothing was added."
    )


async def add_peer(
    core: Core,
    text: str,
    *,
    fingerprint: str | None,
    activate: bool,
    unpinned: bool,
    by: str,
    officer_id: int | None = None,
) -> Peer:
    """Add a node to the list.

    With the right fingerprint and `activate` it is active at once, or verified until a second officer has confirmed it
    where the node asks for two; with the right fingerprint alone it is verified; without one it stays a draft whose
    fingerprint can be compared. One that cannot be reached stays a draft.

    Args:
        core: This node.
        text: Host or URL.
        fingerprint: Hex or eight words, as the other operator told it; None when not compared yet.
        activate: Federate from now on.
        unpinned: For test peers on loopback: take whatever key comes first; needs no answer.
        by: For the audit log.
        officer_id: Which operator that is; None for a command, which names nobody.

    Raises:
        Invalid: Not an address, or not a fingerprint.
        WrongFingerprint: Another key.
        Forbidden: Its software cannot keep a private group private, or `unpinned` outside a test node.
        RemoteFailure: It could not be reached; it is kept as a draft.
    """
    origin = parse_peer(core, text)
    known = core.peers.by_origin(origin)
    if unpinned:
        return await _add_unpinned(core, origin, known, activate=activate, by=by)
    try:
        facts = await ask_facts(core, origin)
    except RemoteFailure as error:
        if known is None:
            await _save(core, make_draft(core, origin), by=by, reason=error.code)
        raise
    wanted = None if fingerprint is None else "active" if activate else "verified"
    return await _add_with_facts(
        core, origin, known, facts, fingerprint=fingerprint, wanted=wanted, by=by, officer_id=officer_id
    )


async def _add_with_facts(
    core: Core,
    origin: str,
    known: Peer | None,
    facts: Facts,
    *,
    fingerprint: str | None,
    wanted: str | None,
    by: str,
    officer_id: int | None,
) -> Peer:
    if fingerprint is not None and not matches_fingerprint(fingerprint, facts.fingerprint):
        if known is not None and known.state in ("draft", "verified"):
            await core.store.write(lock_attempt, core, known, by, facts.fingerprint)
        else:
            await core.store.write(_audit, by, "peer.wrong_fingerprint", urlsplit(origin).netloc, facts.fingerprint)
        raise WrongFingerprint
    check_software(facts.software)
    if known is not None and known.state == "active" and known.fingerprint == facts.fingerprint:
        return known
    if known is not None and known.state == "active" and known.is_pinned:
        await core.store.write(_audit, by, "peer.key_changed", known.host, facts.fingerprint)
        raise WrongFingerprint("This peer's key has changed. Pause it, and compare fingerprints anew.")
    peer = with_facts(known or make_draft(core, origin), facts)
    state = wanted or "draft"
    if known is not None and known.state == "paused" and state == "active":
        raise Conflict("This peer is paused. Resume it instead.")
    is_same_key = known is not None and known.fingerprint == facts.fingerprint
    peer = replace(peer, state=state, is_pinned=fingerprint is not None or (peer.is_pinned and is_same_key))
    return await _save(core, peer, by=by, reason=facts.fingerprint, officer_id=officer_id)


async def _add_unpinned(core: Core, origin: str, known: Peer | None, *, activate: bool, by: str) -> Peer:
    if not core.allow_insecure:
        raise Forbidden("Peers without a fingerprint are for test nodes (federation.insecure_loopback).")
    if wants_two(core):
        raise Forbidden(NEEDS_OFFICERS)
    if known is not None and known.state == "active":
        return known
    peer = known or make_draft(core, origin)
    with contextlib.suppress(NodeError):  # a test peer need not have an instance actor
        peer = with_facts(peer, await ask_facts(core, origin))
    peer = replace(peer, state="active" if activate else "verified")
    return await _save(core, peer, by=by, reason="unpinned")


async def propose_peer(core: Core, text: str, *, by: str) -> Peer:
    """Begin with a node: ask it for its key, so that its fingerprint can be compared.

    One that is on the list already is returned as it is, but for a draft, which is asked again. One that cannot be
    reached is returned as a draft without a fingerprint.

    Raises:
        Invalid, Forbidden, WrongFingerprint: As `add_peer` says.
        RemoteFailure: A peer that was parted from cannot be reached.
    """
    known = core.peers.by_origin(parse_peer(core, text))
    if known is not None and known.state not in ("draft", "parted"):
        return known
    try:
        return await add_peer(core, text, fingerprint=None, activate=False, unpinned=False, by=by)
    except RemoteFailure:
        kept = core.peers.by_origin(parse_peer(core, text))
        if kept is None or kept.state != "draft":
            raise
        return kept


async def verify_peer(
    core: Core, text: str, *, fingerprint: str, activate: bool, by: str, officer_id: int | None = None
) -> Peer:
    """Compare a draft's fingerprint with what its operator told, and make it verified, or active, as `add_peer` says.

    Raises:
        NotFound, RemoteFailure: As the names say.
        WrongFingerprint: Another key: the attempt is locked.
        Conflict: Wrong words ended the attempt before; `propose_peer` begins again.
    """
    peer = require_peer(core, text)
    if peer.is_locked:
        raise Conflict(LOCKED)
    facts = await ask_facts(core, peer.origin)
    wanted = "active" if activate else "verified"
    return await _add_with_facts(
        core, peer.origin, peer, facts, fingerprint=fingerprint, wanted=wanted, by=by, officer_id=officer_id
    )


async def pause_peer(core: Core, text: str, *, by: str, reason: str) -> Peer:
    """Freeze a peer: every route answers 503, lanes keep what they hold; nothing is lost."""
    return await _change_state(core, require_peer(core, text), "paused", by=by, reason=reason)


async def resume_peer(core: Core, text: str, *, by: str, reason: str) -> Peer:
    """End a pause: what waited on both sides goes on where it stopped."""
    peer = require_peer(core, text)
    if peer.state == "verified":
        return await _change_state(core, peer, "active", by=by, reason=reason)
    if peer.state != "paused":
        raise Conflict(f"{peer.host} is {peer.state}, not paused.")
    return await _change_state(core, peer, "active", by=by, reason=reason)


async def part_peer(core: Core, text: str, *, by: str, reason: str) -> Peer:
    """End it with a peer: it is a stranger from now on; what it sent and we have not acted on is dropped."""
    return await _change_state(core, require_peer(core, text), "parted", by=by, reason=reason)


async def set_policy(
    core: Core, text: str, policy: PeerPolicy, *, by: str, agreement_version: int | None = None
) -> Peer:
    """Set what a peer may do, and which version of the agreement between the operators says so (None for none).

    Raises:
        NotFound: It is not on the list.
        Invalid: A value cannot be used.
    """
    peer = require_peer(core, text)
    if policy.minimum_assurance not in ASSURANCE_LEVELS:
        raise Invalid(f"The assurance is one of {', '.join(ASSURANCE_LEVELS)}.")
    if policy.retention_days is not None and not 1 <= policy.retention_days <= RETENTION_DAYS_LONGEST:
        raise Invalid("The days are a whole number from 1 on, or empty where nothing was promised.")
    if agreement_version is not None and not 1 <= agreement_version <= RETENTION_DAYS_LONGEST:
        raise Invalid("The version of the agreement is a whole number from 1 on, or empty.")
    return await core.store.write(_set_policy, core, peer, policy, agreement_version, by)


def require_peer(core: Core, text: str) -> Peer:
    """Return a listed peer by host or URL.

    Raises:
        NotFound: It is not on the list.
    """
    known = core.peers.by_host(text.strip().rstrip("/"))
    if known is None and "://" in text:
        known = core.peers.by_origin(text.strip().rstrip("/"))
    if known is None:
        raise NotFound(f"{text} is not on this node's list.")
    return known


async def describe_peer(core: Core, peer: Peer) -> dict[str, Any]:
    """Return the counts of a peer: queued, oldest_queued_at, members_here, groups_shared."""
    return await core.store.read(_count, peer)


def check_software(software: Software | None) -> None:
    """Raise when a node's software is known not to keep private groups private; silence never grants anything."""
    reason = refuse_software(software)
    if reason is not None:
        raise Forbidden(reason)


def with_facts(peer: Peer, facts: Facts) -> Peer:
    """Return a peer with what it told of itself."""
    return replace(
        peer,
        name=facts.name,
        fingerprint=facts.fingerprint,
        instance_uri=facts.instance_uri,
        software_name=facts.software.name if facts.software else None,
        software_version=facts.software.version if facts.software else None,
        told=facts.told,
    )


def make_draft(core: Core, origin: str) -> Peer:
    """Return a node that is known by its address alone."""
    host = urlsplit(origin).netloc
    return Peer(
        peer_id=core.ids.number(),
        host=host,
        origin=origin,
        name=host,
        state="draft",
        fingerprint=None,
        is_pinned=False,
        instance_uri=None,
        software_name=None,
        software_version=None,
        policy=PeerPolicy(),
        agreement_version=None,
        last_received_at=None,
        last_delivered_at=None,
        error_code=None,
        error_sentence=None,
        error_since_at=None,
    )


async def _save(core: Core, peer: Peer, *, by: str, reason: str, officer_id: int | None = None) -> Peer:
    return await core.store.write(_put, core, peer, by, reason, officer_id)


async def _put(tx: Tx, core: Core, peer: Peer, by: str, reason: str, officer_id: int | None) -> Peer:
    is_for_officers = peer.state == "active" and wants_two(core)
    if is_for_officers:
        peer = replace(peer, state="verified")
    known = await get_peer_by_host(tx, host=peer.host)
    if known is None:
        await insert_peer(tx, peer=peer)
    else:
        peer = replace(peer, peer_id=known.peer_id)
        state = await take_peer(tx, peer_id=peer.peer_id)
        if state != peer.state and not may_change(state or "", peer.state):
            raise Conflict(f"A peer does not go from {state} to {peer.state}.")
        await update_peer_facts(tx, peer=peer)
        if known.fingerprint not in (None, peer.fingerprint):  # one that we parted from came back with another key
            await retire_keys_of_host(tx, host=peer.host)
            await forget_words_of(tx, host=peer.host)
            tx.after_commit(lambda: core.keyring.forget_host(peer.host))
        await update_peer_state(tx, peer_id=peer.peer_id, state=peer.state)
        await clear_peer_error(tx, peer_id=peer.peer_id)  # a new attempt begins, or one has come to its good end
    state = peer.state
    if state == "draft":
        await forget_assents_to_keys(tx, peer_id=peer.peer_id)
    if is_for_officers and await agree_to_key(
        tx, core, peer_id=peer.peer_id, fingerprint=peer.fingerprint, officer_id=officer_id
    ):
        state = "active"
        await update_peer_state(tx, peer_id=peer.peer_id, state=state)
    await write_audit(tx, actor=by, action=f"peer.{state}", target=peer.host, reason=reason)
    return await tell_peer(tx, core, peer.peer_id)


async def tell_peer(tx: Tx, core: Core, peer_id: int) -> Peer:
    """Return a peer as it is now; once that is durable, everybody in the node knows it so."""
    current = await get_peer(tx, peer_id=peer_id)
    assert current is not None
    tx.after_commit(lambda: core.peers.put(current))
    tx.after_commit(lambda: core.bell.ring(LANES_BELL))
    return current


async def lock_attempt(tx: Tx, core: Core, peer: Peer, by: str, shown: str) -> None:
    """Wrong words were typed for a node: put that on record, and end the attempt until somebody begins again (T62)."""
    await take_peer(tx, peer_id=peer.peer_id)
    await update_peer_error(tx, peer_id=peer.peer_id, code=WRONG_FINGERPRINT, sentence=WrongFingerprint.sentence)
    await forget_assents_to_keys(tx, peer_id=peer.peer_id)
    await write_audit(tx, actor=by, action="peer.wrong_fingerprint", target=peer.host, reason=shown)
    await tell_peer(tx, core, peer.peer_id)


async def _change_state(core: Core, peer: Peer, target: str, *, by: str, reason: str) -> Peer:
    return await core.store.write(_set_state, core, peer, target, by, reason)


async def _set_state(tx: Tx, core: Core, peer: Peer, target: str, by: str, reason: str) -> Peer:
    state = await take_peer(tx, peer_id=peer.peer_id)
    if state == target:
        return replace(peer, state=target)
    if not may_change(state or "", target):
        raise Conflict(f"A peer does not go from {state} to {target}.")
    if state == "verified" and target == "active" and wants_two(core):
        raise Forbidden(NEEDS_OFFICERS)
    await update_peer_state(tx, peer_id=peer.peer_id, state=target)
    if target in ("active", "parted"):
        await clear_peer_error(tx, peer_id=peer.peer_id)
    if target == "parted":
        await drop_waiting_of(tx, peer_id=peer.peer_id, reason="The peer was parted from.")
        await forget_assents_to_keys(tx, peer_id=peer.peer_id)
        await forget_probe(tx, peer_id=peer.peer_id)
    await write_audit(tx, actor=by, action=f"peer.{target}", target=peer.host, reason=reason)
    return await tell_peer(tx, core, peer.peer_id)


async def _set_policy(
    tx: Tx, core: Core, peer: Peer, policy: PeerPolicy, agreement_version: int | None, by: str
) -> Peer:
    await update_peer_policy(tx, peer_id=peer.peer_id, policy=policy, agreement_version=agreement_version)
    await write_audit(tx, actor=by, action="peer.policy", target=peer.host)
    if agreement_version not in (None, peer.agreement_version):
        await write_audit(
            tx, actor=by, action="peer.agreement", target=peer.host, reason=f"version {agreement_version}"
        )
    return await tell_peer(tx, core, peer.peer_id)


async def _audit(tx: Tx, by: str, action: str, target: str, reason: str) -> None:
    await write_audit(tx, actor=by, action=action, target=target, reason=reason)


async def _count(tx: Tx, peer: Peer) -> dict[str, Any]:
    return await count_peer(tx, peer=peer)
