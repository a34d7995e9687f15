"""Pages of marks: the buttons below a post, what a member kept, and thanks given and received.

A button of a card names its post, and belongs to the one form of the thread: so that cards stay alike for many readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.marks import service as marks
from node.community.members.profiles import reach_person
from node.community.posts.reading import Reading, read_posts
from node.domain.actors import Member
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound
from node.store.marks import PAGE_MARKS, Mark
from node.store.profiles import Profile

from .reading import open_thread, show_thread
from .refusals import status_of
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, read_number, see

_NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Row:
    """A marked post in a list. path: its page; None for a private message, which has none. place: its group, or nothing."""

    post: Post
    author: Profile
    path: str | None
    place: str


@dataclass(frozen=True, slots=True)
class ThanksRow:
    """Thanks that the reader got. path: of the post's page, or None."""

    thanker: Profile
    post: Post
    path: str | None
    given_at: datetime


def build_marking(house: House, shell: Shell) -> Blueprint:
    """Return the routes of marks."""
    pages = Blueprint("marking", __name__)
    _add_buttons(pages, house, shell)
    _add_lists(pages, house, shell)
    return pages


def _add_buttons(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core
    reach = partial(reach_person, core, house.dereferencer)

    async def act(member: Member, wanted: str, post_id: int) -> None:
        if wanted == "thank":
            await marks.thank(core, reach, viewer=member, post_id=post_id)
        elif wanted == "unthank":
            await marks.take_thanks_back(core, viewer=member, post_id=post_id)
        elif wanted == "bookmark":
            await marks.bookmark_post(core, viewer=member, post_id=post_id)
        elif wanted == "unbookmark":
            await marks.unbookmark_post(core, viewer=member, post_id=post_id)

    @pages.post("/groups/<address>/threads/<token>/marks")
    @for_members(core)
    async def mark(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        form = await read_form()
        wanted = next((name for name in ("thank", "unthank", "bookmark", "unbookmark") if name in form), "")
        page, path, post = await open_thread(house, visitor, address, form.get(wanted, token))
        try:
            await act(visitor.member, wanted, post.post_id)
        except Invalid as error:
            return await show_thread(house, shell, visitor, page, status=status_of(error), problem=error.safe)
        here = post_page(post, path)
        return see(f"{here}#{here.rpartition('/')[2]}")


def _add_lists(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def list_rows(visitor: Visitor, found: list[Mark]) -> list[Row]:
        reading = await read_posts(core, viewer=visitor.member, post_ids=[mark.post_id for mark in found])
        posts = {post.post_id: post for post in reading.posts}
        return [_row(reading, posts[mark.post_id]) for mark in found if mark.post_id in posts]

    @pages.get("/me/bookmarks")
    @for_members(core)
    async def bookmarks(visitor: Visitor) -> ResponseReturnValue:
        before_id = read_number(request.args.get("before", "")) or _NEWEST
        found = await marks.list_bookmarked(core, viewer=visitor.member, before_id=before_id)
        rows = await list_rows(visitor, found)
        older = _find_older(found)
        return shell.render("keeping/bookmarks.html", visitor, place="me", rows=rows, older=older)

    @pages.post("/me/bookmarks")
    @for_members(core)
    async def drop(visitor: Visitor) -> ResponseReturnValue:
        post_id = read_number((await read_form()).get("drop", ""))
        if post_id is None:
            raise NotFound
        await marks.unbookmark_post(core, viewer=visitor.member, post_id=post_id)
        return see("/me/bookmarks")

    @pages.get("/me/thanks")
    @for_members(core)
    async def thanks(visitor: Visitor) -> ResponseReturnValue:
        member = visitor.member
        before_id = read_number(request.args.get("before", "")) or _NEWEST
        given_before = read_number(request.args.get("given_before", "")) or _NEWEST
        received, older = await marks.list_received(core, viewer=member, before_id=before_id)
        reading = await read_posts(core, viewer=member, post_ids=list({each.post.post_id for each in received}))
        given = await marks.list_thanked(core, viewer=member, before_id=given_before)
        return shell.render(
            "keeping/thanks.html",
            visitor,
            place="me",
            received=list(_thanks_rows(reading, received)),
            older=older,
            given=await list_rows(visitor, given),
            older_given=_find_older(given),
        )


def _find_older(found: list[Mark]) -> int | None:
    return found[-1].mark_id if len(found) == PAGE_MARKS else None


def _row(reading: Reading, post: Post) -> Row:
    group = reading.profiles.get(post.group_id or 0)
    return Row(post, reading.profiles[post.author_id], _find_path(reading, post), group.name if group else "")


def _thanks_rows(reading: Reading, received: list[marks.Received]) -> Iterable[ThanksRow]:
    for each in received:
        yield ThanksRow(each.thanker, each.post, _find_path(reading, each.post), each.given_at)


def _find_path(reading: Reading, post: Post) -> str | None:
    group = reading.profiles.get(post.group_id or 0)
    if group is None:
        return None
    address = group.handle if group.is_local else f"{group.handle}@{group.host}"
    return post_page(post, f"/groups/{address}")
