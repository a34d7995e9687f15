"""What becomes of HTML from elsewhere and of Markdown from here: words, links, and nothing that acts."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.foundation.text import html_to_text, markdown_to_html, sanitize_html

_MAY_STAND = {
    "p", "br", "hr", "em", "strong", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h2", "h3", "h4", "a", "span",
    "table", "thead", "tbody", "tr", "th", "td", "sup", "sub",
}  # fmt: skip
_MAY_CARRY = {"a": {"href", "rel"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}
_PIECES = [
    "<", ">", "/", "'", '"', "=", " ", "a", "p", "href", "script", "svg", "style", "!--", "--", "javascript:", "&#", ";",
    "on", "x", "]]", "![CDATA[", "\n", "\0", "math", "table", "title", "textarea",
]  # fmt: skip
_MAY_LEAD = ("https://", "http://", "mailto:")

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.gif'>",
    "<svg onload=alert(1)><circle></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<body onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='//evil.example/x.swf'>",
    "<form action='https://evil.example'><input name=password><button>Sign in</button></form>",
    "<link rel=stylesheet href='//evil.example/x.css'>",
    "<style>@import '//evil.example/x.css';</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href='//evil.example/'>",
    "<p style='position:fixed;top:0;left:0;width:100%;height:100%'>cover</p>",
    "<p class='moderator-badge' id='csrf_token' name='body' title='tip' lang='xx'>badge</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;&#97;&#118;&#97;script:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='//evil.example' target=_blank rel=opener>x</a>",
    "<a href='https://a.example' onclick=alert(1) onmouseover=alert(1)>x</a>",
    "<a href='https://a.example\" onclick=\"alert(1)'>x</a>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea><script>alert(1)</script></textarea>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "<![CDATA[><script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<table background='javascript:alert(1)'><td background='javascript:alert(1)'>x</table>",
    "<td align='x\" onclick=\"alert(1)'>x</td>",
    "<ol start='1\" onclick=\"alert(1)'><li>x</ol>",
    "<p\x00onclick=alert(1)>x</p>",
    "<p/onclick=alert(1)>x</p>",
    "<custom-element onclick=alert(1)>x</custom-element>",
    "<a href=https://a.example><a href=javascript:alert(1)>x</a></a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


class _Found(HTMLParser):
    """What a browser would make of a fragment, as far as elements and attributes go."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.links: list[dict[str, str]] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _MAY_STAND or not given.keys() <= _MAY_CARRY.get(tag, set()):
            self.problems.append(f"{tag} {sorted(given)}")
        if "href" in given and not given["href"].lower().startswith(_MAY_LEAD):
            self.problems.append(f"leads to {given['href']}")
        if tag == "a":
            self.links.append(given)

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.problems.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"instruction {data}")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "wrapped", ["{}", "<p>before {} after</p>", "<ul><li>{}</li></ul>", "<table><tr><td>{}</td></tr></table>"]
)
def test_t49_html_from_elsewhere_keeps_nothing_that_acts(attack: str, wrapped: str) -> None:
    assert _Found(sanitize_html(wrapped.format(attack))).problems == []


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "wrapped", ["{}", "> {}", "- {}", "[x]({})", "![x]({})", "`{}`", "**{}**", "<{}>", "|a|\n|-|\n|{}|"]
)
def test_t49_markdown_of_members_keeps_nothing_that_acts(attack: str, wrapped: str) -> None:
    assert _Found(markdown_to_html(wrapped.format(attack))).problems == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_t49_cleaning_twice_changes_nothing(attack: str) -> None:
    once = sanitize_html(attack)

    assert sanitize_html(once) == once


@given(st.lists(st.sampled_from(_PIECES), max_size=40))
@settings(max_examples=300, deadline=None)
def test_t49_no_arrangement_of_marks_lets_anything_act(pieces: list[str]) -> None:
    source = "".join(pieces)

    assert _Found(sanitize_html(source)).problems == []
    assert _Found(markdown_to_html(source)).problems == []


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_words_without_marks_come_through(words: str) -> None:
    plain = "".join(character for character in words if character.isalnum())

    assert html.unescape(sanitize_html(plain)) == plain
    assert html_to_text(sanitize_html(f"<p>{plain}</p>")) == plain


