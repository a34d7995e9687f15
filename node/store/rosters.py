"""Groups, who is in them, and which nodes may hold them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.domain.groups import Group, Membership
from node.domain.journal import OUT_STATES

from . import journal
from .engine import Tx
from .search_names import index_name

_GROUP = """g.group_id, a.uri, a.handle, a.host, a.is_local, g.peer_id, g.staff_of, g.title, g.policy, g.is_hidden,
  g.history, g.new_node_approvals, g.epoch, g.base_seq, g.base_chain, g.head_seq, g.head_chain, g.applied_seq,
  g.required_assurance"""
_FROM = "FROM groups g JOIN actors a ON a.actor_id = g.group_id"
_BY_ID = f"SELECT {_GROUP} {_FROM} WHERE g.group_id = :group_id"
_BY_URI = f"SELECT {_GROUP} {_FROM} WHERE a.uri = :uri"
_STAFF_OF = f"SELECT {_GROUP} {_FROM} WHERE g.staff_of = :group_id"
_ALL = f"SELECT {_GROUP} {_FROM} WHERE g.staff_of IS NULL ORDER BY a.host, a.handle"
_OF_ACTOR = f"""SELECT {_GROUP} {_FROM} JOIN memberships m ON m.group_id = g.group_id
  WHERE m.actor_id = :actor_id AND m.state = 'member' ORDER BY g.newest_post_id DESC"""
_INSERT = """INSERT INTO groups (group_id, peer_id, staff_of, title, policy, is_hidden, history, new_node_approvals,
   epoch, base_seq, base_chain, head_seq, head_chain, applied_seq, apply_tries, apply_due_at, newest_post_id,
   created_at, version, required_assurance)
  VALUES (:group_id, :peer_id, :staff_of, :title, :policy, :is_hidden, :history, :new_node_approvals,
   :epoch, :base_seq, :base_chain, :base_seq, :base_chain, :base_seq, 0, :created_at, 0, :created_at, 1,
   :required_assurance)
  ON CONFLICT (group_id) DO NOTHING"""
_TAKE = "UPDATE groups SET version = version + 1 WHERE group_id = :group_id RETURNING version"
_SET_SETTINGS = """UPDATE groups SET title = :title, policy = :policy, is_hidden = :is_hidden, history = :history,
   required_assurance = :required_assurance WHERE group_id = :group_id"""
_SET_BASE = """UPDATE groups SET epoch = :epoch, base_seq = :seq, base_chain = :chain, head_seq = :seq,
   head_chain = :chain, applied_seq = :seq, apply_tries = 0 WHERE group_id = :group_id"""
_MEMBER = """group_id, actor_id, role, state, reason, request_uri, joined_seq, visible_after, requested_at, joined_at"""
_MEMBERSHIP = f"SELECT {_MEMBER} FROM memberships WHERE group_id = :group_id AND actor_id = :actor_id"
_BY_REQUEST = f"SELECT {_MEMBER} FROM memberships WHERE group_id = :group_id AND request_uri = :request_uri"
_UPSERT = """INSERT INTO memberships (group_id, actor_id, role, state, reason, request_uri, request_document, joined_seq,
   visible_after, requested_at, joined_at, decided_by, decided_at)
  VALUES (:group_id, :actor_id, :role, :state, :reason, :request_uri, :request_document, NULL, 0, :now_at, NULL, NULL, NULL)
  ON CONFLICT (group_id, actor_id) DO UPDATE SET role = excluded.role, state = excluded.state, reason = excluded.reason,
   request_uri = excluded.request_uri, request_document = excluded.request_document, requested_at = excluded.requested_at"""
_LET_IN = """UPDATE memberships SET state = 'member', role = :role, joined_seq = :joined_seq,
   visible_after = :visible_after, joined_at = :now_at, decided_by = :decided_by, decided_at = :now_at, reason = ''
  WHERE group_id = :group_id AND actor_id = :actor_id"""
_SET_STATE = """UPDATE memberships SET state = :state, decided_by = :decided_by, decided_at = :now_at, reason = :reason
  WHERE group_id = :group_id AND actor_id = :actor_id"""
_URIS = """SELECT g.uri AS group_uri, a.uri AS actor_uri FROM actors g JOIN actors a ON a.actor_id = :actor_id
  WHERE g.actor_id = :group_id"""
_HEAD = "SELECT head_seq FROM groups WHERE group_id = :group_id"
_BASE = """SELECT CASE WHEN g.peer_id IS NULL THEN d.base_seq ELSE g.base_seq END AS base_seq
  FROM groups g JOIN actors a ON a.actor_id = :actor_id LEFT JOIN peers p ON p.host = a.host
  LEFT JOIN admissions d ON d.group_id = g.group_id AND d.peer_id = p.peer_id WHERE g.group_id = :group_id"""
_SET_ROLE = "UPDATE memberships SET role = :role WHERE group_id = :group_id AND actor_id = :actor_id"
_REQUEST_DOCUMENT = "SELECT request_document FROM memberships WHERE group_id = :group_id AND actor_id = :actor_id"
_ROSTER = """SELECT a.actor_id, a.uri, a.name, a.handle, a.host, a.is_local, m.role, m.state, m.joined_seq, m.joined_at,
   m.requested_at, m.reason
  FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id ORDER BY m.requested_at, a.uri"""
_STAFF_URIS = """SELECT a.uri FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state = 'member' AND m.role <> 'member' ORDER BY m.joined_at LIMIT 200"""
_OWNERS = "SELECT COUNT(*) AS n FROM memberships WHERE group_id = :group_id AND state = 'member' AND role = 'owner'"
_COUNT_STATE = "SELECT COUNT(*) AS n FROM memberships WHERE group_id = :group_id AND state = :state"
_HAS_AT_HOST = """SELECT 1 AS yes FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state = 'member' AND a.host = :host LIMIT 1"""
_HAS_LOCAL = """SELECT 1 AS yes FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state IN ('member') AND a.is_local = 1 LIMIT 1"""
_HAS_INTEREST = """SELECT 1 AS yes FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state IN ('member', 'invited') AND a.host = :host LIMIT 1"""
_HOSTS = """SELECT a.host, COUNT(*) AS members FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state = 'member' GROUP BY a.host ORDER BY a.host"""
_INBOXES = """SELECT a.host, MIN(a.inbox_uri) AS inbox_uri FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state = 'member' AND a.inbox_uri IS NOT NULL GROUP BY a.host"""
_ADMIT = """INSERT INTO admissions (group_id, peer_id, decided_by, because_of, admitted_at, base_seq)
  VALUES (:group_id, :peer_id, :decided_by, :because_of, :admitted_at, :base_seq)
  ON CONFLICT (group_id, peer_id) DO NOTHING"""
_ADMISSION = """SELECT peer_id, decided_by, because_of, admitted_at, base_seq FROM admissions
  WHERE group_id = :group_id AND peer_id = :peer_id"""
_ADMISSIONS = """SELECT peer_id, decided_by, because_of, admitted_at, base_seq FROM admissions
  WHERE group_id = :group_id ORDER BY admitted_at"""
_BASES = """SELECT d.peer_id, d.base_seq FROM admissions d
  JOIN lanes l ON l.peer_id = d.peer_id AND l.group_id = d.group_id
  WHERE d.group_id = :group_id AND d.peer_id IN :peer_ids"""
_END_ADMISSION = "DELETE FROM admissions WHERE group_id = :group_id AND peer_id = :peer_id"
_SHARES_GROUP = """SELECT 1 AS yes FROM memberships m JOIN groups g ON g.group_id = m.group_id
  WHERE m.actor_id = :actor_id AND m.state IN ('member', 'requested', 'invited')
   AND (g.peer_id = :peer_id
    OR EXISTS (SELECT 1 FROM admissions d WHERE d.group_id = m.group_id AND d.peer_id = :peer_id)
    OR EXISTS (SELECT 1 FROM readers r WHERE r.group_id = m.group_id AND r.host = :host)) LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Admission:
    """A node that may hold a group. base_seq: its copy starts after this number."""

    peer_id: int
    decided_by: str
    because_of: str
    admitted_at: datetime
    base_seq: int


