"""Pages load nothing from elsewhere, run nothing, stand in no frame, and say the node's name as words (T49, T53, T58)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from node.federation.message import Answer
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.house import ROOT
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.requesters import a_get, ask

_NAME = """<script>alert(1)</script>'"><img src=x onerror=alert(1)>{{ 7 * 7 }}"""
_LOADS_OR_ACTS = {"script", "iframe", "frame", "object", "embed", "base", "style", "audio", "video", "portal"}
_LEADS_SOMEWHERE = {
    "href", "src", "srcset", "action", "formaction", "data", "poster", "background", "cite", "ping", "xlink:href",
}  # fmt: skip
_NOTHING = ("default-src", "frame-ancestors", "base-uri")
# A path of this node, or a place in the page.
_AT_HOME = re.compile(r"/(?![/\\])[^\s\\]*|#[\w-]*|\?[^\s]*")
_TEMPLATES = ROOT / "node" / "views" / "templates"
# The only one; it stands in a file of its own, and `live.html` is where open pages name it.
_THE_SCRIPT = '<script src="/static/live.js" defer></script>'
_MAKES_UNSAFE = re.compile(
    r"\|\s*safe\b|autoescape|Markup|<script|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:|(?:src|href)=.?https?:"
)


class _Page(HTMLParser):
    """What a browser finds in a page: where it leads, and what would act."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.acts: list[str] = []
        self.words = ""
        self.feed(body.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.leads += [value for name, value in given.items() if name in _LEADS_SOMEWHERE]
        self.acts += [name for name in given if name.startswith("on") or name == "style"]
        self.acts += [tag] if tag in _LOADS_OR_ACTS or (tag == "meta" and "http-equiv" in given) else []

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    async with a_lone_house(databases, clock, name=_NAME) as made:
        yield made


def _paths(lone: LoneHouse) -> list[str]:
    """Return every path without a variable part that answers GET, from the router."""
    site: Any = lone.app._site
    return sorted({rule.rule for rule in site.url_map.iter_rules() if "GET" in rule.methods and "<" not in rule.rule})


async def _pages(lone: LoneHouse) -> dict[str, Answer]:
    """Return every page of the node, by path."""
    answers = {path: await ask(lone.app, a_get(path, accept="text/html")) for path in _paths(lone)}
    return {
        path: page
        for path, page in answers.items()
        if page.status == 200 and (page.one("content-type") or "").startswith("text/html")
    }


def _policy_of(answer: Answer) -> dict[str, list[str]]:
    """Return a content security policy as {"default-src": ["'none'"], …}."""
    parts = (answer.one("content-security-policy") or "").split(";")
    return {name: sources for name, *sources in map(str.split, parts)}


async def test_t53_a_page_leads_to_its_own_node_and_nowhere_else(lone: LoneHouse) -> None:
    pages = await _pages(lone)

    leads = {lead for page in pages.values() for lead in _Page(page.body).leads}

    assert {"/", "/sign-in", "/support", "/charter", "/about"} <= pages.keys()
    assert "/static/rounds.css" in leads
    assert [lead for lead in leads if not _AT_HOME.fullmatch(lead)] == []


async def test_t53_the_style_loads_nothing(lone: LoneHouse) -> None:
    style = await ask(lone.app, a_get("/static/rounds.css", accept="text/css"))

    assert style.one("content-type") == "text/css"
    assert re.findall(rb"(?i)url\s*\(|@import|image-set|expression|//", style.body) == []


async def test_t49_nothing_in_a_page_acts(lone: LoneHouse) -> None:
    pages = await _pages(lone)

    assert {path: _Page(page.body).acts for path, page in pages.items()} == {path: [] for path in pages}


async def test_t49_the_nodes_name_is_words_on_every_page(lone: LoneHouse) -> None:
    for path, page in (await _pages(lone)).items():
        assert _NAME in _Page(page.body).words, path
        assert b"<script" not in page.body, path


async def test_t49_t53_t58_every_answer_tells_browsers_to_run_load_and_frame_nothing(lone: LoneHouse) -> None:
    targets = [*_paths(lone), "/nothing", "/people/mia", "/groups/ward/log", "/media/" + "a" * 26, "/invitations/x"]

    for target in targets:
        answer = await ask(lone.app, a_get(target, accept="text/html"))

        policy = _policy_of(answer)
        assert {name: policy.get(name) for name in _NOTHING} == {name: ["'none'"] for name in _NOTHING}, target
        assert policy["form-action"] == ["'self'"], target
        assert {source for sources in policy.values() for source in sources} <= {"'none'", "'self'"}, target
        assert (policy["script-src"], policy["connect-src"]) == (["'self'"], ["'self'"]), target
        assert answer.one("x-content-type-options") == "nosniff", target
        assert answer.one("referrer-policy") in ("no-referrer", "same-origin"), target


async def test_t49_a_page_that_breaks_is_kept_as_safe(lone: LoneHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(actor_id: int) -> None:
        raise LookupError("<script>alert(1)</script>")

    monkeypatch.setattr(lone.core.keyring, "own", breaks)

    answer = await ask(lone.app, a_get("/actor", accept="text/html"))

    assert answer.status == 500
    assert b"script" not in answer.body
    assert _policy_of(answer)["default-src"] == ["'none'"]


async def test_t58_who_is_sent_to_sign_in_stays_on_this_node(lone: LoneHouse) -> None:
    targets = [
        "//evil.example", "/%2f%2fevil.example", "/\\evil.example", "/nothing?next=https://evil.example",
        "/https://evil.example", "/sign-out?return_to=//evil.example",
    ]  # fmt: skip

    answers = [await ask(lone.app, a_get(target, accept="text/html")) for target in targets]

    for answer in answers:
        leads = urlsplit(answer.one("location") or "")
        assert (answer.status, leads.scheme, leads.netloc, leads.path) == (303, "", "", "/sign-in")


@pytest.mark.parametrize("path", sorted(_TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_t49_no_template_lets_anything_through_or_brings_anything_along(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.name == "live.html":
        assert text.count(_THE_SCRIPT) == 1

    assert _MAKES_UNSAFE.findall(text.replace(_THE_SCRIPT, "")) == []


async def test_t49_the_one_script_puts_words_where_it_puts_anything(lone: LoneHouse) -> None:
    script = await ask(lone.app, a_get("/static/live.js"))

    assert (
        re.findall(rb"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|https?:", script.body) == []
    )
