"""Who confirms a peer's key: one operator, or two different ones where the node asks for that (`[peers] officers`).

A yes-word belongs to a member, whatever they are called, and to one key. Who is an operator no more has no say. The
command line names nobody, so it counts as no officer: it compares words, and leaves the rest to the pages.
"""

from __future__ import annotations

from node.store.core import Core
from node.store.engine import Tx
from node.store.officers import forget_assents_to_keys, give_assent_to_key, list_assents_to_key

NEEDS_OFFICERS = (
    "Two operators of this node confirm another node, each signed in to the pages as themselves; "
    "a command names nobody."
)


def wants_two(core: Core) -> bool:
    """Return whether one operator cannot decide about a key alone."""
    return core.config.peers.officers > 1


async def agree_to_key(tx: Tx, core: Core, *, peer_id: int, fingerprint: str | None, officer_id: int | None) -> bool:
    """Take an operator's yes to a key, and return whether enough of them have said it; then it is used up."""
    if not wants_two(core):
        return True
    if officer_id is None or fingerprint is None:
        return False
    await give_assent_to_key(tx, peer_id=peer_id, fingerprint=fingerprint, officer_id=officer_id)
    given = await list_assents_to_key(tx, peer_id=peer_id, fingerprint=fingerprint)
    if len(given) < core.config.peers.officers:
        return False
    await forget_assents_to_keys(tx, peer_id=peer_id)
    return True
