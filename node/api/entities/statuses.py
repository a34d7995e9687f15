"""Status, MediaAttachment and Context. Spec: Mastodon API, entities Status, MediaAttachment, Context.

What is said in a group is `private`: apps then offer no way to share it further. In home it stands as the group's
sharing of it. Nothing is counted but answers.
"""

from __future__ import annotations

from node.community.posts.browsing import Version
from node.community.posts.reading import Reading, Thread
from node.domain.filtering import find_catches
from node.domain.posts import SHOWN_PICTURES, Image, Post, page_token
from node.foundation.hashtags import find_tags
from node.foundation.text import link_tags, put_title_above, strip_marks

from . import Entity, PictureUrl, Setting, format_moment
from .accounts import build_account, build_mention
from .filters import build_result
from .ids import shared_id, status_id
from .polls import build_poll
from .tags import build_tag, tag_url

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
        words = self._words(post)
        tags = find_tags(words)
        html = link_tags(post.html, lambda tag: tag_url(tag, self._setting)) if tags else post.html
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
            "content": put_title_above(post.title, html),  # apps know no titles
            "reblog": None,
            "quote": None,
            "quote_approval": _NO_QUOTES,
            "application": None,
            "account": self._account(post.author_id),
            "media_attachments": self._pictures(post),
            "mentions": self._named(post),
            "tags": [build_tag(tag, self._setting) for tag in tags],
            "emojis": [],
            "card": None,
            "poll": build_poll(reading.polls.get(post.post_id)),
            "favourited": post.post_id in reading.flags.thanked,
            "reblogged": False,
            "muted": post.root_id in reading.flags.muted_roots,
            "bookmarked": post.post_id in reading.flags.bookmarked,
            "pinned": post.is_pinned,
            "filtered": self._filtered(post, words),
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
            "poll": None,
            "reblog": status,
        }

    def build_account(self, actor_id: int) -> Entity:
        """Return the Account of somebody, or of a group, that was read with the posts."""
        return self._account(actor_id)

    def has_account(self, actor_id: int) -> bool:
        """Return whether somebody was read with the posts."""
        return actor_id in self._reading.profiles

    def _words(self, post: Post) -> str:
        """Return what a post says, where somebody will look into it."""
        is_asked = self._reading.filters or "#" in post.html or "#" in post.title
        return f"{post.title} {strip_marks(post.html)}" if is_asked else ""

    def _filtered(self, post: Post, words: str) -> list[Entity]:
        """Return which of the reader's filters catch somebody else's post, by whatever it says."""
        filters = self._reading.filters
        if not filters or post.author_id == self._reading.viewer_id:
            return []
        images = self._reading.images.get(post.post_id, ())
        said = " ".join([words, post.warning, *(image.alt for image in images)])
        return [build_result(catch, post.post_id) for catch in find_catches(filters, words=said, post_uri=post.uri)]

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


def build_edit(status: Entity, version: Version | None) -> Entity:
    """Return the StatusEdit of what a status said before, or says now. Spec: Mastodon API, entity StatusEdit."""
    now = {
        "content": status["content"],
        "spoiler_text": status["spoiler_text"],
        "sensitive": status["sensitive"],
        "created_at": status["edited_at"] or status["created_at"],
        "account": status["account"],
        "media_attachments": status["media_attachments"],
        "emojis": [],
        "poll": None,
    }
    if version is None:
        return now
    before = {
        "content": put_title_above(version.title, version.html),
        "spoiler_text": version.warning,
        "sensitive": bool(version.warning),
        "created_at": format_moment(version.written_at),
    }
    return {**now, **before}


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
