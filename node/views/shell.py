"""The shell of every page: templates, the headers that keep pages private, and what templates can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from node.domain.posts import Post, page_token
from node.domain.pressure import Announcement
from node.foundation.config import Config
from node.store.core import Core

from .browsers import name_browser
from .cards import Card, KeptCards
from .markup import Markup, disc, icon, said, seal
from .visitor import Visitor

# No frames, nothing from elsewhere, nothing that acts but the one script that listens for new posts: a page cannot tell
# anybody who reads it (T49, T53).
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "private, no-store",
    "Vary": "Accept, Signature, Signature-Input, Authorization",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers would then call the origin of our own forms "null", and we could not tell them from others.
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Shell:
    """Renders the pages of one node."""

    core: Core
    templates: Environment = field(default_factory=lambda: _open_templates())
    cards: KeptCards = field(init=False)

    def __post_init__(self) -> None:
        card = self.templates.get_template("_parts/post.html").module.card  # type: ignore[attr-defined]
        object.__setattr__(self, "cards", KeptCards(card))

    def render(self, template: str, visitor: Visitor, *, place: str = "", **values: Any) -> str:
        """Return a page as HTML.

        Args:
            template: Its file.
            visitor: Who reads.
            place: Which entry of the navigation is "here": "catch-up", "groups", "write", "me", "peers" …
            values: What the template shows; `problem` is a service's sentence, or one of the page's own.
        """
        if isinstance(problem := values.get("problem"), str):
            values["problem"] = visitor.words.said(problem)
        return self.templates.get_template(template).render(
            node=_node(self.core.config),
            origin=self.core.origin,
            host=self.core.host,
            visitor=visitor,
            t=visitor.words,
            place=place,
            node_name=self.name_of,
            announcements=self._list_announcements(visitor),
            has_alerts=bool(self.core.pressure.alerts),
            room=self.core.pressure.room.name.lower(),
            **values,
        )

    def _list_announcements(self, visitor: Visitor) -> list[Announcement]:
        """Return what whoever is signed in is told on every page."""
        if visitor.session is None:
            return []
        return [
            each
            for each in self.core.pressure.announcements
            if each.is_shown(visitor.words.now) and each.announcement_id not in visitor.dismissed
        ]

    def show_cards(self, cards: Sequence[Card]) -> Markup:
        """Return cards of posts as HTML, one below the other."""
        return Markup("").join(map(self.cards.show, cards))

    def name_of(self, host: str) -> str:
        """Return what a node is called: ours, a peer's, or its address."""
        if host == self.core.host:
            return self.core.config.name
        peer = self.core.peers.by_host(host)
        return peer.name if peer is not None else host


def _node(config: Config) -> dict[str, Any]:
    return {"name": config.name, "is_test": config.is_test_node}


def _open_templates() -> Environment:
    """Return the template environment: undefined names are errors, everything is escaped."""
    templates = Environment(
        loader=PackageLoader("node.views"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    templates.globals |= {"draw_icon": icon, "draw_seal": seal, "draw_disc": disc}
    templates.filters |= {"said": said, "page": post_page, "token": post_token, "browser": name_browser}
    return templates


def post_token(post: Post) -> str:
    """Return the last part of a post's page."""
    return page_token(post.uri)


def post_page(post: Post, group_path: str) -> str:
    """Return the page of a post: its thread, at its place."""
    return f"{group_path}/threads/{post_token(post)}"