@pytest.mark.parametrize(
    "name", ["class", "style", "id", "name", "title", "lang", "dir", "data-x", "tabindex", "contenteditable"]
)
def test_t50_nothing_can_be_dressed_up_or_given_a_name(name: str) -> None:
    for element in sorted(_MAY_STAND):
        assert f"{name}=" not in sanitize_html(f"<{element} {name}='mention'>x</{element}>")


@pytest.mark.parametrize(
    "href", ["/sign-out", "//evil.example", "?x", "#top", "x.html", "\\\\evil.example", "/\\evil.example"]
)
def test_t51_an_address_that_would_be_read_as_ours_is_taken_away(href: str) -> None:
    assert "href" not in sanitize_html(f'<a href="{href}">x</a>')
    assert "href" not in markdown_to_html(f"[x]({href})")


def test_links_tell_nobody_where_they_were_found() -> None:
    [link] = _Found(sanitize_html("<a href='https://a.example/x' rel='me'>x</a>")).links

    assert link == {"href": "https://a.example/x", "rel": "nofollow noopener noreferrer ugc"}


@pytest.mark.parametrize(
    ("shown", "href", "is_added"),
    [
        ("https://bank.example/login", "https://evil.example/x", True),
        ("bank.example", "https://evil.example", True),
        ("www.<strong>bank</strong>.example", "https://evil.example", True),
        ("bank.<em>ex</em>ample", "https://evil.example", True),
        ("bank&#46;example", "https://evil.example", True),
        ("bank\u3002example", "https://evil.example", True),
        ("bank\uff0eexample", "https://evil.example", True),
        ("ba\u200bnk.example", "https://evil.example", True),
        ("b\u0430nk.example", "https://evil.example", True),
        ("bank.example", "https://bank.example@evil.example/", True),
        ("bank.example", "https://bank.example.evil.example/", True),
        ("ana@bank.example", "mailto:ana@evil.example", True),
        ("@ben@b.example", "https://evil.example/people/ben", True),
        ("bank.example", "https://bank.example/login", False),
        ("BANK.example", "https://www.bank.example", False),
        ("@<span>ben@b.example</span>", "https://b.example/people/ben", False),
        ("ana@b.example", "mailto:ana@b.example", False),
        ("the guideline of 2026", "https://b.example", False),
    ],
)
def test_t51_a_link_that_looks_like_another_address_shows_the_true_host(shown: str, href: str, is_added: bool) -> None:
    cleaned = sanitize_html(f'<a title="x href=" href="{href}">{shown}</a>')

    assert ("evil.example]</a>" in cleaned) is is_added
    assert cleaned.count("[") == (1 if is_added else 0)
    assert sanitize_html(cleaned) == cleaned


def test_t51_markdown_links_show_the_true_host_too() -> None:
    shown = markdown_to_html("[https://bank.example](https://evil.example) and <https://ok.example>")

    assert "https://bank.example [evil.example]</a>" in shown
    assert ">https://ok.example</a>" in shown


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("One\nTwo", "<p>One<br>\nTwo</p>\n"),
        (
            "**bold** _soft_ ~~gone~~ `code`",
            "<p><strong>bold</strong> <em>soft</em> <s>gone</s> <code>code</code></p>\n",
        ),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
        ("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>\n"),
        ("## Title", "<h2>Title</h2>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("<b>raw</b>", "<p>&lt;b&gt;raw&lt;/b&gt;</p>\n"),
    ],
)
def test_markdown_becomes_what_its_writer_expects(source: str, expected: str) -> None:
    assert markdown_to_html(source) == expected


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<p>a &lt;b&gt; &amp; c</p>", "a <b> & c"),
        ("<script>alert(1)</script><style>p{}</style>seen", "seen"),
        ("<img src=x onerror=alert(1)>", ""),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_html_becomes_words(fragment: str, words: str) -> None:
    assert html_to_text(fragment) == words
