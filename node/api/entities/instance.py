"""Instance, in both versions: what an app may offer here. Spec: Mastodon API, entities Instance and V1::Instance.

Everything here is public; so it says no more than that this is a node that admits by invitation and federates with few.
`api_versions` rises with what is built, never before.
"""

from __future__ import annotations

from node.domain.polls import ANSWER_CHARACTERS, ANSWERS_OFFERED, LONGEST_SECONDS, SHORTEST_SECONDS
from node.domain.posts import IMAGES_LIMIT
from node.foundation.text import text_to_html

from . import Entity, Setting

# Apps take from 4.3 on that notifications come in groups (`/api/v2/notifications`), which they do not here yet.
_VERSION = "4.2.0 (compatible; rounds {})"
_DESCRIPTION = "A private community of physicians. Accounts are made by the node's operators."
_API_VERSIONS = {"mastodon": 1}
_LANGUAGES = ["en"]
# What every group here keeps to, as the charter says it; the ids are what reports name, and may never change.
RULES = {
    "1": ("patient", "No detail by which somebody could recognise a patient."),
    "2": ("contempt", "No contempt, for patients, colleagues or anybody else."),
    "3": ("source", "Whoever claims something says where it comes from."),
}


def build_instance(setting: Setting) -> Entity:
    """Return the instance as `/api/v2/instance` gives it."""
    header = f"{setting.origin}/static/header.png"
    return {
        "domain": setting.host,
        "title": setting.name,
        "version": _VERSION.format(setting.version),
        "source_url": "",
        "description": _DESCRIPTION,
        "usage": {"users": {"active_month": 0}},
        "thumbnail": {"url": header, "blurhash": None, "versions": {}, "description": ""},
        "icon": [],
        "languages": _LANGUAGES,
        "configuration": {**_configuration(setting), "limited_federation": True},
        "registrations": {
            "enabled": False,
            "approval_required": True,
            "reason_required": False,
            "message": None,
            "min_age": None,
            "url": None,
        },
        "api_versions": _API_VERSIONS,
        "contact": {"email": "", "account": None},
        "rules": build_rules(),
    }


def build_instance_v1(setting: Setting) -> Entity:
    """Return the instance as `/api/v1/instance` gives it."""
    return {
        "uri": setting.host,
        "title": setting.name,
        "short_description": _DESCRIPTION,
        "description": _DESCRIPTION,
        "email": "",
        "version": _VERSION.format(setting.version),
        "urls": {"streaming_api": _streaming(setting)},
        "stats": {"user_count": 0, "status_count": 0, "domain_count": 0},
        "thumbnail": f"{setting.origin}/static/header.png",
        "languages": _LANGUAGES,
        "registrations": False,
        "approval_required": True,
        "invites_enabled": False,
        "limited_federation": True,
        "configuration": _configuration(setting),
        "contact_account": None,
        "rules": build_rules(),
    }


def build_rules() -> list[Entity]:
    """Return what every group keeps to. Spec: Mastodon API, entity Rule."""
    return [{"id": number, "text": text, "hint": "", "translations": {}} for number, (_, text) in RULES.items()]


def build_extended_description() -> Entity:
    """Return what there is to say at greater length. Spec: Mastodon API, entity ExtendedDescription."""
    return {"updated_at": None, "content": text_to_html(_DESCRIPTION)}


def _streaming(setting: Setting) -> str:
    """Return where apps open a websocket: they add the path themselves."""
    return f"ws{setting.origin.removeprefix('http')}"


def _configuration(setting: Setting) -> Entity:
    """Return limits that strict apps want to be there, also for what is not offered."""
    return {
        "urls": {"streaming": _streaming(setting)},
        "statuses": {
            "max_characters": setting.post_characters,
            "max_media_attachments": IMAGES_LIMIT,
            "characters_reserved_per_url": 23,
            "supported_mime_types": ["text/markdown", "text/plain"],
        },
        "accounts": {"max_featured_tags": 0, "max_pinned_statuses": 0},
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/png", "image/webp", "image/gif"],
            "description_limit": 1500,
            "image_size_limit": setting.image_bytes,
            "image_matrix_limit": setting.image_pixels,
            "video_size_limit": 0,
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
        },
        "polls": {
            "max_options": ANSWERS_OFFERED,
            "max_characters_per_option": ANSWER_CHARACTERS,
            "min_expiration": SHORTEST_SECONDS,
            "max_expiration": LONGEST_SECONDS,
        },
        "translation": {"enabled": False},
    }
