"""`rounds key …`: what this node signs with."""

from __future__ import annotations

from typing import Any

from node.community.peering.pages import own_fingerprint
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
