"""Tokens: what opens a member's account to an app. Looked up for every request, so that one that has ended is dead at once.

What is kept of a token is its SHA-256. It ends when its member ends it, sets a new password or is suspended, when its app
gives it back, and when nobody has used it for half a year.

Spec: signatures.md T54, T55.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from node.domain.actors import Member
from node.foundation.errors import Busy
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx

from . import repository

# An app that nobody has used for so long has to be let in again: its telephone lies in a drawer, or in somebody's hands.
TOKEN_LIFE = timedelta(days=180)
_TOUCH_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Access:
    """What a live token opens: a member's account, through an app, or through none where the operator made it."""

    member: Member
    scopes: frozenset[str]
    app_id: int | None


async def find_access(core: Core, token_hash: str) -> Access | None:
    """Return what a live token opens, by what is kept of it; now and then remember that it was used."""
    now = core.clock.now()
    row = await core.store.read(_find, token_hash, now - TOKEN_LIFE)
    if row is None:
        return None
    member = Member(*row[:9])
    if row.used_at is None or now - row.used_at > _TOUCH_EVERY:
        with contextlib.suppress(Busy):  # on a full disk one may still read
            await core.store.write(_touch, token_hash, member.actor_id)
    return Access(member, frozenset(row.scopes.split()), row.app_id)


async def give_token(tx: Tx, *, actor_id: int, token_hash: str, scopes: str, app_id: int) -> None:
    """Keep an app's token for a member, whose row the caller has taken and found active."""
    await repository.insert_token(tx, token_hash=token_hash, actor_id=actor_id, scopes=scopes, app_id=app_id)


async def take_active(tx: Tx, *, actor_id: int) -> bool:
    """Lock a member's row for this transaction and return whether they are active."""
    return await repository.take_member(tx, actor_id=actor_id) == "active"


async def end_token(tx: Tx, *, actor_id: int, token_hash: str, reason: str | None = None) -> bool:
    """End one token of a member, which goes on record; False when it is not theirs, or has ended."""
    await repository.take_member(tx, actor_id=actor_id)  # first, as a suspension does, which ends tokens too
    member = await repository.get_member_by_id(tx, actor_id=actor_id)
    if member is None or not await repository.revoke_token(tx, actor_id=actor_id, token_hash=token_hash):
        return False
    await write_audit(tx, actor=member.handle, action="app.end", target=member.handle, reason=reason)
    return True


async def end_every_token(tx: Tx, *, actor_id: int) -> None:
    """End every token of a member, and every code that would become one, which goes on record."""
    await repository.take_member(tx, actor_id=actor_id)
    member = await repository.get_member_by_id(tx, actor_id=actor_id)
    if member is not None:
        await repository.revoke_tokens(tx, actor_id=actor_id)
        await write_audit(tx, actor=member.handle, action="app.end", target=member.handle, reason="every app")


async def _find(tx: Tx, token_hash: str, unused_since_at: datetime) -> Any:
    return await repository.get_token(tx, token_hash=token_hash, unused_since_at=unused_since_at)


async def _touch(tx: Tx, token_hash: str, actor_id: int) -> None:
    await repository.touch_token(tx, token_hash=token_hash, actor_id=actor_id)
