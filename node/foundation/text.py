"""Turn what people write into what is stored and shown; the only place that makes HTML of words.

Markdown becomes HTML, remote HTML is cut down to a small set of elements, names lose the characters that let one
pretend to be another. markdown-it-py, linkify-it-py and nh3 live here and nowhere else.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt

from .hashtags import TAG

CONTENT_LIMIT_CHARACTERS = 100_000
# Of a form or of JSON: the longest text, each character written with twelve, and what comes with it.
WRITTEN_LIMIT_BYTES = 12 * CONTENT_LIMIT_CHARACTERS + 65_536
NAME_LIMIT_CHARACTERS = 200
TITLE_LIMIT_CHARACTERS = 300

_TAGS = {
    "p", "br", "hr", "em", "strong", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "h2", "h3", "h4", "a", "span", "table", "thead", "tbody", "tr", "th", "td", "sup", "sub",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}
_SCHEMES = {"https", "http", "mailto"}
_LINK_REL = "nofollow noopener noreferrer ugc"
# The parser's time grows with the square of the nesting: 200 kB of `<ul><li>` would take six seconds (T44).
_MARKS_LIMIT = 10_000
_MARK = re.compile("<[^<>]*>")
_BLOCK_END = re.compile(r"(?i)<(?:br|/p|/li|/h[1-6]|/blockquote|/tr|hr)\b[^<>]{0,200}>")
# Only for what `nh3` has written: every `<` begins a mark, and what is quoted ends.
_CLEAN_MARK = re.compile(r'<(?:[^"<>]|"[^"]*")*>')
# The same, to cut a text at its marks; and the marks within which words stay as they are.
_CLEAN_PIECE = re.compile(r'(<(?:[^"<>]|"[^"]*")*>)')
_KEEPING = re.compile(r"<(/?)(?:a|code|pre)\b")
# Only for what `nh3` has written: links do not nest, attributes are quoted, `"` in them is `&quot;`.
_CLEAN_LINK = re.compile(r'<a href="([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
_LOOKS_LIKE_HOST = re.compile(r"(?<![\w.-])(?:[\w-]{1,63}\.){1,10}[^\W\d_]{2,24}(?![\w-])")
_LINK_TEXT_LIMIT = 500

# Marks that reorder or hide text: bidi controls, zero-width characters, tags, variation fillers (T50); and halves of
# characters, which cannot be stored.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff]"
)
# The same for whole texts, which keep the joiners that Persian, Hindi and emoji are written with.
_CONTROLS = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff]"
)
# Both cases spelled out: with IGNORECASE the Kelvin sign would be a k (T50). A host never ends in the sentence's dot.
_MENTION = re.compile(
    r"(?<![\w@/.])@([A-Za-z0-9_]{2,30})"
    r"(?:@([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?))?(?![\w@])"
)
_COMBINING_LIMIT = 3

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True}).enable(
    ["linkify", "strikethrough", "table"]
)


# Made once: setting it up takes five times as long as cleaning a short text.
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes=_SCHEMES,
    url_relative="deny",  # elsewhere's `/sign-out` would be ours
    link_rel=_LINK_REL,
    strip_comments=True,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A person or group named in a text as `@handle` or `@handle@host`; `host` is None for our own node."""

    handle: str
    host: str | None


def markdown_to_html(source: str) -> str:
    """Return safe HTML for Markdown written by a member.

    Args:
        source: Markdown; raw HTML in it is shown as text. At most `CONTENT_LIMIT_CHARACTERS` are read.
    """
    return _clean(_markdown.render(source[:CONTENT_LIMIT_CHARACTERS]))


def sanitize_html(untrusted: str) -> str:
    """Return HTML with only harmless elements, no styles, classes or ids, and links that tell nobody where they were.

    Images, frames, forms and scripts vanish with their content or without it as nh3 decides; `javascript:`,
    `data:` and relative links lose their address; a link that looks like an address it does not lead to shows the true host. Of a
    text with more than 10,000 marks only the words stay.
    """
    cut = untrusted[: CONTENT_LIMIT_CHARACTERS * 2]
    if cut.count("<") > _MARKS_LIMIT:
        return html.escape(_words(cut))
    return _clean(cut)


def put_title_above(title: str, fragment: str) -> str:
    """Return an HTML fragment with a plain-text title above it, for readers that know no titles."""
    return f"<p><strong>{html.escape(title)}</strong></p>{fragment}" if title else fragment


