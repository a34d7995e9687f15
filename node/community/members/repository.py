"""Members, their tokens and one-time links in the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.actors import Member
from node.store import journal
from node.store.engine import Tx

_MEMBER = """m.actor_id, a.uri, m.handle, a.name, m.role, m.class, m.assurance, m.state, m.is_searchable"""
_FROM = "FROM members m JOIN actors a ON a.actor_id = m.actor_id"
_BY_HANDLE = f"SELECT {_MEMBER} {_FROM} WHERE m.handle = :handle"
_BY_ID = f"SELECT {_MEMBER} {_FROM} WHERE m.actor_id = :actor_id"
_LIST = f"SELECT {_MEMBER}, m.created_at, m.last_seen_at {_FROM} ORDER BY m.handle LIMIT 10000"
_TIMES = "SELECT created_at, last_seen_at, notice FROM members WHERE actor_id = :actor_id"
_INSERT = """INSERT INTO members (actor_id, handle, password_hash, role, class, assurance, state, is_searchable, notice,
   created_at, last_seen_at, version)
  VALUES (:actor_id, :handle, :password_hash, :role, :class, :assurance, :state, 0, NULL, :created_at, NULL, 1)"""
_TAKE = "UPDATE members SET version = version + 1 WHERE actor_id = :actor_id RETURNING state"
_URI = "SELECT uri FROM actors WHERE actor_id = :actor_id"
_SET_STATE = "UPDATE members SET state = :state WHERE actor_id = :actor_id"
_SET_PASSWORD = """UPDATE members SET password_hash = :password_hash, state = 'active'
  WHERE actor_id = :actor_id AND state IN ('invited', 'active')"""
_PASSWORD = "SELECT password_hash FROM members WHERE actor_id = :actor_id"
_SET_NOTICE = "UPDATE members SET notice = :notice WHERE actor_id = :actor_id"
_SEEN = "UPDATE members SET last_seen_at = :now_at WHERE actor_id = :actor_id"
_COUNT = "SELECT COUNT(*) AS n FROM members WHERE state <> 'ended'"
_COUNT_OPERATORS = "SELECT COUNT(*) AS n FROM members WHERE role = 'operator' AND state = 'active'"
_OPERATORS = f"SELECT {_MEMBER} {_FROM} WHERE m.role = 'operator' AND m.state = 'active' ORDER BY m.actor_id LIMIT 20"
_INSERT_TOKEN = """INSERT INTO api_tokens (token_hash, actor_id, scopes, created_at, revoked_at, app_id, used_at)
  VALUES (:token_hash, :actor_id, :scopes, :created_at, NULL, :app_id, NULL)"""
_TOKEN = f"""SELECT {_MEMBER}, t.scopes, t.app_id, t.used_at {_FROM} JOIN api_tokens t ON t.actor_id = m.actor_id
  WHERE t.token_hash = :token_hash AND t.revoked_at IS NULL AND m.state = 'active'
   AND COALESCE(t.used_at, t.created_at) > :unused_since_at"""
_TOUCH_TOKEN = "UPDATE api_tokens SET used_at = :now_at WHERE token_hash = :token_hash AND revoked_at IS NULL"
_REVOKE_TOKENS = "UPDATE api_tokens SET revoked_at = :now_at WHERE actor_id = :actor_id AND revoked_at IS NULL"
# A code on its way to an app is a token to be.
_END_CODES = "UPDATE authorization_codes SET used_at = :now_at WHERE actor_id = :actor_id AND used_at IS NULL"
_END_ALL_CODES = "UPDATE authorization_codes SET used_at = :now_at WHERE used_at IS NULL"
_INSERT_LINK = """INSERT INTO one_time_links (token_hash, purpose, actor_id, detail_json, created_at, expires_at, used_at)
  VALUES (:token_hash, :purpose, :actor_id, :detail_json, :created_at, :expires_at, NULL)"""
_USE_LINK = """UPDATE one_time_links SET used_at = :now_at
  WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now_at
  RETURNING purpose, actor_id, detail_json"""
_END_LINKS = "UPDATE one_time_links SET used_at = :now_at WHERE actor_id = :actor_id AND used_at IS NULL"
_END_SETUP_LINKS = "UPDATE one_time_links SET used_at = :now_at WHERE purpose = 'setup' AND used_at IS NULL"
_SETUP_LINK = """SELECT purpose FROM one_time_links
  WHERE token_hash = :token_hash AND purpose = 'setup' AND used_at IS NULL AND expires_at > :now_at"""
_INSERT_SESSION = """INSERT INTO sessions (session_id, session_hash, actor_id, agent, created_at, seen_at, expires_at)
  VALUES (:session_id, :session_hash, :actor_id, :agent, :created_at, :created_at, :expires_at)"""
_SESSION = f"""SELECT {_MEMBER}, s.session_id, s.seen_at, m.notice, p.language, p.time_zone, p.date_style
  {_FROM} JOIN sessions s ON s.actor_id = m.actor_id LEFT JOIN preferences p ON p.actor_id = m.actor_id
  WHERE s.session_hash = :session_hash AND s.expires_at > :now_at AND m.state = 'active'"""
_TOUCH_SESSION = "UPDATE sessions SET seen_at = :now_at, expires_at = :expires_at WHERE session_id = :session_id"
_SESSIONS = """SELECT session_id, agent, created_at, seen_at FROM sessions
  WHERE actor_id = :actor_id AND expires_at > :now_at ORDER BY seen_at DESC LIMIT 100"""
_END_SESSION = "DELETE FROM sessions WHERE session_id = :session_id AND actor_id = :actor_id"
_END_SESSIONS = "DELETE FROM sessions WHERE actor_id = :actor_id AND session_id <> :but_id"
_END_ALL_SESSIONS = "DELETE FROM sessions"
_REVOKE_ALL_TOKENS = "UPDATE api_tokens SET revoked_at = :now_at WHERE revoked_at IS NULL"
_SPEND_ALL_LINKS = "UPDATE one_time_links SET used_at = :now_at WHERE used_at IS NULL"
_END_EXPIRED = "DELETE FROM sessions WHERE actor_id = :actor_id AND expires_at <= :now_at"
_REVOKE_TOKEN = """UPDATE api_tokens SET revoked_at = :now_at
  WHERE actor_id = :actor_id AND token_hash = :token_hash AND revoked_at IS NULL"""
_PREFER = """INSERT INTO preferences (actor_id, language, time_zone, date_style)
  VALUES (:actor_id, :language, :time_zone, :date_style)
  ON CONFLICT (actor_id) DO UPDATE SET language = excluded.language, time_zone = excluded.time_zone,
   date_style = excluded.date_style"""
_LINK = """SELECT l.purpose, l.actor_id, m.handle, a.name FROM one_time_links l
  JOIN members m ON m.actor_id = l.actor_id JOIN actors a ON a.actor_id = l.actor_id
  WHERE l.token_hash = :token_hash AND l.used_at IS NULL AND l.expires_at > :now_at"""


async def get_member(tx: Tx, *, handle: str) -> Member | None:
    """Return a member by handle, in whatever state."""
    row = await tx.one(_BY_HANDLE, handle=handle)
    return Member(*row) if row else None


async def get_member_by_id(tx: Tx, *, actor_id: int) -> Member | None:
    """Return a member by our number."""
    row = await tx.one(_BY_ID, actor_id=actor_id)
    return Member(*row) if row else None


async def list_members(tx: Tx) -> list[tuple[Member, datetime, datetime | None]]:
    """Return (member, created at, last seen at) of everybody, by handle."""
    return [(Member(*row[:9]), row[9], row[10]) for row in await tx.all(_LIST)]


async def get_times(tx: Tx, *, actor_id: int) -> Any:
    """Return (created_at, last_seen_at, notice) of a member."""
    return await tx.one(_TIMES, actor_id=actor_id)


async def insert_member(tx: Tx, *, member: Member, password_hash: str | None) -> None:
    """Insert a member whose actor is there.

    Raises:
        Duplicate: The handle is taken, or was once.
    """
    await tx.run(
        _INSERT,
        **{
            "actor_id": member.actor_id,
            "handle": member.handle,
            "password_hash": password_hash,
            "role": member.role,
            "class": member.member_class,
            "assurance": member.assurance,
            "state": member.state,
            "created_at": tx.now,
        },
    )


async def take_member(tx: Tx, *, actor_id: int) -> str | None:
    """Lock a member's row for this transaction and return the state."""
    return await tx.value(_TAKE, actor_id=actor_id)  # type: ignore[no-any-return]


