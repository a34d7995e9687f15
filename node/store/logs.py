"""The group log in the store: entries in order, the cards of their authors, and where each copy stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from node.federation.grouplog.entry import LogEntry, ReceivedEntry, build_announce, format_salt
from node.federation.grouplog.position import Position

from . import journal
from .engine import Tx

_COLUMNS = """seq, kind, activity_uri, actor_uri, prev, chain, commit_hash, epoch, proof, salt, document, media_json"""
_INSERT = """INSERT INTO log_entries (group_id, seq, kind, activity_uri, actor_uri, prev, chain, commit_hash, epoch, proof,
   salt, document, media_json, appended_at)
  VALUES (:group_id, :seq, :kind, :activity_uri, :actor_uri, :prev, :chain, :commit_hash, :epoch, :proof, :salt,
   :document, :media_json, :appended_at)"""
_ADVANCE = """UPDATE groups SET head_seq = :seq, head_chain = :chain,
   epoch = CASE WHEN epoch < :epoch THEN CAST(:epoch AS BIGINT) ELSE epoch END
  WHERE group_id = :group_id AND head_seq = CAST(:seq AS BIGINT) - 1 AND head_chain = :prev"""
_AFTER = f"""SELECT {_COLUMNS} FROM log_entries WHERE group_id = :group_id AND seq > :after AND seq <= :last
  ORDER BY seq LIMIT 50"""
_NEWEST = f"SELECT {_COLUMNS} FROM log_entries WHERE group_id = :group_id ORDER BY seq DESC LIMIT 20"
_ONE = f"SELECT {_COLUMNS} FROM log_entries WHERE group_id = :group_id AND seq = :seq"
_CHAIN = "SELECT chain FROM log_entries WHERE group_id = :group_id AND seq = :seq"
_BY_ACTIVITY = f"SELECT {_COLUMNS} FROM log_entries WHERE activity_uri = :activity_uri AND group_id = :group_id"
_FIND = "SELECT group_id, seq FROM log_entries WHERE activity_uri = :activity_uri LIMIT 1"
_POSITION = (
    "SELECT epoch, head_seq, head_chain, base_seq, base_chain, applied_seq, recovering_at FROM groups"
    " WHERE group_id = :group_id"
)
_APPLIED = """UPDATE groups SET applied_seq = :seq, apply_tries = 0, apply_due_at = :now_at
  WHERE group_id = :group_id AND applied_seq = CAST(:seq AS BIGINT) - 1"""
_APPLY_TRIED = "UPDATE groups SET apply_tries = apply_tries + 1 WHERE group_id = :group_id RETURNING apply_tries"
_APPLY_LATER = "UPDATE groups SET apply_due_at = :due_at WHERE group_id = :group_id"
_PULL_AT = "UPDATE groups SET pull_due_at = :due_at WHERE group_id = :group_id"
_PULL_DUE = "SELECT group_id FROM groups WHERE pull_due_at <= :now_at ORDER BY pull_due_at LIMIT 20"
_COUNT_PULLS = "SELECT COUNT(*) AS n FROM groups WHERE pull_due_at IS NOT NULL"
_UNAPPLIED = """SELECT group_id FROM groups WHERE applied_seq < head_seq AND apply_due_at <= :now_at LIMIT 200"""
_UNAPPLIED_OF_PEERS = """SELECT peer_id, SUM(head_seq - applied_seq) AS n FROM groups
  WHERE applied_seq < head_seq AND peer_id IS NOT NULL AND apply_due_at <= :now_at GROUP BY peer_id"""
_COUNT_UNAPPLIED = "SELECT COALESCE(SUM(head_seq - applied_seq), 0) AS n FROM groups WHERE applied_seq < head_seq"
_ERASE = """UPDATE log_entries SET document = :document, salt = NULL, media_json = NULL
  WHERE group_id = :group_id AND activity_uri = :activity_uri"""
_URI = "SELECT uri FROM actors WHERE actor_id = :group_id"
_CUT = """UPDATE groups SET head_seq = :seq, head_chain = :chain,
   applied_seq = CASE WHEN applied_seq > :seq THEN CAST(:seq AS BIGINT) ELSE applied_seq END WHERE group_id = :group_id"""
_CUT_ENTRIES = "DELETE FROM log_entries WHERE group_id = :group_id AND seq > :seq"
_CUT_CARDS = "DELETE FROM author_cards WHERE group_id = :group_id AND seq > :seq"
_PURGE_ENTRIES = "DELETE FROM log_entries WHERE group_id = :group_id"
_PURGE_CARDS = "DELETE FROM author_cards WHERE group_id = :group_id"
_CARD = """SELECT seq, document, key_id, public_key FROM author_cards
  WHERE group_id = :group_id AND actor_uri = :actor_uri ORDER BY seq DESC LIMIT 1"""
_CARDED_HERE = """SELECT DISTINCT c.group_id FROM author_cards c JOIN groups g ON g.group_id = c.group_id
  WHERE c.actor_uri = :actor_uri AND g.peer_id IS NULL ORDER BY c.group_id"""
_INSERT_CARD = """INSERT INTO author_cards (group_id, actor_uri, seq, document, key_id, public_key)
  VALUES (:group_id, :actor_uri, :seq, :document, :key_id, :public_key)"""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as kept: everything needed to send it again, byte for byte equal in meaning.

    document: the author's activity as JSON text, or a Tombstone. salt: base64url; None once erased.
    """

    seq: int
    kind: str
    activity_uri: str
    actor_uri: str
    prev: str
    chain: str
    commit_hash: str
    epoch: int
    proof: str
    salt: str | None
    document: str
    media: list[dict[str, Any]] | None

    def entry(self, group_uri: str) -> LogEntry:
        """Return the entry as hashed and signed."""
        return LogEntry(group_uri, self.epoch, self.seq, self.prev, self.activity_uri, self.kind, self.commit_hash)

    def announce(self, group_uri: str) -> dict[str, Any]:
        """Return the Announce that carries the entry; the author's JSON goes through as it was stored."""
        return build_announce(
            self.entry(group_uri),
            proof=msgspec.json.decode(self.proof),
            activity=msgspec.Raw(self.document.encode()),  # type: ignore[arg-type]
            salt=self.salt,
            media=self.media,
        )


