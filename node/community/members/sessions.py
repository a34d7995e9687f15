"""Sessions: who is signed in where, and how they want to read.

A session is a row behind a random cookie; what is kept of the cookie is its SHA-256. It ends after 30 days without use,
when its member signs out, is suspended, or sets a new password.

Spec: design.md §4; signatures.md T48, T55, T57.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from node.domain.actors import Member
from node.federation.egress import is_loopback_address
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import clean_line
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx

from . import repository
from .service import check_password, check_sign_in, hash_password, hash_secret
from .tries import Tries

SESSION_LIFE = timedelta(days=30)
LANGUAGES = {"en": "English", "de": "Deutsch"}
DATE_STYLES = ("long", "iso")
_TOUCH_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a member reads. language: "en" or "de". time_zone: such as "Europe/Berlin". date_style: "long" or "iso"."""

    language: str = "en"
    time_zone: str = "UTC"
    date_style: str = "long"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at a browser. notice: what the node has to tell them once. has_chosen: whether they said how they read."""

    session_id: int
    member: Member
    preferences: Preferences
    notice: str | None = None
    has_chosen: bool = True


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One place where a member is signed in, as their settings show it."""

    session_id: int
    agent: str
    created_at: datetime
    seen_at: datetime


def cookie_name(core: Core) -> str:
    """Return the name of this node's cookie: several nodes may live on one machine."""
    return f"rounds-{hashlib.sha256(core.origin.encode()).hexdigest()[:8]}"


async def sign_in(
    core: Core, tries: Tries, *, handle: str, password: str, address: str, agent: str
) -> tuple[str, Member] | None:
    """Return (cookie, member) of a new session, or None when handle and password do not fit.

    Raises:
        TooMany: There were too many wrong passwords for this handle, or from this address.
    """
    # Behind a proxy on this machine everybody comes from the machine itself: that is nobody's address.
    address = "" if is_loopback_address(address) else address
    tries.check(handle, address)
    member = await check_sign_in(core, handle=handle, password=password[:1000])
    if member is None:
        tries.note(handle, address)
        return None
    tries.forget(handle)
    return await open_session(core, member, agent=agent), member


async def change_password(core: Core, tries: Tries, session: Session, *, present: str, wanted: str) -> None:
    """Change a member's password, for who knows the present one; their other sessions, tokens and one-time links end.

    Raises:
        Invalid: The present one is wrong, or the new one cannot be used.
        TooMany: There were too many wrong ones.
    """
    member = session.member
    check_password(wanted)
    tries.check(member.handle, "")
    if await check_sign_in(core, handle=member.handle, password=present[:1000]) is None:
        tries.note(member.handle, "")
        raise Invalid("That is not your present password. Nothing was changed.")
    tries.forget(member.handle)
    await core.store.write(_change_password, member, session.session_id, await hash_password(core, wanted))


async def open_session(core: Core, member: Member, *, agent: str) -> str:
    """Return the cookie of a new session."""
    cookie = core.ids.secret()
    await core.store.write(_open, core.ids.number(), hash_secret(cookie), member.actor_id, clean_line(agent, limit=200))
    return cookie


async def find_session(core: Core, cookie: str) -> Session | None:
    """Return the live session behind a cookie; now and then remember that it was used."""
    session_hash = hash_secret(cookie)
    row = await core.store.read(_find, session_hash)
    if row is None:
        return None
    member = Member(*row[:9])
    if core.clock.now() - row.seen_at > _TOUCH_EVERY:
        await core.store.write(_touch, row.session_id, member.actor_id)
    preferences = Preferences() if row.language is None else Preferences(row.language, row.time_zone, row.date_style)
    return Session(row.session_id, member, preferences, row.notice, row.language is not None)


async def sign_out(core: Core, session: Session) -> None:
    """End this session."""
    await core.store.write(_end, session.member.actor_id, session.session_id)


async def sign_out_elsewhere(core: Core, session: Session) -> None:
    """End every other session of this member."""
    await core.store.write(_end_others, session.member.actor_id, session.session_id)