async def update_member_state(tx: Tx, *, actor_id: int, state: str) -> None:
    """Set a member's state."""
    await tx.run(_SET_STATE, actor_id=actor_id, state=state)
    await journal.note(tx, "account", actor=await tx.value(_URI, actor_id=actor_id), state=state)


async def update_password(tx: Tx, *, actor_id: int, password_hash: str) -> bool:
    """Set a password; an invited member becomes active. False for those who are suspended or gone."""
    return await tx.run(_SET_PASSWORD, actor_id=actor_id, password_hash=password_hash) == 1


async def get_password_hash(tx: Tx, *, actor_id: int) -> str | None:
    """Return the hash of a member's password."""
    return await tx.value(_PASSWORD, actor_id=actor_id)  # type: ignore[no-any-return]


async def update_notice(tx: Tx, *, actor_id: int, notice: str | None) -> None:
    """Set what a member is to be told at the next sign-in."""
    await tx.run(_SET_NOTICE, actor_id=actor_id, notice=notice)


async def mark_seen(tx: Tx, *, actor_id: int) -> None:
    """Remember that a member was here."""
    await tx.run(_SEEN, actor_id=actor_id, now_at=tx.now)


async def count_members(tx: Tx) -> int:
    """Return how many members there are."""
    return int(await tx.value(_COUNT))


