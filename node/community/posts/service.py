"""What members do with posts. In a group hosted here a post has its place at once; elsewhere it waits for its host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from node.community.hosting import judge_level, own_arrival, record
from node.domain import access
from node.domain.actors import Member
from node.domain.audience import group_addresses
from node.domain.groups import Group
from node.domain.polls import Poll, clean_poll
from node.domain.posts import IMAGES_LIMIT, Draft, Image, Post
from node.federation.vocabulary import ObjectView
from node.foundation.clock import parse_instant
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.foundation.text import (
    CONTENT_LIMIT_CHARACTERS,
    TITLE_LIMIT_CHARACTERS,
    clean_line,
    clean_text,
    find_mentions,
)
from node.inbox.dispatch import Tables
from node.outbox.publish import encode, prove
from node.store import objects
from node.store.core import Core
from node.store.engine import Tx
from node.store.following import begin_following
from node.store.media import attach_media, get_media, list_images
from node.store.polls import find_poll
from node.store.profiles import get_profile_by_address
from node.store.rosters import get_group, get_membership, take_group

from . import submit
from .activities import Named, build_group_activity, build_object
from .model import Posted
from .pictures import clean_alt, describe_mirror
from .questions import begin_question, keep_question, repeat_question

_PICTURE_GONE = "A picture of this post is not there any more. Please add it again."


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known before a post is built: read once, decided again in the writing transaction."""

    group: Group
    parent: Post | None
    root_uri: str | None
    mentions: list[Named]
    images: list[Image]


async def create_post(
    core: Core,
    tables: Tables,
    *,
    author: Member,
    group_id: int,
    draft: Draft,
    reply_to: int | None = None,
    idempotency: tuple[str, str] | None = None,
) -> Posted:
    """Post a topic or a reply in a group.

    Args:
        core: This node.
        tables: The tables of dispatch.
        author: Who writes.
        group_id: Where.
        draft: What.
        reply_to: The number of the post replied to; None for a topic.
        idempotency: (owner, key) of a request that may be sent twice; the second gets the first one's post.

    Raises:
        Unavailable: There is no room on the disk.
        Invalid: Nothing is said, or too much.
        NotFound: The group or the parent is not there for this member.
        Forbidden: The member may not write here, or the thread is locked.
    """
    core.pressure.check_write()
    draft = clean_draft(draft)
    plan = await core.store.read(_begin, core, author, group_id, draft, reply_to, idempotency)
    if isinstance(plan, Posted):
        return plan
    uri = f"{core.origin}/posts/{core.ids.token()}"
    document = build_object(
        core,
        uri=uri,
        author=author,
        to=group_addresses(plan.group.uri),
        audience=plan.group.uri,
        draft=draft,
        mentions=plan.mentions,
        images=plan.images,
        in_reply_to=plan.parent.uri if plan.parent else None,
        thread_uri=plan.root_uri or uri,
        published=core.clock.now(),
    )
    document |= begin_question(draft.poll, core.clock)
    keys = await core.keyring.own(author.actor_id)
    activity = prove(core, keys, build_group_activity(core, "Create", author, plan.group, document))
    return await core.write(_create, core, tables, author, plan, draft, activity, idempotency)


