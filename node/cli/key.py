"""`rounds key …`: what this node signs with."""

from __future__ import annotations

import argparse
from typing import Any

from node.community.operating.recovery import change_recovery_code, has_recovery_key
from node.community.peering.pages import own_fingerprint
from node.foundation.errors import Conflict
from node.foundation.fingerprints import fingerprint_words
from node.store.actors import list_own_keys
from node.store.core import Core
from node.store.engine import Tx

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
                "state": row.state,
                "created_at": instant(row.created_at),
                "expires_at": instant(row.expires_at),
            }
            for row in rows
        ]
        after = rows[-1].key_id
    return context.emit({"keys": keys}, *(f"{each['state']:8} {each['algorithm']:8} {each['key_id']}" for each in keys))


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
