"""The audience check and its SQL twins agree on random communities; neither is ever wider than the other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.domain.access import Readable, may_read
from node.domain.actors import MEMBER_STATES, Viewer
from node.domain.groups import MEMBERSHIP_TRANSITIONS, Membership
from node.domain.posts import AUDIENCES, STATES
from node.store.engine import Store, Tx
from node.store.visibility import READABLE_IN_GROUP, READABLE_MESSAGE, READABLE_POST, WAITING_IN_GROUP

_READABLE = f"SELECT p.post_id FROM posts p WHERE {READABLE_POST}"
_IN_GROUP = f"SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP}"
_WAITING = f"SELECT p.post_id FROM posts p WHERE {WAITING_IN_GROUP}"
_MESSAGES = f"SELECT p.post_id FROM posts p WHERE {READABLE_MESSAGE}"
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

_PEOPLE = (1, 2, 3, 4)
_STRANGER = 4  # known by an actor row alone: somebody on a peer
_GROUPS = (11, 12)
_NOBODY = 0
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
        author_id=st.sampled_from(_PEOPLE),
        group_id=st.none() | st.sampled_from(_GROUPS),
        seq=_SEQ,
        state=st.sampled_from([*STATES, "live", "unheard_of"]),
    ),
    st.frozensets(st.sampled_from(_PEOPLE)),
)
_communities = st.builds(
    Community,
    states=st.fixed_dictionaries({person: _ANY_STATE for person in _PEOPLE if person != _STRANGER}),
    places=st.fixed_dictionaries(
        {}, optional={pair: st.tuples(_ANY_PLACE, st.integers(0, 3)) for pair in itertools.product(_GROUPS, _PEOPLE)}
    ),
    posts=st.lists(_posts, min_size=10, max_size=20).map(tuple),
)


@pytest.mark.timeout(400)  # finding the smallest example of a fault takes its time
@given(community=_communities)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_may_read_and_its_sql_twins_agree(store: Store, community: Community) -> None:
    await store.write(_settle, community)

    found = await store.read(_look_as_everybody)

    for viewer_id in (_NOBODY, *_PEOPLE):
        may = {
            post_id
            for post_id, (post, named) in enumerate(community.posts, 1)
            if _decide(community, viewer_id, post, viewer_id in named)
        }
        assert found[viewer_id, "any"] == may
        assert found[viewer_id, "messages"] == {n for n in may if _post(community, n).audience == "people"}
        for group_id in _GROUPS:
            here = {
                post_id
                for post_id in may
                if (_post(community, post_id).audience, _post(community, post_id).group_id) == ("group", group_id)
            }
            ordered = {post_id for post_id in here if _post(community, post_id).seq is not None}
            assert found[viewer_id, "group", group_id] == ordered
            assert found[viewer_id, "waiting", group_id] == here - ordered


def _post(community: Community, post_id: int) -> Readable:
    return community.posts[post_id - 1][0]


def _decide(community: Community, viewer_id: int, post: Readable, is_named: bool) -> bool:
    state = community.states.get(viewer_id)
    viewer = Viewer(viewer_id, f"uri:{viewer_id}", state) if state else None
    place = community.places.get((post.group_id or 0, viewer_id))
    membership = _membership(post.group_id or 0, viewer_id, *place) if place else None
    return may_read(viewer, post, membership=membership, is_named=is_named).allowed


def _membership(group_id: int, actor_id: int, state: str, visible_after: int) -> Membership:
    requested_at = datetime(2026, 11, 21, tzinfo=UTC)
    return Membership(group_id, actor_id, "member", state, "", None, None, visible_after, requested_at, None)


async def _settle(tx: Tx, community: Community) -> None:
    for clear in _CLEAR:
        await tx.run(clear)
    for actor_id in (*_PEOPLE, *_GROUPS):
        await tx.run(_ACTOR, actor_id=actor_id, uri=f"uri:{actor_id}")
    for actor_id, state in community.states.items():
        await tx.run(_MEMBER, actor_id=actor_id, handle=str(actor_id), state=state)
    for group_id in _GROUPS:
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


async def _look_as_everybody(tx: Tx) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {}
    for viewer_id in (_NOBODY, *_PEOPLE):
        found[viewer_id, "any"] = await _ids(tx, _READABLE, viewer_id=viewer_id)
        found[viewer_id, "messages"] = await _ids(tx, _MESSAGES, viewer_id=viewer_id)
        for group_id in _GROUPS:
            found[viewer_id, "group", group_id] = await _ids(tx, _IN_GROUP, viewer_id=viewer_id, group_id=group_id)
            found[viewer_id, "waiting", group_id] = await _ids(tx, _WAITING, viewer_id=viewer_id, group_id=group_id)
    return found


async def _ids(tx: Tx, sql: str, **values: int) -> set[int]:
    return {row.post_id for row in await tx.all(sql, **values)}
