"""Posts on the wire: built from what a member wrote, read from what a log entry carries.

A topic is a `Page` with a title, a reply a `Note`; both carry HTML, the Markdown it came from, and the group as audience.
Spec: wire.md 2.3, 2.4; FEP-1b12; FEP-b2b8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.domain.actors import Member
from node.domain.audience import group_addresses
from node.domain.groups import Group
from node.domain.posts import IMAGES_LIMIT, Draft, Image
from node.federation.vocabulary import ObjectView
from node.foundation.clock import format_instant, parse_instant
from node.foundation.errors import Invalid
from node.foundation.text import (
    CONTENT_LIMIT_CHARACTERS,
    TITLE_LIMIT_CHARACTERS,
    clean_line,
    clean_text,
    markdown_to_html,
)
from node.inbox.dispatch import Arrival
from node.store.core import Core

_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
_INTERACTION: dict[str, Any] = {"canAnnounce": {"automaticApproval": []}, "canQuote": {"automaticApproval": []}}


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody mentioned: their id and how the text names them."""

    uri: str
    name: str


@dataclass(frozen=True, slots=True)
class ReadPost:
    """What a received object says, cleaned: ready for the store."""

    uri: str
    title: str
    warning: str
    source: str
    in_reply_to: str | None
    published_at: datetime
    mentions: tuple[Named, ...]
    images: tuple[dict[str, Any], ...]


def build_object(
    core: Core,
    *,
    uri: str,
    author: Member,
    to: list[str],
    audience: str | None,
    draft: Draft,
    mentions: list[Named],
    images: list[Image],
    in_reply_to: str | None,
    thread_uri: str | None,
    published: datetime,
    updated: datetime | None = None,
) -> dict[str, Any]:
    """Return a post as its author's node says it."""
    html = markdown_to_html(draft.text)
    if len(html) > CONTENT_LIMIT_CHARACTERS:
        raise Invalid("This post is too long once it is formatted. Please make two of it.")
    document: dict[str, Any] = {
        "id": uri,
        "type": "Note" if in_reply_to or not draft.title else "Page",
        "attributedTo": author.uri,
        "to": to,
        "cc": [],
        "content": html,
        "mediaType": "text/html",
        "source": {"content": draft.text, "mediaType": "text/markdown"},
        "published": format_instant(published),
        "interactionPolicy": _INTERACTION,
    }
    optional = {
        "audience": audience,
        "name": draft.title or None,
        "summary": draft.warning or None,
        "sensitive": True if draft.warning else None,
        "inReplyTo": in_reply_to,
        "context": thread_uri,
        "updated": format_instant(updated) if updated else None,
    }
    document |= {name: value for name, value in optional.items() if value is not None}
    if mentions:
        document["tag"] = [{"type": "Mention", "href": named.uri, "name": named.name} for named in mentions]
    if images:
        document["attachment"] = [_attachment(core, image) for image in images]
    return document


def _attachment(core: Core, image: Image) -> dict[str, Any]:
    return {
        "type": "Image",
        "mediaType": image.media_type,
        "url": f"{core.origin}/media/{image.token}",
        "name": image.alt,
        "width": image.width,
        "height": image.height,
        "digestSha256": image.sha256,
    }


def build_activity(
    core: Core, verb: str, actor: Member, about: Any, *, to: list[str], audience: str | None, **more: Any
) -> dict[str, Any]:
    """Return {"type": verb, "actor": A, "object": …, "to": [G, G/followers], "audience": G}."""
    activity = {
        "@context": _CONTEXT,
        "type": verb,
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": actor.uri,
        "object": about,
        "to": to,
        "cc": [],
        "audience": audience,
        **more,
    }
    return {name: value for name, value in activity.items() if value is not None}


def build_group_activity(core: Core, verb: str, actor: Member, group: Group, about: Any, **more: Any) -> dict[str, Any]:
    """Return an activity for the members of a group."""
    return build_activity(core, verb, actor, about, to=group_addresses(group.uri), audience=group.uri, **more)


def read_post(view: ObjectView, *, arrived: datetime) -> ReadPost:
    """Return what a received object says; a time in the future counts as now."""
    attachments = view.document.get("attachment")
    attachments = attachments if isinstance(attachments, list) else [attachments] if attachments else []
    published = view.published_at or arrived
    return ReadPost(
        uri=view.id,
        title=clean_line(view.title or "", limit=TITLE_LIMIT_CHARACTERS),
        warning=clean_line(view.warning or "", limit=TITLE_LIMIT_CHARACTERS),
        source=clean_text(view.source or ""),
        in_reply_to=view.in_reply_to,
        published_at=min(published, arrived),
        mentions=tuple(
            Named(tag.href, clean_line(tag.name or tag.href)) for tag in view.mentions if tag.href is not None
        ),
        images=tuple(item for item in attachments[:IMAGES_LIMIT] if isinstance(item, dict)),
    )


def read_topic(arrival: Arrival) -> str:
    """Return the title that an `Add` to a group's topics gives to part of a thread; empty when it gives none."""
    name = arrival.document.get("name")
    return clean_line(name, limit=TITLE_LIMIT_CHARACTERS) if isinstance(name, str) else ""


def edited_at(view: ObjectView, *, arrived: datetime) -> datetime:
    """Return when an edited object was changed, never in the future."""
    text = view.document.get("updated")
    told = parse_instant(text) if isinstance(text, str) else None
    return min(told, arrived) if told else arrived