def store_entry(received: ReceivedEntry, document: str, *, is_erased: bool = False) -> StoredEntry:
    """Return an entry that arrived in the form in which it is kept.

    Args:
        received: With its proofs checked.
        document: The author's activity as JSON text, or a Tombstone for an entry that was erased.
        is_erased: Whether the salt and the pictures are forgotten.
    """
    entry, is_bare = received.entry, is_erased or received.salt is None
    return StoredEntry(
        seq=entry.seq,
        kind=entry.kind,
        activity_uri=entry.activity,
        actor_uri=str(received.object.get("actor") or ""),
        prev=entry.prev,
        chain=entry.chain,
        commit_hash=entry.commit,
        epoch=entry.epoch,
        proof=msgspec.json.encode(received.wire["proof"]).decode(),
        salt=None if is_bare else format_salt(received.salt or b""),
        document=document,
        media=None if is_erased else list(received.media) or None,
    )


@dataclass(frozen=True, slots=True)
class CopyPosition:
    """Where a copy of a log stands: its head, its base, and how far it has become posts.

    is_recovering: whether it is one of ours that was restored and asks for what it lost.
    """

    head: Position
    base_seq: int
    base_chain: str
    applied_seq: int
    is_recovering: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """An author's card in force: what the host says of them, and the key that proves their words in this group."""

    seq: int
    document: str
    key_id: str | None
    public_key: str | None


async def append_entry(tx: Tx, *, group_id: int, stored: StoredEntry) -> bool:
    """Append an entry behind the head; return False, with nothing written, when the head is not its `prev`."""
    moved = await tx.run(
        _ADVANCE, group_id=group_id, seq=stored.seq, chain=stored.chain, prev=stored.prev, epoch=stored.epoch
    )
    if moved != 1:
        return False
    await tx.run(
        _INSERT,
        group_id=group_id,
        seq=stored.seq,
        kind=stored.kind,
        activity_uri=stored.activity_uri,
        actor_uri=stored.actor_uri,
        prev=stored.prev,
        chain=stored.chain,
        commit_hash=stored.commit_hash,
        epoch=stored.epoch,
        proof=stored.proof,
        salt=stored.salt,
        document=stored.document,
        media_json=stored.media,
        appended_at=tx.now,
    )
    return True


async def list_entries(tx: Tx, *, group_id: int, after: int, last: int = 2**62) -> list[StoredEntry]:
    """Return at most 50 entries above `after` and up to `last`, oldest first."""
    return [StoredEntry(*row) for row in await tx.all(_AFTER, group_id=group_id, after=after, last=last)]


async def list_newest_entries(tx: Tx, *, group_id: int) -> list[StoredEntry]:
    """Return the newest 20 entries, newest first."""
    return [StoredEntry(*row) for row in await tx.all(_NEWEST, group_id=group_id)]


async def get_entry(tx: Tx, *, group_id: int, seq: int) -> StoredEntry | None:
    """Return one entry by its number."""
    row = await tx.one(_ONE, group_id=group_id, seq=seq)
    return StoredEntry(*row) if row else None


async def get_entry_by_activity(tx: Tx, *, group_id: int, activity_uri: str) -> StoredEntry | None:
    """Return the entry of an activity."""
    row = await tx.one(_BY_ACTIVITY, group_id=group_id, activity_uri=activity_uri)
    return StoredEntry(*row) if row else None


async def find_entry(tx: Tx, *, activity_uri: str) -> tuple[int, int] | None:
    """Return (group_id, seq) of an activity in any group's log."""
    row = await tx.one(_FIND, activity_uri=activity_uri)
    return (row.group_id, row.seq) if row else None


