"""Entities: what apps read, made of what the rooms return. Pure functions: no store, no request, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What entities say of the node itself.

    origin: the public address, such as "https://a.example"; every address in an entity begins with it.
    name: what the node is called. version: of this software.
    post_characters, image_bytes, image_pixels: the largest post and picture that are taken.
    """

    origin: str
    host: str
    name: str
    version: str
    post_characters: int
    image_bytes: int
    image_pixels: int


# Returns the address under which an app may load a picture, given its token.
PictureUrl = Callable[[str], str]


def format_moment(instant: datetime) -> str:
    """Return an instant as apps read it: `2026-11-21T17:40:00.000Z`, with milliseconds.

    >>> from datetime import UTC
    >>> format_moment(datetime(2026, 11, 21, 17, 40, tzinfo=UTC))
    '2026-11-21T17:40:00.000Z'
    """
    return f"{instant.isoformat(timespec='milliseconds')[:23]}Z"
