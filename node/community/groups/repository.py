"""Statements of groups' pages: who is in a group, who asks, what two people share, what somebody would leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.store.engine import Tx
from node.store.rosters import RosterRow
from node.store.visibility import READABLE_IN_GROUP, READABLE_POST, VIEWER_IS_ACTIVE, WAITING_IN_GROUP

PAGE_MEMBERS = 100

_ROW = """SELECT a.actor_id, a.uri, a.name, a.handle, a.host, a.is_local, m.role, m.state, m.joined_seq, m.joined_at,
   m.requested_at, m.reason
  FROM memberships m JOIN actors a ON a.actor_id = m.actor_id WHERE m.group_id = :group_id"""
_IN_STATE = f"{_ROW} AND m.state = :state ORDER BY m.requested_at, a.uri LIMIT 100"
_PLAIN = f"""{_ROW} AND m.state = 'member' AND m.role = 'member'
   AND (a.name > COALESCE((SELECT b.name FROM actors b WHERE b.actor_id = :after_id), '')
    OR (a.name = COALESCE((SELECT b.name FROM actors b WHERE b.actor_id = :after_id), '') AND a.actor_id > :after_id))
  ORDER BY a.name, a.actor_id LIMIT 101"""
_BY_ADDRESS = (
    f"{_ROW} AND a.kind = 'person' AND a.handle = :handle AND a.host = :host AND m.state IN ('member', 'invited')"
)
_BANNED_BY_ADDRESS = f"{_ROW} AND a.kind = 'person' AND a.handle = :handle AND a.host = :host AND m.state = 'banned'"
_MEMBER_IDS = """SELECT m.actor_id FROM memberships m WHERE m.group_id = :group_id AND m.state = 'member'
   AND m.actor_id < :before_id AND m.actor_id > :after_id ORDER BY m.actor_id DESC LIMIT 40"""
_OLDEST_MEMBER_IDS = """SELECT m.actor_id FROM memberships m WHERE m.group_id = :group_id AND m.state = 'member'
   AND m.actor_id < :before_id AND m.actor_id > :after_id ORDER BY m.actor_id LIMIT 40"""
_BEFORE_STAFF = f"""SELECT m.actor_id, m.group_id, g.title, m.reason, m.requested_at FROM memberships mine
  JOIN groups g ON g.group_id = mine.group_id JOIN memberships m ON m.group_id = mine.group_id AND m.state = 'requested'
  WHERE mine.actor_id = :viewer_id AND mine.state = 'member' AND mine.role <> 'member' AND g.staff_of IS NULL
   AND {VIEWER_IS_ACTIVE} ORDER BY m.requested_at, m.actor_id LIMIT 500"""
_COUNT_POSTS = "SELECT COALESCE(SUM(posts), 0) AS n FROM threads WHERE group_id = :group_id"
_SHARED = """SELECT g.group_id FROM memberships mine JOIN groups g ON g.group_id = mine.group_id
  WHERE mine.actor_id = :viewer_id AND mine.state = 'member' AND g.staff_of IS NULL AND (
   EXISTS (SELECT 1 FROM memberships theirs
    WHERE theirs.group_id = g.group_id AND theirs.actor_id = :actor_id AND theirs.state = 'member')
   OR (g.peer_id IS NOT NULL AND EXISTS (SELECT 1 FROM author_cards c JOIN actors a ON a.uri = c.actor_uri
    WHERE c.group_id = g.group_id AND a.actor_id = :actor_id)))
  ORDER BY g.title LIMIT 50"""
_LEFT_BEHIND = f"""SELECT p.post_id FROM posts p WHERE p.author_id = :viewer_id AND p.state IN ('live', 'waiting_for_host')
   AND ({READABLE_IN_GROUP} OR {WAITING_IN_GROUP}) ORDER BY p.post_id"""
_SAID = f"""SELECT p.uri, p.title, p.html, p.published_at, p.group_id FROM posts p
  WHERE p.author_id = :actor_id AND p.audience = 'group' AND p.state = 'live' AND p.seq IS NOT NULL AND {READABLE_POST}
  ORDER BY p.post_id DESC LIMIT 5"""
_OFFERED = (
    """SELECT document FROM log_entries WHERE group_id = :group_id AND kind = 'create' ORDER BY seq DESC LIMIT 100"""
)


@dataclass(frozen=True, slots=True)
class Before:
    """A request to join that lies before somebody. title: of the group."""

    actor_id: int
    group_id: int
    title: str
    reason: str
    requested_at: datetime


_OFFERED_AS = "SELECT document FROM log_entries WHERE group_id = :group_id AND activity_uri = :activity_uri"


@dataclass(frozen=True, slots=True)
class Said:
    """A post in a list of what somebody wrote."""

    uri: str
    title: str
    html: str
    published_at: datetime
    group_id: int


async def list_in_state(tx: Tx, *, group_id: int, state: str) -> list[RosterRow]:
    """Return at most 100 people whose place in a group is in a state, the earliest request first."""
    return [RosterRow(*row) for row in await tx.all(_IN_STATE, group_id=group_id, state=state)]


async def get_banned_by_address(tx: Tx, *, group_id: int, handle: str, host: str) -> RosterRow | None:
    """Return somebody who is banned from a group, by address."""
    row = await tx.one(_BANNED_BY_ADDRESS, group_id=group_id, handle=handle, host=host)
    return RosterRow(*row) if row else None


async def list_plain_members(tx: Tx, *, group_id: int, after_id: int) -> list[RosterRow]:
    """Return at most 101 members without a role, by name, from behind somebody; the last says that there are more."""
    return [RosterRow(*row) for row in await tx.all(_PLAIN, group_id=group_id, after_id=after_id)]


async def list_member_ids(tx: Tx, *, group_id: int, before_id: int, after_id: int, oldest_first: bool) -> list[int]:
    """Return the numbers of at most 40 members of a group, the largest first unless told otherwise."""
    rows = await tx.all(
        _OLDEST_MEMBER_IDS if oldest_first else _MEMBER_IDS, group_id=group_id, before_id=before_id, after_id=after_id
    )
    return [row.actor_id for row in rows]


async def list_before_staff(tx: Tx, *, viewer_id: int) -> list[Before]:
    """Return at most 500 requests to join groups of whose staff somebody is, the earliest first."""
    return [Before(*row) for row in await tx.all(_BEFORE_STAFF, viewer_id=viewer_id)]


async def get_place_by_address(tx: Tx, *, group_id: int, handle: str, host: str) -> RosterRow | None:
    """Return the place of a member, or of somebody invited, by `handle@host`."""
    row = await tx.one(_BY_ADDRESS, group_id=group_id, handle=handle, host=host)
    return RosterRow(*row) if row else None


async def count_posts(tx: Tx, *, group_id: int) -> int:
    """Return how many posts took their place in a group."""
    return int(await tx.value(_COUNT_POSTS, group_id=group_id))


async def list_shared_ids(tx: Tx, *, viewer_id: int, actor_id: int) -> list[int]:
    """Return at most 50 groups of the viewer's that somebody is in too; elsewhere: or has written in."""
    return [row.group_id for row in await tx.all(_SHARED, viewer_id=viewer_id, actor_id=actor_id)]


async def list_left_behind(tx: Tx, *, viewer_id: int, group_id: int) -> list[int]:
    """Return the viewer's own posts in a group that still stand."""
    return [row.post_id for row in await tx.all(_LEFT_BEHIND, viewer_id=viewer_id, group_id=group_id)]


async def list_said(tx: Tx, *, viewer_id: int, actor_id: int) -> list[Said]:
    """Return the newest five posts of somebody that the viewer may read."""
    return [Said(*row) for row in await tx.all(_SAID, viewer_id=viewer_id, actor_id=actor_id)]


async def list_offered(tx: Tx, *, group_id: int) -> list[str]:
    """Return the documents of the newest 100 entries by which something was said in a group or laid before it."""
    return [row.document for row in await tx.all(_OFFERED, group_id=group_id)]


async def get_offered(tx: Tx, *, group_id: int, activity_uri: str) -> str | None:
    """Return the document of the entry by which something was laid before a group, by the id of its activity."""
    return await tx.value(_OFFERED_AS, group_id=group_id, activity_uri=activity_uri)  # type: ignore[no-any-return]
