"""The page model of search: posts of a member's groups, and people and groups by name. Nothing that is looked for is kept.

What a member may find is what they may read: the index names candidates, and every post comes through the viewer's
fragment (`store/search.py`). A group or person that they may not see answers like one that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from node.community.posts.service import label_author
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.posts import Post
from node.domain.searching import Filters, Query, Sought, parse_sought
from node.foundation.folding import Hits, Piece, cut_out, fold_words, mark
from node.foundation.text import clean_line, strip_marks
from node.store import objects, search
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import Known, find_by_name, get_profile_by_address
from node.store.rosters import get_group
from node.store.search import JoinedGroup, list_joined_groups
from node.store.topics import list_shapes

PAGE_ROWS = 20
NAMES_SHOWN = 5
_SNIPPET_CHARACTERS = 220
# So often posts are read for one page; phrases are compared with the posts themselves.
_ROUNDS = 10
_COMPARED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member typed and chose. group, person: addresses. before_id: show what is older than this post."""

    text: str = ""
    group: str = ""
    person: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None
    with_sources: bool = False
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A post that was found. title: of its thread; None when the thread began before the member came, or lost its beginning.

    snippet: a part of its text; of a post with a warning, the warning.
    """

    post: Post
    group: Group
    title: list[Piece] | None
    snippet: list[Piece]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found, the newest first.

    problem: why nothing was looked for, one of "too_long", "too_many", "no_words", "no_group", "no_person"; or nothing.
    was_asked: whether anything was. groups, people: found by name, on the first page. joined: the groups to choose from.
    older_before: where older posts begin. is_cut: the search stopped to be quick, with fewer posts than a page holds.
    silent: hosts of the member's groups that this node does not hear from now.
    """

    rows: list[Row]
    groups: list[Known]
    people: list[Known]
    joined: list[JoinedGroup]
    silent: list[str]
    older_before: int | None = None
    is_cut: bool = False
    was_asked: bool = False
    problem: str = ""


async def search_posts(core: Core, *, viewer: Member, asked: Asked) -> SearchPage:
    """Return what a member finds. Whatever they typed, it is looked for or refused with a reason."""
    joined = await core.store.read(_joined, viewer.actor_id)
    page = SearchPage([], [], [], joined, _list_silent(core, joined))
    sought = parse_sought(asked.text) if asked.text.strip() else Sought()
    if isinstance(sought, str):
        return replace(page, problem=sought)
    filters = await _find_filters(core, viewer, asked, joined)
    if isinstance(filters, str):
        return replace(page, problem=filters)
    if not sought.terms and not filters.is_enough:
        was_narrowed = bool(asked.group or asked.from_at or asked.to_at)
        return replace(page, problem="no_words" if was_narrowed else "")
    page = replace(page, was_asked=True)
    if asked.before_id is None and sought.terms and filters == Filters():
        known = await core.store.read(_names, viewer.actor_id, sought)
        page = replace(
            page,
            groups=[each for each in known if each.kind == "group"][:NAMES_SHOWN],
            people=[each for each in known if each.kind == "person"][:NAMES_SHOWN],
        )
    return await _find(core, viewer, Query(sought, filters), asked.before_id, page)


async def find_accounts(core: Core, *, viewer: Member, text: str) -> list[int]:
    """Return the numbers of people and groups that a member may see, by name or address; an exact address first."""
    name = clean_line(text).removeprefix("acct:").lstrip("@!")
    handle, _, host = name.lower().partition("@")
    sought = parse_sought(handle if host else name)
    if isinstance(sought, str):
        return []
    return await core.store.read(_accounts, viewer.actor_id, handle, host or core.host, sought, bool(host))


async def find_post_ids(
    core: Core, *, viewer: Member, text: str, account_id: int | None, before_id: int, count: int
) -> list[int]:
    """Return the numbers of posts in which the words of a text stand, the newest first.

    Args:
        core: This node.
        viewer: Who looks.
        text: As somebody typed it; what cannot be looked for finds nothing.
        account_id: The one author or group that is wanted, if any.
        before_id: Only what is older than this post.
        count: How many at most.
    """
    sought = parse_sought(text)
    if isinstance(sought, str):
        return []
    filters = Filters()
    if account_id is not None:
        joined = {each.group_id for each in await core.store.read(_joined, viewer.actor_id)}
        filters = Filters(group_id=account_id) if account_id in joined else Filters(author_id=account_id)
    query, found = Query(sought, filters), list[int]()
    for _ in range(_ROUNDS):
        batch = await core.store.read(_posts, viewer.actor_id, query, _COMPARED_AT_ONCE, before_id)
        found += [post.post_id for post in batch.posts if not sought.phrases or sought.fits(_words_of(post))]
        if len(found) >= count or batch.before_id is None:
            break
        before_id = batch.before_id
    return found[:count]


