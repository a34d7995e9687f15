"""What a member marks: bookmarks, private thanks (what apps call favourites), muted threads.

Thanks are counted nowhere; the author alone learns of them. Spec: Mastodon API, methods/statuses, favourites, bookmarks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from quart import Blueprint, Response, request

from node.community.house import House
from node.community.marks import service as marks
from node.community.members.profiles import reach_person
from node.community.posts.reading import Span, read_post, read_posts
from node.community.reading.following import set_following
from node.domain.following import MUTED, UNFOLLOWED
from node.foundation.errors import NotFound
from node.store.marks import Mark

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.ids import is_shared_id, parse_status_id
from .entities.statuses import Shelf
from .pagination import read_plain_span, send_page
from .parameters import read_query
from .tickets import Tickets

_STATUS = "/api/v1/statuses/<status_id>"
_USUAL = 20

Act = Callable[[Caller, int], Awaitable[int]]


def add_marks(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of marks."""
    core = house.core

    def add(name: str, scope: str, act: Act) -> None:
        async def mark(caller: Caller, status_id: str) -> Entity:
            number = parse_status_id(status_id)
            if number is None:
                raise NotFound
            reading = await read_post(core, viewer=caller.member, post_id=await act(caller, number))
            shelf = Shelf(reading, setting, tickets.for_caller(caller))
            build = shelf.build_shared if is_shared_id(status_id) else shelf.build_status
            return build(reading.posts[0])

        mark.__name__ = name
        routes.post(f"{_STATUS}/{name}")(needs(core, scope)(mark))

    for name, (scope, act) in _list_acts(house).items():
        add(name, scope, act)
    _add_lists(routes, house, setting, tickets)


def _list_acts(house: House) -> dict[str, tuple[str, Act]]:
    """Return {what an app does with a post: (the scope it needs, what does it)}."""
    core = house.core
    reach = partial(reach_person, core, house.dereferencer)

    async def favourite(caller: Caller, post_id: int) -> int:
        return await marks.thank(core, reach, viewer=caller.member, post_id=post_id)

    async def unfavourite(caller: Caller, post_id: int) -> int:
        return await marks.take_thanks_back(core, viewer=caller.member, post_id=post_id)

    async def bookmark(caller: Caller, post_id: int) -> int:
        return await marks.bookmark_post(core, viewer=caller.member, post_id=post_id)

    async def unbookmark(caller: Caller, post_id: int) -> int:
        return await marks.unbookmark_post(core, viewer=caller.member, post_id=post_id)

    async def follow(wanted: str, caller: Caller, post_id: int) -> int:
        post = (await read_post(core, viewer=caller.member, post_id=post_id)).posts[0]
        await set_following(core, viewer=caller.member, group_id=post.group_id, root_id=post.root_id, wanted=wanted)
        return post.post_id

    return {
        "favourite": ("write:favourites", favourite),
        "unfavourite": ("write:favourites", unfavourite),
        "bookmark": ("write:bookmarks", bookmark),
        "unbookmark": ("write:bookmarks", unbookmark),
        "mute": ("write:mutes", partial(follow, MUTED)),
        "unmute": ("write:mutes", partial(follow, UNFOLLOWED)),
    }


def _add_lists(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    core = house.core

    @routes.get("/api/v1/favourites")
    @needs(core, "read:favourites")
    async def favourites(caller: Caller) -> Response:
        span = read_plain_span(read_query(request), usual=_USUAL)
        found = await marks.list_thanked(
            core, viewer=caller.member, before_id=span.before_id, after_id=span.after_id, oldest_first=span.oldest_first
        )
        return await show(caller, span, found)

    @routes.get("/api/v1/bookmarks")
    @needs(core, "read:bookmarks")
    async def bookmarks(caller: Caller) -> Response:
        span = read_plain_span(read_query(request), usual=_USUAL)
        found = await marks.list_bookmarked(
            core, viewer=caller.member, before_id=span.before_id, after_id=span.after_id, oldest_first=span.oldest_first
        )
        return await show(caller, span, found)

    async def show(caller: Caller, span: Span, found: list[Mark]) -> Response:
        """Send a page, the newest mark first; its cursors are those of the marks."""
        page = sorted(found[: span.limit], key=lambda mark: mark.mark_id, reverse=True)
        reading = await read_posts(core, viewer=caller.member, post_ids=[mark.post_id for mark in page])
        shelf = Shelf(reading, setting, tickets.for_caller(caller))
        posts = {post.post_id: post for post in reading.posts}
        statuses = [shelf.build_status(posts[mark.post_id]) for mark in page if mark.post_id in posts]
        ids = [str(mark.mark_id) for mark in page]
        return send_page(f"{setting.origin}{request.path}", statuses, ids, span)
