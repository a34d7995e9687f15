"""Settling: what nodes gave back to a host is put where it stood, or said anew; then the log goes on in a new epoch.

Each entry is put before `grouplog.handed`. The whole lost end comes first, as numbers and chains continue the log; what is
left is said anew at the end, an answer never before what it answers. Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from node.community.groups.activities import build_taking
from node.domain.groups import Group
from node.domain.journal import Told
from node.federation.grouplog.entry import ReceivedEntry, build_tombstone, read_announce
from node.federation.grouplog.handed import Handed, Ours, Use, choose_path, judge_handed
from node.federation.grouplog.waiting import Parent, judge_parent
from node.foundation.errors import NodeError, RemoteMalformed
from node.foundation.logs import get_logger
from node.inbox.arrival import read_arrival
from node.inbox.cards import read_card
from node.inbox.dispatch import Tables
from node.outbox.publish import decode, encode, prove
from node.store import journal, recovering
from node.store.actors import get_actor_by_uri
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.logs import append_entry, get_entry_by_activity, get_position, insert_card, store_entry
from node.store.objects import find_post
from node.store.recovering import Orphan
from node.store.rosters import take_group
from node.store.takings import is_said_gone, list_unsaid, note_taken_back

from .hosting import own_arrival, record

_AT_ONCE = 50
_CHANGES = frozenset({"update", "delete", "remove", "lock", "pin", "split"})


def read_handed(received: ReceivedEntry) -> Handed:
    """Return an entry that our key proves as the core judges it."""
    inner, kind = received.object.get("object"), received.entry.kind
    needs: tuple[str, ...] = ()
    if kind == "create" and isinstance(inner, dict) and isinstance(inner.get("inReplyTo"), str):
        needs = (inner["inReplyTo"],)
    elif kind in _CHANGES:
        target = inner.get("id") if isinstance(inner, dict) else inner
        needs = (target,) if isinstance(target, str) else ()
    author = received.object.get("actor")
    return Handed(
        received.entry,
        is_proved=True,
        author=author if isinstance(author, str) else received.entry.group,
        needs=needs,
        has_content=received.salt is not None,
    )


def read_kept(orphans: Iterable[Orphan]) -> dict[str, ReceivedEntry]:
    """Return entries that nodes gave back, by their chains. Thousands take a second: not for the event loop."""
    return {each.chain: read_announce(decode(each.document)) for each in orphans}


async def keep_handed(tx: Tx, group: Group, received: ReceivedEntry) -> None:
    """Keep an entry that a node gave back until it is settled."""
    stored = store_entry(received, encode(received.object).decode())
    document = encode(stored.announce(group.uri)).decode()
    await recovering.keep_orphan(tx, group_id=group.group_id, entry=received.entry, document=document)


async def settle(core: Core, tables: Tables, group: Group, told: Told) -> bool:
    """Put back, say anew, and let the log go on; return whether a new epoch began."""
    kept = await core.store.read(recovering.list_orphans, group_id=group.group_id)
    held = await asyncio.to_thread(read_kept, kept)
    position = await core.store.read(get_position, group_id=group.group_id)
    if position is None:
        return False
    if position.is_recovering:
        path = choose_path(position.head, [read_handed(each) for each in held.values()])
        for first in range(0, len(path), _AT_ONCE):
            part = [held[each.entry.chain] for each in path[first : first + _AT_ONCE]]
            if not await core.store.write(_put_back, group, part, told):
                break
    has_begun = await core.store.write(_go_on, group)
    for orphan in kept:
        await _settle_one(core, tables, group, orphan, held[orphan.chain], told)
    for post_uri in await core.store.read(_read_unsaid, group) if has_begun else ():
        await core.write(_take_back, core, tables, group, post_uri)
    return has_begun


async def _settle_one(
    core: Core, tables: Tables, group: Group, orphan: Orphan, received: ReceivedEntry, told: Told
) -> None:
    try:
        await core.write(_say_anew, core, tables, group, orphan, received, told)
    except NodeError as error:
        get_logger().warning(
            "entry_not_said_anew", group=group.uri, seq=orphan.seq, reason=error.internal or error.safe
        )


async def _put_back(tx: Tx, group: Group, part: list[ReceivedEntry], told: Told) -> bool:
    """Put entries back where they stood, with number and proof; without their words if these were erased since."""
    await take_group(tx, group_id=group.group_id)
    for received in part:
        ours = await _describe(tx, group, received, told, has_needed=True)
        use = judge_handed(read_handed(received), ours)
        if use not in (Use.ADOPT, Use.ADOPT_ERASED):
            return False
        await _append(tx, group, received, is_erased=use is Use.ADOPT_ERASED)
        await recovering.drop_orphans_of(tx, group_id=group.group_id, activity_uri=received.entry.activity)
    return True


async def _describe(tx: Tx, group: Group, received: ReceivedEntry, told: Told, *, has_needed: bool) -> Ours:
    position = await get_position(tx, group_id=group.group_id)
    assert position is not None
    activity = received.entry.activity
    known = await get_entry_by_activity(tx, group_id=group.group_id, activity_uri=activity)
    epochs = {*range(1, position.head.epoch + 1), *told.epochs.get(group.uri, ())}
    return Ours(
        head=position.head,
        epochs=epochs if told.is_whole else None,
        is_recovering=position.is_recovering,
        has_activity=known is not None,
        has_needed=has_needed,
        out=told.list_out(group.uri),
        is_erased=activity in told.erased.get(group.uri, ()),
    )


async def _append(tx: Tx, group: Group, received: ReceivedEntry, *, is_erased: bool) -> None:
    entry = received.entry
    document = build_tombstone(entry.activity) if is_erased else received.object
    stored = store_entry(received, encode(document).decode(), is_erased=is_erased)
    if not await append_entry(tx, group_id=group.group_id, stored=stored):
        raise RemoteMalformed(internal=f"entry {entry.seq} of {group.uri} does not continue the log")
    card = received.object.get("object") if entry.kind == "author" else None
    if isinstance(card, dict) and isinstance(card.get("id"), str):
        read = read_card(entry.seq, card, encode(card).decode())
        await insert_card(tx, group_id=group.group_id, actor_uri=card["id"], card=read)


async def _go_on(tx: Tx, group: Group) -> bool:
    """Begin the new epoch, and write that down where no restore reaches it."""
    epoch = await recovering.end(tx, group_id=group.group_id)
    if epoch is not None:
        await journal.note(tx, "epoch", group=group.uri, epoch=epoch)
    return epoch is not None


async def _say_anew(
    tx: Tx, core: Core, tables: Tables, group: Group, orphan: Orphan, received: ReceivedEntry, told: Told
) -> None:
    held = await take_group(tx, group_id=group.group_id)
    assert held is not None
    handed = read_handed(received)
    waited = (tx.now - orphan.kept_at).total_seconds()
    has_needed = judge_parent(asks=orphan.asks, waited_seconds=waited) is Parent.GIVE_UP
    if not has_needed:
        has_needed = all([await find_post(tx, uri=uri) is not None for uri in handed.needs])
    use = judge_handed(handed, await _describe(tx, held, received, told, has_needed=has_needed))
    if use is Use.LATER:
        return
    if use is Use.SAY_ANEW and await get_actor_by_uri(tx, uri=handed.author) is None:
        get_logger().warning(
            "entry_not_said_anew", group=group.uri, seq=orphan.seq, reason="its author is unknown here"
        )
    elif use is Use.SAY_ANEW:
        arrival = read_arrival(received.object, encode(received.object).decode(), peer_id=None)
        media = list(received.media) or None
        await record(tx, core, tables, group=held, kind=received.entry.kind, arrival=arrival, media=media)
    elif use is Use.TAKE_BACK and (post_uri := told.posts.get(received.entry.activity)) is not None:
        await note_taken_back(tx, group_id=group.group_id, post_uri=post_uri, seq=None)
        await _take_back(tx, core, tables, held, post_uri)
    await recovering.drop_orphan(tx, group_id=group.group_id, chain=orphan.chain)
    if use is not Use.SAY_ANEW:
        tx.after_commit(lambda: core.bell.ring(TIDY_BELL))


async def _read_unsaid(tx: Tx, group: Group) -> list[str]:
    return await list_unsaid(tx, group_id=group.group_id)


async def _take_back(tx: Tx, core: Core, tables: Tables, group: Group, post_uri: str) -> None:
    """Say once more that a post is gone, where the entry that said so was lost: nodes may show it still."""
    held = await take_group(tx, group_id=group.group_id)
    assert held is not None
    if await is_said_gone(tx, group_id=group.group_id, post_uri=post_uri):
        return
    taking = prove(core, core.keyring.at_hand(group.group_id), build_taking(core, held, post_uri))
    await record(tx, core, tables, group=held, kind="remove", arrival=own_arrival(taking))
