"""Instance, in both versions: what an app may offer here. Spec: Mastodon API, entities Instance and V1::Instance.

Everything here is public; so it says no more than that this is a node that admits by invitation and federates with few.
`api_versions` rises with what is built, never before.
"""

from __future__ import annotations

from . import Entity, Setting

_VERSION = "4.3.0 (compatible; rounds {})"
_DESCRIPTION = "A private community of physicians. Accounts are made by the node's operators."
_API_VERSIONS = {"mastodon": 1}
_LANGUAGES = ["en"]


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
        "rules": [],
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
        "urls": {},
        "stats": {"user_count": 0, "status_count": 0, "domain_count": 0},
        "thumbnail": f"{setting.origin}/static/header.png",
        "languages": _LANGUAGES,
        "registrations": False,
        "approval_required": True,
        "invites_enabled": False,
        "limited_federation": True,
        "configuration": _configuration(setting),
        "contact_account": None,
        "rules": [],
    }


def _configuration(setting: Setting) -> Entity:
    """Return limits that strict apps want to be there, also for what is not offered."""
    return {
        "urls": {},
        "statuses": {
            "max_characters": setting.post_characters,
            "max_media_attachments": 0,  # until apps can upload pictures
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
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        },
        "translation": {"enabled": False},
    }
