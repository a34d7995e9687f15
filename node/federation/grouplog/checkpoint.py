"""A checkpoint: the host's signed word where a member node's copy of a log begins.

    {"type": "LogCheckpoint", "group": "G", "epoch": 1, "seq": 0, "chain": "<hex>", "proof": {…}}

It travels in the Accept that lets a member in. Spec: wire.md 4.10.
"""

from __future__ import annotations

from typing import Any

from node.foundation.errors import RemoteMalformed

from ..integrity import proof_method, sign_document, verify_proof
from ..signatures.keys import PrivateKey, PublicKey
from .position import Position

_HEX = frozenset("0123456789abcdef")


def build_checkpoint(group: str, position: Position, key: PrivateKey, *, method: str | None = None) -> dict[str, Any]:
    """Return a signed checkpoint of a group that we host; `method` is the key's id, where it is not the group's first."""
    document = {
        "type": "LogCheckpoint",
        "group": group,
        "epoch": position.epoch,
        "seq": position.seq,
        "chain": position.chain,
    }
    return sign_document(document, key, method=method or f"{group}#ed25519", created=None)


def read_checkpoint(document: object, group: str) -> Position:
    """Return the position of a checkpoint; its proof is not looked at.

    Raises:
        RemoteMalformed: It is not one, or not one of this group.
    """
    if not isinstance(document, dict) or document.get("group", group) != group:
        raise RemoteMalformed("The checkpoint is not one of this group.")
    epoch, seq, chain = document.get("epoch"), document.get("seq"), document.get("chain")
    if type(epoch) is not int or type(seq) is not int or epoch < 1 or seq < 0:
        raise RemoteMalformed("The checkpoint has no epoch and number.")
    if not isinstance(chain, str) or len(chain) != 64 or not set(chain) <= _HEX:
        raise RemoteMalformed("The checkpoint's chain is not a SHA-256 in hex.")
    return Position(epoch, seq, chain)


def checkpoint_method(document: dict[str, Any], group: str) -> str:
    """Return the id of the key that proves a checkpoint, which must be one of its group's keys.

    Raises:
        RemoteMalformed: It names a key of somebody else, or none.
    """
    method = proof_method(document) or ""
    owner, _, name = method.partition("#")
    if owner != group or not name:
        raise RemoteMalformed("A checkpoint is proved by its group's own key.")
    return method


def verify_checkpoint(document: dict[str, Any], group_key: PublicKey) -> None:
    """Check the group's proof over a checkpoint.

    Raises:
        SignatureInvalid: It is not the group's.
    """
    verify_proof(document, group_key, need_created=False)
