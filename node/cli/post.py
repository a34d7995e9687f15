"""`rounds post …`: write and read as a member. Only on test nodes; the same services as the pages, and audited."""

from __future__ import annotations

import argparse
import base64
from typing import Any

from node.community.posts import service, tending, uploads
from node.community.posts.model import Posted
from node.community.reading.reach import read_reach
from node.domain.actors import Member
from node.domain.polls import NewPoll
from node.domain.posts import Draft, Post
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import html_to_text
from node.store.audit import write_audit
from node.store.engine import Tx
from node.store.objects import get_post_by_uri

from .context import Context, instant
from .member import require_test_node
from .people import find_group, find_member


def _as(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="member", required=True, metavar="MEMBER")


def add_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `post add`; the text comes on stdin, as Markdown."""
    parser.add_argument("group", metavar="GROUP")
    _as(parser)
    parser.add_argument("--reply-to", metavar="URI")
    parser.add_argument("--title", default="")
    parser.add_argument("--warning", default="", help="what is shown before the text")
    parser.add_argument("--image", action="append", default=[], metavar="FILE", help="a picture; may be given again")
    parser.add_argument("--alt", action="append", default=[], metavar="TEXT", help="what a picture shows, in order")
    parser.add_argument(
        "--answer", action="append", default=[], metavar="TEXT", help="of a poll; given two times or more"
    )
    parser.add_argument("--hours", type=float, default=72, help="how long a poll lasts (default: 72)")
    parser.add_argument("--several", action="store_true", help="several answers of a poll may be chosen")
    parser.add_argument("--image-data", action="append", default=[], help=argparse.SUPPRESS)


def list_words(parser: argparse.ArgumentParser) -> None:
    """Take a group and a member."""
    parser.add_argument("group", metavar="GROUP")
    _as(parser)


def post_words(parser: argparse.ArgumentParser) -> None:
    """Take a post and a member."""
    parser.add_argument("post", metavar="URI")
    _as(parser)


def edit_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `post edit`; the text comes on stdin."""
    post_words(parser)
    parser.add_argument("--title", default="")
    parser.add_argument("--warning", default="")
    parser.add_argument("--forget-earlier", action="store_true", help="erase the earlier text on every node")


def remove_words(parser: argparse.ArgumentParser) -> None:
    """Take a post, a member of staff and a reason."""
    post_words(parser)
    parser.add_argument("--reason", required=True)


async def add(context: Context) -> int:
    """Post in a group."""
    member = await _member(context, "post.add", context.args.group)
    house, args = context.house, context.args
    group = await find_group(context, args.group)
    reply_to = None
    if args.reply_to:
        reply_to = (await _post(context, member, args.reply_to)).post_id
    images = []
    for place, data in enumerate(args.image_data):
        alt = args.alt[place] if place < len(args.alt) else ""
        image = await uploads.add_image(house.core, owner=member, data=base64.b64decode(data), alt=alt)
        images.append(image.token)
    poll = NewPoll(tuple(args.answer), int(args.hours * 3600), is_multiple=args.several) if args.answer else None
    draft = Draft(context.text, args.title, args.warning, tuple(images), poll)
    posted = await service.create_post(
        house.core, house.tables, author=member, group_id=group.group_id, draft=draft, reply_to=reply_to
    )
    return _posted(context, posted)


async def list_all(context: Context) -> int:
    """List a group's posts as a member sees them."""
    member = await _member(context, "post.list", context.args.group)
    group = await find_group(context, context.args.group)
    posts = await service.list_posts(context.house.core, viewer=member, group_id=group.group_id)
    shown = [describe(post) for post in posts]
    lines = [f"{post.seq or '-':>5}  {post.author_handle}@{post.author_host}: {text_of(post)[:70]}" for post in posts]
    return context.emit({"posts": shown}, *(lines or ["Nothing here yet."]))


async def edit(context: Context) -> int:
    """Change a post."""
    member = await _member(context, "post.edit", context.args.post)
    post = await _post(context, member, context.args.post)
    draft = Draft(context.text, context.args.title or post.title, context.args.warning or post.warning)
    house = context.house
    posted = await service.edit_post(
        house.core,
        house.tables,
        author=member,
        post_id=post.post_id,
        draft=draft,
        forget_earlier=context.args.forget_earlier,
    )
    return _posted(context, posted)


async def withdraw(context: Context) -> int:
    """Take a post back."""
    member = await _member(context, "post.withdraw", context.args.post)
    post = await _post(context, member, context.args.post)
    house = context.house
    posted = await service.withdraw_post(house.core, house.tables, author=member, post_id=post.post_id)
    return _posted(context, posted)


