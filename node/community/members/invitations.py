"""Invitations by members: a link that brings one colleague in, once, within two weeks.

Whoever follows it names themselves and chooses a handle and a password; they are a guest until a verifier has decided about
them, and the desk sees who invited them. The link says who invites by the name alone. It counts only while its maker may
invite: who is suspended, or verified no more, has made it in vain. The audit log names handles, never addresses of mail,
and never the note by which a member remembers whom a link is for.

Spec: product.md J-01; signatures.md T61.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from node.domain.access import Decision
from node.domain.actors import Member
from node.domain.inviting import INVITATION_LIFE, NOTE_LIMIT, Invitation, may_invite
from node.foundation.errors import Conflict, Forbidden, NotFound
from node.foundation.text import clean_line
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.invitations import (
    count_open_invitations,
    find_open_invitation,
    get_invitation,
    insert_invitation,
    list_invitations_of,
    list_newest_invitations,
    use_invitation,
    withdraw_invitation,
)
from node.store.verifications import get_verification

from . import repository
from .service import NewMember, check_new_member, draw_member, hash_password, hash_secret, place_member

_SPENT = "This link has been used, or is too old. Ask whoever invited you for a new one."


@dataclass(frozen=True, slots=True)
class OwnInvitations:
    """What a member made, the newest first; whether they may make another, and how many can still be used."""

    invitations: list[Invitation]
    decision: Decision
    open_count: int


async def read_own_invitations(core: Core, member: Member) -> OwnInvitations:
    """Return a member's invitations, with the notes that are for them alone."""
    return await core.store.read(_read_own, core, member)


async def list_all_invitations(core: Core) -> list[Invitation]:
    """Return the last invitations of anybody, for operators, without the notes."""
    return [replace(each, note="") for each in await core.store.read(list_newest_invitations)]


async def invite(core: Core, member: Member, *, note: str) -> str:
    """Return a link by which one colleague comes in once, within two weeks; it is shown now and never again.

    Raises:
        Forbidden: The member may not invite.
        Conflict: As many as may be are open already.
    """
    secret = core.ids.secret()
    await core.store.write(_invite, core, member, core.ids.number(), secret, clean_line(note, limit=NOTE_LIMIT))
    return f"{core.origin}/invitations/{secret}"


async def withdraw(core: Core, member: Member, invitation_id: int) -> None:
    """End an invitation that nobody used: one's own, or anybody's for an operator.

    Raises:
        Conflict: It is not the member's, was used, withdrawn, or has lapsed.
    """
    await core.store.write(_withdraw, member, invitation_id)


async def find_inviter(core: Core, secret: str) -> str | None:
    """Return the name of who invites by a link that can be used; None for every other."""
    return await core.store.read(_find_inviter, core, hash_secret(secret))


async def enter(core: Core, secret: str, new: NewMember) -> Member:
    """Spend an invitation: its holder becomes a member, a guest whom nobody has verified yet.

    Args:
        core: This node.
        secret: The last part of the link.
        new: How they are called, their handle and password; what else it says is not looked at.

    Raises:
        Invalid: A value cannot be used; the link stays good.
        Conflict: The handle is taken; the link stays good.
        NotFound: The link is spent, withdrawn, too old or unknown, or whoever made it may not invite any more.
    """
    new = NewMember(new.handle, new.name, member_class="guest", password=new.password or "")
    check_new_member(new)
    assert new.password is not None
    member = draw_member(core, new)
    keys = await asyncio.to_thread(core.keyring.make, member.actor_id, member.uri)
    hashed = await hash_password(core, new.password)
    await core.store.write(_enter, core, hash_secret(secret), member, core.keyring.seal(keys), hashed)
    return member


async def _judge(tx: Tx, core: Core, actor_id: int) -> Decision:
    """Decide from what is kept at this moment, not from a session that may be older."""
    member = await repository.get_member_by_id(tx, actor_id=actor_id)
    if member is None:
        return Decision(False, "There is no such member.")
    verification = await get_verification(tx, actor_id=actor_id)
    level = verification.level_at(tx.now) if verification is not None else "A0"
    return may_invite(member.viewer, level, who=core.config.members.invitations)


async def _read_own(tx: Tx, core: Core, member: Member) -> OwnInvitations:
    return OwnInvitations(
        await list_invitations_of(tx, inviter_id=member.actor_id),
        await _judge(tx, core, member.actor_id),
        await count_open_invitations(tx, inviter_id=member.actor_id),
    )


async def _invite(tx: Tx, core: Core, member: Member, invitation_id: int, secret: str, note: str) -> None:
    await repository.take_member(tx, actor_id=member.actor_id)  # nobody makes two at once and passes the limit
    decision = await _judge(tx, core, member.actor_id)
    if not decision:
        raise Forbidden(decision.reason)
    most = core.config.members.open_invitations
    if await count_open_invitations(tx, inviter_id=member.actor_id) >= most:
        raise Conflict(
            f"As many of your invitations are open as may be: {most}. Withdraw one, or wait until it is used."
        )
    await insert_invitation(
        tx,
        invitation_id=invitation_id,
        inviter_id=member.actor_id,
        token_hash=hash_secret(secret),
        note=note,
        expires_at=tx.now + INVITATION_LIFE,
    )
    await write_audit(tx, actor=member.handle, action="member.invitation", target=member.handle)


async def _withdraw(tx: Tx, member: Member, invitation_id: int) -> None:
    found = await get_invitation(tx, invitation_id=invitation_id)
    is_theirs = found is not None and (found.inviter_id == member.actor_id or member.role == "operator")
    if found is None or not is_theirs or not await withdraw_invitation(tx, invitation_id=invitation_id):
        raise Conflict("This invitation cannot be withdrawn: it was used, withdrawn, or has lapsed.")
    await write_audit(tx, actor=member.handle, action="member.invitation_withdrawn", target=found.inviter_handle)


async def _find_inviter(tx: Tx, core: Core, token_hash: str) -> str | None:
    found = await find_open_invitation(tx, token_hash=token_hash)
    if found is None or not await _judge(tx, core, found.inviter_id):
        return None
    return found.inviter_name


async def _enter(tx: Tx, core: Core, token_hash: str, member: Member, sealed: list[Any], hashed: str) -> None:
    found = await find_open_invitation(tx, token_hash=token_hash)
    if found is None:
        raise NotFound(_SPENT)
    if await repository.get_member(tx, handle=member.handle) is not None:
        raise Conflict(f"The handle {member.handle} is taken. Handles are never used twice.")
    await repository.take_member(tx, actor_id=found.inviter_id)  # a suspension waits for us, or we for it
    if not await _judge(tx, core, found.inviter_id):
        raise NotFound(_SPENT)
    await place_member(tx, core, member, sealed, hashed)
    if await use_invitation(tx, token_hash=token_hash, used_by=member.actor_id) is None:
        raise NotFound(_SPENT)
    await write_audit(tx, actor=found.inviter_handle, action="member.invited", target=member.handle)
