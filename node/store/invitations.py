"""Invitations of members to this node, in the store. Of the link a hash is kept; of whom it is for, the inviter's note."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.inviting import Invitation

from .engine import Tx

_COLUMNS = """i.invitation_id, i.inviter_id, a.name AS inviter_name, m.handle AS inviter_handle, i.state AS kept_state,
  i.note, b.name AS used_name, n.handle AS used_handle, i.created_at, i.expires_at, i.ended_at"""
_FROM = """FROM invitations i JOIN members m ON m.actor_id = i.inviter_id JOIN actors a ON a.actor_id = i.inviter_id
  LEFT JOIN members n ON n.actor_id = i.used_by LEFT JOIN actors b ON b.actor_id = i.used_by"""
_OF_MEMBER = f"""SELECT {_COLUMNS} {_FROM} WHERE i.inviter_id = :inviter_id
  ORDER BY i.invitation_id DESC LIMIT 50"""
_NEWEST = f"SELECT {_COLUMNS} {_FROM} ORDER BY i.invitation_id DESC LIMIT 50"
_BY_ID = f"SELECT {_COLUMNS} {_FROM} WHERE i.invitation_id = :invitation_id"
_OPEN = f"""SELECT {_COLUMNS} {_FROM}
  WHERE i.token_hash = :token_hash AND i.state = 'open' AND i.expires_at > :now_at"""
_BY_USER = f"SELECT {_COLUMNS} {_FROM} WHERE i.used_by = :actor_id ORDER BY i.invitation_id LIMIT 1"
_COUNT_OPEN = """SELECT COUNT(*) AS n FROM invitations
  WHERE inviter_id = :inviter_id AND state = 'open' AND expires_at > :now_at"""
_INSERT = """INSERT INTO invitations (invitation_id, inviter_id, token_hash, state, note, used_by, created_at, expires_at,
   ended_at)
  VALUES (:invitation_id, :inviter_id, :token_hash, 'open', :note, NULL, :created_at, :expires_at, NULL)"""
_USE = """UPDATE invitations SET state = 'used', note = '', used_by = :used_by, ended_at = :now_at
  WHERE token_hash = :token_hash AND state = 'open' AND expires_at > :now_at RETURNING inviter_id"""
_WITHDRAW = """UPDATE invitations SET state = 'withdrawn', note = '', ended_at = :now_at
  WHERE invitation_id = :invitation_id AND state = 'open' AND expires_at > :now_at"""
_FORGET = "UPDATE invitations SET note = '' WHERE state = 'open' AND expires_at <= :now_at AND note <> ''"


async def list_invitations_of(tx: Tx, *, inviter_id: int) -> list[Invitation]:
    """Return a member's last 50 invitations, the newest first."""
    return [Invitation(*row) for row in await tx.all(_OF_MEMBER, inviter_id=inviter_id)]


async def list_newest_invitations(tx: Tx) -> list[Invitation]:
    """Return the last 50 invitations of anybody, for operators; the notes are not for them."""
    return [Invitation(*row) for row in await tx.all(_NEWEST)]


async def get_invitation(tx: Tx, *, invitation_id: int) -> Invitation | None:
    """Return an invitation by our number, whatever its state."""
    row = await tx.one(_BY_ID, invitation_id=invitation_id)
    return Invitation(*row) if row else None


async def find_open_invitation(tx: Tx, *, token_hash: str) -> Invitation | None:
    """Return the invitation behind a link that can still be used; it is not spent."""
    row = await tx.one(_OPEN, token_hash=token_hash, now_at=tx.now)
    return Invitation(*row) if row else None


async def get_invitation_of(tx: Tx, *, actor_id: int) -> Invitation | None:
    """Return the invitation by which a member came in; None for who was let in by an operator."""
    row = await tx.one(_BY_USER, actor_id=actor_id)
    return Invitation(*row) if row else None


async def count_open_invitations(tx: Tx, *, inviter_id: int) -> int:
    """Return how many of a member's invitations can still be used."""
    return int(await tx.value(_COUNT_OPEN, inviter_id=inviter_id, now_at=tx.now))


async def insert_invitation(
    tx: Tx, *, invitation_id: int, inviter_id: int, token_hash: str, note: str, expires_at: datetime
) -> None:
    """Keep the hash of an invitation's link."""
    await tx.run(
        _INSERT,
        invitation_id=invitation_id,
        inviter_id=inviter_id,
        token_hash=token_hash,
        note=note,
        created_at=tx.now,
        expires_at=expires_at,
    )


async def use_invitation(tx: Tx, *, token_hash: str, used_by: int) -> Any | None:
    """Spend an invitation and return (inviter_id,); None when it is spent, withdrawn, lapsed or unknown."""
    return await tx.one(_USE, token_hash=token_hash, used_by=used_by, now_at=tx.now)


async def withdraw_invitation(tx: Tx, *, invitation_id: int) -> bool:
    """End an invitation that nobody has used."""
    return await tx.run(_WITHDRAW, invitation_id=invitation_id, now_at=tx.now) == 1


async def forget_invitation_notes(tx: Tx) -> int:
    """Forget for whom invitations were that have lapsed."""
    return await tx.run(_FORGET, now_at=tx.now)
