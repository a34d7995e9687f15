"""A member's filters: made, changed and ended by the member alone. What they catch is decided in `domain.filtering`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from node.domain.actors import Member
from node.domain.filtering import (
    ACTIONS,
    CONTEXTS,
    FILTERS_LIMIT,
    KEYWORD_LIMIT_CHARACTERS,
    KEYWORDS_LIMIT,
    POSTS_LIMIT,
    TITLE_LIMIT_CHARACTERS,
    USUAL_ACTION,
    Filter,
    FilteredPost,
    Keyword,
)
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import clean_line
from node.store import filters as stored
from node.store.core import Core
from node.store.engine import Tx
from node.store.objects import get_post, get_post_by_uri

Edit = Callable[[Filter], Filter]
_GONE = "There is no such filter."


@dataclass(frozen=True, slots=True)
class FilterWish:
    """What a filter shall be.

    words: (number of a keyword that it has, or None for a new one; the words; whether as a whole word).
    """

    title: str
    contexts: tuple[str, ...]
    action: str = USUAL_ACTION
    expires_at: datetime | None = None
    words: tuple[tuple[int | None, str, bool], ...] = ()


async def list_filters(core: Core, *, owner: Member) -> list[Filter]:
    """Return a member's filters, ended ones too, the oldest first."""
    return await core.store.read(_list, owner.actor_id)


async def get_filter(core: Core, *, owner: Member, filter_id: int) -> Filter:
    """Return a filter of a member's.

    Raises:
        NotFound: They have none of this number.
    """
    for each in await list_filters(core, owner=owner):
        if each.filter_id == filter_id:
            return each
    raise NotFound(_GONE)


async def find_keyword(core: Core, *, owner: Member, keyword_id: int) -> tuple[Filter, Keyword]:
    """Return a keyword of a member's with its filter.

    Raises:
        NotFound: They have none of this number.
    """
    for each in await list_filters(core, owner=owner):
        for keyword in each.keywords:
            if keyword.keyword_id == keyword_id:
                return each, keyword
    raise NotFound(_GONE)


async def find_mark(core: Core, *, owner: Member, mark_id: int) -> tuple[Filter, FilteredPost]:
    """Return what names a single post in a member's filter, with the filter.

    Raises:
        NotFound: They have none of this number.
    """
    for each in await list_filters(core, owner=owner):
        for post in each.posts:
            if post.mark_id == mark_id:
                return each, post
    raise NotFound(_GONE)


async def create_filter(core: Core, *, owner: Member, wish: FilterWish) -> Filter:
    """Make a filter.

    Raises:
        Invalid: It has no title or context, or the member has so many already.
    """
    empty = Filter(core.ids.number(), "", (), USUAL_ACTION, None)
    return await core.store.write(_create, owner.actor_id, apply_wish(core, empty, wish))


async def change_filter(core: Core, *, owner: Member, filter_id: int, edit: Edit) -> Filter:
    """Change a filter of a member's and return it as it is then. `edit` may run more than once.

    Raises:
        NotFound: They have none of this number.
    """
    return await core.store.write(_change, owner.actor_id, filter_id, edit)


async def delete_filter(core: Core, *, owner: Member, filter_id: int) -> None:
    """End a filter for good.

    Raises:
        NotFound: The member has none of this number.
    """
    await core.store.write(_delete, owner.actor_id, filter_id)


async def add_post(core: Core, *, owner: Member, filter_id: int, post_id: int) -> FilteredPost:
    """Let a filter name a post that its owner may read.

    Raises:
        NotFound: There is no such filter, or post for them.
        Invalid: It names so many already.
    """
    uri = await core.store.read(_uri, owner.actor_id, post_id)
    made = FilteredPost(core.ids.number(), uri)

    def edit(before: Filter) -> Filter:
        if any(post.post_uri == uri for post in before.posts):
            return before
        if len(before.posts) >= POSTS_LIMIT:
            raise Invalid(f"A filter names at most {POSTS_LIMIT} posts.")
        return replace(before, posts=(*before.posts, made))

    after = await change_filter(core, owner=owner, filter_id=filter_id, edit=edit)
    return next(post for post in after.posts if post.post_uri == uri)


