"""`/api/v2/search`: people, groups, posts and tags, as far as the reader may see them. Nothing that is looked for is kept.

Only nodes on the list are asked for what is not known here; whatever keeps them from answering, it is then not found.

Spec: Mastodon API, methods/search.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from quart import Blueprint, request

from node.community.groups.lookup import find_group_anywhere
from node.community.house import House
from node.community.members.profiles import list_seen, read_profiles
from node.community.posts.browsing import read_tagged
from node.community.posts.reading import Reading, Span, find_post_id, read_posts
from node.community.reading.search import find_accounts, find_post_ids
from node.domain.actors import Member
from node.foundation.errors import NodeError
from node.foundation.hashtags import find_tags
from node.foundation.text import clean_line

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account
from .entities.ids import parse_number
from .entities.statuses import Shelf
from .entities.tags import build_followable_tag
from .pagination import read_limit, read_span
from .parameters import Parameters, is_true, read_query
from .tickets import Tickets

_QUERY_LIMIT_CHARACTERS = 400
_OFFSET_LIMIT = 200
_NOTHING = Reading([], {}, {}, {}, {}, {})


def add_search(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the route of search."""

    @routes.get("/api/v2/search")
    @needs(house.core, "read:search")
    async def search(caller: Caller) -> Entity:
        query = read_query(request)
        text = clean_line(query.text("q") or "", limit=_QUERY_LIMIT_CHARACTERS)
        wanted = query.text("type")
        limit, offset = read_limit(query), _read_offset(query)
        accounts, statuses, tags = [], _NOTHING, []
        if text and wanted in (None, "", "accounts"):
            accounts = (await _find_accounts(house, caller.member, text, query))[offset : offset + limit]
        if text and wanted in (None, "", "statuses"):
            statuses = await _find_statuses(house, caller.member, text, query, limit, offset)
        if text and wanted in (None, "", "hashtags") and not offset:
            tags = find_tags(text if text.startswith("#") else f"#{text}")[:1]
        shelf = Shelf(statuses, setting, tickets.for_caller(caller))
        shown = await read_profiles(house.core, actor_ids=accounts)
        return {
            "accounts": [build_account(each, setting) for each in shown],
            "statuses": [shelf.build_status(post) for post in statuses.posts],
            "hashtags": [build_followable_tag(tag, setting) for tag in tags],
        }


async def _find_accounts(house: House, viewer: Member, text: str, query: Parameters) -> list[int]:
    """Return the numbers of accounts; with `resolve` a group is asked for at its own node, if that is on the list."""
    core, text = house.core, _read_address(text)
    found = await find_accounts(core, viewer=viewer, text=text)
    if found or not is_true(query.text("resolve")) or "@" not in text.strip("@!"):
        return found
    try:
        group = await find_group_anywhere(core, house.dereferencer, text.lstrip("@!"))
    except NodeError:  # no address, or whatever keeps another node from showing it: it is not there
        return []
    return await list_seen(core, viewer=viewer, actor_ids=[group.group_id])


async def _find_statuses(
    house: House, viewer: Member, text: str, query: Parameters, limit: int, offset: int
) -> Reading:
    """Return posts by their address, by a tag, or by their words; of one author or group, if that is asked for."""
    core, span = house.core, read_span(query)
    if "://" in text:
        post_id = await find_post_id(core, viewer=viewer, address=text)
        return await read_posts(core, viewer=viewer, post_ids=[post_id] if post_id is not None else [])
    if text.startswith("#") and len(text.split()) == 1:
        wanted = Span(offset + limit, span.before_id, span.after_id)
        reading = await read_tagged(core, viewer=viewer, tag=text, span=wanted)
        ids = [post.post_id for post in reading.posts]
    else:
        account_id = parse_number(query.text("account_id") or "")
        ids = await find_post_ids(
            core, viewer=viewer, text=text, account_id=account_id, before_id=span.before_id, count=offset + limit
        )
    ids = [number for number in ids if number > span.after_id]
    return await read_posts(core, viewer=viewer, post_ids=ids[offset : offset + limit])


def _read_address(text: str) -> str:
    """Return the address in a link to somebody's page or id, such as `https://a.example/groups/ward`; else the text."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    name = parts.path.rstrip("/").rpartition("/")[2].lstrip("@")
    if parts.scheme not in ("https", "http") or not name:
        return text
    return name if "@" in name else f"{name}@{parts.netloc}"


def _read_offset(query: Parameters) -> int:
    text = query.text("offset") or ""
    return min(int(text), _OFFSET_LIMIT) if text.isascii() and text.isdigit() and len(text) < 10 else 0
