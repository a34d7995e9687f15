"""What posts take from the wire: submissions to groups that we host, and a host's answers to ours.

The write rule of the group inbox (wire.md 4.3): a member with the role the verb needs, an audience within the group, a
parent in the same group that is not locked. Otherwise a Reject with its reason; nothing is written.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from node.community.addressing import read_addressed
from node.community.groups.hosting import find_flaw, is_known_to, refuse
from node.community.hosting import judge_level, record
from node.domain.access import Decision, may_moderate, may_write
from node.domain.actors import Actor, Viewer
from node.domain.audience import fits_group
from node.domain.groups import Group, Membership
from node.federation.grouplog.waiting import PARENT_ASKS, PARENT_SECONDS, Turn, judge_submission
from node.federation.origin import same_origin
from node.federation.vocabulary import ActivityView, ObjectView
from node.foundation.text import clean_text
from node.inbox.dispatch import Arrival, Done, Dropped, Later, Need, NeedPicture, Outcome, Tables
from node.store.actors import get_actor_by_uri
from node.store.core import Core
from node.store.engine import Tx
from node.store.media import get_mirror
from node.store.objects import find_post, find_post_by_id, update_post_state
from node.store.rosters import get_group_by_uri, get_membership, take_group
from node.store.submissions import get_submission, hold_submission, refuse_submission
from node.store.takings import was_taken_back

from .activities import read_topic
from .pictures import read_attachment
from .questions import find_question_flaw

_PARENT_WAIT_SECONDS = PARENT_SECONDS / PARENT_ASKS
_HELD_AGAIN = timedelta(hours=1)


class PostHost:
    """The handlers of submissions. Holds the tables because what is accepted is applied at once."""

    def __init__(self) -> None:
        self.tables = Tables({}, {})

    async def on_submission(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """Create, Update, Delete, Lock, Undo{Lock}, Add and Remove of posts in a group that we host."""
        group = await self._group(tx, arrival)
        if group is None:
            return None
        actor = await get_actor_by_uri(tx, uri=arrival.actor_uri)
        if actor is None:
            return Need(arrival.actor_uri)
        if not await is_known_to(tx, group, actor.host):
            return Dropped("A hidden group is not known to this node.")
        held = await take_group(tx, group_id=group.group_id)
        assert held is not None
        place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
        problem = fits_group(read_addressed(arrival.view), held.uri, named=_named(arrival))
        problem = problem or await find_flaw(tx, arrival, actor)
        if problem is None:
            verdict = await self._judge(tx, core, held, actor, place, arrival)
            if not isinstance(verdict, str):
                return verdict
            problem = verdict
        await refuse(tx, core, group=held, actor=actor, arrival=arrival, code="refused", reason=problem)
        return Done()

    async def _judge(
        self, tx: Tx, core: Core, group: Group, actor: Actor, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        """Record the submission, or return why it is refused, or what it waits for."""
        judges = {
            "Create": self._create,
            "Update": self._update,
            "Delete": self._delete,
            "Lock": self._lock,
            "Undo": self._lock,
            "Add": self._pin,
            "Remove": self._pin,
        }
        is_own_deletion = arrival.type == "Delete" and (place is None or not place.is_staff)
        if place is not None and place.is_member and not is_own_deletion:
            level = await judge_level(tx, core, group=group, actor_id=actor.actor_id, is_member=True)
            if not level:
                return level.reason
        return await judges[arrival.type](tx, core, group, Viewer(actor.actor_id, actor.uri), place, arrival)

    async def _create(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        view = arrival.view.inner
        if not isinstance(view, ObjectView) or view.type == "Tombstone":
            return "Only posts are created here."
        decision = may_write(viewer, place)
        if not decision:
            return decision.reason
        if (problem := fits_group(read_addressed(view), group.uri, named=_named(arrival))) is not None:
            return problem
        if await find_post(tx, uri=view.id) is not None:
            return "A post with this id is here already."
        if (flaw := await find_question_flaw(tx, view)) is not None:
            return flaw
        turn = await self._turn(tx, core, group, arrival, post_uri=view.id, needs=view.in_reply_to)
        if not isinstance(turn, Turn):
            return turn
        parent = await find_post(tx, uri=view.in_reply_to) if view.in_reply_to is not None else None
        if parent is not None:
            if parent.group_id != group.group_id:
                return _NO_PARENT
            decision = may_write(viewer, place, is_locked=parent.is_locked)
            if not decision:
                return decision.reason
        media = await self._mirrors(tx, core, group, view)
        if not isinstance(media, list):
            return media
        await record(tx, core, self.tables, group=group, kind="create", arrival=arrival, media=media or None)
        return Done()

    async def _turn(
        self, tx: Tx, core: Core, group: Group, arrival: Arrival, *, post_uri: str, needs: str | None
    ) -> Turn | Outcome | str:
        """Return that it is its turn, or what it waits for: what it needs may have been lost, and its node may hold it."""
        turn = judge_submission(
            is_in_log=False,
            is_taken_back=await was_taken_back(tx, group_id=group.group_id, post_uri=post_uri),
            has_needed=needs is None or await find_post(tx, uri=needs) is not None,
            asks=arrival.tries,
            waited_seconds=arrival.tries * _PARENT_WAIT_SECONDS,
        )
        if turn is Turn.REFUSE:
            return "This post was taken back."
        if turn is Turn.WAIT:
            if (peer_id := arrival.peer_id) is not None:
                tx.after_commit(lambda: core.doubt(group.group_id, peer_id, ""))
            return Later(f"{needs} is not here yet.", _PARENT_WAIT_SECONDS)
        return turn

    async def _mirrors(
        self, tx: Tx, core: Core, group: Group, view: ObjectView
    ) -> list[dict[str, Any]] | NeedPicture | str:
        """Return the pictures as we serve them; one that is not here yet is fetched before the post gets its number."""
        attachments = view.document.get("attachment")
        attachments = attachments if isinstance(attachments, list) else [attachments] if attachments else []
        mirrors = []
        for attachment in attachments:
            read = read_attachment(attachment) if isinstance(attachment, dict) else None
            if read is None:
                continue  # other software's pictures carry no hash: shown by nobody
            url, digest, alt = read
            mirror = await get_mirror(tx, source_uri=url, group_id=group.group_id)
            if mirror is None:
                return NeedPicture(url, digest, group.group_id, alt)
            mirrors.append(
                {
                    "url": f"{core.origin}/media/{mirror.token}",
                    "source": url,
                    "mediaType": mirror.media_type,
                    "digestSha256": mirror.sha256,
                }
            )
        return mirrors

    async def _update(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        view = arrival.view.inner
        if not isinstance(view, ObjectView):
            return "Only posts are changed here."
        turn = await self._turn(tx, core, group, arrival, post_uri=view.id, needs=view.id)
        if not isinstance(turn, Turn):
            return turn
        post, decision = await self._own_post(tx, group, viewer, place, view.id)
        if not decision:
            return decision.reason
        if (problem := fits_group(read_addressed(view), group.uri, named=_named(arrival))) is not None:
            return problem
        if (view.in_reply_to or None) != (await self._parent_uri(tx, post)):
            return "A post stays where it is in its thread."
        if (flaw := await find_question_flaw(tx, view, post_id=post.post_id)) is not None:
            return flaw
        await record(tx, core, self.tables, group=group, kind="update", arrival=arrival)
        return Done()

    async def _parent_uri(self, tx: Tx, post: Any) -> str | None:
        if post.parent_id is None:
            return None
        parent = await find_post_by_id(tx, post_id=post.parent_id)
        return parent.uri if parent else None

    async def _delete(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        """The author's is a withdrawal; a moderator's is a removal, and carries a reason."""
        post_uri = arrival.view.object_id or ""
        turn = await self._turn(tx, core, group, arrival, post_uri=post_uri, needs=post_uri)
        if not isinstance(turn, Turn):
            return turn
        post = await find_post(tx, uri=post_uri)
        if post is None and same_origin(post_uri, viewer.uri, allow_insecure=core.allow_insecure):
            decision = may_write(viewer, place)  # it may come yet, and is then gone
            if not decision:
                return decision.reason
            await record(tx, core, self.tables, group=group, kind="delete", arrival=arrival)
            return Done()
        if post is None or post.group_id != group.group_id:
            return "There is no such post in this group."
        if post.author_id == viewer.actor_id:
            post, decision = await self._own_post(tx, group, viewer, place, post.uri)
            if not decision:
                return decision.reason
            await record(tx, core, self.tables, group=group, kind="delete", arrival=arrival)
            return Done()
        decision = may_moderate(viewer, place)
        if not decision:
            return decision.reason
        if not (arrival.view.summary or "").strip():
            return "A removal says why."
        await record(tx, core, self.tables, group=group, kind="remove", arrival=arrival)
        return Done()

    async def _lock(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        target = arrival.view.object_id
        if arrival.type == "Undo":
            inner = arrival.view.inner
            if not isinstance(inner, ActivityView) or inner.type != "Lock":
                return "Only a lock is undone here."
            target = inner.object_id
        return await self._moderate(tx, core, group, viewer, place, arrival, kind="lock", target=target)

    async def _pin(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        if arrival.view.target == f"{group.uri}/topics" and arrival.type == "Add":
            return await self._split(tx, core, group, viewer, place, arrival)
        if arrival.view.target not in (f"{group.uri}/featured", f"{group.uri}/summaries"):
            return "Only posts are pinned here."
        return await self._moderate(tx, core, group, viewer, place, arrival, kind="pin", target=arrival.view.object_id)

    async def _split(
        self, tx: Tx, core: Core, group: Group, viewer: Viewer, place: Membership | None, arrival: Arrival
    ) -> Outcome | str:
        target = arrival.view.object_id
        post = await find_post(tx, uri=target or "")
        if not read_topic(arrival):
            return "A topic needs a title."
        if post is not None and post.root_id == post.post_id:
            return "This post begins its thread: it is the topic."
        return await self._moderate(tx, core, group, viewer, place, arrival, kind="split", target=target)

    async def _moderate(
        self,
        tx: Tx,
        core: Core,
        group: Group,
        viewer: Viewer,
        place: Membership | None,
        arrival: Arrival,
        *,
        kind: str,
        target: str | None,
    ) -> Outcome | str:
        decision = may_moderate(viewer, place)
        if not decision:
            return decision.reason
        post = await find_post(tx, uri=target or "")
        if post is None or post.group_id != group.group_id or post.state != "live":
            return "There is no such post in this group."
        await record(tx, core, self.tables, group=group, kind=kind, arrival=arrival)
        return Done()

    async def _own_post(
        self, tx: Tx, group: Group, viewer: Viewer, place: Membership | None, uri: str
    ) -> tuple[Any, Decision]:
        post = await find_post(tx, uri=uri)
        if post is None or post.group_id != group.group_id or post.author_id != viewer.actor_id:
            return post, Decision(False, "Only its author changes a post, and it is not here.")
        if post.state != "live":
            return post, Decision(False, "This post was taken away.")
        return post, may_write(viewer, place)

    async def _group(self, tx: Tx, arrival: Arrival) -> Group | None:
        """Return the group hosted here that an activity is submitted to; staff groups take talk like any other."""
        if arrival.type in ("Add", "Remove") and not (arrival.view.target or "").endswith(_COLLECTIONS):
            return None
        for uri in dict.fromkeys((*arrival.view.audience, *arrival.view.to, *arrival.view.cc)):
            group = await get_group_by_uri(tx, uri=uri.removesuffix("/followers"))
            if group is not None and group.is_local:
                return group
        return None


_COLLECTIONS = ("/featured", "/summaries", "/topics")
_NO_PARENT = "The post this replies to is not in this group."


async def on_submission_refused(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host refused what a member of ours submitted: a post goes back to the drafts, with the reason."""
    submission = await get_submission(tx, activity_uri=arrival.view.object_id or "")
    if submission is None:
        return None
    group = await get_group_by_uri(tx, uri=arrival.actor_uri)
    if group is None or group.group_id != submission.group_id or group.peer_id != arrival.peer_id:
        return Dropped("Only the group's host decides about what was submitted to it.")
    reason = clean_text(arrival.view.summary or "", limit=2000).partition(": ")[2] or "The group's host refused this."
    if not await refuse_submission(tx, activity_uri=submission.activity_uri, state="rejected", reason=reason):
        return Dropped("This submission was answered already.")
    if submission.kind == "create" and submission.post_id is not None:
        await update_post_state(tx, post_id=submission.post_id, state="draft", reason=reason)
    return Done()


async def on_submission_held(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """A moderator at the host looks at a submission first; we ask again hourly."""
    submission = await get_submission(tx, activity_uri=arrival.view.object_id or "")
    group = await get_group_by_uri(tx, uri=arrival.actor_uri)
    if submission is None or group is None or group.group_id != submission.group_id:
        return None
    await hold_submission(tx, activity_uri=submission.activity_uri, resend_at=tx.now + _HELD_AGAIN)
    return Done()


def _named(arrival: Arrival) -> list[str]:
    """Return who is mentioned: they may stand in `cc` besides the group."""
    inner = arrival.view.inner
    return [tag.href for tag in inner.mentions if tag.href] if isinstance(inner, ObjectView) else []
