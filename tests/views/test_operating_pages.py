"""The operators' pages: peers, one peer from the call to the parting, the node, its members, its audit log.

They are for operators; everybody else gets what is got for something absent (T48, T58, T62).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.community.peering.pages import list_steps, own_fingerprint
from node.federation.signatures.keys import fingerprint_hex
from node.foundation.fingerprints import fingerprint_words
from node.store.audit import list_audit, write_audit
from node.store.peers import get_peer_by_host
from node.views.operating import lay_bars
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.lone_house import add_member
from tests.support.requesters import a_foreign_actor, know_peer

NEW = a_foreign_actor("new.example", kind="Application")
PRINT = fingerprint_hex(NEW.ed25519.public)
WORDS = " ".join(fingerprint_words(PRINT))
WRONG_WORDS = " ".join(fingerprint_words("0" * 64))
PAGES = (
    "/peers",
    "/peers/friend.example",
    "/peers/friend.example/pause",
    "/peers/friend.example/part",
    "/node",
    "/node/members",
    "/node/members/mia",
    "/node/audit",
    "/node/first-day",
)
FORMS = (
    "/peers",
    "/peers/friend.example/confirm",
    "/peers/friend.example/rekey",
    "/peers/friend.example/again",
    "/peers/friend.example/policy",
    "/peers/friend.example/lanes",
    "/peers/friend.example/test",
    "/peers/friend.example/pause",
    "/peers/friend.example/resume",
    "/peers/friend.example/part",
    "/node/members",
    "/node/members/mia/reset",
    "/node/members/mia/assurance",
    "/node/members/mia/suspend",
    "/node/members/mia/restore",
)


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    """Give a node with peers and a group, whose operator is ola; new.example can be found."""
    async with a_corridor(databases, clock) as made:
        await add_member(made.lone.core, "ola", role="operator")
        made.lone.wire.documents = {NEW.uri: NEW.prove(NEW.document(), made.now)}
        yield made


@pytest.fixture
async def ola(corridor: Corridor) -> Browser:
    """Give the operator at a browser."""
    return await Browser(corridor.lone).enter("ola")


@pytest.fixture
async def mia(corridor: Corridor) -> Browser:
    """Give a member at a browser."""
    return await Browser(corridor.lone).enter("mia")


async def find_peer(corridor: Corridor, host: str) -> Any:
    """Return a peer as the store has it."""
    return await corridor.lone.core.store.read(lambda tx: get_peer_by_host(tx, host=host))


async def find_records(corridor: Corridor) -> list[tuple[str, str, str, str | None]]:
    """Return (actor, action, target, reason) of the audit log."""
    rows = await corridor.lone.core.store.read(list_audit)
    return [(row.actor, row.action, row.target, row.reason) for row in rows]


async def test_every_page_opens_for_an_operator(ola: Browser) -> None:
    for path in PAGES:
        await ola.get(path)

        assert (ola.status, ola.steps) == (200, [200]), path


async def test_t48_a_member_gets_what_is_got_for_an_absent_page(mia: Browser) -> None:
    await mia.get("/nothing/here")
    absent = (mia.status, mia.answer.body)

    for path in (*PAGES, "/peers/nobody.example", "/node/members/nobody"):
        await mia.get(path)

        assert (mia.status, mia.answer.body) == absent, path


async def test_t48_a_members_form_is_answered_as_if_there_were_none_with_and_without_its_token(
    corridor: Corridor, mia: Browser
) -> None:
    await mia.get("/me/settings")
    token = mia.csrf
    before = await find_records(corridor)

    for path in FORMS:
        for fields in ({}, {"csrf": token, "host": "new.example", "confirm": "1", "reason": "x", "words": WORDS}):
            await mia.post(path, fields)

            assert mia.status == 404, path
    assert await find_records(corridor) == before


async def test_t48_nobody_is_sent_to_the_sign_in_page(corridor: Corridor) -> None:
    nobody = Browser(corridor.lone)

    for path in PAGES:
        await nobody.get(path)

        assert (nobody.steps, nobody.path) == ([303, 200], "/sign-in")


async def test_t58_a_form_without_its_token_is_refused_and_changes_nothing(corridor: Corridor, ola: Browser) -> None:
    before = await find_records(corridor)

    for path in FORMS:
        await ola.post(path, {"host": "new.example", "words": WORDS, "confirm": "1", "reason": "x"})

        assert ola.status == 403, path
    assert await find_records(corridor) == before
    assert (await find_peer(corridor, "friend.example")).state == "active"


async def test_what_is_absent_is_absent_for_operators_too(ola: Browser) -> None:
    await ola.get("/me/settings")
    token = ola.csrf

    for path in ("/peers/nobody.example", "/peers/nobody.example/pause", "/node/members/nobody"):
        await ola.get(path)
        assert ola.status == 404, path
    for path in FORMS:
        missing = path.replace("friend.example", "nobody.example").replace("mia", "nobody")
        if missing != path:
            await ola.post(missing, {"csrf": token, "words": WORDS, "confirm": "1", "reason": "x", "method": "seen"})
            assert ola.status == 404, missing


async def test_the_ledger_names_each_node_with_its_state_in_words(corridor: Corridor, ola: Browser) -> None:
    for state in ("draft", "verified", "parted", "paused"):
        await know_peer(corridor.lone.core, f"{state}.example", state=state)

    await ola.get("/peers")

    for sentence in ("Active", "Draft: not reached yet", "Verified: waiting", "Parted", "Paused", "1 member, 1 group"):
        assert sentence in ola.words


async def test_a_node_is_found_compared_and_tested(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host="new.example")

    assert (ola.steps, ola.path) == ([303, 200], "/peers/new.example")
    assert (await find_peer(corridor, "new.example")).state == "draft"
    own = " ".join(fingerprint_words(await own_fingerprint(corridor.lone.core)))
    assert own in ola.words
    assert WORDS in ola.words

    await ola.submit("peer-confirm", words=WORDS)

    found = await find_peer(corridor, "new.example")
    assert (ola.steps, found.state, found.is_pinned) == ([303, 200], "active", True)
    assert ("ola@home.example", "peer.active", "new.example", PRINT) in await find_records(corridor)

    await ola.submit("peer-test")

    assert ola.status == 200
    assert "Its instance actor answers and proves itself." in ola.words
    assert "It has this node on its list" in ola.words


@pytest.mark.parametrize("typed", [WRONG_WORDS, "0" * 64], ids=["words", "hex"])
async def test_t62_wrong_words_end_the_attempt_and_are_on_record(corridor: Corridor, ola: Browser, typed: str) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host="new.example")

    await ola.submit("peer-confirm", words=typed)

    assert ola.status == 422
    assert "does not match" in ola.page.alerts[0]
    assert f"You typed: {typed}" in ola.words
    assert (await find_records(corridor))[-1] == ("ola@home.example", "peer.wrong_fingerprint", "new.example", PRINT)
    assert (await find_peer(corridor, "new.example")).state == "draft"


async def test_what_is_no_fingerprint_is_said_and_kept(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host="new.example")

    await ola.submit("peer-confirm", words="harvest lantern")

    assert (ola.status, "eight words" in ola.page.alerts[0]) == (422, True)
    assert dict(ola.find_form("peer-confirm").pairs)["words"] == "harvest lantern"


async def test_a_node_that_cannot_be_reached_is_kept_as_a_draft_and_can_be_tried_again(
    corridor: Corridor, ola: Browser
) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host="late.example")
    assert ola.path == "/peers/late.example"
    assert "Not found yet" in ola.words

    late = a_foreign_actor("late.example", kind="Application")
    corridor.lone.wire.documents = {late.uri: late.prove(late.document(), corridor.now)}
    await ola.submit("peer-add")

    assert ola.find_form("peer-confirm")


@pytest.mark.parametrize("host", ["", "https://home.example", "http://far.example", "a b", "b.example/path"])
async def test_what_is_no_address_of_a_node_is_refused_with_the_text_kept(ola: Browser, host: str) -> None:
    await ola.get("/peers")

    await ola.submit("peer-add", host=host)

    assert ola.status == 422
    assert len(ola.page.alerts) == 1
    assert dict(ola.find_form("peer-add").pairs)["host"] == host


async def test_adding_a_known_node_leads_to_its_page(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers")

    await ola.submit("peer-add", host="friend.example")

    assert (ola.steps, ola.path) == ([303, 200], "/peers/friend.example")
    assert (await find_peer(corridor, "friend.example")).state == "active"


async def test_a_pause_shows_whom_it_affects_and_is_ended_again(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers/friend.example/pause")
    assert "1 member of ours" in ola.words
    assert "Ward" in ola.words

    await ola.submit("peer-pause", reason="maintenance")
    assert (ola.steps, (await find_peer(corridor, "friend.example")).state) == ([303, 200], "paused")
    assert "Paused by Ola" in ola.words
    assert "maintenance" in ola.words

    await ola.submit("peer-resume")
    assert (ola.steps, (await find_peer(corridor, "friend.example")).state) == ([303, 200], "active")


async def test_a_pause_needs_a_reason(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers/friend.example/pause")

    await ola.submit("peer-pause", reason=" ")

    assert (ola.status, len(ola.page.alerts)) == (422, 1)
    assert (await find_peer(corridor, "friend.example")).state == "active"


async def test_a_parting_states_what_becomes_of_the_data_and_wants_a_tick(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers/friend.example/part")
    assert "stays there" in ola.words

    await ola.submit("peer-part", reason="closed down")
    assert (ola.status, len(ola.page.alerts)) == (422, 1)
    assert dict(ola.find_form("peer-part").pairs)["reason"] == "closed down"
    assert (await find_peer(corridor, "friend.example")).state == "active"

    await ola.submit("peer-part", confirm="1")
    assert (ola.steps, (await find_peer(corridor, "friend.example")).state) == ([303, 200], "parted")
    assert "Parted by Ola" in ola.words


async def test_a_step_that_does_not_fit_the_state_is_said(corridor: Corridor, ola: Browser) -> None:
    await know_peer(corridor.lone.core, "draft.example", state="draft")
    await ola.get("/peers/draft.example/pause")

    await ola.submit("peer-pause", reason="why not")

    assert (ola.status, len(ola.page.alerts)) == (422, 1)


async def test_the_steps_of_two_nodes_go_one_by_one(corridor: Corridor) -> None:
    friend = await find_peer(corridor, "friend.example")
    draft = await know_peer(corridor.lone.core, "draft.example", state="draft")

    assert [how for _, how in list_steps(draft)] == ["now", "next", "next", "next"]
    assert [how for _, how in list_steps(friend)] == ["now", "done", "done", "next"]


async def test_a_hidden_groups_title_stays_with_its_members(corridor: Corridor, ola: Browser) -> None:
    await corridor.lone.core.store.write(_hide_groups)

    for path in ("/peers/friend.example", "/peers/friend.example/pause", "/peers/friend.example/part"):
        await ola.get(path)

        assert "A hidden group" in ola.words
        assert "Ward" not in ola.words


async def test_the_node_says_how_it_is_and_what_to_do(ola: Browser) -> None:
    await ola.get("/node")

    for sentence in ("The node does not do its work.", "rounds doctor", "No dead letters", "of the disk is free"):
        assert sentence in ola.words
    assert "No backup was ever made here." in ola.words
    assert {"/node/members", "/node/audit", "/peers", "/node/first-day"} <= set(ola.page.links)


async def test_charts_are_drawn_without_styles(ola: Browser) -> None:
    await ola.get("/node")

    assert ola.text.count('class="chart"') >= 3
    assert " style=" not in ola.text
    assert lay_bars([]) == []
    assert lay_bars([0, 1, 4]) == [0, 60, 240]


async def test_the_audit_log_is_read_page_by_page_from_the_newest(corridor: Corridor, ola: Browser) -> None:
    await corridor.lone.core.store.write(_write_many, 60)

    await ola.get("/node/audit")
    first = ola.words
    await ola.get(next(link for link in ola.page.links if "before=" in link))

    assert "all in order" in first
    assert "note 59" in first
    assert "note 3 " not in first
    assert "note 3 " in ola.words
    assert not [link for link in ola.page.links if "before=" in link]


async def test_an_audit_log_that_was_changed_is_said(corridor: Corridor, ola: Browser) -> None:
    await corridor.lone.core.store.write(_write_many, 3)
    await corridor.lone.core.store.write(_change_history)

    await ola.get("/node/audit")

    assert "was changed" in ola.page.alerts[0]


async def _write_many(tx: Any, count: int) -> None:
    for number in range(count):
        await write_audit(tx, actor="operator", action="lane.retry", target=f"note {number} of many")


async def _change_history(tx: Any) -> None:
    await tx.run("UPDATE audit SET target = 'nobody' WHERE n = 2")


async def _hide_groups(tx: Any) -> None:
    await tx.run("UPDATE groups SET is_hidden = 1")
