"""What a host does with an accepted activity: number it, let it become what it means, wake the lanes.

Called inside a transaction that holds the group's row, by services and handlers of every room.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.domain.access import ALLOWED, Decision
from node.domain.actors import Member
from node.domain.attestations import may_enter, may_take_part
from node.domain.groups import Group
from node.federation.credentials import MEMBER
from node.inbox.arrival import read_arrival
from node.inbox.dispatch import Arrival, Tables
from node.inbox.process import apply_entry
from node.outbox.publish import LANES_BELL, append, append_card, append_end
from node.store.actors import get_actor_by_uri
from node.store.attestations import find_standing
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import get_card, get_position, list_groups_with_card, mark_applied
from node.store.rosters import get_membership, take_group


async def record(
    tx: Tx,
    core: Core,
    tables: Tables,
    *,
    group: Group,
    kind: str,
    arrival: Arrival,
    media: list[dict[str, Any]] | None = None,
) -> int:
    """Put an accepted activity into the log of a group that we host; return its number.

    Our own copy of the group applies it at once when it had applied all before, so that a member who posts can read
    what they posted; otherwise `process` applies it in its turn.
    """
    before = await get_position(tx, group_id=group.group_id)
    stored = await append(tx, core, group=group, kind=kind, activity=arrival.document, media=media)
    if before is not None and before.applied_seq == before.head.seq:
        for seq in range(before.head.seq + 1, stored.seq):  # the author's card, which the append wrote itself
            await mark_applied(tx, group_id=group.group_id, seq=seq)
        await apply_entry(tx, core, tables, group, stored, arrival)
    return stored.seq


async def judge_level(tx: Tx, core: Core, *, group: Group, actor_id: int, is_member: bool) -> Decision:
    """Decide whether what is attested of somebody suffices for a group: to come in, or as a member to write."""
    if group.required_assurance == "A0":
        return ALLOWED
    standing = await find_standing(tx, core.peers, actor_id=actor_id)
    return (may_take_part if is_member else may_enter)(group.required_assurance, standing)


async def read_level(core: Core, *, group: Group, member: Member, is_member: bool) -> Decision:
    """Decide the same for a member of ours; of a group elsewhere this is what its host will say, unless it asks for more."""
    if group.required_assurance == "A0":
        return ALLOWED
    return await core.store.read(_read_level, core, group, member.actor_id, is_member)


async def is_said_otherwise(tx: Tx, *, actor_uri: str, statement: Any) -> bool:
    """Say whether a card of somebody in a log of ours carries another statement than this one, but for its times."""
    for group_id in await list_groups_with_card(tx, actor_uri=actor_uri):
        card = await get_card(tx, group_id=group_id, actor_uri=actor_uri)
        if card is not None and _meaning(msgspec.json.decode(card.document).get(MEMBER)) != _meaning(statement):
            return True
    return False


def _meaning(statement: Any) -> tuple[Any, ...]:
    names = ("credentialSubject", "credentialStatus")
    return tuple(statement.get(name) for name in names) if isinstance(statement, dict) else ()


async def _read_level(tx: Tx, core: Core, group: Group, actor_id: int, is_member: bool) -> Decision:
    return await judge_level(tx, core, group=group, actor_id=actor_id, is_member=is_member)


async def renew_cards(tx: Tx, core: Core, *, actor_uri: str) -> None:
    """Append the card of somebody anew to every log of ours in which they stand: their node says otherwise of them now.

    In a group that they are in no more, an end of what was attested is all that can be said of them.

    Spec: wire.md 4.9.
    """
    for group_id in await list_groups_with_card(tx, actor_uri=actor_uri):
        group = await take_group(tx, group_id=group_id)
        before = await get_position(tx, group_id=group_id)
        if group is None or before is None:
            continue
        actor = await get_actor_by_uri(tx, uri=actor_uri)
        place = await get_membership(tx, group_id=group_id, actor_id=actor.actor_id) if actor is not None else None
        is_member = place is not None and place.is_member
        await (append_card if is_member else append_end)(tx, core, group=group, author=actor_uri)
        after = await get_position(tx, group_id=group_id)
        if after is not None and before.applied_seq == before.head.seq:
            for seq in range(before.head.seq + 1, after.head.seq + 1):
                await mark_applied(tx, group_id=group_id, seq=seq)
        tx.after_commit(lambda: core.bell.ring(LANES_BELL))


def own_arrival(document: dict[str, Any]) -> Arrival:
    """Return an activity of one of our own actors in the form in which received ones are handled."""
    return read_arrival(document, msgspec.json.encode(document).decode(), peer_id=None)
