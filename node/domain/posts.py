"""Posts: what people write, and the states it goes through.

draft              only its author's
waiting_for_host   sent to the group's host, not yet in its order; seen by its author alone
live               in the group's log, or sent to the people named
withdrawn          taken back by its author; the place in the order stays
removed            taken away by a moderator, with a reason
placeholder        named by a reply, never received
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from .polls import NewPoll

STATES = ("draft", "waiting_for_host", "live", "withdrawn", "removed", "placeholder")
AUDIENCES = ("group", "people", "draft", "article")
IMAGES_LIMIT = 16
# States of pictures that pages show: here, or gone to make room and fetched again when somebody looks.
SHOWN_PICTURES = ("ready", "let_go")
_TOKEN = re.compile(r"[a-z2-7]{26}")


def page_token(uri: str) -> str:
    """Return the last part of a post's page on this node: that of its id if it looks like ours, else a hash.

    >>> page_token("https://a.example/posts/abcdefghijklmnopqrstuvwxyz")
    'abcdefghijklmnopqrstuvwxyz'
    """
    last = uri.rpartition("/")[2]
    if _TOKEN.fullmatch(last):
        return last
    return base64.b32encode(hashlib.sha256(uri.encode()).digest()).decode("ascii").lower()[:26]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture on a post: `token` is the R of `/media/R`."""

    token: str
    sha256: str
    media_type: str
    width: int
    height: int
    alt: str
    source_uri: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Post:
    """A topic, a reply or a private message, as its readers see it.

    seq: the number of its entry in the group's log; None while it waits, and for private messages.
    source: Markdown as written, when we have it; `html` is what is shown.
    """

    post_id: int
    uri: str
    audience: str
    group_id: int | None
    author_id: int
    author_uri: str
    author_name: str
    author_handle: str
    author_host: str
    known_through: str | None
    parent_id: int | None
    root_id: int
    in_reply_to: str | None
    seq: int | None
    state: str
    title: str
    warning: str
    source: str
    html: str
    reason: str | None
    is_pinned: bool
    is_locked: bool
    published_at: datetime
    edited_at: datetime | None
    images: tuple[Image, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Draft:
    """What a member wants to say, before it has an id.

    text: Markdown. title: for topics; empty for replies. warning: shown before the text.
    images: tokens of pictures uploaded before. poll: what is asked besides, if anything.
    """

    text: str
    title: str = ""
    warning: str = ""
    images: tuple[str, ...] = ()
    poll: NewPoll | None = None
