"""Carry out what members do to posts: into our own log, or as a submission to the group's host.

A submission is kept until it comes back in the host's order. Delivered and not come back within a minute, it is sent
again under the same id, for as long as it takes: the host takes each id once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from node.community.hosting import judge_level, own_arrival, record
from node.domain import access
from node.domain.actors import Member
from node.domain.groups import Group
from node.foundation.errors import Conflict, Forbidden, NodeError, NotFound
from node.foundation.logs import get_logger
from node.inbox.dispatch import Tables
from node.outbox.publish import DIRECT, encode, prove, send
from node.store import objects
from node.store.actors import get_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.idempotency import get_result, keep_result
from node.store.rosters import get_group, get_membership, take_group
from node.store.streams import cancel_undelivered, replace_undelivered
from node.store.submissions import (
    Submission,
    insert_submission,
    is_in_stream,
    list_submissions_due,
    list_waiting_of_post,
    mark_resent,
    refuse_submission,
    replace_document,
)

from .model import Posted

RESEND_AFTER = timedelta(seconds=60)
RESEND_BELL = "resend"
_LOOK_SECONDS = 10.0


async def submit(
    tx: Tx, core: Core, *, group: Group, author: Member, kind: str, activity: dict[str, Any], post_id: int | None
) -> None:
    """Send an activity of a member to the host of a group elsewhere, and remember that it is on its way."""
    actor = await get_actor(tx, actor_id=group.group_id)
    if group.peer_id is None or actor is None or actor.inbox_uri is None:
        raise Conflict("The host of this group cannot be reached.")
    await insert_submission(
        tx,
        activity_uri=activity["id"],
        group_id=group.group_id,
        actor_id=author.actor_id,
        post_id=post_id,
        kind=kind,
        document=encode(activity).decode(),
        resend_at=tx.now + RESEND_AFTER,
    )
    await send(
        tx,
        core,
        peer_id=group.peer_id,
        stream=DIRECT,
        actor_id=author.actor_id,
        activity=activity,
        inbox_uri=actor.inbox_uri,
    )


async def change(
    tx: Tx, core: Core, tables: Tables, member: Member, post_id: int, kind: str, activity: dict[str, Any]
) -> Posted:
    """Change, withdraw, remove, lock or pin a post: `kind` is the kind of log entry it becomes."""
    post = await objects.get_post(tx, viewer_id=member.actor_id, post_id=post_id)
    if post is None or post.group_id is None:
        raise NotFound("There is no such post.")
    group = await take_group(tx, group_id=post.group_id)
    place = await get_membership(tx, group_id=post.group_id, actor_id=member.actor_id)
    if group is None:
        raise NotFound("There is no such group.")
    if kind in ("update", "delete"):
        decision = access.may_edit(member.viewer, author_id=post.author_id, state=post.state, membership=place)
    else:
        decision = access.may_moderate(member.viewer, place)
    if decision and group.is_local and kind != "delete":  # what is one's own may always be taken back
        decision = await judge_level(tx, core, group=group, actor_id=member.actor_id, is_member=True)
    if not decision:
        raise Forbidden(decision.reason)
    if group.is_local:
        seq = await record(tx, core, tables, group=group, kind=kind, arrival=own_arrival(activity))
        return Posted(post_id, post.uri, "in_log", seq)
    if post.state == "waiting_for_host":
        await _change_waiting(tx, core, member, post_id, kind, activity)
    await submit(tx, core, group=group, author=member, kind=kind, activity=activity, post_id=post_id)
    return Posted(post_id, post.uri, "waiting_for_host", post.seq)


async def _change_waiting(
    tx: Tx, core: Core, member: Member, post_id: int, kind: str, activity: dict[str, Any]
) -> None:
    """Change or withdraw at once what nobody else has seen in the group; the activity still follows to the host.

    It must follow: the first words may be on the wire at this moment. The stream keeps the order.
    """
    waiting = [each for each in await list_waiting_of_post(tx, post_id=post_id) if each.kind in ("create", "update")]
    if kind == "delete":
        for each in waiting:
            await cancel_undelivered(tx, activity_uri=each.activity_uri)
            await refuse_submission(tx, activity_uri=each.activity_uri, state="withdrawn", reason="")
        await objects.empty_post(tx, post_id=post_id, state="withdrawn", reason=None)
        return
    document = activity["object"]
    if activity.get("forgetEarlier") is True:
        for each in waiting:
            await _say_otherwise(tx, core, member, each, document)
    await objects.update_post_text(
        tx,
        post_id=post_id,
        title=document.get("name", ""),
        warning=document.get("summary", ""),
        source=document["source"]["content"],
        html=own_arrival(activity).html,
        document=encode(document).decode(),
        activity_uri=activity["id"],
        edited_at=tx.now,
    )


async def _say_otherwise(tx: Tx, core: Core, member: Member, waiting: Submission, document: dict[str, Any]) -> None:
    """Put the new words into an activity that has not been delivered, so that the earlier ones never leave."""
    said = msgspec.json.decode(waiting.document)
    said.pop("proof", None)
    proved = prove(core, core.keyring.at_hand(member.actor_id), {**said, "object": document})
    text = encode(proved).decode()
    await replace_undelivered(tx, activity_uri=waiting.activity_uri, document=text)
    await replace_document(tx, activity_uri=waiting.activity_uri, document=text)


class Resender:
    """Sends again what the host has taken and not given back. One per process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._stopping = False

    async def run(self) -> None:
        """Look now and then until `stop` is called."""
        while not self._stopping:
            try:
                for submission in await self._core.store.read(list_submissions_due):
                    await self._core.write(_resend, self._core, submission)
            except NodeError as error:
                get_logger().error("resend_failed", code=error.code, reason=error.internal)
            await self._core.bell.wait(RESEND_BELL, at_most_seconds=_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present round."""
        self._stopping = True
        self._core.bell.ring(RESEND_BELL)


async def _resend(tx: Tx, core: Core, submission: Submission) -> None:
    await mark_resent(tx, activity_uri=submission.activity_uri, resend_at=tx.now + RESEND_AFTER)
    if await is_in_stream(tx, activity_uri=submission.activity_uri):
        return
    group = await get_group(tx, group_id=submission.group_id)
    actor = await get_actor(tx, actor_id=submission.group_id)
    if group is None or group.peer_id is None or actor is None or actor.inbox_uri is None:
        return
    await send(
        tx,
        core,
        peer_id=group.peer_id,
        stream=DIRECT,
        actor_id=submission.actor_id,
        activity=msgspec.json.decode(submission.document),
        inbox_uri=actor.inbox_uri,
    )


async def find_idempotent(tx: Tx, key: tuple[str, str]) -> str | None:
    """Return the post that a request with this key made before."""
    return await get_result(tx, owner=key[0], request_key=key[1])


async def keep_idempotent(tx: Tx, key: tuple[str, str], uri: str) -> None:
    """Remember which post a request with this key made."""
    await keep_result(tx, owner=key[0], request_key=key[1], result=uri)
