"""`rounds peer …`: the nodes on the list."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from node.community.operating.checks import read_skews
from node.community.peering import roundtrip, service
from node.community.peering.countersigning import list_officers
from node.community.peering.facts import parse_peer
from node.community.peering.officers import NEEDS_OFFICERS
from node.community.peering.rekey import begin_again, rekey_peer
from node.domain.actors import ASSURANCE_LEVELS
from node.domain.peers import Peer
from node.foundation.errors import RemoteFailure
from node.foundation.fingerprints import fingerprint_words

from .context import DONE, REFUSED, Context, instant

# How a line of a test begins; the last where the other node does not offer what was tried.
_MARKS = {True: "good", False: "BAD ", None: "  - "}


def add_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `peer add`."""
    parser.add_argument("peer", metavar="PEER")
    parser.add_argument("--fingerprint", help="64 hex digits or eight words, as its operator told you")
    parser.add_argument("--unpinned", action="store_true", help="take whatever key comes first (test nodes)")
    parser.add_argument("--yes", action="store_true", help="make it active at once")


def one_word(parser: argparse.ArgumentParser) -> None:
    """Take a peer."""
    parser.add_argument("peer", metavar="PEER")


def verify_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `peer verify`."""
    one_word(parser)
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--yes", action="store_true", help="make it active at once")


def rekey_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `peer rekey`."""
    one_word(parser)
    parser.add_argument("--fingerprint", required=True, help="of the new key: 64 hex digits or eight words")
    parser.add_argument("--yes", action="store_true")


def reason_words(parser: argparse.ArgumentParser) -> None:
    """Take a peer and a reason."""
    one_word(parser)
    parser.add_argument("--reason", default="")
    parser.add_argument("--yes", action="store_true")


