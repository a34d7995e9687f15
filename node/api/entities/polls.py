"""Poll: what a status asks, and how that stands. Spec: Mastodon API, entities Poll and Poll::Option.

A poll has the id of its status. Counts are those that the group's host has told last; a member's own vote stands in
`own_votes` at once.
"""

from __future__ import annotations

from node.domain.polls import Poll

from . import Entity, format_moment
from .ids import status_id


def build_poll(poll: Poll | None) -> Entity | None:
    """Return the Poll of a status; None for one that asks nothing."""
    if poll is None:
        return None
    return {
        "id": status_id(poll.post_id),
        "expires_at": format_moment(poll.ends_at),
        "expired": poll.is_over,
        "multiple": poll.is_multiple,
        "votes_count": poll.votes if poll.shows_counts else poll.voters,
        "voters_count": poll.voters,
        "options": [
            {"title": answer.name, "votes_count": answer.votes if poll.shows_counts else None}
            for answer in poll.answers
        ],
        "voted": poll.has_voted,
        "own_votes": list(poll.own),
        "emojis": [],
    }
