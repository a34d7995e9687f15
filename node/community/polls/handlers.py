"""What polls take from the wire: votes for polls that are counted here, a host's answers to ours, and its counts.

A vote is decided like a submission (wire.md 4.3): by a member who may read the poll, before its end, for an answer that
there is. What was counted before is accepted once more and not counted again.
"""

from __future__ import annotations

from node.community.addressing import read_addressed
from node.community.groups.hosting import is_known_to, refuse
from node.community.hosting import judge_level
from node.domain.access import Readable, may_vote, may_write
from node.domain.actors import Actor, Viewer
from node.domain.groups import Group
from node.domain.polls import Poll
from node.federation.vocabulary import ObjectView
from node.foundation.text import clean_text
from node.inbox.dispatch import Arrival, Done, Dropped, Later, Need, Outcome
from node.outbox.publish import CONTROL, send
from node.store import polls, votes
from node.store.actors import get_actor_by_uri
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.notifications import tell, untell
from node.store.objects import find_post
from node.store.rosters import get_group_by_uri, get_membership, take_group
from node.store.submissions import confirm_submission, get_submission, refuse_submission
from node.store.takings import was_taken_back

from .activities import build_accept, is_vote, read_choice, read_count, read_epoch

POLLS_BELL = "polls"
# A poll that is not here may have been lost, and come back from a member's node: a recovery takes a quarter of an hour.
_POLL_WAIT_SECONDS, _POLL_TRIES = 30.0, 40
_ENDED, _VOTED = "ended", "voted"
_ASTRAY = "A vote goes to the group's host and to nobody else."


