"""Random communities: people, groups, places in them and posts of every audience, for the tests of who sees what."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from node.domain.access import Readable, may_read
from node.domain.actors import MEMBER_STATES, Viewer
from node.domain.groups import MEMBERSHIP_TRANSITIONS, Membership
from node.domain.posts import AUDIENCES, STATES
from node.store.engine import Tx

_CLEAR = tuple(
    f"DELETE FROM {table}" for table in ("post_people", "posts", "memberships", "groups", "members", "actors")
)
_ACTOR = """INSERT INTO actors (actor_id, uri, kind, handle, host, is_local, known_through, name, summary, inbox_uri,
   document, fetched_at, created_at, version)
  VALUES (:actor_id, :uri, 'person', :uri, 'home.example', 1, NULL, '', '', NULL, '', NULL, 0, 1)"""
_MEMBER = """INSERT INTO members (actor_id, handle, password_hash, role, class, assurance, state, is_searchable, notice,
   created_at, last_seen_at, version)
  VALUES (:actor_id, :handle, NULL, 'member', 'physician', 'A0', :state, 0, NULL, 0, NULL, 1)"""
_GROUP = """INSERT INTO groups (group_id, peer_id, staff_of, title, policy, is_hidden, history, new_node_approvals, epoch,
   base_seq, base_chain, head_seq, head_chain, applied_seq, apply_tries, apply_due_at, pull_due_at, newest_post_id,
   created_at, version)
  VALUES (:group_id, NULL, NULL, '', 'request', 0, 'all', 1, 1, 0, '', 0, '', 0, 0, 0, NULL, 0, 0, 1)"""
_MEMBERSHIP = """INSERT INTO memberships (group_id, actor_id, role, state, reason, request_uri, request_document,
   joined_seq, visible_after, requested_at, joined_at, decided_by, decided_at)
  VALUES (:group_id, :actor_id, 'member', :state, '', NULL, NULL, NULL, :visible_after, 0, NULL, NULL, NULL)"""
_POST = """INSERT INTO posts (post_id, uri, audience, group_id, author_id, parent_id, root_id, in_reply_to, seq, state,
   title, warning, source, html, document, activity_uri, reason, is_pinned, is_locked, published_at, edited_at, version)
  VALUES (:post_id, :uri, :audience, :group_id, :author_id, NULL, :post_id, NULL, :seq, :state,
   '', '', '', '', '', '', NULL, 0, 0, 0, NULL, 1)"""
_PERSON = "INSERT INTO post_people (post_id, actor_id) VALUES (:post_id, :actor_id)"

PEOPLE = (1, 2, 3, 4)
_STRANGER = 4  # known by an actor row alone: somebody on a peer
GROUPS = (11, 12)
NOBODY = 0
_ANY_STATE = st.sampled_from([*MEMBER_STATES, *["active"] * 5, "unheard_of"])
_ANY_PLACE = st.sampled_from([*(state for state in MEMBERSHIP_TRANSITIONS if state), *["member"] * 7, "unheard_of"])
_SEQ = st.sampled_from([None, 1, 2, 3])


@dataclass(frozen=True, slots=True)
class Community:
    """states: of the members. places: {(group, person): (state, visible after)}. posts: (post, the people named in it)."""

    states: dict[int, str]
    places: dict[tuple[int, int], tuple[str, int]]
    posts: tuple[tuple[Readable, frozenset[int]], ...]


_posts = st.tuples(
    st.builds(
        Readable,
        audience=st.sampled_from([*AUDIENCES, *["group"] * 5, "unheard_of"]),
        author_id=st.sampled_from(PEOPLE),
        group_id=st.none() | st.sampled_from(GROUPS),
        seq=_SEQ,
        state=st.sampled_from([*STATES, "live", "unheard_of"]),
    ),
    st.frozensets(st.sampled_from(PEOPLE)),
)
COMMUNITIES = st.builds(
    Community,
    states=st.fixed_dictionaries({person: _ANY_STATE for person in PEOPLE if person != _STRANGER}),
    places=st.fixed_dictionaries(
        {}, optional={pair: st.tuples(_ANY_PLACE, st.integers(0, 3)) for pair in itertools.product(GROUPS, PEOPLE)}
    ),
    posts=st.lists(_posts, min_size=10, max_size=20).map(tuple),
)


def post_of(community: Community, post_id: int) -> Readable:
    """Return a post by its number."""
    return community.posts[post_id - 1][0]


def may_see(community: Community, viewer_id: int, post: Readable, is_named: bool) -> bool:
    """Return what `may_read` says."""
    state = community.states.get(viewer_id)
    viewer = Viewer(viewer_id, f"uri:{viewer_id}", state) if state else None
    place = community.places.get((post.group_id or 0, viewer_id))
    membership = _membership(post.group_id or 0, viewer_id, *place) if place else None
    return may_read(viewer, post, membership=membership, is_named=is_named).allowed


def _membership(group_id: int, actor_id: int, state: str, visible_after: int) -> Membership:
    requested_at = datetime(2026, 11, 21, tzinfo=UTC)
    return Membership(group_id, actor_id, "member", state, "", None, None, visible_after, requested_at, None)


async def settle(tx: Tx, community: Community) -> None:
    """Put a community into a database in which nobody is, or an earlier one."""
    for clear in _CLEAR:
        await tx.run(clear)
    for actor_id in (*PEOPLE, *GROUPS):
        await tx.run(_ACTOR, actor_id=actor_id, uri=f"uri:{actor_id}")
    for actor_id, state in community.states.items():
        await tx.run(_MEMBER, actor_id=actor_id, handle=str(actor_id), state=state)
    for group_id in GROUPS:
        await tx.run(_GROUP, group_id=group_id)
    for (group_id, actor_id), (state, visible_after) in community.places.items():
        await tx.run(_MEMBERSHIP, group_id=group_id, actor_id=actor_id, state=state, visible_after=visible_after)
    for post_id, (post, named) in enumerate(community.posts, 1):
        await tx.run(
            _POST,
            post_id=post_id,
            uri=f"uri:{post_id}",
            audience=post.audience,
            group_id=post.group_id,
            author_id=post.author_id,
            seq=post.seq,
            state=post.state,
        )
        for actor_id in named:
            await tx.run(_PERSON, post_id=post_id, actor_id=actor_id)
