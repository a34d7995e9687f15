"""Status, MediaAttachment and Context. Spec: Mastodon API, entities Status, MediaAttachment, Context.

What is said in a group is `private`: apps then offer no way to share it further. In home it stands as the group's
sharing of it. Nothing is counted but answers.
"""

from __future__ import annotations

from node.community.posts.reading import Reading, Thread
from node.domain.posts import SHOWN_PICTURES, Image, Post, page_token
from node.foundation.text import put_title_above

from . import Entity, PictureUrl, Setting, format_moment
from .accounts import build_account, build_mention
from .ids import shared_id, status_id

_NO_QUOTES = {"automatic": [], "manual": [], "current_user": "denied"}


class Shelf:
    """What several statuses of one answer share: each account is made once.

    Args:
        reading: The posts with what is shown beside them.
        setting: What entities say of the node.
        picture_url: Where an app may load a picture.
    """

    def __init__(self, reading: Reading, setting: Setting, picture_url: PictureUrl) -> None:
        self._reading = reading
        self._setting = setting
        self._picture_url = picture_url
        self._accounts: dict[int, Entity] = {}
        self._mentions: dict[int, Entity] = {}

    def build_status(self, post: Post) -> Entity:
        """Return the Status of a post or private message."""
        reading = self._reading
        parent_author = reading.parents.get(post.parent_id or 0)
        return {
            "id": status_id(post.post_id),
            "created_at": format_moment(post.published_at),
            "in_reply_to_id": None if parent_author is None else status_id(post.parent_id or 0),
            "in_reply_to_account_id": None if parent_author is None else str(parent_author),
            "sensitive": bool(post.warning),
            "spoiler_text": post.warning,
            "visibility": "direct" if post.audience == "people" else "private",
            "language": None,
            "uri": post.uri,
            "url": self._page(post),
            "replies_count": reading.replies.get(post.post_id, 0),
            "reblogs_count": 0,
            "favourites_count": 0,
            "quotes_count": 0,
            "edited_at": None if post.edited_at is None else format_moment(post.edited_at),
            "content": put_title_above(post.title, post.html),  # apps know no titles
            "reblog": None,
            "quote": None,
            "quote_approval": _NO_QUOTES,
            "application": None,
            "account": self._account(post.author_id),
            "media_attachments": self._pictures(post),
            "mentions": self._named(post),
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": None,
            "favourited": False,
            "reblogged": False,
            "muted": False,
            "bookmarked": False,
            "pinned": False,
            "filtered": [],
        }

    def build_shared(self, post: Post) -> Entity:
        """Return a group's sharing of a topic; for a private message, which nobody shares, the message itself."""
        status = self.build_status(post)
        if post.group_id is None:
            return status
        return {
            **status,
            "id": shared_id(post.post_id),
            "account": self._account(post.group_id),
            "media_attachments": [],
            "mentions": [],
            "reblog": status,
        }

    def _account(self, actor_id: int) -> Entity:
        made = self._accounts.get(actor_id)
        if made is None:
            made = self._accounts[actor_id] = build_account(self._reading.profiles[actor_id], self._setting)
        return made

    def _named(self, post: Post) -> list[Entity]:
        """Return whom an answer should name: the people mentioned, and the group, so that it goes there."""
        ids = dict.fromkeys(self._reading.named.get(post.post_id, ()))
        if post.group_id is not None:
            ids[post.group_id] = None
        return [self._mention(actor_id) for actor_id in ids]

    def _mention(self, actor_id: int) -> Entity:
        made = self._mentions.get(actor_id)
        if made is None:
            made = self._mentions[actor_id] = build_mention(self._reading.profiles[actor_id], self._setting)
        return made

    def _page(self, post: Post) -> str | None:
        """Return the page of a post on this node; private messages have none."""
        if post.group_id is None:
            return None
        return f"{self._account(post.group_id)['url']}/threads/{page_token(post.uri)}"

    def _pictures(self, post: Post) -> list[Entity]:
        """Return the pictures that are here; one still on its way from its host comes with a later reading."""
        images = self._reading.images.get(post.post_id, ())
        return [
            build_attachment(image, self._picture_url(image.token)) for image in images if image.state in SHOWN_PICTURES
        ]


def build_context(thread: Thread, shelf: Shelf) -> Entity:
    """Return the Context of a post: every answer in the group, whoever the reader knows."""
    return {
        "ancestors": [shelf.build_status(post) for post in thread.before],
        "descendants": [shelf.build_status(post) for post in thread.after],
    }


def build_attachment(image: Image, url: str) -> Entity:
    """Return the MediaAttachment of a picture."""
    size: Entity = {"width": image.width, "height": image.height, "size": f"{image.width}x{image.height}"}
    size["aspect"] = image.width / image.height if image.height else 1.0
    return {
        "id": image.token,
        "type": "image",
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": {"original": size, "small": size},
        "description": image.alt or None,
        "blurhash": None,
    }
