"""The set-up link of a new node, and the list of its first day (T55, T57, T61)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.community.groups.service import NewGroup, create_group
from node.community.members.service import NewMember, add_member, require_member
from node.community.members.setup import SETUP_LIFE, is_open, make_setup_link
from node.community.peering.pages import own_fingerprint
from node.foundation.errors import Conflict
from node.foundation.fingerprints import fingerprint_words
from node.store.audit import list_audit
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.requesters import know_peer
from tests.support.traces import read_rows

FIELDS = {"name": "Ola Nordmann", "handle": "ola", "password": "a short sentence"}


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node that nobody operates yet."""
    async with a_lone_house(databases, clock) as made:
        yield made


async def open_link(lone: LoneHouse) -> Browser:
    """Return a browser at the set-up page of a new link."""
    link = await make_setup_link(lone.core, by="init")
    browser = Browser(lone)
    await browser.get(link.removeprefix(lone.core.origin))
    return browser


async def test_the_holder_of_the_link_becomes_operator_and_is_led_to_the_first_day(lone: LoneHouse) -> None:
    browser = await open_link(lone)
    assert browser.status == 200
    assert " ".join(fingerprint_words(await own_fingerprint(lone.core))) in browser.words
    assert "recovery code" in browser.words

    await browser.submit("set-up", **FIELDS, language="de", time_zone="Europe/Berlin")

    member = await require_member(lone.core, "ola")
    assert (browser.steps, browser.path) == ([303, 200], "/node/first-day")
    assert (member.name, member.role, member.state) == ("Ola Nordmann", "operator", "active")
    assert "Der erste Tag" in browser.words
    rows = [(row.actor, row.action) for row in await lone.core.store.read(list_audit)]
    assert rows == [("init", "node.setup_link"), ("ola", "node.set_up")]


async def test_the_new_operator_signs_in_with_the_password_they_chose(lone: LoneHouse) -> None:
    browser = await open_link(lone)
    await browser.submit("set-up", **FIELDS)
    again = Browser(lone)

    await again.get("/sign-in")
    await again.submit("sign-in", handle="ola", password=FIELDS["password"])

    assert (again.steps, again.path) == ([303, 200], "/")


async def test_t61_a_used_link_shows_how_to_make_another_and_does_nothing(lone: LoneHouse) -> None:
    browser = await open_link(lone)
    path, form = browser.path, browser.page
    await browser.submit("set-up", **FIELDS)
    late = Browser(lone)

    await late.get(path)
    page = (late.status, "cannot be used" in late.words, "rounds --data DIR setup" in late.words)
    await late.post(path, FIELDS | {"handle": "eve"})

    assert form.forms
    assert page == (404, True, True)
    assert (late.status, late.cookies) == (404, {})


async def test_t61_a_link_grows_old_within_a_day(lone: LoneHouse) -> None:
    browser = await open_link(lone)
    lone.clock.advance(SETUP_LIFE.total_seconds() + 1)

    await browser.submit("set-up", **FIELDS)

    assert (browser.status, browser.cookies) == (404, {})


async def test_a_new_link_ends_those_before(lone: LoneHouse) -> None:
    first = await make_setup_link(lone.core, by="init")
    second = await make_setup_link(lone.core, by="operator")

    found = [await is_open(lone.core, link.rpartition("/")[2]) for link in (first, second)]

    assert found == [False, True]


async def test_a_node_with_an_operator_has_no_set_up_link_and_makes_none(lone: LoneHouse) -> None:
    browser = await open_link(lone)
    await add_member(lone.core, NewMember("per", "Per", role="operator", password="a short sentence"), by="operator")

    await browser.submit("set-up", **FIELDS)

    assert browser.status == 404
    with pytest.raises(Conflict):
        await make_setup_link(lone.core, by="operator")
    actions = [row.action for row in await lone.core.store.read(list_audit)]
    assert actions == ["node.setup_link", "member.add"]