async def edit_post(
    core: Core,
    tables: Tables,
    *,
    author: Member,
    post_id: int,
    draft: Draft,
    forget_earlier: bool,
    alts: Mapping[str, str] | None = None,
) -> Posted:
    """Change a post; the earlier text stays to be seen, unless it is to be forgotten everywhere.

    Args:
        core: This node.
        tables: The tables of dispatch.
        author: Who writes.
        post_id: Which post.
        draft: What it says from now on.
        forget_earlier: Whether every node is to forget what it said before.
        alts: New descriptions of its pictures, by their tokens.

    Raises:
        Invalid: Nothing is said, or too much.
        NotFound: There is no such post for this member.
        Forbidden: It is not theirs.
        Conflict: It was taken away, or still waits for the host with an earlier change.
    """
    post, _ = await core.store.read(_own_post, author, post_id)
    kept = (await core.store.read(_images, post_id)).get(post_id, ())
    draft = replace(clean_draft(replace(draft, images=tuple(image.token for image in kept))), images=())
    plan = await core.store.read(_plan, core, author, post.group_id or 0, draft, post.parent_id)
    words = {token: clean_alt(alt) for token, alt in (alts or {}).items()}
    images = [replace(image, alt=words.get(image.token, image.alt)) for image in kept]
    document = build_object(
        core,
        uri=post.uri,
        author=author,
        to=group_addresses(plan.group.uri),
        audience=plan.group.uri,
        draft=draft,
        mentions=plan.mentions,
        images=images,
        in_reply_to=post.in_reply_to,
        thread_uri=plan.root_uri or post.uri,
        published=post.published_at,
        updated=core.clock.now(),
    )
    document |= repeat_question(await core.store.read(_poll_of, post_id))
    more: dict[str, Any] = {"forgetEarlier": True} if forget_earlier else {}
    keys = await core.keyring.own(author.actor_id)
    activity = prove(core, keys, build_group_activity(core, "Update", author, plan.group, document, **more))
    return await core.write(submit.change, core, tables, author, post_id, "update", activity)


async def withdraw_post(core: Core, tables: Tables, *, author: Member, post_id: int) -> Posted:
    """Take a post back: its words go from every node, its place stays.

    Raises:
        NotFound, Forbidden, Conflict: As for `edit_post`.
    """
    post, group = await core.store.read(_own_post, author, post_id)
    keys = await core.keyring.own(author.actor_id)
    activity = prove(core, keys, build_group_activity(core, "Delete", author, group, post.uri))
    return await core.write(submit.change, core, tables, author, post_id, "delete", activity)


async def list_posts(core: Core, *, viewer: Member, group_id: int) -> list[Post]:
    """Return every post of a group that the viewer may read, in the group's order, own waiting ones last.

    Raises:
        NotFound: The viewer is not in the group; absent groups answer alike.
    """
    found: list[Post] = []
    waiting: list[Post] = []
    while True:
        page, waiting = await core.store.read(_page_of_group, viewer, group_id, found[-1].seq or 0 if found else 0)
        found += [label_author(core, post) for post in page]
        if len(page) < 200:
            return found + waiting


def label_author(core: Core, post: Post) -> Post:
    """Return a post without "known through" when its author's node is an active peer of ours."""
    if post.known_through is None:
        return post
    peer = core.peers.by_host(post.author_host)
    return replace(post, known_through=None) if peer is not None and peer.state == "active" else post


def clean_draft(draft: Draft) -> Draft:
    """Return a draft without what must not be in it.

    Raises:
        Invalid: Nothing is said, or too much.
    """
    text = clean_text(draft.text, limit=CONTENT_LIMIT_CHARACTERS + 1).strip()
    if len(text) > CONTENT_LIMIT_CHARACTERS:
        raise Invalid(f"A post has at most {CONTENT_LIMIT_CHARACTERS} characters.")
    if not text and not draft.images:
        raise Invalid("Please write something: there is no text yet.")
    if len(draft.images) > IMAGES_LIMIT:
        raise Invalid(f"A post has at most {IMAGES_LIMIT} pictures.")
    title = clean_line(draft.title, limit=TITLE_LIMIT_CHARACTERS)
    poll = None if draft.poll is None else clean_poll(draft.poll)
    return Draft(text, title, clean_line(draft.warning, limit=TITLE_LIMIT_CHARACTERS), tuple(draft.images), poll)


async def _begin(
    tx: Tx,
    core: Core,
    author: Member,
    group_id: int,
    draft: Draft,
    reply_to: int | None,
    idempotency: tuple[str, str] | None,
) -> _Plan | Posted:
    """Return the plan of a post, or what the same request has posted already: then its pictures are on a post, and no plan is."""
    known = await _find_posted(tx, author, idempotency)
    return known if known is not None else await _plan(tx, core, author, group_id, draft, reply_to)


