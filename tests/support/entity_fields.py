"""What apps cannot do without: per entity each field that must be there, and what it must be. From clients.md §4.

A value is a type, or a tuple of types; `Address` is an absolute https address that is not empty; a nested table is an
object; a list of one table is a list of such objects. A field that may be null names `None` among its types.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


class Address:
    """Stands for an absolute address."""


class Moment:
    """Stands for an instant with milliseconds, in UTC."""


class Id:
    """Stands for an id: a text that is not empty."""


Nothing = type(None)
EMOJI = {"shortcode": str, "url": Address, "static_url": Address, "visible_in_picker": bool}
FIELD = {"name": str, "value": str, "verified_at": (str, Nothing)}
ACCOUNT: dict[str, Any] = {
    "id": Id, "username": Id, "acct": Id, "url": Address, "uri": Address, "display_name": str, "note": str,
    "avatar": Address, "avatar_static": Address, "header": Address, "header_static": Address, "created_at": Moment,
    "locked": bool, "bot": bool, "group": bool, "discoverable": bool, "indexable": bool, "emojis": [EMOJI],
    "fields": [FIELD], "followers_count": int, "following_count": int, "statuses_count": int,
    "last_status_at": (str, Nothing), "roles": [dict], "hide_collections": bool,
}  # fmt: skip
CREDENTIAL_ACCOUNT = {
    **ACCOUNT,
    "source": {
        "note": str, "fields": [FIELD], "sensitive": bool, "privacy": (str, Nothing), "language": (str, Nothing),
        "follow_requests_count": int,
    },
    "role": {"id": Id, "name": str, "color": str, "permissions": str, "highlighted": bool},
}  # fmt: skip
MENTION = {"id": Id, "username": Id, "acct": Id, "url": Address}
TAG = {"name": Id, "url": Address}
ATTACHMENT = {
    "id": Id, "type": Id, "url": Address, "preview_url": Address, "description": (str, Nothing), "meta": dict,
    "blurhash": (str, Nothing), "remote_url": (str, Nothing),
}  # fmt: skip
STATUS: dict[str, Any] = {
    "id": Id, "uri": Address, "created_at": Moment, "account": ACCOUNT, "content": str, "visibility": Id,
    "sensitive": bool, "spoiler_text": str, "media_attachments": [ATTACHMENT], "mentions": [MENTION], "tags": [TAG],
    "emojis": [EMOJI], "replies_count": int, "reblogs_count": int, "favourites_count": int,
    "url": (str, Nothing), "in_reply_to_id": (str, Nothing), "in_reply_to_account_id": (str, Nothing),
    "reblog": (dict, Nothing), "poll": Nothing, "card": Nothing, "language": (str, Nothing),
    "edited_at": (str, Nothing), "application": Nothing, "quote": Nothing, "favourited": bool, "reblogged": bool,
    "bookmarked": bool, "muted": bool, "filtered": [dict],
}  # fmt: skip
VISIBILITIES = {"public", "unlisted", "private", "direct"}
RELATIONSHIP = {
    "id": Id, "following": bool, "followed_by": bool, "blocking": bool, "muting": bool, "muting_notifications": bool,
    "requested": bool, "showing_reblogs": bool, "domain_blocking": bool, "notifying": bool, "blocked_by": bool,
    "requested_by": bool, "endorsed": bool, "note": str, "languages": list,
}  # fmt: skip
LIST = {"id": Id, "title": Id, "replies_policy": Id, "exclusive": bool}
CONTEXT = {"ancestors": [STATUS], "descendants": [STATUS]}
_CONFIGURATION = {
    "statuses": {"max_characters": int, "max_media_attachments": int, "characters_reserved_per_url": int},
    "accounts": {"max_featured_tags": int},
    "media_attachments": {
        "supported_mime_types": list, "image_size_limit": int, "image_matrix_limit": int, "video_size_limit": int,
        "video_frame_rate_limit": int, "video_matrix_limit": int,
    },
    "polls": {"max_options": int, "max_characters_per_option": int, "min_expiration": int, "max_expiration": int},
    "translation": {"enabled": bool},
    "urls": dict,
}  # fmt: skip
INSTANCE = {
    "domain": Id, "title": Id, "version": Id, "description": str, "languages": list, "rules": list,
    "registrations": {"enabled": bool, "approval_required": bool},
    "thumbnail": {"url": (str, Nothing)},
    "contact": {"email": str, "account": Nothing},
    "configuration": _CONFIGURATION,
    "usage": {"users": {"active_month": int}},
    "api_versions": {"mastodon": int},
}  # fmt: skip
INSTANCE_V1 = {
    "uri": Id, "title": Id, "short_description": str, "description": str, "email": str, "version": Id,
    "languages": list, "configuration": _CONFIGURATION, "rules": list, "registrations": bool,
    "approval_required": bool, "invites_enabled": bool, "urls": dict,
    "stats": {"user_count": int, "status_count": int, "domain_count": int},
}  # fmt: skip
ERROR = {"error": Id}


def find_faults(entity: Any, fields: Any, place: str = "") -> list[str]:
    """Return what is wrong with an entity: fields that are absent, or are something else than they must be."""
    if isinstance(fields, dict):
        if not isinstance(entity, dict):
            return [f"{place} is no object"]
        faults = [f"{place}.{name} is absent" for name in fields if name not in entity]
        for name, expected in fields.items():
            if name in entity:
                faults += find_faults(entity[name], expected, f"{place}.{name}")
        return faults
    if isinstance(fields, list):
        if not isinstance(entity, list):
            return [f"{place} is no list"]
        return [fault for n, each in enumerate(entity) for fault in find_faults(each, fields[0], f"{place}[{n}]")]
    return [] if _is(entity, fields) else [f"{place} is {entity!r}"]


def _is(value: Any, expected: Any) -> bool:
    if expected is Address:
        parts = urlsplit(value) if isinstance(value, str) else None
        return parts is not None and parts.scheme == "https" and bool(parts.netloc)
    if expected is Moment:
        return (
            isinstance(value, str) and len(value) == 24 and value[10] == "T" and value[-5] == "." and value[-1] == "Z"
        )
    if expected is Id:
        return isinstance(value, str) and bool(value)
    if expected is int:
        return type(value) is int
    return isinstance(value, expected)
