"""What can be done about members: add, suspend, reset, give tokens. Passwords are hashed in a thread."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import argon2

from node.domain.actors import (
    ASSURANCE_LEVELS,
    CLASSES,
    NODE_ROLES,
    Actor,
    Member,
    is_handle,
)
from node.domain.scopes import read_scopes
from node.domain.verification import OPERATOR, draw_verification
from node.foundation.errors import Conflict, Invalid, NotFound
from node.foundation.text import clean_line
from node.outbox.attesting import attest
from node.store.actors import insert_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import insert_own_keys
from node.store.verifications import put_verification

from . import repository
from .tokens import find_access

PASSWORD_SHORTEST = 8
LINK_LIFE = timedelta(hours=24)
INVITATION_LIFE = timedelta(days=7)
# OWASP's minimum (19 MiB, t=2, p=1): 34 CPU-ms instead of 328 with the library's own default (stack.md §0.11).
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@dataclass(frozen=True, slots=True)
class NewMember:
    """Who is to be added. password None: they get a one-time link instead."""

    handle: str
    name: str
    member_class: str = "physician"
    assurance: str = "A0"
    role: str = "member"
    password: str | None = None


async def add_member(core: Core, new: NewMember, *, by: str) -> tuple[Member, str | None]:
    """Add a member with keys of their own; return them, and the one-time link when no password was given.

    Raises:
        Invalid: A value cannot be used.
        Conflict: The handle is taken, or was once.
    """
    check_new_member(new)
    member = draw_member(core, new)
    keys = await asyncio.to_thread(core.keyring.make, member.actor_id, member.uri)
    sealed = core.keyring.seal(keys)
    hashed = await hash_password(core, new.password) if new.password else None
    link = None if new.password else core.ids.secret()
    existing = await core.store.write(_add_member, core, member, sealed, hashed, link, by)
    if existing is not None:
        if (existing.name, existing.member_class, existing.role) == (member.name, member.member_class, member.role):
            return existing, None
        raise Conflict(f"The handle {new.handle} is taken. Handles are never used twice.")
    return member, f"{core.origin}/invitations/{link}" if link else None


def draw_member(core: Core, new: NewMember) -> Member:
    """Return somebody as they will be; nothing is kept yet."""
    return Member(
        actor_id=core.ids.number(),
        uri=f"{core.origin}/people/{new.handle}",
        handle=new.handle,
        name=clean_line(new.name),
        role=new.role,
        member_class=new.member_class,
        assurance=new.assurance,
        state="active" if new.password else "invited",
        is_searchable=False,
    )


def check_new_member(new: NewMember) -> None:
    """Raise unless somebody can be added with these values.

    Raises:
        Invalid: With a sentence that names the value.
    """
    if not is_handle(new.handle):
        raise Invalid("A handle has 2 to 30 of a-z, 0-9 and underscore.")
    if not clean_line(new.name):
        raise Invalid("A member needs a name.")
    if new.member_class not in CLASSES:
        raise Invalid(f"The class is one of {', '.join(CLASSES)}.")
    if new.assurance not in ASSURANCE_LEVELS:
        raise Invalid(f"The assurance is one of {', '.join(ASSURANCE_LEVELS)}.")
    if new.role not in NODE_ROLES:
        raise Invalid(f"The role is one of {', '.join(NODE_ROLES)}.")
    if new.password is not None:
        check_password(new.password)


def check_password(password: str) -> None:
    """Raise unless a password can be used.

    Raises:
        Invalid: It is too short or absurdly long.
    """
    if not PASSWORD_SHORTEST <= len(password) <= 1000:
        raise Invalid(f"A password has at least {PASSWORD_SHORTEST} characters.")


async def hash_password(core: Core, password: str) -> str:
    """Return the hash of a password; two at a time, in threads."""
    async with core.heavy:
        return await asyncio.to_thread(_HASHER.hash, password)


async def check_sign_in(core: Core, *, handle: str, password: str) -> Member | None:
    """Return the active member with this handle and password, or None. An unknown handle takes as long as a wrong one."""
    member = await core.store.read(_get_member, handle)
    hashed = await core.store.read(_password_hash, member.actor_id) if member else None
    async with core.heavy:
        fits = await asyncio.to_thread(_verify, hashed, password)
    return member if fits and member is not None and member.state == "active" else None


async def require_member(core: Core, handle: str) -> Member:
    """Return a member by handle.

    Raises:
        NotFound: There is none.
    """
    member = await core.store.read(_get_member, handle)
    if member is None:
        raise NotFound(f"There is no member {handle} here.")
    return member


async def suspend_member(core: Core, handle: str, *, by: str, reason: str) -> Member:
    """Suspend a member: sessions and tokens end at once, groups and posts stay."""
    member = await require_member(core, handle)
    await core.store.write(_suspend, member, by, reason)
    return await require_member(core, handle)


async def restore_member(core: Core, handle: str, *, by: str, reason: str) -> Member:
    """End a suspension."""
    member = await require_member(core, handle)
    if member.state != "suspended":
        raise Conflict(f"{handle} is not suspended.")
    await core.store.write(_restore, member, by, reason)
    return await require_member(core, handle)


async def make_reset_link(core: Core, handle: str, *, by: str) -> str:
    """Return a link by which a member sets a new password once, within a day; shown to the operator alone, it ends others."""
    member = await require_member(core, handle)
    if member.state not in ("active", "invited"):
        raise Conflict(f"{handle} is {member.state}.")
    secret = core.ids.secret()
    await core.store.write(_insert_link, member, secret, by)
    return f"{core.origin}/invitations/{secret}"


async def set_password_by_link(core: Core, secret: str, password: str) -> Member:
    """Spend a one-time link and set the password; tokens and other links of the member end.

    Raises:
        NotFound: The link is spent, expired or unknown.
    """
    check_password(password)
    hashed = await hash_password(core, password)
    actor_id = await core.store.write(_use_link, secret, hashed)
    if actor_id is None:
        raise NotFound("This link has been used, or is too old. Ask your node's operator for a new one.")
    member = await core.store.read(_get_by_id, actor_id)
    assert member is not None
    return member


async def make_token(core: Core, handle: str, scopes: str, *, by: str) -> str:
    """Return a bearer token for a member; audited, and told to the member at the next sign-in.

    Raises:
        Invalid: A scope is unknown.
    """
    wanted = read_scopes(scopes)
    member = await require_member(core, handle)
    if member.state != "active":
        raise Conflict(f"{handle} is {member.state}.")
    token = core.ids.secret()
    await core.store.write(_insert_token, member, hash_secret(token), " ".join(wanted), by)
    return token


async def find_token(core: Core, token: str) -> tuple[Member, frozenset[str]] | None:
    """Return the member and the scopes of a live token."""
    return await find_token_by_hash(core, hash_secret(token))


async def find_token_by_hash(core: Core, token_hash: str) -> tuple[Member, frozenset[str]] | None:
    """Return the member and the scopes of a live token, by what is kept of it."""
    found = await find_access(core, token_hash)
    return (found.member, found.scopes) if found else None


def hash_secret(secret: str) -> str:
    """Return what is kept of a token: its SHA-256, hex. Tokens are random, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _verify(hashed: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(hashed or _DECOY, password) and hashed is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


# The hash of a random password that nobody knows: an unknown handle costs the same time as a wrong password.
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$Tlb+JRX3vZIsoRf6Z2c/hA$FEWFRZC40hzbIcdVmXWTSDfa3v8EiDrPY2/tf5OgjOw"


async def _add_member(
    tx: Tx, core: Core, member: Member, sealed: list[Any], hashed: str | None, link: str | None, by: str
) -> Member | None:
    existing = await repository.get_member(tx, handle=member.handle)
    if existing is not None:
        return existing
    await place_member(tx, core, member, sealed, hashed)
    if link is not None:
        await repository.insert_link(
            tx,
            token_hash=hash_secret(link),
            purpose="invitation",
            actor_id=member.actor_id,
            detail={},
            expires_at=tx.now + INVITATION_LIFE,
        )
    await write_audit(tx, actor=by, action="member.add", target=member.handle)
    return None


async def place_member(tx: Tx, core: Core, member: Member, sealed: list[Any], hashed: str | None) -> None:
    """Keep a new member with their actor and keys; the caller has seen that the handle was never used."""
    actor = Actor(
        member.actor_id, member.uri, "person", member.handle, core.host, True, None, member.name, "",
        f"{core.origin}/inbox",
    )  # fmt: skip
    await insert_actor(tx, actor=actor)
    await insert_own_keys(tx, actor_id=member.actor_id, sealed=sealed)
    await repository.insert_member(tx, member=member, password_hash=hashed)
    if member.assurance != "A0":  # whoever is let in with a level is so by the operator's own word
        drawn = draw_verification(
            member.actor_id, member.assurance, (OPERATOR,), by="operator", now=tx.now, config=core.config
        )
        await put_verification(tx, verification=drawn, number_mark=None, member_class=None)
        await attest(tx, core, actor_id=member.actor_id)


async def _get_member(tx: Tx, handle: str) -> Member | None:
    return await repository.get_member(tx, handle=handle)


async def _get_by_id(tx: Tx, actor_id: int) -> Member | None:
    return await repository.get_member_by_id(tx, actor_id=actor_id)


async def _password_hash(tx: Tx, actor_id: int) -> str | None:
    return await repository.get_password_hash(tx, actor_id=actor_id)


async def _suspend(tx: Tx, member: Member, by: str, reason: str) -> None:
    state = await repository.take_member(tx, actor_id=member.actor_id)
    if state == "suspended":
        return
    if state != "active":
        raise Conflict(f"{member.handle} is {state}.")
    # The audit chain's row is held from here on, so two operators cannot suspend each other at once.
    await write_audit(tx, actor=by, action="member.suspend", target=member.handle, reason=reason)
    if member.role == "operator" and await repository.count_operators(tx) == 1:
        raise Conflict("This is the last operator. Make somebody else operator first.")
    await repository.update_member_state(tx, actor_id=member.actor_id, state="suspended")
    await repository.revoke_tokens(tx, actor_id=member.actor_id)
    await repository.end_sessions(tx, actor_id=member.actor_id)


async def end_account(tx: Tx, *, actor_id: int, state: str) -> None:
    """Put an account into a state that it had before a restore; its sessions and tokens end."""
    await repository.update_member_state(tx, actor_id=actor_id, state=state)
    await repository.revoke_tokens(tx, actor_id=actor_id)
    await repository.end_sessions(tx, actor_id=actor_id)


async def sign_everybody_out(tx: Tx) -> None:
    """End every session, token and one-time link: after a restore nobody can say which were ended since the backup."""
    await repository.end_all_sign_ins(tx)


async def _restore(tx: Tx, member: Member, by: str, reason: str) -> None:
    await repository.take_member(tx, actor_id=member.actor_id)
    await repository.update_member_state(tx, actor_id=member.actor_id, state="active")
    await write_audit(tx, actor=by, action="member.restore", target=member.handle, reason=reason)


async def _insert_link(tx: Tx, member: Member, secret: str, by: str) -> None:
    await repository.end_links(tx, actor_id=member.actor_id)  # one that went to the wrong person is dead from now on
    await repository.insert_link(
        tx,
        token_hash=hash_secret(secret),
        purpose="reset",
        actor_id=member.actor_id,
        detail={},
        expires_at=tx.now + LINK_LIFE,
    )
    await write_audit(tx, actor=by, action="member.reset", target=member.handle)


async def _use_link(tx: Tx, secret: str, hashed: str) -> int | None:
    link = await repository.use_link(tx, token_hash=hash_secret(secret))
    if link is None or link.actor_id is None or link.purpose not in ("invitation", "reset"):
        return None
    if not await repository.update_password(tx, actor_id=link.actor_id, password_hash=hashed):
        return None
    await repository.revoke_tokens(tx, actor_id=link.actor_id)
    await repository.end_sessions(tx, actor_id=link.actor_id)
    await repository.end_links(tx, actor_id=link.actor_id)  # an older link would set the password once more (T61)
    return int(link.actor_id)


async def _insert_token(tx: Tx, member: Member, token_hash: str, scopes: str, by: str) -> None:
    await repository.insert_token(tx, token_hash=token_hash, actor_id=member.actor_id, scopes=scopes)
    notice = "Your node's operator made an access token for your account."
    await repository.update_notice(tx, actor_id=member.actor_id, notice=notice)
    await write_audit(tx, actor=by, action="member.token", target=member.handle, reason=scopes)


async def list_operator_names(tx: Tx) -> list[str]:
    """Return the names of the active operators, oldest account first: they technically hold what this node holds."""
    return [member.name for member in await repository.list_operators(tx)]


async def list_members(tx: Tx) -> list[tuple[Member, datetime, datetime | None]]:
    """Return (member, created at, last seen at) of everybody, by handle."""
    return await repository.list_members(tx)


async def get_times(tx: Tx, *, actor_id: int) -> tuple[datetime, datetime | None]:
    """Return when a member was added, and when they were last here."""
    row = await repository.get_times(tx, actor_id=actor_id)
    return row.created_at, row.last_seen_at


async def count_members(tx: Tx) -> int:
    """Return how many members there are."""
    return await repository.count_members(tx)