async def count_operators(tx: Tx) -> int:
    """Return how many active operators there are."""
    return int(await tx.value(_COUNT_OPERATORS))


async def list_operators(tx: Tx) -> list[Member]:
    """Return the active operators, at most 20, oldest first."""
    return [Member(*row) for row in await tx.all(_OPERATORS)]


async def insert_token(tx: Tx, *, token_hash: str, actor_id: int, scopes: str, app_id: int | None = None) -> None:
    """Keep the hash of a bearer token."""
    await tx.run(
        _INSERT_TOKEN, token_hash=token_hash, actor_id=actor_id, scopes=scopes, created_at=tx.now, app_id=app_id
    )


async def get_token(tx: Tx, *, token_hash: str, unused_since_at: datetime) -> Any | None:
    """Return a live token of an active member, used since an instant: the member's nine columns, scopes, app, last use."""
    return await tx.one(_TOKEN, token_hash=token_hash, unused_since_at=unused_since_at)


async def touch_token(tx: Tx, *, token_hash: str, actor_id: int) -> None:
    """Remember that a token was used, and that its member was here."""
    await mark_seen(tx, actor_id=actor_id)
    await tx.run(_TOUCH_TOKEN, token_hash=token_hash, now_at=tx.now)


async def revoke_tokens(tx: Tx, *, actor_id: int) -> None:
    """End every token of a member, and every code that would become one."""
    await tx.run(_REVOKE_TOKENS, actor_id=actor_id, now_at=tx.now)
    await tx.run(_END_CODES, actor_id=actor_id, now_at=tx.now)


async def insert_link(
    tx: Tx, *, token_hash: str, purpose: str, actor_id: int | None, detail: dict[str, Any], expires_at: datetime
) -> None:
    """Keep the hash of a one-time link."""
    await tx.run(
        _INSERT_LINK,
        token_hash=token_hash,
        purpose=purpose,
        actor_id=actor_id,
        detail_json=detail,
        created_at=tx.now,
        expires_at=expires_at,
    )