@dataclass(frozen=True, slots=True)
class RosterRow:
    """Somebody's place in a group, with their name."""

    actor_id: int
    uri: str
    name: str
    handle: str
    host: str
    is_local: bool
    role: str
    state: str
    joined_seq: int | None
    joined_at: datetime | None
    requested_at: datetime
    reason: str


async def get_group(tx: Tx, *, group_id: int) -> Group | None:
    """Return a group by our number."""
    row = await tx.one(_BY_ID, group_id=group_id)
    return Group(*row) if row else None


async def get_group_by_uri(tx: Tx, *, uri: str) -> Group | None:
    """Return a group by id."""
    row = await tx.one(_BY_URI, uri=uri)
    return Group(*row) if row else None


async def get_staff_group(tx: Tx, *, group_id: int) -> Group | None:
    """Return the hidden companion of a group, if we know it."""
    row = await tx.one(_STAFF_OF, group_id=group_id)
    return Group(*row) if row else None


async def list_groups(tx: Tx) -> list[Group]:
    """Return every group we host or hold, without companions."""
    return [Group(*row) for row in await tx.all(_ALL)]


async def list_groups_of(tx: Tx, *, actor_id: int) -> list[Group]:
    """Return the groups somebody is a member of, the one with the newest post first."""
    return [Group(*row) for row in await tx.all(_OF_ACTOR, actor_id=actor_id)]