async def get_chain(tx: Tx, *, group_id: int, seq: int) -> str | None:
    """Return the chain of an entry that we hold."""
    return await tx.value(_CHAIN, group_id=group_id, seq=seq)  # type: ignore[no-any-return]


async def chain_at(tx: Tx, *, group_id: int, position: CopyPosition, seq: int) -> str | None:
    """Return the chain of a number that we hold, or of our base."""
    return position.base_chain if seq == position.base_seq else await get_chain(tx, group_id=group_id, seq=seq)


async def get_position(tx: Tx, *, group_id: int) -> CopyPosition | None:
    """Return where our copy of a log stands."""
    row = await tx.one(_POSITION, group_id=group_id)
    if row is None:
        return None
    head = Position(row.epoch, row.head_seq, row.head_chain)
    return CopyPosition(head, row.base_seq, row.base_chain, row.applied_seq, row.recovering_at is not None)


async def mark_applied(tx: Tx, *, group_id: int, seq: int) -> bool:
    """Say that the entry at `seq` has become what it means; False when it had already."""
    return await tx.run(_APPLIED, group_id=group_id, seq=seq, now_at=tx.now) == 1


async def count_apply_try(tx: Tx, *, group_id: int) -> int:
    """Count one more failed try at the next entry; return how many there were."""
    return int(await tx.value(_APPLY_TRIED, group_id=group_id))


async def apply_later(tx: Tx, *, group_id: int, due_at: datetime) -> None:
    """Try the next entry again at `due_at`."""
    await tx.run(_APPLY_LATER, group_id=group_id, due_at=due_at)


async def pull_at(tx: Tx, *, group_id: int, due_at: datetime | None) -> None:
    """Ask the group's host for what we lack at `due_at`; None when we lack nothing."""
    await tx.run(_PULL_AT, group_id=group_id, due_at=due_at)


async def list_pulls_due(tx: Tx) -> list[int]:
    """Return at most 20 groups whose host is to be asked now."""
    return [row.group_id for row in await tx.all(_PULL_DUE, now_at=tx.now)]


async def count_pulls(tx: Tx) -> int:
    """Return how many groups wait to be pulled."""
    return int(await tx.value(_COUNT_PULLS))


async def list_unapplied(tx: Tx) -> list[int]:
    """Return up to 200 groups with entries that have not become posts yet."""
    return [row.group_id for row in await tx.all(_UNAPPLIED, now_at=tx.now)]


async def count_unapplied_of_peers(tx: Tx) -> dict[int, int]:
    """Return {peer: how many entries of groups hosted there are due to become posts}."""
    return {row.peer_id: int(row.n) for row in await tx.all(_UNAPPLIED_OF_PEERS, now_at=tx.now)}


async def count_unapplied(tx: Tx) -> int:
    """Return how many entries have not become posts yet."""
    return int(await tx.value(_COUNT_UNAPPLIED))


async def erase_entry(tx: Tx, *, group_id: int, activity_uri: str, tombstone: str, post_uri: str | None) -> None:
    """Put a Tombstone in the place of an entry's content and forget its salt; chain and proof stay.

    post_uri: the post that is gone with it, for the journal: the Tombstone does not say it. None for an earlier text.
    """
    await tx.run(_ERASE, group_id=group_id, activity_uri=activity_uri, document=tombstone)
    gone = {} if post_uri is None else {"post": post_uri}
    await journal.note(tx, "erased", group=await tx.value(_URI, group_id=group_id), activity=activity_uri, **gone)


async def cut_log(tx: Tx, *, group_id: int, seq: int, chain: str) -> None:
    """Take back every entry of a copy behind `seq`; what is to be kept of them was kept before."""
    await tx.run(_CUT, group_id=group_id, seq=seq, chain=chain)
    await tx.run(_CUT_ENTRIES, group_id=group_id, seq=seq)
    await tx.run(_CUT_CARDS, group_id=group_id, seq=seq)


async def purge_log(tx: Tx, *, group_id: int) -> None:
    """Delete a group's whole log and the cards of its authors."""
    await tx.run(_PURGE_ENTRIES, group_id=group_id)
    await tx.run(_PURGE_CARDS, group_id=group_id)


async def get_card(tx: Tx, *, group_id: int, actor_uri: str) -> Card | None:
    """Return the card in force for an author in a group."""
    row = await tx.one(_CARD, group_id=group_id, actor_uri=actor_uri)
    return Card(*row) if row else None


async def insert_card(tx: Tx, *, group_id: int, actor_uri: str, card: Card) -> None:
    """Keep a card that came with an entry."""
    await tx.run(
        _INSERT_CARD,
        group_id=group_id,
        actor_uri=actor_uri,
        seq=card.seq,
        document=card.document,
        key_id=card.key_id,
        public_key=card.public_key,
    )


async def list_groups_with_card(tx: Tx, *, actor_uri: str) -> list[int]:
    """Return the groups hosted here in whose log a card of somebody stands."""
    return [row.group_id for row in await tx.all(_CARDED_HERE, actor_uri=actor_uri)]
