"""A node with much on it: thirty groups and thirty thousand posts, put there by a few statements of either database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

GROUPS = tuple(range(101, 131))
_POSTS = 30_000
_N = "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})"
_PEOPLE = f"""INSERT INTO actors (actor_id, uri, kind, handle, host, is_local, known_through, name, summary, inbox_uri,
   document, fetched_at, created_at, version)
  {_N.format(count=100)} SELECT i, 'https://home.example/people/' || i, 'person', 'p' || i, 'home.example', 1, NULL,
   'P' || i, '', NULL, '', NULL, 0, 1 FROM numbers"""
_GROUP_ACTORS = f"""INSERT INTO actors (actor_id, uri, kind, handle, host, is_local, known_through, name, summary, inbox_uri,
   document, fetched_at, created_at, version)
  {_N.format(count=30)} SELECT 100 + i, 'https://home.example/groups/' || i, 'group', 'g' || i, 'home.example', 1, NULL,
   'G' || i, '', NULL, '', NULL, 0, 1 FROM numbers"""
_MEMBERS = f"""INSERT INTO members (actor_id, handle, password_hash, role, class, assurance, state, is_searchable, notice,
   created_at, last_seen_at, version)
  {_N.format(count=100)} SELECT i, 'p' || i, NULL, 'member', 'physician', 'A3', 'active', 0, NULL, 0, NULL, 1
   FROM numbers"""
_GROUPS = f"""INSERT INTO groups (group_id, peer_id, staff_of, title, policy, is_hidden, history, new_node_approvals, epoch,
   base_seq, base_chain, head_seq, head_chain, applied_seq, apply_tries, apply_due_at, pull_due_at, newest_post_id,
   created_at, version)
  {_N.format(count=30)} SELECT 100 + i, NULL, NULL, 'G' || i, 'request', 0, 'all', 1, 1, 0, '', 1000, '', 1000, 0, 0,
   NULL, 0, 0, 1 FROM numbers"""
_MEMBERSHIPS = f"""INSERT INTO memberships (group_id, actor_id, role, state, reason, request_uri, request_document,
   joined_seq, visible_after, requested_at, joined_at, decided_by, decided_at)
  {_N.format(count=3000)} SELECT 101 + (i - 1) % 30, 1 + (i - 1) / 30, 'member', 'member', '', NULL, NULL, 0, 0, 0, 0,
   NULL, NULL FROM numbers"""
# The last group fell silent long ago: whoever walks all posts from the newest on has far to go.
_GROUP_OF_POST = "CASE WHEN i > 900 AND i % 30 = 29 THEN 101 ELSE 101 + i % 30 END"
_INTO_POSTS = """INSERT INTO posts (post_id, uri, audience, group_id, author_id, parent_id, root_id, in_reply_to, seq, state,
   title, warning, source, html, document, activity_uri, reason, is_pinned, is_locked, published_at, edited_at, version)"""
_GROUP_POSTS = f"""{_INTO_POSTS} {_N.format(count=_POSTS)} SELECT i, 'https://home.example/posts/' || i, 'group',
   {_GROUP_OF_POST}, 1 + i % 100, NULL, i, NULL, 1 + i / 30, 'live', 'T', '', 'S', '<p>H</p>', '{{}}',
   'https://home.example/activities/' || i, NULL, 0, 0, i, NULL, 1 FROM numbers"""
_THREADS = """INSERT INTO threads (root_id, group_id, newest_id, posts)
  SELECT root_id, group_id, MAX(post_id), COUNT(*) FROM posts WHERE audience = 'group' GROUP BY root_id, group_id"""
# The second viewer came to the first, largest group when all but its last posts had been written.
_LATECOMER = "UPDATE memberships SET visible_after = 997 WHERE group_id = 101 AND actor_id = 2"
_MESSAGES = f"""{_INTO_POSTS} {_N.format(count=3000)} SELECT {_POSTS} + i, 'https://home.example/posts/m' || i, 'people',
   NULL, 1 + i % 100, NULL, {_POSTS} + i, NULL, NULL, 'live', '', '', 'S', '<p>H</p>', '{{}}',
   'https://home.example/activities/m' || i, NULL, 0, 0, i, NULL, 1 FROM numbers"""
_MESSAGE_PEOPLE = f"""INSERT INTO post_people (post_id, actor_id)
  {_N.format(count=3000)} SELECT {_POSTS} + i, 1 + i % 100 FROM numbers"""
_LOG = f"""INSERT INTO log_entries (group_id, seq, kind, activity_uri, actor_uri, prev, chain, commit_hash, epoch, proof, salt,
   document, media_json, appended_at)
  {_N.format(count=_POSTS)} SELECT 101 + i % 30, 1 + i / 30, 'post', 'https://home.example/activities/' || i,
   'https://home.example/people/1', '', '', '', 1, '', '', '{{}}', NULL, i FROM numbers"""


async def fill_with_a_crowd(execute: Callable[[str], Awaitable[Any]]) -> None:
    """Put a crowd into an empty database, by whatever runs one statement on it."""
    for statement in (
        _PEOPLE, _GROUP_ACTORS, _MEMBERS, _GROUPS, _MEMBERSHIPS, _GROUP_POSTS, _THREADS, _LATECOMER, _MESSAGES,
        _MESSAGE_PEOPLE, _LOG,
    ):  # fmt: skip
        await execute(statement)