async def insert_group(tx: Tx, *, group: Group) -> None:
    """Insert a group whose actor is there, unless it is there too; its log is empty and starts after its base."""
    await tx.run(
        _INSERT,
        group_id=group.group_id,
        peer_id=group.peer_id,
        staff_of=group.staff_of,
        title=group.title,
        policy=group.policy,
        is_hidden=group.is_hidden,
        history=group.history,
        new_node_approvals=group.new_node_approvals,
        epoch=group.epoch,
        base_seq=group.base_seq,
        base_chain=group.base_chain,
        created_at=tx.now,
        required_assurance=group.required_assurance,
    )
    await index_name(tx, actor_id=group.group_id)


async def take_group(tx: Tx, *, group_id: int) -> Group | None:
    """Lock a group's row for this transaction, then return the group."""
    if await tx.value(_TAKE, group_id=group_id) is None:
        return None
    return await get_group(tx, group_id=group_id)


async def update_group_settings(
    tx: Tx, *, group_id: int, title: str, policy: str, is_hidden: bool, history: str, required_assurance: str
) -> None:
    """Set a group's settings."""
    await tx.run(
        _SET_SETTINGS,
        group_id=group_id,
        title=title,
        policy=policy,
        is_hidden=is_hidden,
        history=history,
        required_assurance=required_assurance,
    )
    await index_name(tx, actor_id=group_id)


async def set_base(tx: Tx, *, group_id: int, epoch: int, seq: int, chain: str) -> None:
    """Start an empty copy of a log after a checkpoint."""
    await tx.run(_SET_BASE, group_id=group_id, epoch=epoch, seq=seq, chain=chain)


async def get_membership(tx: Tx, *, group_id: int, actor_id: int) -> Membership | None:
    """Return somebody's place in a group, whatever its state."""
    row = await tx.one(_MEMBERSHIP, group_id=group_id, actor_id=actor_id)
    return Membership(*row) if row else None


async def get_membership_by_request(tx: Tx, *, group_id: int, request_uri: str) -> Membership | None:
    """Return the membership that rests on a Follow or Invite."""
    row = await tx.one(_BY_REQUEST, group_id=group_id, request_uri=request_uri)
    return Membership(*row) if row else None


async def put_request(
    tx: Tx,
    *,
    group_id: int,
    actor_id: int,
    state: str,
    reason: str = "",
    role: str = "member",
    request_uri: str | None = None,
    request_document: str | None = None,
) -> None:
    """Insert a membership, or begin an ended one anew; the caller has asked `may_become`."""
    await tx.run(
        _UPSERT,
        group_id=group_id,
        actor_id=actor_id,
        role=role,
        state=state,
        reason=reason,
        request_uri=request_uri,
        request_document=request_document,
        now_at=tx.now,
    )


async def get_request_document(tx: Tx, *, group_id: int, actor_id: int) -> str | None:
    """Return the Follow or Invite as it was received or sent."""
    return await tx.value(_REQUEST_DOCUMENT, group_id=group_id, actor_id=actor_id)  # type: ignore[no-any-return]


async def let_in(
    tx: Tx, *, group_id: int, actor_id: int, role: str, joined_seq: int, visible_after: int, decided_by: str
) -> None:
    """Make somebody a member who may read entries above `visible_after`."""
    await tx.run(
        _LET_IN,
        group_id=group_id,
        actor_id=actor_id,
        role=role,
        joined_seq=joined_seq,
        visible_after=visible_after,
        decided_by=decided_by,
        now_at=tx.now,
    )
    where = await _uris_of(tx, group_id=group_id, actor_id=actor_id)
    base = await tx.value(_BASE, group_id=group_id, actor_id=actor_id)
    base_seq = visible_after if base is None else base
    place = {"role": role, "joined_seq": joined_seq, "visible_after": visible_after, "base_seq": base_seq}
    await journal.note(tx, "in", **where, **place)


async def update_membership_state(
    tx: Tx, *, group_id: int, actor_id: int, state: str, decided_by: str, reason: str = ""
) -> None:
    """Set the state of a membership; the caller has asked `may_become`."""
    await tx.run(
        _SET_STATE,
        group_id=group_id,
        actor_id=actor_id,
        state=state,
        decided_by=decided_by,
        reason=reason,
        now_at=tx.now,
    )
    if state in OUT_STATES:
        seq = await tx.value(_HEAD, group_id=group_id)
        await journal.note(tx, "out", **await _uris_of(tx, group_id=group_id, actor_id=actor_id), state=state, seq=seq)