async def _find_posted(tx: Tx, author: Member, idempotency: tuple[str, str] | None) -> Posted | None:
    known = None if idempotency is None else await submit.find_idempotent(tx, idempotency)
    if known is None:
        return None
    post = await objects.get_post_by_uri(tx, viewer_id=author.actor_id, uri=known)
    if post is None:
        raise Conflict("This request was used already, and its post is gone.")
    return Posted(post.post_id, post.uri, _state(post.state), post.seq)


async def _plan(tx: Tx, core: Core, author: Member, group_id: int, draft: Draft, reply_to: int | None) -> _Plan:
    group = await get_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=author.actor_id)
    if group is None or place is None or not place.is_member:
        raise NotFound("There is no such group.")
    parent, root_uri = None, None
    if reply_to is not None:
        parent = await objects.get_post(tx, viewer_id=author.actor_id, post_id=reply_to)
        if parent is None or parent.group_id != group_id:
            raise NotFound("The post you reply to is not here.")
        root = await objects.find_post_by_id(tx, post_id=parent.root_id)
        root_uri = root.uri if root else parent.uri
    images = []
    for token in draft.images:
        row = await get_media(tx, token=token)
        if row is None or row.owner_id != author.actor_id or row.post_id is not None:
            raise Invalid(_PICTURE_GONE)
        images.append(Image(row.token, row.sha256, row.media_type, row.width, row.height, row.alt, None, row.state))
    return _Plan(group, parent, root_uri, await _mentions(tx, core, author, draft.text), images)


async def _mentions(tx: Tx, core: Core, author: Member, text: str) -> list[Named]:
    """Return the people named in a text whom its author may see; nobody is looked up elsewhere for it."""
    found = []
    for mention in find_mentions(text):
        profile = await get_profile_by_address(
            tx, viewer_id=author.actor_id, host=mention.host or core.host, handle=mention.handle, kind="person"
        )
        if profile is not None:
            name = f"@{mention.handle}" if mention.host is None else f"@{mention.handle}@{mention.host}"
            found.append(Named(profile.uri, name))
    return found


async def _create(
    tx: Tx,
    core: Core,
    tables: Tables,
    author: Member,
    plan: _Plan,
    draft: Draft,
    activity: dict[str, Any],
    idempotency: tuple[str, str] | None,
) -> Posted:
    group = await take_group(tx, group_id=plan.group.group_id)
    if (known := await _find_posted(tx, author, idempotency)) is not None:
        return known
    place = await get_membership(tx, group_id=plan.group.group_id, actor_id=author.actor_id)
    if group is None:
        raise NotFound("There is no such group.")
    is_locked = False
    if plan.parent is not None:
        parent = await objects.find_post_by_id(tx, post_id=plan.parent.post_id)
        if parent is None:
            raise NotFound("The post you reply to is not here.")
        is_locked = parent.is_locked
        # The thread may have been split since the plan was made; the group's row is held from here on.
        plan = replace(plan, parent=replace(plan.parent, root_id=parent.root_id))
    decision = access.may_write(author.viewer, place, is_locked=is_locked)
    if decision and group.is_local:
        decision = await judge_level(tx, core, group=group, actor_id=author.actor_id, is_member=True)
    if not decision:
        raise Forbidden(decision.reason)
    posted = await _place(tx, core, tables, group, author, plan, activity)
    group_id, author_id = group.group_id, author.actor_id
    for place_of, token in enumerate(draft.images):
        where = {"owner_id": author_id, "post_id": posted.post_id, "group_id": group_id}
        if not await attach_media(tx, token=token, place=place_of, **where):  # another post has it since the plan
            raise Invalid(_PICTURE_GONE)
    root_id = plan.parent.root_id if plan.parent else posted.post_id
    await begin_following(tx, actor_id=author_id, group_id=group_id, root_id=root_id, post_id=posted.post_id)
    if idempotency is not None:
        await submit.keep_idempotent(tx, idempotency, posted.uri)
    return posted