def policy_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `peer policy`; what is not given stays as it is."""
    one_word(parser)
    parser.add_argument(
        "--host-groups", choices=("yes", "no"), help="may its members be in groups here, and ours there"
    )
    parser.add_argument("--people-search", choices=("yes", "no"), help="may it find members of ours who allow that")
    parser.add_argument("--support", choices=("yes", "no"), help="may its members use the support desk")
    parser.add_argument("--minimum-assurance", choices=ASSURANCE_LEVELS)
    parser.add_argument("--accepts-relayed", choices=("yes", "no"), help="do attestations count that it passes on")
    parser.add_argument("--accepts-successor", choices=("yes", "no"), help="may its key name the next one by itself")
    parser.add_argument("--retention-days", type=int, help="how long it promised to keep what it holds")
    parser.add_argument("--agreement-version", type=int, help="which version of the operators' agreement says so")


async def add(context: Context) -> int:
    """Add a node to the list."""
    args, core = context.args, context.house.core
    known = core.peers.by_origin(parse_peer(core, args.peer))
    if known is not None and known.is_locked and args.fingerprint is None and not args.unpinned:
        peer = await begin_again(core, known.host, by=context.by)
        return await _shown(context, peer, f"{peer.host} was asked for its key anew.")
    try:
        peer = await service.add_peer(
            core,
            args.peer,
            fingerprint=args.fingerprint,
            activate=args.yes,
            unpinned=args.unpinned,
            by=context.by,
        )
    except RemoteFailure as error:
        context.warn(f"{args.peer} could not be reached ({error.internal}). It is kept as a draft.\n")
        return REFUSED
    return await _judged(context, peer)


async def list_all(context: Context) -> int:
    """List the peers."""
    peers = [await describe(context, peer) for peer in context.house.core.peers.all()]
    lines = [f"{each['state']:9} {each['host']:30} {each['name']}" for each in peers]
    return context.emit({"peers": peers}, *(lines or ["No peers yet. Nobody federates with this node."]))


async def show(context: Context) -> int:
    """Show one peer."""
    shown = await describe(context, service.require_peer(context.house.core, context.args.peer))
    return context.emit(shown, *(f"{name}: {value}" for name, value in shown.items()))


async def verify(context: Context) -> int:
    """Compare a fingerprint."""
    args = context.args
    peer = await service.verify_peer(
        context.house.core, args.peer, fingerprint=args.fingerprint, activate=args.yes, by=context.by
    )
    return await _judged(context, peer)


async def rekey(context: Context) -> int:
    """Take the new key of a paused peer, compared by people, in place of the old one."""
    args = context.args
    peer = await rekey_peer(context.house.core, args.peer, fingerprint=args.fingerprint, by=context.by)
    return await _shown(context, peer, f"{peer.host} is {peer.state} with its new key.")


async def pause(context: Context) -> int:
    """Pause a peer."""
    peer = await service.pause_peer(context.house.core, context.args.peer, by=context.by, reason=context.args.reason)
    return await _shown(context, peer, f"{peer.host} is paused. Nothing is lost; `peer resume` goes on.")


async def resume(context: Context) -> int:
    """Resume a paused or verified peer."""
    peer = await service.resume_peer(context.house.core, context.args.peer, by=context.by, reason=context.args.reason)
    return await _shown(context, peer, f"{peer.host} is active.")


async def part(context: Context) -> int:
    """Part from a peer."""
    peer = await service.part_peer(context.house.core, context.args.peer, by=context.by, reason=context.args.reason)
    return await _shown(context, peer, f"{peer.host} is parted: a stranger from now on.")


async def policy(context: Context) -> int:
    """Say what a peer may do."""
    core, args = context.house.core, context.args
    peer = service.require_peer(core, args.peer)
    given = {
        "host_groups": None if args.host_groups is None else args.host_groups == "yes",
        "people_search": None if args.people_search is None else args.people_search == "yes",
        "support": None if args.support is None else args.support == "yes",
        "minimum_assurance": args.minimum_assurance,
        "accepts_relayed": None if args.accepts_relayed is None else args.accepts_relayed == "yes",
        "accepts_successor": None if args.accepts_successor is None else args.accepts_successor == "yes",
        "retention_days": args.retention_days,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    changed = msgspec.structs.replace(peer.policy, **wanted)
    version = peer.agreement_version if args.agreement_version is None else args.agreement_version
    peer = await service.set_policy(core, peer.host, changed, by=context.by, agreement_version=version)
    return await _shown(context, peer, f"The policy for {peer.host} is set.")


async def test(context: Context) -> int:
    """Try the way to a peer."""
    peer = service.require_peer(context.house.core, context.args.peer)
    steps = await roundtrip.test_peer(context.house.core, peer.host)
    ok = all(step.ok is not False for step in steps)
    shown = {
        "host": peer.host,
        "ok": ok,
        "steps": [{"name": step.name, "ok": step.ok, "sentence": step.sentence} for step in steps],
    }
    context.emit(shown, *(f"{_MARKS[step.ok]}  {step.name}: {step.sentence}" for step in steps))
    return DONE if ok else REFUSED


async def describe(context: Context, peer: Peer) -> dict[str, Any]:
    """Return a peer as `peer show` prints it."""
    counts = await service.describe_peer(context.house.core, peer)
    error = None
    if peer.error_code is not None:
        error = {"code": peer.error_code, "sentence": peer.error_sentence, "since": instant(peer.error_since_at)}
    return {
        "host": peer.host,
        "base_url": peer.origin,
        "name": peer.name,
        "state": peer.state,
        "fingerprint": _show_key(peer.fingerprint),
        "offered": _show_key(peer.offered),
        "pinned": peer.is_pinned,
        "software": {"name": peer.software_name, "version": peer.software_version},
        "operator": peer.told.operator or None,
        "contact": peer.told.contact or None,
        "capabilities": list(peer.told.capabilities),
        "confirmed_by": await list_officers(context.house.core, peer),
        "policy": {
            "host_groups": peer.policy.host_groups,
            "people_search": peer.policy.people_search,
            "support": peer.policy.support,
            "minimum_assurance": peer.policy.minimum_assurance,
            "accepts_relayed": peer.policy.accepts_relayed,
            "accepts_successor": peer.policy.accepts_successor,
            "retention_days": peer.policy.retention_days,
        },
        "agreement_version": peer.agreement_version,
        "last_received_at": instant(peer.last_received_at),
        "last_delivered_at": instant(peer.last_delivered_at),
        "queued": counts["queued"],
        "oldest_queued_at": instant(counts["oldest_queued_at"]),
        "error": error,
        "members_here": counts["members_here"],
        "groups_shared": counts["groups_shared"],
        **_look_at(context, peer),
    }


def _look_at(context: Context, peer: Peer) -> dict[str, Any]:
    """Return what the watch knows of a peer: its clock against ours, and its certificate."""
    core = context.house.core
    skew = read_skews(core, core.clock.now()).get(peer.peer_id)
    seen = core.pressure.certificates.get(peer.host)
    return {
        "clock_ahead_seconds": None if skew is None else round(skew),
        "certificate_ends_at": instant(seen.ends_at) if seen is not None else None,
    }


async def _judged(context: Context, peer: Peer) -> int:
    """Show a peer whose words were compared; with two officers a command alone cannot make it active, and says so."""
    if context.args.yes and peer.state != "active":
        context.warn(f"{peer.host} is {peer.state}. {NEEDS_OFFICERS} Its page is /peers/{peer.host}.\n")
        return REFUSED
    return await _shown(context, peer, f"{peer.host} is {peer.state}.")


def _show_key(fingerprint: str | None) -> dict[str, Any] | None:
    return {"hex": fingerprint, "words": fingerprint_words(fingerprint)} if fingerprint else None


async def _shown(context: Context, peer: Peer, sentence: str) -> int:
    shown = await describe(context, peer)
    lines = [sentence]
    if peer.state == "draft" and peer.fingerprint is not None:
        words = " ".join(fingerprint_words(peer.fingerprint))
        lines += [
            f"Its fingerprint is: {words}",
            f"                    {peer.fingerprint}",
            "Read it to each other with its operator, then run `rounds peer verify`.",
        ]
    if peer.offered is not None:
        lines += [
            f"It shows another key now: {' '.join(fingerprint_words(peer.offered))}",
            "Call its operator; with the words they read to you run `rounds peer rekey`.",
        ]
    return context.emit(shown, *lines)