async def _uris_of(tx: Tx, *, group_id: int, actor_id: int) -> dict[str, str]:
    row = await tx.one(_URIS, group_id=group_id, actor_id=actor_id)
    return {"group": row.group_uri, "actor": row.actor_uri} if row else {"group": "", "actor": ""}


async def update_role(tx: Tx, *, group_id: int, actor_id: int, role: str) -> None:
    """Set somebody's role in a group."""
    await tx.run(_SET_ROLE, group_id=group_id, actor_id=actor_id, role=role)
    await journal.note(tx, "role", **await _uris_of(tx, group_id=group_id, actor_id=actor_id), role=role)


async def list_roster(tx: Tx, *, group_id: int) -> list[RosterRow]:
    """Return everybody who is or was in a group, oldest request first."""
    return [RosterRow(*row) for row in await tx.all(_ROSTER, group_id=group_id)]


async def list_staff_uris(tx: Tx, *, group_id: int) -> list[str]:
    """Return the ids of a group's owners, facilitators and moderators."""
    return [row.uri for row in await tx.all(_STAFF_URIS, group_id=group_id)]


async def count_owners(tx: Tx, *, group_id: int) -> int:
    """Return how many owners a group has."""
    return int(await tx.value(_OWNERS, group_id=group_id))


async def count_in_state(tx: Tx, *, group_id: int, state: str) -> int:
    """Return how many memberships of a group are in a state."""
    return int(await tx.value(_COUNT_STATE, group_id=group_id, state=state))


async def has_members_at_host(tx: Tx, *, group_id: int, host: str) -> bool:
    """Say whether a group has a current member on a host."""
    return await tx.value(_HAS_AT_HOST, group_id=group_id, host=host) is not None


async def has_interest_at_host(tx: Tx, *, group_id: int, host: str) -> bool:
    """Say whether a group has a member or somebody invited on a host."""
    return await tx.value(_HAS_INTEREST, group_id=group_id, host=host) is not None


async def has_local_members(tx: Tx, *, group_id: int) -> bool:
    """Say whether one of our own members is in a group."""
    return await tx.value(_HAS_LOCAL, group_id=group_id) is not None


async def list_hosts(tx: Tx, *, group_id: int) -> list[Any]:
    """Return (host, members) for each host with a current member."""
    return await tx.all(_HOSTS, group_id=group_id)


async def list_inboxes(tx: Tx, *, group_id: int) -> dict[str, str]:
    """Return for each host with a member in a group one inbox there that takes what is for all of them."""
    return {row.host: row.inbox_uri for row in await tx.all(_INBOXES, group_id=group_id)}


async def admit_peer(tx: Tx, *, group_id: int, peer_id: int, decided_by: str, because_of: str, base_seq: int) -> bool:
    """Let a node hold a group; return False when it may already."""
    done = await tx.run(
        _ADMIT,
        group_id=group_id,
        peer_id=peer_id,
        decided_by=decided_by,
        because_of=because_of,
        admitted_at=tx.now,
        base_seq=base_seq,
    )
    return done == 1


async def get_admission(tx: Tx, *, group_id: int, peer_id: int) -> Admission | None:
    """Return the record that lets a node hold a group."""
    row = await tx.one(_ADMISSION, group_id=group_id, peer_id=peer_id)
    return Admission(*row) if row else None


async def list_admissions(tx: Tx, *, group_id: int) -> list[Admission]:
    """Return the nodes that may hold a group, oldest first."""
    return [Admission(*row) for row in await tx.all(_ADMISSIONS, group_id=group_id)]


async def list_bases(tx: Tx, *, group_id: int, peer_ids: list[int]) -> dict[int, int]:
    """Return for those of these nodes that a group goes to now the number after which their copy starts."""
    return {row.peer_id: row.base_seq for row in await tx.all(_BASES, group_id=group_id, peer_ids=peer_ids)}


async def end_admission(tx: Tx, *, group_id: int, peer_id: int) -> None:
    """Let a node hold a group no longer."""
    await tx.run(_END_ADMISSION, group_id=group_id, peer_id=peer_id)


async def shares_group(tx: Tx, *, actor_id: int, peer_id: int, host: str) -> bool:
    """Return whether a member of ours is in a group that a peer hosts or holds."""
    return await tx.value(_SHARES_GROUP, actor_id=actor_id, peer_id=peer_id, host=host) is not None
