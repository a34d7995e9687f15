"""Private thanks on the wire: `Like` and `Undo{Like}`, addressed to the author of a post and to nobody else.

A Like that names a group, or everybody, is a vote: such are counted elsewhere and dropped here. Spec: ActivityPub §6.8, §6.10.
"""

from __future__ import annotations

from typing import Any

from node.community.addressing import read_addressed
from node.domain.access import may_be_thanked_from
from node.domain.actors import Actor
from node.federation.vocabulary import ActivityView
from node.inbox.dispatch import Arrival, Done, Dropped, Later, Need, Outcome
from node.store.activities import call_back_activity
from node.store.actors import get_actor, get_actor_by_uri
from node.store.core import Core
from node.store.engine import Tx
from node.store.marks import delete_thanks, find_thanks_by_activity, insert_thanks, is_named, say_thanks_again
from node.store.notifications import tell, untell
from node.store.objects import find_post
from node.store.readers import list_readers
from node.store.rosters import get_group, get_membership

THANKS = "thanks"
_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
# So often a Like waits for the group's word that its node is among those that hold the group.
_TRIES, _WAIT_SECONDS = 5, 60.0


def build_like(core: Core, *, thanker_uri: str, author_uri: str, post_uri: str) -> dict[str, Any]:
    """Return the Like by which somebody thanks an author."""
    return {
        "@context": _CONTEXT,
        "type": "Like",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": thanker_uri,
        "object": post_uri,
        "to": [author_uri],
        "cc": [],
    }


def build_undo(core: Core, *, thanker_uri: str, author_uri: str, post_uri: str, like_uri: str) -> dict[str, Any]:
    """Return what takes a Like back."""
    like = {"type": "Like", "id": like_uri, "actor": thanker_uri, "object": post_uri, "to": [author_uri]}
    return {
        "@context": _CONTEXT,
        "type": "Undo",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": thanker_uri,
        "object": like,
        "to": [author_uri],
        "cc": [],
    }


async def on_like(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """Somebody on a peer thanks a member of ours: kept for that member, and told to nobody else."""
    post = await find_post(tx, uri=arrival.view.object_id or "")
    author = await get_actor(tx, actor_id=post.author_id) if post is not None else None
    if post is None or author is None:
        return Dropped("There is no such post here.")
    named = read_addressed(arrival.view)
    if not named.uris <= {author.uri} or named.audience not in (None, author.uri):
        return Dropped("Thanks are addressed to the author alone. Votes are not taken.")
    thanker = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if thanker is None:
        return Need(arrival.actor_uri)
    is_reader = await _is_reader(tx, arrival, post, thanker)
    decision = may_be_thanked_from(is_local=author.is_local, state=post.state, is_reader=is_reader)
    if not decision:
        may_be_news = author.is_local and post.state == "live" and post.audience == "group" and not is_reader
        if may_be_news and arrival.tries < _TRIES:
            return Later("This node is not known to hold the group yet.", _WAIT_SECONDS)
        return Dropped(decision.reason)
    await keep_thanks(tx, core, thanker_id=thanker.actor_id, post=post, activity_uri=arrival.uri)
    return Done()


async def on_like_undone(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """Thanks are taken back by whoever gave them, named by the Like's id or by the post in it."""
    inner = arrival.view.inner
    if isinstance(inner, ActivityView) and inner.type != "Like":
        return None
    uri, by = arrival.view.object_id or "", arrival.actor_uri
    if await call_back_activity(tx, uri=uri, actor_uri=by, type="Like", reason="It was taken back."):
        return Done()  # it waited for word that its node holds the group
    thanker = await get_actor_by_uri(tx, uri=by)
    if thanker is None:
        return None
    post_id = await find_thanks_by_activity(tx, actor_id=thanker.actor_id, activity_uri=uri)
    if post_id is None and isinstance(inner, ActivityView):
        post = await find_post(tx, uri=inner.object_id or "")
        post_id = post.post_id if post is not None else 0
    if post_id is None:
        return None
    if not await forget_thanks(tx, thanker_id=thanker.actor_id, post_id=post_id):
        return Dropped("There are no such thanks here.")
    return Done()


async def keep_thanks(tx: Tx, core: Core, *, thanker_id: int, post: Any, activity_uri: str) -> bool:
    """Keep thanks for a post and tell its author, if they are a member of ours; return False when they stood already."""
    is_new = await insert_thanks(
        tx,
        thanks_id=core.ids.number(),
        actor_id=thanker_id,
        author_id=post.author_id,
        post_id=post.post_id,
        activity_uri=activity_uri,
    )
    if is_new:
        await tell(
            tx,
            notification_id=core.ids.number(),
            kind=THANKS,
            actor_ids=[post.author_id],
            from_id=thanker_id,
            post_id=post.post_id,
            group_id=post.group_id,
        )
    else:
        await say_thanks_again(tx, actor_id=thanker_id, post_id=post.post_id, activity_uri=activity_uri)
    return is_new


async def forget_thanks(tx: Tx, *, thanker_id: int, post_id: int) -> bool:
    """Take thanks back, with what the author was told; return whether there were any."""
    if not await delete_thanks(tx, actor_id=thanker_id, post_id=post_id):
        return False
    await untell(tx, kind=THANKS, post_id=post_id, from_id=thanker_id)
    return True


async def _is_reader(tx: Tx, arrival: Arrival, post: Any, thanker: Actor) -> bool:
    """Say whether somebody on a peer can read a post, as far as we know.

    We know the roster of a group hosted here, and the people of a message. Of a group elsewhere we know which nodes hold it.
    """
    if post.audience == "people":
        return await is_named(tx, post_id=post.post_id, actor_id=thanker.actor_id)
    group = await get_group(tx, group_id=post.group_id or 0)
    if post.audience != "group" or group is None or post.seq is None:
        return False
    if group.peer_id is None:
        place = await get_membership(tx, group_id=group.group_id, actor_id=thanker.actor_id)
        return place is not None and place.is_member and post.seq > place.visible_after
    if group.peer_id == arrival.peer_id:
        return True
    return thanker.host in {reader.host for reader in await list_readers(tx, group_id=group.group_id)}