def text_to_html(text: str) -> str:
    r"""Return plain text as safe HTML: empty lines part paragraphs, other line ends stay.

    >>> text_to_html("Nights & days\nBoth\n\nEverywhere")
    '<p>Nights &amp; days<br>Both</p><p>Everywhere</p>'
    """
    paragraphs = [part.strip("\n") for part in re.split(r"\n{2,}", text) if part.strip()]
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def link_tags(fragment: str, url_of: Callable[[str], str]) -> str:
    """Return HTML made here with each hashtag in its words as a link; what stands in links and code stays as it is.

    >>> link_tags("<p>#rota <code>#not</code></p>", lambda tag: f"/{tag}")
    '<p><a href="/rota" class="mention hashtag" rel="tag">#<span>rota</span></a> <code>#not</code></p>'
    """
    made, depth = [], 0
    for piece in _CLEAN_PIECE.split(fragment):
        if piece.startswith("<"):
            keeping = _KEEPING.match(piece)
            depth += 0 if keeping is None else -1 if keeping[1] else 1
        elif depth == 0 and "#" in piece:
            piece = TAG.sub(lambda match: _link_tag(match, url_of), piece)
        made.append(piece)
    return "".join(made)


def html_to_text(fragment: str) -> str:
    """Return the words of an HTML fragment: block ends become line breaks, elements vanish, entities are resolved."""
    broken = _BLOCK_END.sub("\n", fragment[: CONTENT_LIMIT_CHARACTERS * 2])
    if broken.count("<") > _MARKS_LIMIT:
        return _words(broken)
    return html.unescape(nh3.clean(broken, tags=set())).strip()


def strip_marks(cleaned: str) -> str:
    """Return the words of what `markdown_to_html` or `sanitize_html` has made, quickly and without a parser.

    Only for a reader's ease, as in search: the result is plain text and is escaped where it is shown.

    >>> strip_marks('<p>Ask <em>A</em>na &amp; Ben</p><p><a href="https://a.example/?x>y">here</a></p>')
    'Ask Ana & Ben here'
    """
    return " ".join(html.unescape(_CLEAN_MARK.sub("", _BLOCK_END.sub("\n", cleaned))).split())


def clean_line(value: str, *, limit: int = NAME_LIMIT_CHARACTERS) -> str:
    """Return one line of plain text for a name or title: no controls, no bidi marks, no towers of accents.

    The text is NFC, spaces are single, and at most `limit` characters remain.
    """
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", value.replace("\n", " ").replace("\t", " ")))
    return " ".join(_without_towers(visible).split())[:limit].rstrip()


def clean_text(value: str, *, limit: int = CONTENT_LIMIT_CHARACTERS) -> str:
    """Return text of several lines without control characters and bidi marks, ended by LF, at most `limit` long."""
    unified = value.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", unified)[:limit]


def find_mentions(source: str) -> list[Mention]:
    """Return those named as `@handle` or `@handle@host`, each once, in the order of the text, at most 50."""
    found: dict[Mention, None] = {}
    for match in _MENTION.finditer(source):
        found[Mention(match[1].lower(), match[2].lower() if match[2] else None)] = None
        if len(found) == 50:
            break
    return list(found)


def _clean(untrusted: str) -> str:
    return _CLEAN_LINK.sub(_show_true_host, _cleaner.clean(untrusted))


def _show_true_host(link: re.Match[str]) -> str:
    """Add the true host to a link whose words look like an address elsewhere (T51)."""
    href, attributes, inner = link.groups()
    words = html.unescape(_MARK.sub("", inner))  # without a space between: `bank.<em>ex</em>ample` is one word
    shown = unicodedata.normalize("NFKC", _INVISIBLE.sub("", words)[:_LINK_TEXT_LIMIT])
    shown = shown.replace("\u3002", ".").lower()
    true_host = _host_of(html.unescape(href))
    apparent = {host.removeprefix("www.") for host in _LOOKS_LIKE_HOST.findall(shown)}
    if not apparent - {true_host.removeprefix("www.")} or shown.endswith(f"[{true_host}]"):
        return link[0]
    return f'<a href="{href}"{attributes}>{inner} [{html.escape(true_host)}]</a>'


def _host_of(address: str) -> str:
    try:
        parts = urlsplit(address)
        return parts.hostname or parts.path.rpartition("@")[2].lower()
    except ValueError:
        return "?"


def _link_tag(match: re.Match[str], url_of: Callable[[str], str]) -> str:
    if match[1].isdecimal():
        return match[0]
    return f'<a href="{html.escape(url_of(match[1]))}" class="mention hashtag" rel="tag">#<span>{match[1]}</span></a>'


def _words(fragment: str) -> str:
    return html.unescape(_MARK.sub(" ", fragment)).strip()


def _without_towers(value: str) -> str:
    kept: list[str] = []
    height = 0
    for character in value:
        height = height + 1 if unicodedata.combining(character) else 0
        if height <= _COMBINING_LIMIT:
            kept.append(character)
    return "".join(kept)