async def _place(
    tx: Tx, core: Core, tables: Tables, group: Group, author: Member, plan: _Plan, activity: dict[str, Any]
) -> Posted:
    """Give a new post its place in our own log, or keep it as waiting and send it to the host."""
    arrival = own_arrival(activity)
    document = activity["object"]
    if group.is_local:
        media = [describe_mirror(core, image) for image in plan.images]
        seq = await record(tx, core, tables, group=group, kind="create", arrival=arrival, media=media or None)
        post = await objects.find_post(tx, uri=document["id"])
        return Posted(post.post_id if post else 0, document["id"], "in_log", seq)
    post_id = core.ids.number()
    await objects.insert_post(
        tx,
        values={
            "post_id": post_id,
            "uri": document["id"],
            "audience": "group",
            "group_id": group.group_id,
            "author_id": author.actor_id,
            "parent_id": plan.parent.post_id if plan.parent else None,
            "root_id": plan.parent.root_id if plan.parent else post_id,
            "in_reply_to": document.get("inReplyTo"),
            "seq": None,
            "state": "waiting_for_host",
            "title": document.get("name", ""),
            "warning": document.get("summary", ""),
            "source": document["source"]["content"],
            "html": arrival.html,
            "document": encode(document).decode(),
            "activity_uri": activity["id"],
            "published_at": parse_instant(document["published"]) or tx.now,
        },
    )
    for named in plan.mentions:
        await objects.insert_mention(tx, post_id=post_id, actor_uri=named.uri, name=named.name)
    if isinstance(arrival.view.inner, ObjectView):
        await keep_question(tx, group=group, post_id=post_id, seq=None, view=arrival.view.inner)
    await submit.submit(tx, core, group=group, author=author, kind="create", activity=activity, post_id=post_id)
    return Posted(post_id, document["id"], "waiting_for_host", None)


def _state(state: str) -> str:
    return "waiting_for_host" if state == "waiting_for_host" else "in_log"


async def _own_post(tx: Tx, author: Member, post_id: int) -> tuple[Post, Group]:
    post, group = await require_readable(tx, author, post_id)
    place = await get_membership(tx, group_id=group.group_id, actor_id=author.actor_id)
    decision = access.may_edit(author.viewer, author_id=post.author_id, state=post.state, membership=place)
    if not decision:
        raise Forbidden(decision.reason)
    return post, group


async def require_readable(tx: Tx, viewer: Member, post_id: int) -> tuple[Post, Group]:
    """Return a post of a group that a member may read, and its group.

    Raises:
        NotFound: There is none for them.
    """
    post = await objects.get_post(tx, viewer_id=viewer.actor_id, post_id=post_id)
    group = None if post is None else await get_group(tx, group_id=post.group_id or 0)
    if post is None or group is None:
        raise NotFound("There is no such post.")
    return post, group


async def _poll_of(tx: Tx, post_id: int) -> Poll | None:
    return await find_poll(tx, post_id=post_id)


async def _images(tx: Tx, post_id: int) -> dict[int, tuple[Image, ...]]:
    return await list_images(tx, post_ids=[post_id])


async def _page_of_group(tx: Tx, viewer: Member, group_id: int, after_seq: int) -> tuple[list[Post], list[Post]]:
    place = await get_membership(tx, group_id=group_id, actor_id=viewer.actor_id)
    if place is None or not place.is_member or viewer.state != "active":
        raise NotFound("There is no such group.")
    page = await objects.list_group_posts(tx, viewer_id=viewer.actor_id, group_id=group_id, after_seq=after_seq)
    return page, await objects.list_waiting_posts(tx, viewer_id=viewer.actor_id, group_id=group_id)
