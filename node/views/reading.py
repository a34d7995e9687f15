"""Pages of reading: catch-up, groups, one group, one thread, one picture.

Opening a thread moves the reader's position in it, unless the browser only fetches the page ahead of time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.groups.pages import read_join_page
from node.community.hosting import read_level
from node.community.house import House
from node.community.members.profiles import find_profile
from node.community.reading import service
from node.community.reading.quotes import quote_text
from node.community.reading.thread import ThreadPage, note_read, read_thread_page
from node.domain.following import LEVELS
from node.domain.groups import Group
from node.domain.posts import Post
from node.foundation.errors import NotFound
from node.store.core import Core
from node.store.profiles import Profile

from .asking import list_polls_on_cards
from .cards import list_cards
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, read_number, see


async def show_catch_up(house: House, shell: Shell, visitor: Visitor) -> str:
    """Return what is new to a member."""
    page = await service.catch_up(house.core, viewer=visitor.member)
    return shell.render("reading/catch_up.html", visitor, place="catch-up", page=page, path_of=path_of(house))


async def seen_group(core: Core, visitor: Visitor, address: str) -> Profile:
    """Return a group that a member may know of, by `ward` or `ward@a.example`.

    Raises:
        NotFound: Absent, or hidden from them.
    """
    handle, _, host = address.partition("@")
    profile = await find_profile(core, viewer=visitor.member, handle=handle, host=host or None, kind="group")
    if profile is None:
        raise NotFound("There is no such group.")
    return profile


def path_of(house: House) -> Callable[[Group], str]:
    """Return a function from a group to its page's path: `/groups/ward`, `/groups/ward@a.example`."""

    def find(group: Group) -> str:
        return f"/groups/{group.handle}" if group.is_local else f"/groups/{group.handle}@{group.host}"

    return find


def build_reading(house: House, shell: Shell) -> Blueprint:
    """Return the routes of reading."""
    pages = Blueprint("reading", __name__)
    _add_lists(pages, house, shell)
    _add_threads(pages, house, shell)
    return pages


def _add_lists(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core
    find_path = path_of(house)

    @pages.post("/read")
    @for_members(core)
    async def mark_read(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        chosen = [read_number(form["group"]) or 0] if form.get("group") else []
        await service.mark_group_read(core, viewer=visitor.member, group_ids=chosen)
        back = form.get("back", "")
        return see(back if back.startswith("/groups/") and back.isprintable() else "/")

    @pages.get("/groups")
    @for_members(core)
    async def groups(visitor: Visitor) -> ResponseReturnValue:
        mine, listed = await service.list_own_groups(core, viewer=visitor.member)
        return shell.render("reading/groups.html", visitor, place="groups", mine=mine, listed=listed, path_of=find_path)

    @pages.get("/groups/<address>")
    @for_members(core)
    async def group(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        before_id = _number("before")
        try:
            page = await service.read_group_page(
                core,
                viewer=visitor.member,
                group_id=profile.actor_id,
                before_id=2**62 if before_id is None else before_id,
            )
        except NotFound:
            return see(f"/groups/{address}/join")
        about = await read_join_page(core, viewer=visitor.member, group_id=profile.actor_id)
        return shell.render(
            "reading/group.html",
            visitor,
            place="groups",
            page=page,
            about=about,
            path=find_path(page.group),
            levels=LEVELS,
            may_write=bool(await read_level(core, group=page.group, member=visitor.member, is_member=True)),
            is_newest=before_id is None,
        )


def _add_threads(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/groups/<address>/threads/<token>")
    @for_members(core)
    async def thread(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        handle, _, host = address.partition("@")
        page, _ = await read_thread_page(
            core,
            viewer=visitor.member,
            handle=handle,
            host=host or None,
            token=token,
            after_id=_number("after"),
            before_id=_number("before"),
        )
        answered, text = None, None
        if asked := request.args.get("reply") or request.args.get("quote"):
            _, path, answered = await open_thread(house, visitor, address, asked)
            if "quote" in request.args and answered.state == "live":
                quoted = quote_text(answered, f"{core.origin}{post_page(answered, path)}")
                text = f"{page.draft.text}\n\n{quoted}" if page.draft else quoted
        if "prefetch" not in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
            await note_read(core, viewer=visitor.member, page=page)
        return await show_thread(house, shell, visitor, page, answered=answered, text=text)


async def open_thread(house: House, visitor: Visitor, address: str, token: str) -> tuple[ThreadPage, str, Post]:
    """Return the part of a thread around a post, the group's path, and the post.

    Raises:
        NotFound: The visitor may not read it, or it is not there.
    """
    handle, _, host = address.partition("@")
    page, post = await read_thread_page(
        house.core, viewer=visitor.member, handle=handle, host=host or None, token=token
    )
    return page, path_of(house)(page.group), post


async def show_thread(
    house: House,
    shell: Shell,
    visitor: Visitor,
    page: ThreadPage,
    *,
    status: int = 200,
    answered: Post | None = None,
    text: str | None = None,
    once: str = "",
    refused: tuple[int, str] | None = None,
    **more: Any,
) -> Response:
    """Return a thread's page, with what was begun in the form at its foot.

    refused: (the poll, why) of a vote that was not taken.
    """
    if text is None:
        text = page.draft.text if page.draft else ""
    values = {"problem": "", "preview": None} | more
    core = house.core
    path = path_of(house)(page.group)
    parts: dict[str, Any] = {
        "visitor": visitor,
        "page_of": lambda post: post_page(post, path),
        "name_of": shell.name_of,
        "ticks": page.ticks,
    }
    values["may_write"] = bool(await read_level(core, group=page.group, member=visitor.member, is_member=True))
    parts["polls"] = list_polls_on_cards(
        page, visitor, path=path, host=shell.name_of(page.group.host), may_vote=values["may_write"], refused=refused
    )
    cards = list_cards(page, page.posts, first=page.first_number, **parts)
    news = _find_line(page)
    rendered = shell.render(
        "reading/thread.html",
        visitor,
        place="groups",
        page=page,
        path=path,
        read_posts=shell.show_cards(cards[:news]),
        new_posts=shell.show_cards(cards[news:]),
        waiting_posts=shell.show_cards(list_cards(page, page.waiting, first=page.total + 1, **parts)),
        answered=answered,
        text=text,
        once=once or house.core.ids.token(),
        **values,
    )
    return Response(rendered, status)


def _find_line(page: ThreadPage) -> int:
    """Return how many posts of a part of a thread stand above the line "new since"; all, if there is none to draw."""
    for place, post in enumerate(page.posts):
        if post.post_id == page.unread_id and (place > 0 or page.first_number > 1):
            return place
    return len(page.posts)


def _number(name: str) -> int | None:
    return read_number(request.args.get(name, ""))
