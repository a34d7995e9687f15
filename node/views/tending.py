"""Pages for a group's staff: pin and lock a thread; sum it up, make part of it a topic of its own, remove a post."""

from __future__ import annotations

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.posts import tending
from node.community.reading.thread import ThreadPage
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound

from .reading import open_thread
from .refusals import SHOWN_AGAIN
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, see


def build_tending(house: House, shell: Shell) -> Blueprint:
    """Return the routes."""
    pages = Blueprint("tending", __name__)
    core, tables = house.core, house.tables

    @pages.post("/groups/<address>/threads/<token>/staff")
    @for_members(core)
    async def steer(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, _, _ = await open_thread(house, visitor, address, token)
        act = (await read_form()).get("act", "")
        staff, root_id = visitor.member, page.root_id
        if act in ("pin", "unpin"):
            await tending.pin_post(core, tables, staff=staff, post_id=root_id, is_pinned=act == "pin")
        elif act in ("lock", "unlock"):
            await tending.lock_thread(core, tables, staff=staff, post_id=root_id, is_locked=act == "lock")
        else:
            raise Invalid("A thread is pinned or locked here.")
        return see(f"/groups/{address}/threads/{token}")

    @pages.get("/groups/<address>/threads/<token>/tend")
    @for_members(core)
    async def tend_page(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        return _show(shell, visitor, *await _open_as_staff(house, visitor, address, token))

    @pages.post("/groups/<address>/threads/<token>/tend")
    @for_members(core)
    async def tend(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await _open_as_staff(house, visitor, address, token)
        form = await read_form()
        try:
            await _act(house, visitor, post, form)
        except SHOWN_AGAIN as error:
            return _show(shell, visitor, page, path, post, status=422, problem=error.safe, form=form)
        return see(post_page(post, path))

    return pages


async def _open_as_staff(house: House, visitor: Visitor, address: str, token: str) -> tuple[ThreadPage, str, Post]:
    """As `open_thread`, for the group's staff and a post that stands; everybody else is answered as if it were absent."""
    page, path, post = await open_thread(house, visitor, address, token)
    if not page.place.is_staff or post.state != "live":
        raise NotFound
    return page, path, post


async def _act(house: House, visitor: Visitor, post: Post, form: dict[str, str]) -> None:
    core, tables, staff, act = house.core, house.tables, visitor.member, form.get("act", "")
    if act in ("sum-up", "no-summary"):
        await tending.sum_up(core, tables, staff=staff, post_id=post.post_id, is_summary=act == "sum-up")
    elif act == "split":
        await tending.split_thread(core, tables, staff=staff, post_id=post.post_id, title=form.get("title", ""))
    elif act == "remove":
        await tending.remove_post(core, tables, staff=staff, post_id=post.post_id, reason=form.get("reason", ""))
    else:
        raise Invalid("A post is made a summary or a topic of its own here, or removed.")


def _show(
    shell: Shell,
    visitor: Visitor,
    page: ThreadPage,
    path: str,
    post: Post,
    *,
    status: int = 200,
    problem: str = "",
    form: dict[str, str] | None = None,
) -> Response:
    values = {"page": page, "path": path, "post": post, "here": post_page(post, path), "problem": problem}
    return Response(shell.render("writing/tend.html", visitor, place="groups", form=form or {}, **values), status)
