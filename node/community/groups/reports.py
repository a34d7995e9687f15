"""Reports by members: a post is laid before the staff of its group, wherever that is hosted.

Here the report goes into the log of the staff room, as one that came from a peer does (`handlers.on_flag`); elsewhere it
goes to the host, ahead of posts, and the host lays it before its staff. Cases and decisions come with another room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from node.community.hosting import own_arrival, record
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.posts import Post
from node.federation.vocabulary import ActivityView
from node.foundation.errors import Conflict, Invalid, NodeError, NotFound
from node.foundation.text import clean_text, html_to_text
from node.inbox.arrival import read_arrival
from node.inbox.dispatch import Tables
from node.outbox.publish import CONTROL, prove, send
from node.store import objects
from node.store.actors import get_actor, get_actor_by_uri
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_membership, get_staff_group

from . import activities, repository
from .service import require_group

RULES = ("patient", "contempt", "source", "other")
NOTE_LIMIT_CHARACTERS = 2000
SHOWN_REPORTS = 20


@dataclass(frozen=True, slots=True)
class Report:
    """A report as the staff reads it.

    by: the name of who reported, or their id. rule: one of `RULES`, or empty. post: None when it cannot be read here.
    """

    by: str
    rule: str
    note: str
    post: Post | None


async def report_post(
    core: Core, tables: Tables, *, reporter: Member, group_id: int, post_uri: str, rule: str, note: str
) -> None:
    """Lay a post before the staff of its group.

    Args:
        core: This node.
        tables: The tables of dispatch.
        reporter: A member of the group; the staff is told who it is.
        group_id: The group.
        post_uri: The post, read through the reporter.
        rule: Which of `RULES` it is against.
        note: In the reporter's own words; may be empty, but for "other".

    Raises:
        Invalid: The rule is none of ours, or nothing is said about another one.
        NotFound: The reporter is not in the group.
    """
    note = clean_text(note, limit=NOTE_LIMIT_CHARACTERS).strip()
    if rule not in RULES:
        raise Invalid("Please choose what this is about.")
    if rule == "other" and not note:
        raise Invalid("Please say in a sentence what this is about.")
    await core.write(_report, core, tables, reporter, group_id, post_uri, rule, note)


async def list_reports(tx: Tx, *, viewer_id: int, group_id: int) -> list[Report]:
    """Return the newest reports laid before a group's staff, to a member of its staff room."""
    room = await get_staff_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=room.group_id, actor_id=viewer_id) if room else None
    if room is None or place is None or not place.is_member:
        return []
    found = []
    for text in await repository.list_offered(tx, group_id=room.group_id):
        if (flag := _read_flag(text)) is not None:
            found.append(await _describe(tx, viewer_id, flag))
        if len(found) == SHOWN_REPORTS:
            break
    return found


async def find_report(core: Core, *, viewer: Member, group_id: int, activity_uri: str) -> Report | None:
    """Return one report laid before a group's staff, to a member of its staff room; None when it is not there for them."""
    return await core.store.read(_find_report, viewer.actor_id, group_id, activity_uri)


async def _find_report(tx: Tx, viewer_id: int, group_id: int, activity_uri: str) -> Report | None:
    room = await get_staff_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=room.group_id, actor_id=viewer_id) if room else None
    if room is None or place is None or not place.is_member:
        return None
    text = await repository.get_offered(tx, group_id=room.group_id, activity_uri=activity_uri)
    flag = None if text is None else _read_flag(text)
    return None if flag is None else await _describe(tx, viewer_id, flag)


async def _report(
    tx: Tx, core: Core, tables: Tables, reporter: Member, group_id: int, post_uri: str, rule: str, note: str
) -> None:
    group = await require_group(tx, group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=reporter.actor_id)
    if place is None or not place.is_member:
        raise NotFound("There is no such group.")
    flag = activities.build_flag(core, reporter.uri, group, post_uri=post_uri, rule=rule, note=note)
    if group.is_local:
        await _lay_before_staff(tx, core, tables, group, flag, reporter)
        return
    actor = await get_actor(tx, actor_id=group.group_id)
    if group.peer_id is None or actor is None or actor.inbox_uri is None:
        raise Conflict("The host of this group cannot be reached.")
    await send(
        tx,
        core,
        peer_id=group.peer_id,
        stream=CONTROL,
        actor_id=reporter.actor_id,
        activity=prove(core, core.keyring.at_hand(reporter.actor_id), flag),
        inbox_uri=actor.inbox_uri,
    )


async def _lay_before_staff(
    tx: Tx, core: Core, tables: Tables, group: Group, flag: dict[str, Any], reporter: Member
) -> None:
    room = await get_staff_group(tx, group_id=group.group_id)
    if room is None:
        raise Conflict("This group has no staff to report to.")
    held = await require_group(tx, room.group_id)
    offer = activities.build_offer(core, group, flag, held.uri, by=reporter)
    proved = prove(core, core.keyring.at_hand(group.group_id), offer)
    await record(tx, core, tables, group=held, kind="create", arrival=own_arrival(proved))


def _read_flag(text: str) -> ActivityView | None:
    """Return the report in an entry of a staff room; None for anything else."""
    try:
        inner = read_arrival(msgspec.json.decode(text), text, peer_id=None).view.inner
    except (NodeError, msgspec.DecodeError):
        return None
    return inner if isinstance(inner, ActivityView) and inner.type == "Flag" else None


async def _describe(tx: Tx, viewer_id: int, flag: ActivityView) -> Report:
    reporter = await get_actor_by_uri(tx, uri=flag.actor)
    post = None
    for uri in flag.object_ids:
        post = post or await objects.get_post_by_uri(tx, viewer_id=viewer_id, uri=uri)
    said = flag.summary or html_to_text(flag.content or "")
    rule, _, note = said.partition(": ")
    if rule not in RULES:
        rule, note = "", said
    return Report(reporter.name if reporter else flag.actor, rule, clean_text(note, limit=NOTE_LIMIT_CHARACTERS), post)