async def remove(context: Context) -> int:
    """Remove a post as staff."""
    member = await _member(context, "post.remove", context.args.post)
    post = await _post(context, member, context.args.post)
    house = context.house
    posted = await tending.remove_post(
        house.core, house.tables, staff=member, post_id=post.post_id, reason=context.args.reason
    )
    return _posted(context, posted)


async def reach(context: Context) -> int:
    """Say which nodes have a post."""
    member = await _member(context, "post.reach", context.args.post)
    found = await _post(context, member, context.args.post)
    post, at = await read_reach(context.house.core, viewer=member, post_id=found.post_id)
    shown: dict[str, Any] = {"uri": post.uri, "state": post.state, "seq": post.seq}
    if at is None:
        return context.emit(shown, "It waits for the group's host.")
    shown["host"] = at.host
    if not at.is_host_here:
        return context.emit(shown, f"{at.host} has it.")
    missing = [{"host": each.host, "since": instant(each.since), "code": each.code} for each in at.missing]
    lines = [f"Not yet: {each['host']} {each['code'] or ''}".rstrip() for each in missing]
    return context.emit(
        shown | {"have": at.have, "nodes": at.nodes, "missing": missing}, f"On {at.have} of {at.nodes} nodes.", *lines
    )


async def pin(context: Context) -> int:
    """Pin a post."""
    return await _pin(context, is_pinned=True)


async def unpin(context: Context) -> int:
    """Unpin a post."""
    return await _pin(context, is_pinned=False)


async def _pin(context: Context, *, is_pinned: bool) -> int:
    member = await _member(context, "post.pin", context.args.post)
    post = await _post(context, member, context.args.post)
    house = context.house
    posted = await tending.pin_post(house.core, house.tables, staff=member, post_id=post.post_id, is_pinned=is_pinned)
    return _posted(context, posted)


async def lock(context: Context) -> int:
    """Lock a thread."""
    return await _lock(context, is_locked=True)


async def unlock(context: Context) -> int:
    """Open a thread again."""
    return await _lock(context, is_locked=False)


async def _lock(context: Context, *, is_locked: bool) -> int:
    member = await _member(context, "post.lock", context.args.post)
    post = await _post(context, member, context.args.post)
    house = context.house
    posted = await tending.lock_thread(
        house.core, house.tables, staff=member, post_id=post.post_id, is_locked=is_locked
    )
    return _posted(context, posted)


def describe(post: Post) -> dict[str, Any]:
    """Return a post as `post list` prints it."""
    return {
        "uri": post.uri,
        "author": post.author_uri,
        "host": post.author_host,
        "title": post.title or None,
        "text": text_of(post),
        "warning": post.warning or None,
        "in_reply_to": post.in_reply_to,
        "seq": post.seq,
        "published_at": instant(post.published_at),
        "edited_at": instant(post.edited_at),
        "state": post.state,
        "reason": post.reason,
        "pinned": post.is_pinned,
        "locked": post.is_locked,
        "known_through": post.known_through,
        "name": post.author_name,
    }


def text_of(post: Post) -> str:
    """Return a post's words: the Markdown it was written in, else its HTML as text."""
    return post.source or html_to_text(post.html)


def _posted(context: Context, posted: Posted) -> int:
    shown = {"uri": posted.uri, "state": posted.state, "seq": posted.seq}
    sentence = f"Entry {posted.seq}." if posted.state == "in_log" else "It waits for the group's host."
    return context.emit(shown, posted.uri, sentence)


async def _member(context: Context, action: str, target: str) -> Member:
    """Return the member who acts, and put on record that the operator acted as them."""
    require_test_node(context, action.replace(".", " "))
    member = await find_member(context, context.args.member)
    if member.state != "active" and member.state != "invited":
        raise Invalid(f"{member.handle} is {member.state}.")
    await context.house.core.store.write(_audit, context.by, f"as.{action}", f"{member.handle} {target}")
    return member


async def _audit(tx: Tx, by: str, action: str, target: str) -> None:
    await write_audit(tx, actor=by, action=action, target=target)


async def _post(context: Context, member: Member, uri: str) -> Post:
    post = await context.house.core.store.read(_by_uri, member.actor_id, uri)
    if post is None:
        raise NotFound("There is no such post.")
    return post


async def _by_uri(tx: Tx, viewer_id: int, uri: str) -> Post | None:
    return await get_post_by_uri(tx, viewer_id=viewer_id, uri=uri)