async def use_link(tx: Tx, *, token_hash: str) -> Any | None:
    """Spend a one-time link and return (purpose, actor_id, detail_json); None when it is spent, expired or unknown."""
    return await tx.one(_USE_LINK, token_hash=token_hash, now_at=tx.now)


async def end_links(tx: Tx, *, actor_id: int) -> None:
    """End every one-time link of a member that was not used."""
    await tx.run(_END_LINKS, actor_id=actor_id, now_at=tx.now)


async def end_setup_links(tx: Tx) -> None:
    """End every link for a first operator that was not used."""
    await tx.run(_END_SETUP_LINKS, now_at=tx.now)


async def has_setup_link(tx: Tx, *, token_hash: str) -> bool:
    """Return whether this is a link for a first operator that can still be used; it is not spent."""
    return await tx.one(_SETUP_LINK, token_hash=token_hash, now_at=tx.now) is not None


async def insert_session(
    tx: Tx, *, session_id: int, session_hash: str, actor_id: int, agent: str, expires_at: datetime
) -> None:
    """Keep the hash of a session's cookie; the member's sessions that are over go."""
    await tx.run(_END_EXPIRED, actor_id=actor_id, now_at=tx.now)
    await tx.run(
        _INSERT_SESSION,
        session_id=session_id,
        session_hash=session_hash,
        actor_id=actor_id,
        agent=agent,
        created_at=tx.now,
        expires_at=expires_at,
    )


async def get_session(tx: Tx, *, session_hash: str) -> Any | None:
    """Return a live session of an active member: the member's nine columns, then session, notice and preferences."""
    return await tx.one(_SESSION, session_hash=session_hash, now_at=tx.now)


async def touch_session(tx: Tx, *, session_id: int, actor_id: int, expires_at: datetime) -> None:
    """Remember that a session was used, and let it live on."""
    await tx.run(_TOUCH_SESSION, session_id=session_id, now_at=tx.now, expires_at=expires_at)
    await mark_seen(tx, actor_id=actor_id)


async def list_sessions(tx: Tx, *, actor_id: int) -> list[Any]:
    """Return (session_id, agent, created_at, seen_at) of a member's live sessions, the last used first."""
    return await tx.all(_SESSIONS, actor_id=actor_id, now_at=tx.now)


async def end_session(tx: Tx, *, actor_id: int, session_id: int) -> bool:
    """End one session of a member."""
    return await tx.run(_END_SESSION, actor_id=actor_id, session_id=session_id) == 1


async def end_sessions(tx: Tx, *, actor_id: int, but_id: int = 0) -> None:
    """End every session of a member, but for one."""
    await tx.run(_END_SESSIONS, actor_id=actor_id, but_id=but_id)


async def revoke_token(tx: Tx, *, actor_id: int, token_hash: str) -> bool:
    """End one token of a member."""
    return await tx.run(_REVOKE_TOKEN, actor_id=actor_id, token_hash=token_hash, now_at=tx.now) == 1


async def save_preferences(tx: Tx, *, actor_id: int, language: str, time_zone: str, date_style: str) -> None:
    """Set how a member wants to read."""
    await tx.run(_PREFER, actor_id=actor_id, language=language, time_zone=time_zone, date_style=date_style)


async def get_link(tx: Tx, *, token_hash: str) -> Any | None:
    """Return (purpose, actor_id, handle, name) of a one-time link that can still be used; it is not spent."""
    return await tx.one(_LINK, token_hash=token_hash, now_at=tx.now)


async def end_all_sign_ins(tx: Tx) -> None:
    """End every session, token and one-time link: a restore brings back those that were ended since."""
    await tx.run(_END_ALL_SESSIONS)
    await tx.run(_REVOKE_ALL_TOKENS, now_at=tx.now)
    await tx.run(_END_ALL_CODES, now_at=tx.now)
    await tx.run(_SPEND_ALL_LINKS, now_at=tx.now)