async def on_vote(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """A member of another node votes in a poll of a group that we host. A vote is never taken for a post."""
    view = arrival.view.inner
    if not is_vote(arrival.view) or not isinstance(view, ObjectView):
        return None
    group = await _find_group(tx, arrival)
    if group is None:
        post = await find_post(tx, uri=view.in_reply_to or "")
        # Other software sends it to whoever asked; they are told by nobody how somebody voted.
        return Dropped(_ASTRAY) if post is not None and post.audience == "group" else None
    actor = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if actor is None:
        return Need(arrival.actor_uri)
    if not await is_known_to(tx, group, actor.host):
        return Dropped("A hidden group is not known to this node.")
    held = await take_group(tx, group_id=group.group_id)
    assert held is not None
    verdict = await _judge(tx, core, held, actor, arrival, view)
    if isinstance(verdict, Later):
        return verdict
    if verdict is not None:
        code, reason = verdict
        await refuse(tx, core, group=held, actor=actor, arrival=arrival, code=code, reason=reason)
        return Done()
    await _accept(tx, core, held, actor, arrival)
    return Done()


async def on_vote_answered(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host has counted a vote of a member of ours, or says why it did not."""
    submission = await get_submission(tx, activity_uri=arrival.view.object_id or "")
    if submission is None or submission.kind != "vote":
        return None
    group = await get_group_by_uri(tx, uri=arrival.actor_uri)
    if group is None or group.group_id != submission.group_id or group.peer_id != arrival.peer_id:
        return Dropped("Only the group's host decides about what was submitted to it.")
    uri = submission.activity_uri
    if arrival.type == "Accept":
        await confirm_submission(tx, activity_uri=uri)
        epoch = read_epoch(arrival.document)
        await votes.note_answer(tx, activity_uri=uri, state="counted", reason=None, epoch=epoch)
        return Done()
    code, _, sentence = clean_text(arrival.view.summary or "", limit=2000).partition(": ")
    reason = sentence or "The group's host refused this."
    if not await refuse_submission(tx, activity_uri=uri, state="rejected", reason=reason):
        return Dropped("This submission was answered already.")
    state = "unknown" if code == _VOTED else "refused"
    await votes.note_answer(tx, activity_uri=uri, state=state, reason=reason, epoch=group.epoch)
    return Done()


async def on_count_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """The group tells how a poll stands; with the last count it is closed, and who of others voted how is forgotten."""
    if arrival.actor_uri != group.uri:
        return
    post = await find_post(tx, uri=arrival.view.object_id or "")
    if post is None or post.group_id != group.group_id:
        return
    poll = await polls.find_poll(tx, post_id=post.post_id)
    told = None if poll is None else read_count(arrival.document, answers=len(poll.answers))
    if told is None:
        return
    counted, is_last = told
    await polls.set_counts(tx, post_id=post.post_id, counted=counted)
    if is_last:
        await polls.close_poll(tx, post_id=post.post_id, seq=seq)
        if poll is not None and poll.closed_at is None:
            await _tell_of_end(tx, core, group, seq, post_id=post.post_id, author_id=post.author_id)
        await votes.forget_votes_of_others(tx, post_id=post.post_id)
        tx.after_commit(lambda: core.bell.ring(TIDY_BELL))


async def _tell_of_end(tx: Tx, core: Core, group: Group, seq: int, *, post_id: int, author_id: int) -> None:
    """Tell our own who asked or voted that a poll has ended; once, though it may be closed again after a restore."""
    await untell(tx, kind="poll", post_id=post_id, from_id=author_id)
    await tell(
        tx,
        notification_id=core.ids.number(),
        kind="poll",
        actor_ids=await polls.list_concerned(tx, post_id=post_id, group_id=group.group_id, seq=seq),
        from_id=author_id,
        post_id=post_id,
        group_id=group.group_id,
    )


async def count_vote(
    tx: Tx, core: Core, *, group: Group, post_id: int, actor_id: int, place: int, vote_uri: str, activity_uri: str
) -> None:
    """Take a vote that was decided to count, as the host; the log is told in its time."""
    given = await votes.list_places_voted(tx, post_id=post_id, actor_id=actor_id)
    is_new = await votes.insert_vote(
        tx,
        post_id=post_id,
        actor_id=actor_id,
        place=place,
        state="counted",
        vote_uri=vote_uri,
        activity_uri=activity_uri,
        epoch=group.epoch,
    )
    if group.epoch > 1:  # what is told may be of before a restore, with votes in it that come once more
        await votes.count_votes(tx, post_id=post_id)
    elif is_new:
        await votes.add_vote(tx, post_id=post_id, place=place, is_voter_new=not given)
    await votes.mark_stale(tx, post_id=post_id)
    tx.after_commit(lambda: core.bell.ring(POLLS_BELL))


async def _judge(
    tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival, view: ObjectView
) -> Later | tuple[str, str] | None:
    """Take the vote, or return the code and the sentence with which it is refused, or what it waits for."""
    if (problem := _find_stray_address(group, arrival)) is not None:
        return "refused", problem
    place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    viewer = Viewer(actor.actor_id, actor.uri)
    decision = may_write(viewer, place)
    if not decision:  # before anything is looked for: what is here, and what was taken back, is told to members alone
        return "refused", decision.reason
    post = await find_post(tx, uri=view.in_reply_to or "")
    if post is None:
        if await was_taken_back(tx, group_id=group.group_id, post_uri=view.in_reply_to or ""):
            return "refused", "This poll was taken back."
        if arrival.tries < _POLL_TRIES:
            return Later("This poll is not here yet.", _POLL_WAIT_SECONDS)
        return "refused", "There is no such poll in this group."
    if post.group_id != group.group_id:
        return "refused", "There is no such poll in this group."
    readable = Readable("group", post.author_id, post.group_id, post.seq, post.state)
    decision = may_vote(viewer, place, readable)
    if decision:
        decision = await judge_level(tx, core, group=group, actor_id=actor.actor_id, is_member=True)
    if not decision:
        return "refused", decision.reason
    poll = await polls.find_poll(tx, post_id=post.post_id)
    if poll is None:
        return "refused", "This post is no poll."
    return await _take(tx, core, group, actor, arrival, view, poll)


async def _take(
    tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival, view: ObjectView, poll: Poll
) -> tuple[str, str] | None:
    names = [answer.name for answer in poll.answers]
    if (name := read_choice(view)) not in names:
        return "refused", "This poll has no such answer."
    chosen = names.index(name)
    given = await votes.list_places_voted(tx, post_id=poll.post_id, actor_id=actor.actor_id)
    if chosen in given:
        return None  # sent once more: it is counted already
    # What was cast in time may come late; that it was is the word of its node, which vouches for its member anyway.
    cast_at = min(view.published_at or tx.now, tx.now)
    if poll.closed_at is not None or cast_at > poll.ends_at:
        return _ENDED, "This poll has ended."
    if given and not poll.is_multiple:
        return _VOTED, "You have voted in this poll before."
    await count_vote(
        tx,
        core,
        group=group,
        post_id=poll.post_id,
        actor_id=actor.actor_id,
        place=chosen,
        vote_uri=view.id,
        activity_uri=arrival.uri,
    )
    return None


async def _accept(tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival) -> None:
    if arrival.peer_id is None or actor.inbox_uri is None:
        return
    await send(
        tx,
        core,
        peer_id=arrival.peer_id,
        stream=CONTROL,
        actor_id=group.group_id,
        activity=build_accept(core, group, vote_activity=arrival.uri, to=actor.uri),
        inbox_uri=actor.inbox_uri,
    )


async def _find_group(tx: Tx, arrival: Arrival) -> Group | None:
    """Return the group hosted here that a vote goes to."""
    for uri in dict.fromkeys((*arrival.view.to, *arrival.view.cc, *arrival.view.audience)):
        group = await get_group_by_uri(tx, uri=uri.removesuffix("/followers"))
        if group is not None and group.is_local:
            return group
    return None


def _find_stray_address(group: Group, arrival: Arrival) -> str | None:
    """A vote is for the host alone; one that was sent to others as well is not counted as if it were secret."""
    inner = arrival.view.inner
    said = read_addressed(arrival.view, inner) if isinstance(inner, ObjectView) else read_addressed(arrival.view)
    if said.uris <= {group.uri} and said.audience in (None, group.uri):
        return None
    return _ASTRAY
