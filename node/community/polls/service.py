"""What members do with polls: vote, and look how one stands. Asking is writing a post (`posts/service`)."""

from __future__ import annotations

from collections.abc import Sequence

from node.community.hosting import judge_level
from node.community.posts.service import require_readable
from node.domain.access import Readable, may_vote
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.polls import Poll, check_choices
from node.domain.posts import Post
from node.foundation.errors import Conflict, Forbidden, NotFound
from node.store import polls, votes
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_membership, take_group

from .handlers import count_vote
from .sending import Cast, send_vote

_SHOWN = ("live", "waiting_for_host")


async def read_poll(core: Core, *, viewer: Member, post_id: int) -> Poll:
    """Return a poll as a member sees it.

    Raises:
        NotFound: Absent, taken away, not for this member, or no poll.
    """
    return await core.store.read(_read_poll, viewer, post_id)


async def vote(core: Core, *, voter: Member, post_id: int, choices: Sequence[int]) -> Poll:
    """Vote in a poll, once, and return how it stands then.

    In a group hosted here it is counted at once; elsewhere it is sent to the host, and to nobody else.

    Args:
        core: This node.
        voter: Who votes.
        post_id: The poll.
        choices: The places of the chosen answers, from 0 on.

    Raises:
        Unavailable: There is no room on the disk.
        NotFound: There is no such poll for this member.
        Forbidden: They may not vote here.
        Invalid: The choice does not fit the poll.
        Conflict: They have voted, or the poll has ended.
    """
    core.pressure.check_write()
    await core.write(_vote, core, voter, post_id, tuple(choices))
    return await read_poll(core, viewer=voter, post_id=post_id)


async def _read_poll(tx: Tx, viewer: Member, post_id: int) -> Poll:
    post, _ = await require_readable(tx, viewer, post_id)
    found = await polls.list_polls(tx, viewer_id=viewer.actor_id, post_ids=[post.post_id])
    if post.state not in _SHOWN or post.post_id not in found:
        raise NotFound("There is no such poll.")
    return found[post.post_id]


async def _vote(tx: Tx, core: Core, voter: Member, post_id: int, choices: tuple[int, ...]) -> None:
    post, seen = await require_readable(tx, voter, post_id)
    group = await take_group(tx, group_id=seen.group_id)
    assert group is not None  # read in this transaction
    poll = await _read_poll(tx, voter, post.post_id)
    await _check(tx, core, voter, group, post)
    if poll.has_voted:
        raise Conflict("You have voted in this poll before.")
    if poll.is_over:
        raise Conflict("This poll has ended.")
    chosen = check_choices(choices, answers=len(poll.answers), is_multiple=poll.is_multiple)
    await votes.drop_refused_votes(tx, post_id=post.post_id, actor_id=voter.actor_id)
    for place in chosen:
        await (_count_here if group.is_local else _send_away)(tx, core, group, voter, post, poll, place)


async def _check(tx: Tx, core: Core, voter: Member, group: Group, post: Post) -> None:
    place = await get_membership(tx, group_id=group.group_id, actor_id=voter.actor_id)
    readable = Readable(post.audience, post.author_id, post.group_id, post.seq, post.state)
    decision = may_vote(voter.viewer, place, readable)
    if decision and group.is_local:
        decision = await judge_level(tx, core, group=group, actor_id=voter.actor_id, is_member=True)
    if not decision:
        raise Forbidden(decision.reason)


async def _count_here(tx: Tx, core: Core, group: Group, voter: Member, post: Post, poll: Poll, place: int) -> None:
    uri = f"{core.origin}/activities/{core.ids.token()}"
    await count_vote(
        tx,
        core,
        group=group,
        post_id=post.post_id,
        actor_id=voter.actor_id,
        place=place,
        vote_uri=f"{uri}#vote",
        activity_uri=uri,
    )


async def _send_away(tx: Tx, core: Core, group: Group, voter: Member, post: Post, poll: Poll, place: int) -> None:
    cast = Cast(voter.actor_id, voter.uri, post.post_id, post.uri, poll.answers[place].name, None, tx.now)
    activity_uri, vote_uri = await send_vote(tx, core, group=group, cast=cast)
    await votes.insert_vote(
        tx,
        post_id=post.post_id,
        actor_id=voter.actor_id,
        place=place,
        state="waiting",
        vote_uri=vote_uri,
        activity_uri=activity_uri,
        epoch=group.epoch,
    )