async def list_marked(core: Core, *, owner: Member, posts: tuple[FilteredPost, ...]) -> list[tuple[FilteredPost, int]]:
    """Return those of some named posts that their owner may still read, each with the post's number."""
    return await core.store.read(_marked, owner.actor_id, posts)


def apply_wish(core: Core, before: Filter, wish: FilterWish) -> Filter:
    """Return a filter as it is wanted; keywords keep their numbers.

    Raises:
        Invalid: It would have no title or context, or something cannot be used.
    """
    title = clean_line(wish.title, limit=TITLE_LIMIT_CHARACTERS)
    if not title:
        raise Invalid("A filter needs a title.")
    contexts = tuple(context for context in CONTEXTS if context in wish.contexts)
    if not contexts or set(wish.contexts) - set(CONTEXTS):
        raise Invalid(f"A filter applies to at least one of {', '.join(CONTEXTS)}.")
    if wish.action not in ACTIONS:
        raise Invalid(f"A filter does one of {', '.join(ACTIONS)}.")
    known = {keyword.keyword_id for keyword in before.keywords}
    keywords = tuple(
        Keyword(number if number in known else core.ids.number(), clean_keyword(text), is_whole)
        for number, text, is_whole in wish.words
    )
    check_keywords(keywords)
    return replace(
        before,
        title=title,
        contexts=contexts,
        action=wish.action,
        expires_at=wish.expires_at,
        keywords=keywords,
    )


def clean_keyword(text: str) -> str:
    """Return the words of a keyword.

    Raises:
        Invalid: There are none.
    """
    cleaned = clean_line(text, limit=KEYWORD_LIMIT_CHARACTERS)
    if not cleaned:
        raise Invalid("A keyword has at least one letter.")
    return cleaned


def check_keywords(keywords: tuple[Keyword, ...]) -> None:
    """Raise when a filter would have too many keywords.

    Raises:
        Invalid: It would.
    """
    if len(keywords) > KEYWORDS_LIMIT:
        raise Invalid(f"A filter has at most {KEYWORDS_LIMIT} keywords.")


async def _list(tx: Tx, actor_id: int) -> list[Filter]:
    return await stored.list_filters(tx, actor_id=actor_id)


async def _create(tx: Tx, actor_id: int, made: Filter) -> Filter:
    if len(await stored.list_filters(tx, actor_id=actor_id)) >= FILTERS_LIMIT:
        raise Invalid(f"You have {FILTERS_LIMIT} filters already. End one first.")
    await stored.put_filter(tx, actor_id=actor_id, filter=made)
    return made


async def _change(tx: Tx, actor_id: int, filter_id: int, edit: Edit) -> Filter:
    before = await _take(tx, actor_id, filter_id)
    after = edit(before)
    if after != before:
        await stored.put_filter(tx, actor_id=actor_id, filter=after)
    return after


async def _delete(tx: Tx, actor_id: int, filter_id: int) -> None:
    await _take(tx, actor_id, filter_id)
    await stored.delete_filter(tx, filter_id=filter_id)


async def _take(tx: Tx, actor_id: int, filter_id: int) -> Filter:
    if not await stored.take_filter(tx, actor_id=actor_id, filter_id=filter_id):
        raise NotFound(_GONE)
    return next(each for each in await stored.list_filters(tx, actor_id=actor_id) if each.filter_id == filter_id)


async def _uri(tx: Tx, viewer_id: int, post_id: int) -> str:
    post = await get_post(tx, viewer_id=viewer_id, post_id=post_id)
    if post is None or post.state not in ("live", "waiting_for_host"):
        raise NotFound("There is no such post.")
    return post.uri


async def _marked(tx: Tx, viewer_id: int, posts: tuple[FilteredPost, ...]) -> list[tuple[FilteredPost, int]]:
    found = []
    for each in posts:
        post = await get_post_by_uri(tx, viewer_id=viewer_id, uri=each.post_uri)
        if post is not None and post.state in ("live", "waiting_for_host"):
            found.append((each, post.post_id))
    return found