async def _find(core: Core, viewer: Member, query: Query, before_id: int | None, page: SearchPage) -> SearchPage:
    """Return a page with its posts: read on until it is full, there is no more, or it was enough work."""
    posts: list[Post] = []
    before = 2**62 if before_id is None else before_id
    is_over = False
    count = _COMPARED_AT_ONCE if query.sought.phrases else PAGE_ROWS + 1
    for _ in range(_ROUNDS):
        found = await core.store.read(_posts, viewer.actor_id, query, count, before)
        posts += [post for post in found.posts if not query.sought.phrases or query.sought.fits(_words_of(post))]
        if len(posts) > PAGE_ROWS or found.before_id is None:
            is_over = True
            break
        before = found.before_id
    shown = posts[:PAGE_ROWS]
    older = shown[-1].post_id if len(posts) > PAGE_ROWS else None if is_over else before
    rows = await core.store.read(_rows, core, viewer.actor_id, shown, query.sought.hits)
    return replace(page, rows=rows, older_before=older, is_cut=not is_over)


async def _find_filters(core: Core, viewer: Member, asked: Asked, joined: list[JoinedGroup]) -> Filters | str:
    """Return what a search is narrowed to, or why that cannot be."""
    filters = Filters(from_at=asked.from_at, to_at=asked.to_at, with_sources=asked.with_sources)
    if asked.group:
        chosen = [each.group_id for each in joined if each.address == asked.group]
        if not chosen:
            return "no_group"
        filters = replace(filters, group_id=chosen[0])
    if asked.person:
        handle, _, host = asked.person.strip().removeprefix("@").lower().partition("@")
        author_id = await core.store.read(_person, viewer.actor_id, handle, host or core.host)
        if author_id is None:
            return "no_person"
        filters = replace(filters, author_id=author_id)
    return filters


def _list_silent(core: Core, joined: list[JoinedGroup]) -> list[str]:
    """Return the hosts of groups that are paused: what was said there since is not here."""
    hosts = {each.host for each in joined if not each.is_local}
    return sorted(host for host in hosts if (peer := core.peers.by_host(host)) is not None and peer.state == "paused")


def _words_of(post: Post) -> list[str]:
    return fold_words(f"{post.title}\n{post.warning}\n{strip_marks(post.html)}")


async def _joined(tx: Tx, viewer_id: int) -> list[JoinedGroup]:
    return await list_joined_groups(tx, viewer_id=viewer_id)


async def _person(tx: Tx, viewer_id: int, handle: str, host: str) -> int | None:
    profile = await get_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind="person")
    return profile.actor_id if profile else None


async def _accounts(tx: Tx, viewer_id: int, handle: str, host: str, sought: Sought, has_host: bool) -> list[int]:
    found = []
    for kind in ("person", "group"):
        exact = await get_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind=kind)
        found += [exact.actor_id] if exact is not None else []
    if not has_host:
        found += [each.actor_id for each in await _names(tx, viewer_id, sought)]
    return list(dict.fromkeys(found))


async def _names(tx: Tx, viewer_id: int, sought: Sought) -> list[Known]:
    """Return the people and groups in whose name or handle every word stands."""
    words = [*sought.hits.words, *([sought.prefix] if sought.prefix else [])]
    longest = max(words, key=len)
    known = await find_by_name(tx, viewer_id=viewer_id, beginning=longest)
    return [each for each in known if sought.hits.list_in(fold_words(f"{each.name} {each.handle}")) >= set(words)]


async def _posts(tx: Tx, viewer_id: int, query: Query, count: int, before_id: int) -> search.Found:
    return await search.find_posts(tx, viewer_id=viewer_id, query=query, count=count, before_id=before_id)


async def _rows(tx: Tx, core: Core, viewer_id: int, posts: list[Post], hits: Hits) -> list[Row]:
    """Return posts with their groups and the titles of their threads."""
    roots = {post.root_id: post for post in posts if post.post_id == post.root_id}
    wanted = list({post.root_id for post in posts} - roots.keys())
    if wanted:
        found = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=wanted)
        roots |= {root.post_id: root for root in found}
    shapes = await list_shapes(tx, root_ids=list(roots))
    groups = {number: await get_group(tx, group_id=number) for number in {post.group_id or 0 for post in posts}}
    rows = []
    for post in posts:
        group, root = groups[post.group_id or 0], roots.get(post.root_id)
        if group is None:
            continue
        given = shapes[post.root_id].title if post.root_id in shapes else ""
        title = _title_of(root, given) if root is not None and root.state == "live" else None
        text = post.warning or strip_marks(post.html)
        rows.append(
            Row(
                label_author(core, post),
                group,
                None if title is None else mark(title, hits),
                cut_out(text, hits, length=_SNIPPET_CHARACTERS),
            )
        )
    return rows


def _title_of(root: Post, given: str) -> str:
    """Return what a thread is called: as staff called it, or its author, or by its first words."""
    return given or root.title or strip_marks(root.html)[:90]
