"""List: one per group that a member is in, to be read and not to be changed. Spec: Mastodon API, entity List."""

from __future__ import annotations

from node.domain.groups import Group

from . import Entity
from .ids import list_id


def build_list(group: Group, *, is_quiet: bool) -> Entity:
    """Return the list of a group. is_quiet: the member hears of it by name alone, so home leaves it out."""
    return {"id": list_id(group.group_id), "title": group.title, "replies_policy": "none", "exclusive": is_quiet}
