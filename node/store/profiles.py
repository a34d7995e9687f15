"""Profiles: people and groups as a member of ours may see them; and whom a member may see at all.

A member sees the members of this node; people of other nodes with whom they share a group or a message; groups that are
not hidden, and hidden ones that they are in or invited to. A group's companion is shown to nobody here. What a member
may not see is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from node.domain.attestations import NONE, Standing

from .distance import PERSON_NOT_BLOCKED
from .engine import Tx
from .peerbook import PeerBook
from .search_names import HEAD_LETTERS
from .visibility import VIEWER_IS_ACTIVE

_SEEN_PERSON = """(a.kind = 'person' AND (
  EXISTS (SELECT 1 FROM members m WHERE m.actor_id = a.actor_id AND m.state IN ('active', 'suspended'))
  OR EXISTS (SELECT 1 FROM memberships mine
    JOIN memberships theirs ON theirs.group_id = mine.group_id AND theirs.actor_id = a.actor_id
    WHERE mine.actor_id = :viewer_id AND mine.state = 'member' AND theirs.state = 'member')
  OR EXISTS (SELECT 1 FROM memberships mine
    JOIN author_cards c ON c.group_id = mine.group_id AND c.actor_uri = a.uri
    WHERE mine.actor_id = :viewer_id AND mine.state = 'member')
  OR EXISTS (SELECT 1 FROM post_people mine
    JOIN post_people theirs ON theirs.post_id = mine.post_id AND theirs.actor_id = a.actor_id
    WHERE mine.actor_id = :viewer_id)))"""
_SEEN_GROUP = """(a.kind = 'group' AND g.staff_of IS NULL AND (g.is_hidden = 0
  OR EXISTS (SELECT 1 FROM memberships mine WHERE mine.group_id = g.group_id AND mine.actor_id = :viewer_id
    AND mine.state IN ('member', 'invited', 'requested'))))"""
_SEEN = f"({VIEWER_IS_ACTIVE} AND ({_SEEN_PERSON} OR {_SEEN_GROUP}))"

_PROFILE = """a.actor_id, a.uri, a.kind, a.handle, a.host, a.is_local, a.known_through, a.name, a.summary, a.created_at,
  g.policy"""
_FROM = "FROM actors a LEFT JOIN groups g ON g.group_id = a.actor_id"
_BY_ID = f"SELECT {_PROFILE} {_FROM} WHERE a.actor_id = :actor_id AND {_SEEN}"
_BY_ADDRESS = f"""SELECT {_PROFILE} {_FROM}
  WHERE a.host = :host AND a.handle = :handle AND a.kind = :kind AND {_SEEN}"""
_SEEN_IDS = f"SELECT a.actor_id {_FROM} WHERE a.actor_id IN :actor_ids AND {_SEEN}"
_FOUND = f"""SELECT a.actor_id, a.kind, COALESCE(g.title, a.name) AS name, a.handle, a.host, a.is_local, a.uri,
   a.known_through
  FROM search_names n JOIN actors a ON a.actor_id = n.actor_id LEFT JOIN groups g ON g.group_id = a.actor_id
  WHERE n.head = :head AND n.word LIKE :beginning AND {_SEEN} AND {PERSON_NOT_BLOCKED} ORDER BY n.actor_id LIMIT 200"""
_LIST = f"SELECT {_PROFILE} {_FROM} WHERE a.actor_id IN :actor_ids"
_COUNT_MEMBERS = "SELECT COUNT(*) AS n FROM memberships WHERE group_id = :group_id AND state = 'member'"
_COUNT_READERS = "SELECT COALESCE(SUM(members), 0) AS n FROM readers WHERE group_id = :group_id"
_JOINED = """SELECT g.group_id, g.newest_post_id FROM memberships m JOIN groups g ON g.group_id = m.group_id
  WHERE m.actor_id = :viewer_id AND m.state = 'member' AND g.staff_of IS NULL ORDER BY g.newest_post_id DESC"""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person or group as others see them.

    policy: how a group takes members; None for people.
    members: how many a group has, as far as we are told; 0 for people, and where it was not counted.
    standing: what is said of a person's verification, where it was asked for.
    """

    actor_id: int
    uri: str
    kind: str
    handle: str
    host: str
    is_local: bool
    known_through: str | None
    name: str
    summary: str
    created_at: datetime
    policy: str | None
    members: int = 0
    standing: Standing = NONE

    @property
    def is_group(self) -> bool:
        """Whether this is a group."""
        return self.kind == "group"


