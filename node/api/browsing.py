"""`/api/v1/accounts/:id/statuses`, `/api/v1/timelines/public` and `…/tag/:tag`, `/api/v1/tags`: ways to come upon posts.

A group's page shows its topics as the group's sharings, whatever an app says of reblogs: a group only shares. A person's
page shows what they wrote in groups that the reader is in. Nothing here is public: `public` is all that the reader may see.

Spec: Mastodon API, methods/accounts, methods/timelines, methods/tags.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.house import House
from node.community.posts.browsing import read_author, read_everything, read_group_posts, read_pinned, read_tagged
from node.community.posts.reading import Reading, Span
from node.domain.actors import Member
from node.domain.posts import Post
from node.domain.searching import Filters
from node.foundation.errors import Invalid, NotFound
from node.foundation.hashtags import find_tags, fold_tag
from node.store.browsing import Choice
from node.store.profiles import Profile

from .accounts import require_account
from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.statuses import Shelf
from .entities.tags import build_followable_tag
from .pagination import read_span, send_page
from .parameters import Parameters, is_true, read_query
from .tickets import Tickets

_TAG_LIMIT_CHARACTERS = 100
# What other pages of the same list are to have too.
_KEPT = ("exclude_replies", "exclude_reblogs", "only_media", "pinned", "tagged", "local", "remote")


def add_browsing(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes by which posts are come upon."""
    core = house.core

    @routes.get("/api/v1/accounts/<account_id>/statuses")
    @needs(core, "read:statuses")
    async def statuses(caller: Caller, account_id: str) -> Response:
        profile = await require_account(house, caller.member, account_id)
        query = read_query(request)
        span = read_span(query)
        reading = await _read_account(house, caller.member, profile, query, span)
        return show(caller, query, span, reading, is_shared=profile.is_group)

    @routes.get("/api/v1/timelines/public")
    @needs(core, "read:statuses")
    async def public(caller: Caller) -> Response:
        query = read_query(request)
        span, local, remote = read_span(query), is_true(query.text("local")), is_true(query.text("remote"))
        from_here = None if local == remote else local
        choice = Choice(media_only=is_true(query.text("only_media")), from_here=from_here)
        reading = await read_everything(core, viewer=caller.member, span=span, choice=choice)
        return show(caller, query, span, reading)

    @routes.get("/api/v1/timelines/tag/<tag>")
    @needs(core, "read:statuses")
    async def tagged(caller: Caller, tag: str) -> Response:
        query = read_query(request)
        span = read_span(query)
        reading = await read_tagged(core, viewer=caller.member, tag=read_tag(tag), span=span)
        return show(caller, query, span, reading)

    @routes.get("/api/v1/tags/<tag>")
    @needs(core, "read:statuses")
    async def one_tag(caller: Caller, tag: str) -> Entity:
        return build_followable_tag(read_tag(tag), setting)

    @routes.post("/api/v1/tags/<tag>/follow")
    @needs(core, "write:follows")
    async def follow_tag(caller: Caller, tag: str) -> Entity:
        raise Invalid("Tags are not followed here. Tap one to find what was written with it.")

    @routes.post("/api/v1/tags/<tag>/unfollow")
    @needs(core, "write:follows")
    async def unfollow_tag(caller: Caller, tag: str) -> Entity:
        return build_followable_tag(read_tag(tag), setting)

    def show(caller: Caller, query: Parameters, span: Span, reading: Reading, *, is_shared: bool = False) -> Response:
        shelf = Shelf(reading, setting, tickets.for_caller(caller))
        made = [
            shelf.build_shared(post) if is_shared and _is_topic(post) else shelf.build_status(post)
            for post in reading.posts
        ]
        kept = [(name, query.text(name) or "") for name in _KEPT if query.has(name)]
        url = f"{setting.origin}{request.path}"
        return send_page(url, made, [status["id"] for status in made], span, query=kept)


async def _read_account(house: House, viewer: Member, profile: Profile, query: Parameters, span: Span) -> Reading:
    """Return what stands on the page of an account."""
    core, number = house.core, profile.actor_id
    without_replies = query.text("exclude_replies")
    choice = Choice(
        topics_only=is_true(without_replies) or (profile.is_group and without_replies is None),
        media_only=is_true(query.text("only_media")),
    )
    tag = query.text("tagged")
    if is_true(query.text("pinned")):
        return await read_pinned(core, viewer=viewer, group_id=number)  # of a person there are none
    if tag is not None:
        filters = Filters(group_id=number) if profile.is_group else Filters(author_id=number)
        return await read_tagged(core, viewer=viewer, tag=read_tag(tag), span=span, filters=filters)
    if profile.is_group:
        return await read_group_posts(core, viewer=viewer, group_id=number, span=span, choice=choice)
    return await read_author(core, viewer=viewer, author_id=number, span=span, choice=choice)


def _is_topic(post: Post) -> bool:
    return post.parent_id is None and post.in_reply_to is None


def read_tag(text: str) -> str:
    """Return a tag as it is compared.

    Raises:
        NotFound: The text is none.
    """
    tag = fold_tag(text.strip())[:_TAG_LIMIT_CHARACTERS]
    if find_tags(f"#{tag}") != [tag]:
        raise NotFound
    return tag
