"""Quoting by link: a link in a post to another post here is shown with the beginning of what stands there.

A link is an address and no more; who may not read the post it leads to sees just the link. What is shown is our own
copy, asked for as the reader; nothing is fetched from anywhere. Known are the addresses that nodes of this kind give to
posts: `…/posts/R` and `…/groups/G/threads/R`, on the nodes of whoever wrote either post and of the group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

from node.domain.groups import Group
from node.domain.posts import Post
from node.foundation.text import clean_line, html_to_text
from node.store.engine import Tx
from node.store.quotes import list_linked

SHOWN_CHARACTERS = 200
_QUOTED_CHARACTERS = 300
_QUOTED_LINES = 4
_CARDS_LIMIT = 3
_LINKS_LIMIT = 120
_MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9_]{2,30})(?:@[\w.:-]{1,260})?")
# Only for what `foundation.text` has written: attributes are quoted.
_LINK = re.compile(
    r'<a href="(https?://[^/"?#]{1,260})/(?:posts|groups/[^/"?#]{1,300}/threads)/([a-z2-7]{26})(?:[?#][^"]{0,200})?"'
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a card shows of a post that another one links to.

    group_address: `ward`, or `ward@a.example`. token: the last part of its page. text: its beginning, or its warning.
    """

    group_address: str
    token: str
    author_name: str
    author_uri: str
    title: str
    text: str
    is_warned: bool
    published_at: datetime


async def list_quotes(
    tx: Tx, *, viewer_id: int, origin: str, group: Group, posts: list[Post]
) -> dict[int, tuple[Quote, ...]]:
    """Return {post_id: cards} of the links in some posts of one group that the viewer has read.

    Args:
        tx: The transaction.
        viewer_id: Who reads.
        origin: Our own origin.
        group: The group.
        posts: Of that group.

    Cost: no statement when none of them links to a post.
    """
    links = {post.post_id: found for post in posts if post.state == "live" and (found := _find_links(post))}
    tokens = list(dict.fromkeys(token for found in links.values() for _, token in found))[:_LINKS_LIMIT]
    if not tokens:
        return {}
    rows = {row.token: row for row in await list_linked(tx, viewer_id=viewer_id, tokens=tokens)}
    made = {}
    for post in posts:
        trusted = {origin, _origin_of(group.uri), _origin_of(post.author_uri)}
        cards = [
            _card(row)
            for at, token in links.get(post.post_id, ())
            if (row := rows.get(token)) is not None
            and row.post_id != post.post_id
            and at in trusted | {_origin_of(row.uri), _origin_of(row.group_uri)}
        ]
        if cards:
            made[post.post_id] = tuple(dict.fromkeys(cards))[:_CARDS_LIMIT]
    return made


def quote_text(post: Post, address: str) -> str:
    """Return the Markdown with which a post is quoted: its first lines, and where it stands."""
    said = (post.source or html_to_text(post.html))[: _QUOTED_CHARACTERS * 2]
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.lstrip().startswith(">")]
    text = "\n".join(lines[:_QUOTED_LINES])
    if post.warning:
        text = post.warning  # what was folded away is not unfolded in passing
    elif len(text) > _QUOTED_CHARACTERS or len(lines) > _QUOTED_LINES:
        text = f"{text[:_QUOTED_CHARACTERS].rstrip()} …"
    # Whoever was named there is not named once more.
    quoted = ["> " + _MENTION.sub(r"\1", line) for line in text.splitlines()]
    return "\n".join([*quoted, ">", f"> {address}", "", ""])


def _find_links(post: Post) -> list[tuple[str, str]]:
    """Return (origin, token) of the links in a post that may lead to posts."""
    if "/threads/" not in post.html and "/posts/" not in post.html:
        return []
    return [(unescape(at), token) for at, token in _LINK.findall(post.html)]


def _card(row: Any) -> Quote:
    text = clean_line(html_to_text(row.html), limit=SHOWN_CHARACTERS + 1)
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[:SHOWN_CHARACTERS].rstrip()}…"
    return Quote(
        row.group_handle if row.is_group_local else f"{row.group_handle}@{row.group_host}",
        row.token,
        row.author_name,
        row.author_uri,
        row.title,
        row.warning or text,
        bool(row.warning),
        row.published_at,
    )


def _origin_of(uri: str) -> str:
    """Return scheme and authority of an id."""
    return "/".join(uri.split("/")[:3])