@dataclass(frozen=True, slots=True)
class Joined:
    """A group that somebody is in. newest_post_id: no post of it has a larger number."""

    group_id: int
    newest_post_id: int


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody, or a group, found by name."""

    actor_id: int
    kind: str
    name: str
    handle: str
    host: str
    is_local: bool
    uri: str
    known_through: str | None


async def find_by_name(tx: Tx, *, viewer_id: int, beginning: str) -> list[Known]:
    """Return at most 200 people and groups that the viewer may see, one word of whose name or handle begins so.

    Args:
        tx: The transaction.
        viewer_id: Who looks.
        beginning: As `folding` writes words: letters and digits. With fewer than three it is a whole word.
    """
    pattern = f"{beginning}%" if len(beginning) >= HEAD_LETTERS else beginning
    rows = await tx.all(_FOUND, viewer_id=viewer_id, head=beginning[:HEAD_LETTERS], beginning=pattern)
    return list(dict.fromkeys(Known(*row) for row in rows))


async def get_profile(tx: Tx, *, viewer_id: int, actor_id: int) -> Profile | None:
    """Return a person or group that the viewer may see."""
    row = await tx.one(_BY_ID, viewer_id=viewer_id, actor_id=actor_id)
    return await _with_members(tx, Profile(*row)) if row else None


async def get_profile_by_address(tx: Tx, *, viewer_id: int, handle: str, host: str, kind: str) -> Profile | None:
    """Return a person or group that the viewer may see, by `handle@host`."""
    row = await tx.one(_BY_ADDRESS, viewer_id=viewer_id, handle=handle, host=host, kind=kind)
    return await _with_members(tx, Profile(*row)) if row else None


async def list_seen_ids(tx: Tx, *, viewer_id: int, actor_ids: list[int]) -> set[int]:
    """Return those of some people and groups that the viewer may see."""
    return {row.actor_id for row in await tx.all(_SEEN_IDS, viewer_id=viewer_id, actor_ids=actor_ids)}


async def list_profiles(tx: Tx, *, actor_ids: list[int]) -> dict[int, Profile]:
    """Return the people and groups named by what the caller has read through a viewer, by number.

    The members of groups are not counted here: a page of posts would count some thousand rows each time.
    """
    return {row.actor_id: Profile(*row) for row in await tx.all(_LIST, actor_ids=actor_ids)}


async def list_joined(tx: Tx, *, viewer_id: int) -> list[Joined]:
    """Return the groups somebody is in, without companions, the one with the newest post first."""
    return [Joined(*row) for row in await tx.all(_JOINED, viewer_id=viewer_id)]


def label_profile(peers: PeerBook, profile: Profile) -> Profile:
    """Return a profile without "known through" when that person's node is an active peer of ours."""
    if profile.known_through is None:
        return profile
    peer = peers.by_host(profile.host)
    return replace(profile, known_through=None) if peer is not None and peer.state == "active" else profile


async def _with_members(tx: Tx, profile: Profile) -> Profile:
    """Return a profile with the size of a group: counted where we host it, else as its host last told."""
    if not profile.is_group:
        return profile
    size = _COUNT_MEMBERS if profile.is_local else _COUNT_READERS
    return replace(profile, members=int(await tx.value(size, group_id=profile.actor_id)))
