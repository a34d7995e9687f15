"""What peers read from us by signed GET: actors, logs, collections, objects, pictures. Path by path, who may.

Each answer asks `domain.access`. A stranger, a peer without a right and somebody who asks for what does not exist get the
same 404, byte for byte (contract.md 2.5). Nothing is cached: every answer says `private, no-store`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from node.domain.access import may_node_read, may_node_read_probe
from node.domain.actors import Actor
from node.domain.groups import Group, GroupPaper
from node.domain.peers import Peer
from node.federation.message import Answer, KeyDocument, Request
from node.federation.probes import build_note
from node.foundation.errors import NotFound
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import load_file
from node.store.logs import (
    StoredEntry,
    find_entry,
    get_entry,
    list_newest_entries,
)
from node.store.media import MediaRow, get_media
from node.store.objects import find_post, find_post_by_id, list_pinned_uris
from node.store.papers import get_paper
from node.store.probes import get_probe
from node.store.rosters import (
    get_admission,
    get_group,
    has_members_at_host,
    list_staff_uris,
)

from .actors import CONTEXT, build_group
from .answers import CONTENT_TYPE, PRIVATE_HEADERS, json_answer
from .attesting import document_of
from .copies import copy_page
from .log_pages import log_entry, log_page
from .permitted import check_may_read, readable_group, visible_group, visible_person
from .publish import encode, published_keys

Reader = Callable[[Core, Peer, Request, dict[str, str]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One readable path: its name, its pattern for people, the pattern that matches, and who answers."""

    name: str
    path: str
    pattern: re.Pattern[str]
    reader: Reader


async def answer_get(core: Core, peer: Peer, request: Request) -> Answer:
    """Answer a signed GET of an active peer.

    Raises:
        NotFound: Absent, or not for this peer.
    """
    for route in ROUTES:
        if (found := route.pattern.fullmatch(request.path)) is not None:
            return await route.reader(core, peer, request, found.groupdict())
    raise NotFound


