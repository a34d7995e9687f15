"""Tag: leads to what the reader finds with it on this node. How often it is used is counted nowhere.

Spec: Mastodon API, entity Tag.
"""

from __future__ import annotations

from urllib.parse import quote

from node.foundation.hashtags import fold_tag

from . import Entity, Setting


def build_tag(tag: str, setting: Setting) -> Entity:
    """Return the Tag of a status."""
    return {"name": fold_tag(tag), "url": tag_url(tag, setting)}


def build_followable_tag(tag: str, setting: Setting) -> Entity:
    """Return a Tag by itself, as search and `/api/v1/tags` give it."""
    return {"id": fold_tag(tag), **build_tag(tag, setting), "history": [], "following": False, "featuring": False}


def tag_url(tag: str, setting: Setting) -> str:
    """Return the page on this node that finds a tag."""
    return f"{setting.origin}/search?q={quote(f'#{fold_tag(tag)}')}"
