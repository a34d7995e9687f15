"""The register of pages is the routes that show one, and everything in it can be reached by somebody."""

from __future__ import annotations

import string
from typing import Any

from node.views.pages import (
    APPLICANT,
    ASKED,
    DECLINED,
    LAPSED,
    MEMBER,
    NEWCOMER,
    NOBODY,
    OFFICER,
    OPERATOR,
    PAGES,
)
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import a_lone_house

# What answers GET and is no page: documents, files, what programs ask.
_NO_PAGES = ("/health", "/ready", "/actor", "/.well-known", "/nodeinfo", "/static", "/media", "/live", "/api")
_NO_PAGES_OF_OAUTH = ("/oauth/", "/oauth/authorize/", "/oauth/<rest:rest>/", "/oauth/<rest:rest>")
_GAPS = {
    "group",
    "elsewhere",
    "thread",
    "own",
    "theirs",
    "person",
    "member",
    "peer",
    "link",
    "lapsed",
    "app",
    "conversation",
}
_GAPS |= {"poll", "voted"}
_GAPS |= {f"peer_{state}" for state in ("draft", "locked", "confirmed", "paused", "parted", "lost", "unfound")}
_GAPS |= {f"application_{state}" for state in ("conflict", "asked", "declined", "approved")}
_PEOPLE = {NOBODY, MEMBER, NEWCOMER, APPLICANT, ASKED, DECLINED, LAPSED, OPERATOR, OFFICER}


async def test_every_page_is_registered_and_every_registered_page_is_there(
    databases: Databases, clock: FrozenClock
) -> None:
    async with a_lone_house(databases, clock) as lone:
        site: Any = lone.app._site
        rules = {rule.rule for rule in site.url_map.iter_rules() if "GET" in rule.methods}

    pages = {rule for rule in rules if not rule.startswith(_NO_PAGES) and rule not in _NO_PAGES_OF_OAUTH}
    assert {page.rule for page in PAGES if page.rule} == pages


def test_every_page_has_a_name_of_its_own_and_a_state() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)
    for page in PAGES:
        assert page.states, page.name
        assert len({(state.name, state.who) for state in page.states}) == len(page.states), page.name


def test_a_state_names_somebody_and_only_known_things() -> None:
    states = [state for page in PAGES for state in page.states]

    assert {state.who for state in states} <= _PEOPLE
    assert {name for state in states for _, name, _, _ in string.Formatter().parse(state.path) if name} == _GAPS
