"""Markup: the only file that says of a text that it is HTML already. Everything else is escaped where it is shown (T49)."""

from __future__ import annotations

import functools
import hashlib
import string
from typing import Any

from markupsafe import Markup, escape

from node.domain.posts import Post
from node.foundation.text import markdown_to_html

__all__ = ["Markup", "Moment", "code", "disc", "fill", "icon", "initials", "preview", "said", "seal", "time_tag"]


class Moment(Markup):
    """A `<time>`. inside: the same as it reads within a sentence, "today" for "Today"."""

    inside: Markup


_TINTS = ("moss", "sea", "slate", "plum", "rose", "clay", "sand", "fern")


def said(post: Post) -> Markup:
    """Return what somebody wrote: it was cleaned when it came in."""
    return Markup(post.html)  # noqa: S704 cleaned by foundation.text before it is stored


def preview(text: str) -> Markup:
    """Return Markdown as it will look: the same cleaning as a post's."""
    return Markup(markdown_to_html(text))  # noqa: S704 as above


def fill(sentence: str, values: dict[str, Any]) -> Markup:
    """Return a sentence with values in its gaps; both are escaped, but for values that are markup themselves."""
    pieces: list[str] = []
    for text, gap in _cut(sentence):
        pieces.append(text)
        if gap is not None:
            value = values[gap]
            if isinstance(value, Moment) and any(pieces) and not text.endswith(". "):
                value = value.inside
            pieces.append(str(escape(value)))
    return Markup("".join(pieces))  # noqa: S704 every piece was escaped


@functools.cache
def _cut(sentence: str) -> list[tuple[str, str | None]]:
    """Return (escaped text, name of the gap behind it) of a sentence; there are as many as the catalogues hold."""
    return [(str(escape(text)), gap) for text, gap, _, _ in string.Formatter().parse(sentence)]


def time_tag(stamp: str, title: str, shown: str, inside: str) -> Moment:
    """Return a `<time>` element. inside: what it shows within a sentence."""
    start = f'<time datetime="{escape(stamp)}" title="{escape(title)}">'
    moment = Moment(f"{start}{escape(shown)}</time>")
    moment.inside = Markup(f"{start}{escape(inside)}</time>")  # noqa: S704
    return moment


@functools.cache
def icon(name: str) -> Markup:
    """Return a symbol of `_parts/symbols.html`; templates name them, so there are few."""
    return Markup(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="#icon-{escape(name)}"/></svg>')  # noqa: S704


def code(dark: list[tuple[int, int]], size: int, label: str) -> Markup:
    """Return a square code for cameras: each (x, y) of `dark` is a dark square of one that is `size` wide."""
    path = "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)
    return Markup(  # noqa: S704 numbers, and a label that is escaped
        f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{escape(label)}" '
        f'shape-rendering="crispEdges"><path d="{path}"/></svg>'
    )


@functools.lru_cache(maxsize=4096)
def seal(name: str, size: str = "") -> Markup:
    """Return the square that stands for an organisation."""
    return _mark("seal", name, name, size)


@functools.lru_cache(maxsize=4096)
def disc(name: str, identity: str, size: str = "") -> Markup:
    """Return the disc that stands for a person; its colour follows the id."""
    return _mark("disc", name, identity, size)


def initials(name: str) -> str:
    """Return at most two letters for a disc or a seal.

    >>> initials("Vermont Society of Physicians"), initials("ana")
    ('VS', 'A')
    """
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0].upper() for word in words[:2]) or "?"


def _mark(kind: str, name: str, identity: str, size: str) -> Markup:
    tint = _TINTS[hashlib.sha256(identity.encode()).digest()[0] % len(_TINTS)]
    letters = escape(initials(name))
    return Markup(f'<span class="{kind} {tint} {escape(size)}" aria-hidden="true">{letters}</span>')  # noqa: S704
