"""The audience check and its SQL twins agree on random communities; neither is ever wider than the other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from node.store.engine import Store, Tx
from node.store.visibility import (
    READABLE_BY_MEMBERS,
    READABLE_IN_GROUP,
    READABLE_MESSAGE,
    READABLE_POST,
    WAITING_IN_GROUP,
)
from tests.support.communities import COMMUNITIES, GROUPS, NOBODY, PEOPLE, Community, may_see, post_of, settle

_READABLE = f"SELECT p.post_id FROM posts p WHERE {READABLE_POST}"
_IN_GROUP = f"SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP}"
_WAITING = f"SELECT p.post_id FROM posts p WHERE {WAITING_IN_GROUP}"
_BY_MEMBERS = f"""SELECT vm.actor_id, p.post_id FROM posts p JOIN memberships vm ON vm.group_id = p.group_id
  WHERE p.group_id = :group_id AND vm.actor_id IN :viewer_ids AND {READABLE_BY_MEMBERS}"""
_MESSAGES = f"SELECT p.post_id FROM posts p WHERE {READABLE_MESSAGE}"


@pytest.mark.timeout(400)  # finding the smallest example of a fault takes its time
@given(community=COMMUNITIES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_may_read_and_its_sql_twins_agree(store: Store, community: Community) -> None:
    await store.write(settle, community)

    found = await store.read(_look_as_everybody)

    for viewer_id in (NOBODY, *PEOPLE):
        may = {
            post_id
            for post_id, (post, named) in enumerate(community.posts, 1)
            if may_see(community, viewer_id, post, viewer_id in named)
        }
        assert found[viewer_id, "any"] == may
        assert found[viewer_id, "messages"] == {n for n in may if post_of(community, n).audience == "people"}
        for group_id in GROUPS:
            here = {
                post_id
                for post_id in may
                if (post_of(community, post_id).audience, post_of(community, post_id).group_id) == ("group", group_id)
            }
            ordered = {post_id for post_id in here if post_of(community, post_id).seq is not None}
            assert found[viewer_id, "group", group_id] == found[viewer_id, "among many", group_id] == ordered
            assert found[viewer_id, "waiting", group_id] == here - ordered


async def _look_as_everybody(tx: Tx) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {}
    for viewer_id in (NOBODY, *PEOPLE):
        found[viewer_id, "any"] = await _ids(tx, _READABLE, viewer_id=viewer_id)
        found[viewer_id, "messages"] = await _ids(tx, _MESSAGES, viewer_id=viewer_id)
        for group_id in GROUPS:
            found[viewer_id, "group", group_id] = await _ids(tx, _IN_GROUP, viewer_id=viewer_id, group_id=group_id)
            found[viewer_id, "waiting", group_id] = await _ids(tx, _WAITING, viewer_id=viewer_id, group_id=group_id)
    for group_id in GROUPS:
        rows = await tx.all(_BY_MEMBERS, group_id=group_id, viewer_ids=[NOBODY, *PEOPLE])
        for viewer_id in (NOBODY, *PEOPLE):
            found[viewer_id, "among many", group_id] = {row.post_id for row in rows if row.actor_id == viewer_id}
    return found


async def _ids(tx: Tx, sql: str, **values: int) -> set[int]:
    return {row.post_id for row in await tx.all(sql, **values)}