@pytest.mark.parametrize(
    "wrong",
    [{"handle": "O!"}, {"password": "short"}, {"name": " "}, {"language": "xx"}, {"time_zone": "Moon/Sea"},
     {"handle": "taken"}],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
async def test_what_cannot_be_used_is_said_and_the_link_stays_good(lone: LoneHouse, wrong: dict[str, str]) -> None:
    await add_member(lone.core, NewMember("taken", "Somebody", password="a short sentence"), by="operator")
    browser = await open_link(lone)

    await browser.post(browser.path, FIELDS | {"language": "en", "time_zone": "UTC"} | wrong)

    assert (browser.status, len(browser.page.alerts), browser.cookies) == (422, 1, {})
    pairs = dict(browser.find_form("set-up").pairs)
    assert pairs["name"] == wrong.get("name", FIELDS["name"])
    assert pairs["handle"] == wrong.get("handle", "ola").lower()
    assert "a short sentence" not in browser.text
    await browser.submit("set-up", **FIELDS, time_zone="UTC", language="en")
    assert browser.steps == [303, 200]


async def test_t57_the_link_is_kept_as_a_hash_and_told_to_no_other_site(lone: LoneHouse) -> None:
    browser = await open_link(lone)

    rows = await read_rows(lone.core.config.database, lone.core.data)

    secret = browser.path.rpartition("/")[2]
    assert not [row for table in rows.values() for row in table if secret in row]
    assert browser.answer.one("referrer-policy") == "no-referrer"
    assert browser.answer.one("cache-control") == "private, no-store"


async def test_t55_an_invitation_makes_nobody_operator(lone: LoneHouse) -> None:
    _, link = await add_member(lone.core, NewMember("mia", "Mia"), by="operator")
    assert link is not None
    browser = Browser(lone)

    await browser.post(link.replace("/invitations/", "/set-up/").removeprefix(lone.core.origin), FIELDS)

    assert browser.status == 404


async def test_who_wants_to_sign_in_is_told_that_nobody_operates_the_node(lone: LoneHouse) -> None:
    browser = Browser(lone)

    await browser.get("/sign-in")

    assert "Nobody operates this node yet." in browser.words


async def test_the_first_day_says_what_is_left_and_looks_anew(lone: LoneHouse) -> None:
    core = lone.core
    browser = await open_link(lone)
    await browser.submit("set-up", **FIELDS)
    before = browser.words
    (core.data / "rounds.toml").write_text("")
    (core.data / "rounds.toml").chmod(0o644)
    await browser.get("/node/first-day")
    open_file = browser.words

    (core.data / "rounds.toml").chmod(0o600)
    (core.data / "keys" / "node.key").chmod(0o600)
    ola = await require_member(core, "ola")
    await create_group(core, lone.house.tables, NewGroup("ward", "Ward"), owner=ola, by="ola")
    await know_peer(core, "b.example")
    await lone.member("mia")
    await browser.get("/node/first-day")

    assert before.count("To do") >= 4
    assert "can read rounds.toml" in open_file
    assert 'operator = "Ola Nordmann"' in browser.text.replace("&#34;", '"')
    assert browser.words.count("Done") >= 3
    assert {"/peers", "/groups/new", "/node/members", "/node"} <= set(browser.page.links)


async def test_the_first_day_is_done_when_everything_is(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock, operator="Ola Nordmann", contact="+00 1") as lone:
        (lone.core.data / "keys" / "node.key").chmod(0o600)
        ola = await lone.member("ola", role="operator")
        await lone.member("mia")
        await know_peer(lone.core, "b.example")
        await create_group(lone.core, lone.house.tables, NewGroup("ward", "Ward"), owner=ola, by="ola")
        browser = await Browser(lone).enter("ola")

        await browser.get("/node/first-day")

        assert "Other nodes are told: Ola Nordmann, +00 1." in browser.words
        assert "Everything is done." in browser.words