async def end_one(core: Core, session: Session, session_id: int) -> None:
    """End one of this member's sessions.

    Raises:
        NotFound: It is not there, or somebody else's.
    """
    if not await core.store.write(_end, session.member.actor_id, session_id):
        raise NotFound("This session has ended already.")


async def list_places(core: Core, member: Member) -> list[SignedIn]:
    """Return where a member is signed in."""
    return await core.store.read(_list, member.actor_id)


async def change_preferences(core: Core, member: Member, wanted: Preferences) -> None:
    """Keep how a member wants to read.

    Raises:
        Invalid: One of the values is unknown.
    """
    check_preferences(wanted)
    await core.store.write(_prefer, member.actor_id, wanted)


def check_preferences(wanted: Preferences) -> None:
    """Raise unless somebody can read like this.

    Raises:
        Invalid: One of the values is unknown.
    """
    if wanted.language not in LANGUAGES or wanted.date_style not in DATE_STYLES:
        raise Invalid("This language or date style is not known here.")
    if wanted.time_zone not in list_time_zones():
        raise Invalid("This time zone is not known here. Its name looks like Europe/Berlin or America/New_York.")


async def clear_notice(core: Core, member: Member) -> None:
    """Forget what was to be told: it has been shown."""
    await core.store.write(_clear_notice, member.actor_id)


async def find_link(core: Core, secret: str) -> tuple[str, str, str] | None:
    """Return (purpose, handle, name) of a one-time link that can still be used, without spending it."""
    row = await core.store.read(_find_link, hash_secret(secret))
    return (row.purpose, row.handle, row.name) if row else None


def list_time_zones() -> list[str]:
    """Return the names of time zones that people live in."""
    return [*sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")), "UTC"]


async def _open(tx: Tx, session_id: int, session_hash: str, actor_id: int, agent: str) -> None:
    await repository.insert_session(
        tx,
        session_id=session_id,
        session_hash=session_hash,
        actor_id=actor_id,
        agent=agent,
        expires_at=tx.now + SESSION_LIFE,
    )
    await repository.mark_seen(tx, actor_id=actor_id)


async def _find(tx: Tx, session_hash: str) -> Any:
    return await repository.get_session(tx, session_hash=session_hash)


async def _touch(tx: Tx, session_id: int, actor_id: int) -> None:
    await repository.touch_session(tx, session_id=session_id, actor_id=actor_id, expires_at=tx.now + SESSION_LIFE)


async def _change_password(tx: Tx, member: Member, session_id: int, hashed: str) -> None:
    if not await repository.update_password(tx, actor_id=member.actor_id, password_hash=hashed):
        raise NotFound("This account is not active.")
    await repository.end_sessions(tx, actor_id=member.actor_id, but_id=session_id)
    await repository.revoke_tokens(tx, actor_id=member.actor_id)
    await repository.end_links(tx, actor_id=member.actor_id)
    await write_audit(tx, actor=member.handle, action="member.password", target=member.handle)


async def _end(tx: Tx, actor_id: int, session_id: int) -> bool:
    return await repository.end_session(tx, actor_id=actor_id, session_id=session_id)


async def _end_others(tx: Tx, actor_id: int, session_id: int) -> None:
    await repository.end_sessions(tx, actor_id=actor_id, but_id=session_id)


async def _list(tx: Tx, actor_id: int) -> list[SignedIn]:
    return [SignedIn(*row) for row in await repository.list_sessions(tx, actor_id=actor_id)]


async def _prefer(tx: Tx, actor_id: int, wanted: Preferences) -> None:
    await repository.save_preferences(
        tx,
        actor_id=actor_id,
        language=wanted.language,
        time_zone=wanted.time_zone,
        date_style=wanted.date_style,
    )


async def _clear_notice(tx: Tx, actor_id: int) -> None:
    await repository.update_notice(tx, actor_id=actor_id, notice=None)


async def _find_link(tx: Tx, token_hash: str) -> Any:
    return await repository.get_link(tx, token_hash=token_hash)
