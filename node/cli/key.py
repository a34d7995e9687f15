"""`rounds key …`: what this node signs with."""

from __future__ import annotations

import argparse
from typing import Any

from node.community.operating.recovery import change_recovery_code, has_recovery_key
from node.community.peering.pages import own_fingerprint
from node.community.revoking import is_compared
from node.community.revoking import revoke as revoke_key
from node.community.rotation import ALGORITHMS, ATTESTATION, Owner
from node.community.rotation import rotate as begin_rotation
from node.foundation.errors import Conflict, NotFound
from node.foundation.fingerprints import fingerprint_words
from node.store.actors import list_own_keys
from node.store.attestations import list_own_attestation_keys
from node.store.core import Core
from node.store.engine import Tx
from node.store.key_changes import list_own_actors

from .context import Context, instant


async def list_all(context: Context) -> int:
    """List the public keys of our actors."""
    keys: list[dict[str, Any]] = []
    after = ""
    while rows := await context.house.core.store.read(_page, after):
        keys += [
            {
                "key_id": row.key_id,
                "owner": row.owner,
                "algorithm": row.algorithm,
                "state": "retired" if row.state == "revoked" else row.state,
                "is_revoked": row.state == "revoked",
                "created_at": instant(row.created_at),
                "expires_at": instant(row.expires_at),
            }
            for row in rows
        ]
        after = rows[-1].key_id
    for row in await context.house.core.store.read(list_own_attestation_keys):
        state = row.state or "current"
        keys.append(
            {
                "key_id": row.key_id,
                "owner": context.house.core.instance_uri,
                "algorithm": "ed25519",
                "state": "retired" if state == "revoked" else state,
                "is_revoked": state == "revoked",
                "created_at": instant(row.created_at),
                "expires_at": instant(row.expires_at),
            }
        )
    return context.emit({"keys": keys}, *(_line(each) for each in keys))


def rotate_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `key rotate`."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--actor", metavar="HANDLE", help="the keys of a member")
    whose.add_argument("--group", metavar="HANDLE", help="the keys of a group hosted here, and of its staff room")
    whose.add_argument("--instance", action="store_true", help="the keys of the node itself")
    whose.add_argument("--attesting", action="store_true", help="the key by which the node attests")
    whose.add_argument("--all", action="store_true", help="every key but the one by which the node attests")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--rsa", action="store_true", help="the RSA key alone")
    which.add_argument("--ed25519", action="store_true", help="the Ed25519 key alone")


async def rotate(context: Context) -> int:
    """Begin to change keys: the new ones are published now and sign later."""
    core, args = context.house.core, context.args
    instance = Owner(core.instance_id, core.instance_uri, "instance", core.host)
    wanted: tuple[str, ...] = ("rsa",) if args.rsa else ("ed25519",) if args.ed25519 else ALGORITHMS
    if args.attesting:
        owners, wanted = [instance], (ATTESTATION,)
    elif args.instance:
        owners = [instance]
    else:
        owners = await _find_owners(context)
    made, busy = [], 0
    for owner in owners:
        for algorithm in wanted:
            try:
                made.append(await begin_rotation(core, owner, algorithm, by=context.by))
            except Conflict as error:
                busy += 1
                if not args.all:
                    context.warn(f"{error.safe}\n")
    if not made:
        raise Conflict("Every one of these keys is being changed already.")
    return context.emit({"keys": made, "busy": busy}, *made)


def revoke_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `key revoke`."""
    parser.add_argument("key_id", help="as `rounds key list` shows it")
    parser.add_argument("--yes", action="store_true", help="also where other nodes stop until operators have compared")


async def revoke(context: Context) -> int:
    """Revoke a key that leaked, at once."""
    core, key_id = context.house.core, context.args.key_id
    if is_compared(core, key_id) and not context.args.yes:
        raise Conflict(
            "Other nodes have compared this key. They stop until their operators have compared the new one with you; "
            "nothing is lost meanwhile. Say --yes to revoke it."
        )
    done = await revoke_key(core, key_id, by=context.by)
    shown = {"key_id": done.key_id, "following": done.following, "must_compare": done.must_compare}
    lines = [f"{done.key_id} is revoked."]
    if done.following is not None:
        lines.append(f"{done.following} signs now.")
    if done.must_compare:
        words = (await describe_fingerprint(core))["words"]
        lines.append(f"Call the operator of every peer and read out: {' '.join(words)}")
    return context.emit(shown, *lines)


async def _find_owners(context: Context) -> list[Owner]:
    """Return the actors that a command means, companions included."""
    core, args, found = context.house.core, context.args, list[Owner]()
    rows: list[Any] = []
    after = 0
    while page := await core.store.read(_actors, after):
        rows += page
        after = page[-1].actor_id
    handle = (args.actor or args.group or "").lstrip("@")
    for row in rows:
        is_meant = (
            args.all
            or (args.actor is not None and row.kind == "person" and row.handle == handle)
            or (args.group is not None and row.kind == "group" and row.handle in (handle, f"{handle}/staff"))
        )
        if is_meant:
            found.append(Owner(row.actor_id, row.uri, row.kind, row.handle))
    if not found:
        raise NotFound(f"There is no {'member' if args.actor else 'group hosted here'} called {handle}.")
    return found


def _line(each: dict[str, Any]) -> str:
    state = "revoked" if each["is_revoked"] else each["state"]
    until = f" until {each['expires_at']}" if each["expires_at"] and state in ("current", "overlap") else ""
    return f"{state:8} {each['algorithm']:8} {each['key_id']}{until}"


async def fingerprint(context: Context) -> int:
    """Print the fingerprint that operators read to each other: words on the first line, hex on the second."""
    shown = await describe_fingerprint(context.house.core)
    return context.emit(shown, " ".join(shown["words"]), shown["hex"])


async def describe_fingerprint(core: Core) -> dict[str, Any]:
    """Return the fingerprint of the instance key as commands print it."""
    keys = await core.keyring.own(core.instance_id)
    digits = await own_fingerprint(core)
    return {
        "algorithm": "sha-256",
        "hex": digits,
        "words": fingerprint_words(digits),
        "key_id": keys.ed25519_key_id,
    }


async def _actors(tx: Tx, after: int) -> list[Any]:
    return await list_own_actors(tx, after=after)


async def _page(tx: Tx, after: str) -> list[Any]:
    return await list_own_keys(tx, after=after)


def recovery_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `key recovery`."""
    parser.add_argument("--yes", action="store_true", help="a new code although there is one")


async def recovery(context: Context) -> int:
    """Make a new recovery code and show it this once."""
    core = context.house.core
    had_one = has_recovery_key(core.data)
    if had_one and not context.args.yes:
        raise Conflict(
            "There is a recovery code. Backups made so far will need its sheet for good; say --yes for a new one."
        )
    code = await change_recovery_code(core, by=context.by)
    if had_one:
        context.warn("Keep the old sheet, too: backups made until now open with the old code only.\n")
    context.warn("Recovery code, shown this once; write it on paper and keep it apart from the node:\n")
    return context.emit({"recovery_code": code}, code)
