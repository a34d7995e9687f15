"""Markup: the only file that says of a text that it is HTML already. Everything else is escaped where it is shown (T49)."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from node.domain.posts import Post
from node.foundation.text import markdown_to_html

__all__ = ["Markup", "fill", "preview", "said", "time_tag"]


def said(post: Post) -> Markup:
    """Return what somebody wrote: it was cleaned when it came in."""
    return Markup(post.html)  # noqa: S704 cleaned by foundation.text before it is stored


def preview(text: str) -> Markup:
    """Return Markdown as it will look: the same cleaning as a post's."""
    return Markup(markdown_to_html(text))  # noqa: S704 as above


def fill(sentence: str, values: dict[str, Any]) -> Markup:
    """Return a sentence with values in its gaps; both are escaped, but for values that are markup themselves."""
    text = Markup(escape(sentence))  # noqa: S704 escaped in this very line
    return text.format(**values) if values else text


def time_tag(stamp: str, title: str, shown: str) -> Markup:
    """Return a `<time>` element."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, title, shown)