async def _person(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    actor = await core.store.read(visible_person, core, peer, parts["handle"])
    return json_answer(await core.store.read(document_of, core, actor))


async def _person_collection(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """A member's outbox and followers are empty for everybody: what they say belongs to groups."""
    actor = await core.store.read(visible_person, core, peer, parts["handle"])
    return json_answer(_collection(f"{actor.uri}/{parts['name']}", 0, []))


async def _group_card(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    group, actor = await core.store.read(visible_group, core, peer, parts["handle"])
    keys, paper = await core.store.read(_shown_of_group, actor)
    return json_answer(build_group(core, group, actor, keys, paper))


async def _shown_of_group(tx: Tx, actor: Actor) -> tuple[tuple[KeyDocument, ...], GroupPaper]:
    return await published_keys(tx, actor), await get_paper(tx, group_id=actor.actor_id)


async def _outbox(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    group, entries = await core.store.read(_read_outbox, core, peer, parts["handle"])
    items = [entry.announce(group.uri) for entry in entries]
    return json_answer(_collection(f"{group.uri}/outbox", group.head_seq, items))


async def _read_outbox(tx: Tx, core: Core, peer: Peer, handle: str) -> tuple[Group, list[StoredEntry]]:
    group = await readable_group(tx, core, peer, handle)
    base = await check_may_read(tx, group, peer)
    newest = await list_newest_entries(tx, group_id=group.group_id)
    return group, [entry for entry in newest if entry.seq > base]


async def _group_collection(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    group, items = await core.store.read(_read_collection, core, peer, parts["handle"], parts["name"])
    document = _collection(f"{group.uri}/{parts['name']}", len(items), items)
    if parts["name"] == "followers":
        document.pop("orderedItems")  # the roster is the group's own; others get a count (wire.md 4.4)
    return json_answer(document)


async def _read_collection(tx: Tx, core: Core, peer: Peer, handle: str, name: str) -> tuple[Group, list[str]]:
    group = await readable_group(tx, core, peer, handle)
    base = await check_may_read(tx, group, peer)
    if name == "moderators":
        return group, await list_staff_uris(tx, group_id=group.group_id)
    if name == "featured":
        return group, await list_pinned_uris(tx, group_id=group.group_id, after_seq=base)
    return group, []


async def _post(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    document, is_gone = await core.store.read(_read_post, core, peer, parts["token"])
    if is_gone:
        return _gone(f"{core.origin}/posts/{parts['token']}")
    return Answer(200, (("content-type", CONTENT_TYPE), *PRIVATE_HEADERS), document.encode())


def _gone(uri: str) -> Answer:
    """Return what stands where something was taken away, for who could read it before."""
    body = encode({"@context": CONTEXT[0], "type": "Tombstone", "id": uri})
    return Answer(410, (("content-type", CONTENT_TYPE), *PRIVATE_HEADERS), body)


async def _read_post(tx: Tx, core: Core, peer: Peer, token: str) -> tuple[str, bool]:
    post = await find_post(tx, uri=f"{core.origin}/posts/{token}")
    if post is None or not await may_peer_read_post(tx, core, peer, post):
        raise NotFound
    if post.state in ("withdrawn", "removed"):
        return "", True
    if post.state not in ("live", "waiting_for_host") or not post.document:
        raise NotFound
    return post.document, False


async def may_peer_read_post(tx: Tx, core: Core, peer: Peer, post: Any) -> bool:
    """Return whether a peer may have a post: its group's host, or a node with a member in a group hosted here.

    Private messages, drafts and everything else are never given by GET: they were sent to whom they are for.
    """
    if post.audience != "group" or post.group_id is None:
        return False
    group = await get_group(tx, group_id=post.group_id)
    if group is None:
        return False
    if not group.is_local:
        return group.peer_id == peer.peer_id
    admission = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id)
    has_member = await has_members_at_host(tx, group_id=group.group_id, host=peer.host)
    if admission is None or not may_node_read(is_admitted=has_member):
        return False
    return post.seq is not None and post.seq > admission.base_seq


async def _activity(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    uri = f"{core.origin}/activities/{parts['token']}"
    entry = await core.store.read(_read_activity, core, peer, uri)
    if entry.salt is None:
        return _gone(uri)
    return Answer(200, (("content-type", CONTENT_TYPE), *PRIVATE_HEADERS), entry.document.encode())


async def _read_activity(tx: Tx, core: Core, peer: Peer, uri: str) -> StoredEntry:
    """Return the entry of an activity in a log which the peer may read; all others are absent."""
    place = await find_entry(tx, activity_uri=uri)
    group = await get_group(tx, group_id=place[0]) if place else None
    if place is None or group is None or not group.is_local:
        raise NotFound
    base = await check_may_read(tx, group, peer)
    entry = await get_entry(tx, group_id=group.group_id, seq=place[1])
    if entry is None or entry.seq <= base:
        raise NotFound
    return entry


async def _media(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    row = await core.store.read(_read_media, core, peer, parts["token"])
    try:
        data = await asyncio.to_thread(load_file, core, row.sha256)
    except FileNotFoundError:
        raise NotFound from None
    return Answer(200, (("content-type", row.media_type), *PRIVATE_HEADERS), data)


async def _probe(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """A test object is kept for the peer that laid it here, under the last part of its id."""
    uri = f"{peer.origin}/probes/{parts['token']}"
    row = await core.store.read(_read_probe, peer, uri)
    if row is None or peer.instance_uri is None or not may_node_read_probe(is_its_own=row.uri == uri):
        raise NotFound
    if row.text is None:
        return _gone(uri)
    note = build_note(uri=uri, actor=peer.instance_uri, reader=core.instance_uri, text=row.text)
    return json_answer({"@context": CONTEXT[0], **note})


async def _read_probe(tx: Tx, peer: Peer, uri: str) -> Any | None:
    return await get_probe(tx, peer_id=peer.peer_id, uri=uri)


async def _read_media(tx: Tx, core: Core, peer: Peer, token: str) -> MediaRow:
    row = await get_media(tx, token=token)
    post = await find_post_by_id(tx, post_id=row.post_id) if row and row.post_id else None
    if row is None or row.state != "ready" or post is None or post.state not in ("live", "waiting_for_host"):
        raise NotFound
    if not await may_peer_read_post(tx, core, peer, post):
        raise NotFound
    return row


def _collection(uri: str, total: int, items: list[Any]) -> dict[str, Any]:
    return {"@context": CONTEXT, "type": "OrderedCollection", "id": uri, "totalItems": total, "orderedItems": items}


def _route(name: str, path: str, reader: Reader) -> Route:
    """Return a route; `<handle>` is a handle, of a group also its companion's, `<token>` an R, `<seq>` a number."""
    return Route(name, path, re.compile(_PLACE.sub(_place, path)), reader)


def _place(found: re.Match[str]) -> str:
    text = found[0]
    if "|" in text:
        return f"(?P<name>{text[1:-1]})"
    return _PLACES[text]


_PLACE = re.compile(r"/groups/<handle>|<[a-z|]+>")
_PLACES = {
    "/groups/<handle>": r"/groups/(?P<handle>[a-z0-9_]{2,30}(?:/staff)?)",
    "<handle>": r"(?P<handle>[a-z0-9_]{2,30})",
    "<token>": r"(?P<token>[a-z2-7]{26})",
    "<seq>": r"(?P<seq>\d{1,16})",
}

ROUTES: tuple[Route, ...] = (
    _route("person", "/people/<handle>", _person),
    _route("person_collection", "/people/<handle>/<outbox|followers>", _person_collection),
    _route("group", "/groups/<handle>", _group_card),
    _route("group_log", "/groups/<handle>/log", log_page),
    _route("group_entry", "/groups/<handle>/log/<seq>", log_entry),
    _route("group_outbox", "/groups/<handle>/outbox", _outbox),
    _route("group_collection", "/groups/<handle>/<followers|moderators|featured>", _group_collection),
    _route("post", "/posts/<token>", _post),
    _route("activity", "/activities/<token>", _activity),
    _route("media", "/media/<token>", _media),
    _route("copies", "/copies", copy_page),
    _route("probe", "/probes/<token>", _probe),
)
