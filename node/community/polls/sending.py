"""A vote on its way: sent to the host of a group elsewhere, and kept until the host has answered.

The resender of posts sends it again while no answer has come; the host counts it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from node.community.groups.service import send_to_host
from node.domain.groups import Group
from node.outbox.publish import encode
from node.store.core import Core
from node.store.engine import Tx
from node.store.submissions import insert_submission

from .activities import build_vote

VOTE = "vote"
_RESEND_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote as it is said. vote_uri: its id when it is sent once more; None for a new one. name: the chosen answer."""

    voter_id: int
    voter_uri: str
    post_id: int
    poll_uri: str
    name: str
    vote_uri: str | None
    voted_at: datetime


async def send_vote(tx: Tx, core: Core, *, group: Group, cast: Cast) -> tuple[str, str]:
    """Send a vote to the host of a group elsewhere; return the ids of its activity and of the vote.

    Raises:
        Conflict: The host cannot be reached.
    """
    activity = build_vote(
        core,
        voter_uri=cast.voter_uri,
        group=group,
        poll_uri=cast.poll_uri,
        name=cast.name,
        vote_uri=cast.vote_uri,
        voted_at=cast.voted_at,
    )
    await insert_submission(
        tx,
        activity_uri=activity["id"],
        group_id=group.group_id,
        actor_id=cast.voter_id,
        post_id=cast.post_id,
        kind=VOTE,
        document=encode(activity).decode(),
        resend_at=tx.now + _RESEND_AFTER,
    )
    await send_to_host(tx, core, group, cast.voter_id, activity)
    return activity["id"], activity["object"]["id"]
