"""One trusted node at its desk: what it says of itself, what is agreed with it, its lanes, wrong words, a new key (T62)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from node.community.peering.service import set_policy
from node.federation.message import Answer
from node.federation.nodeinfo import build_features
from node.store.actors import get_key
from node.store.peers import count_peer
from node.store.streams import list_lanes
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.group_life import say
from tests.support.lone_house import Delivery, add_member
from tests.support.new_node import (
    CHANGED,
    HERE,
    HOST,
    NEW,
    NOBODYS,
    activate,
    find_peer,
    list_actions,
    print_of,
    show,
    show_another_key,
    words_of,
)
from tests.support.requesters import a_foreign_actor


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    """Give a node with peers and a group, whose operator is ola; new.example can be found."""
    async with a_corridor(databases, clock) as made:
        await add_member(made.lone.core, "ola", role="operator")
        show(made, NEW)
        yield made


@pytest.fixture
async def ola(corridor: Corridor) -> Browser:
    """Give the operator at a browser."""
    return await Browser(corridor.lone).enter("ola")


async def test_t62_wrong_words_lock_the_attempt_until_somebody_begins_again(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host=HOST)
    await ola.submit("peer-confirm", words=NOBODYS)
    form_after_wrong_words = [form.id for form in ola.page.forms if form.id.startswith("peer-")]

    await ola.post(f"{HERE}/confirm", {"csrf": ola.csrf, "words": words_of(NEW)})
    refused = (ola.status, (await find_peer(corridor)).state)
    await ola.get(HERE)
    await ola.submit("peer-again")
    begun = (ola.steps, (await find_peer(corridor)).state)
    await ola.submit("peer-confirm", words=words_of(NEW))

    assert form_after_wrong_words == ["peer-again", "peer-test", "peer-policy"]
    assert refused == (422, "draft")
    assert begun == ([303, 200], "draft")
    assert ((await find_peer(corridor)).state, (await find_peer(corridor)).error_code) == ("active", None)


async def test_t62_a_changed_key_is_shown_beside_the_old_one_and_taken_with_the_right_words(
    corridor: Corridor, ola: Browser
) -> None:
    await activate(corridor)
    await show_another_key(corridor)
    await ola.get(HERE)
    assert (await find_peer(corridor)).state == "paused"
    assert words_of(NEW) in ola.words
    assert words_of(CHANGED) in ola.words

    await ola.submit("peer-rekey", words=words_of(CHANGED))

    peer = await find_peer(corridor)
    assert ola.steps == [303, 200]
    assert (peer.state, peer.fingerprint, peer.is_pinned, peer.offered, peer.error_code) == (
        "active", print_of(CHANGED), True, None, None,
    )  # fmt: skip
    assert (await list_actions(corridor))[-1] == "peer.rekeyed"


async def test_t62_with_the_old_words_or_wrong_ones_a_changed_key_is_not_taken_and_the_attempt_is_locked(
    corridor: Corridor, ola: Browser
) -> None:
    await activate(corridor)
    await show_another_key(corridor)
    await ola.get(HERE)

    await ola.submit("peer-rekey", words=words_of(NEW))
    first = (ola.status, len(ola.page.alerts), f"You typed: {words_of(NEW)}" in ola.words)
    await ola.post(f"{HERE}/rekey", {"csrf": ola.csrf, "words": words_of(CHANGED)})

    peer = await find_peer(corridor)
    assert first == (422, 1, True)
    assert (ola.status, peer.state, peer.fingerprint, peer.is_locked) == (422, "paused", print_of(NEW), True)
    assert (await list_actions(corridor))[-1] == "peer.wrong_fingerprint"
    await ola.get(HERE)
    await ola.submit("peer-again")
    await ola.submit("peer-rekey", words=words_of(CHANGED))
    assert (await find_peer(corridor)).state == "active"


async def test_t62_a_new_key_ends_every_key_of_the_node_that_was_known_before(corridor: Corridor, ola: Browser) -> None:
    await activate(corridor)
    core, person = corridor.lone.core, a_foreign_actor(HOST, "pia")
    corridor.lone.wire.documents[person.uri] = person.document()
    await corridor.lone.house.dereferencer.fetch_actor(person.uri, await find_peer(corridor))
    assert await core.keyring.known(person.rsa_key_id) is not None
    await show_another_key(corridor)

    await ola.get(HERE)
    await ola.submit("peer-rekey", words=words_of(CHANGED))

    row = await core.store.read(lambda tx: get_key(tx, key_id=person.rsa_key_id))
    assert row.state == "retired"
    assert await core.keyring.known(person.rsa_key_id) is None
    friend = await core.store.read(lambda tx: get_key(tx, key_id=corridor.fay.rsa_key_id))
    assert friend.state == "current"


async def test_t62_no_key_is_taken_from_a_node_that_is_not_paused_or_shows_the_known_key(
    corridor: Corridor, ola: Browser
) -> None:
    await activate(corridor)
    await ola.get(f"{HERE}/pause")
    token = ola.csrf
    await ola.post(f"{HERE}/rekey", {"csrf": token, "words": words_of(NEW)})
    while_active = ola.status
    await ola.get(f"{HERE}/pause")
    await ola.submit("peer-pause", reason="a new key is announced")

    await ola.post(f"{HERE}/rekey", {"csrf": token, "words": words_of(NEW)})

    assert (while_active, ola.status, (await find_peer(corridor)).state) == (422, 422, "paused")


async def test_an_announced_key_is_found_by_the_test_and_compared(corridor: Corridor, ola: Browser) -> None:
    await activate(corridor)
    await ola.get(f"{HERE}/pause")
    await ola.submit("peer-pause", reason="a new key is announced")
    show(corridor, CHANGED)

    await ola.submit("peer-test")
    assert "Its key is not the one we know." in ola.words
    await ola.submit("peer-rekey", words=words_of(CHANGED))

    assert ((await find_peer(corridor)).state, (await find_peer(corridor)).fingerprint) == (
        "active", print_of(CHANGED),
    )  # fmt: skip


async def test_a_node_says_who_answers_for_it_and_what_it_does(corridor: Corridor, ola: Browser) -> None:
    show(corridor, NEW, **build_features(operator="Per <b>Nystrand</b>", contact="+00 1"))

    await ola.get("/peers")
    await ola.submit("peer-add", host=HOST)

    assert "Its operator, as it says Per <b>Nystrand</b>" in ola.words
    assert "<b>Nystrand" not in ola.text
    assert "+00 1" in ola.words
    assert ola.words.count("Says so") == 4
    assert "call a number you had before" in ola.words


@pytest.mark.parametrize(
    "told",
    [{}, {"operator": "Per"}, {"operator": {"name": 5, "contact": ["x"]}}, {"capabilities": "erasure"},
     {"capabilities": [{}, None, "world-peace"] * 100}],
    ids=str,
)  # fmt: skip
async def test_what_a_node_says_oddly_is_not_said(corridor: Corridor, ola: Browser, told: dict[str, Any]) -> None:
    show(corridor, NEW, **told)

    await ola.get("/peers")
    await ola.submit("peer-add", host=HOST)

    peer = await find_peer(corridor)
    assert ola.steps == [303, 200]
    assert (peer.told.operator, peer.told.contact, peer.told.capabilities) == ("", "", ())


async def test_our_own_words_can_be_read_by_a_camera(ola: Browser) -> None:
    await ola.get("/peers")
    await ola.submit("peer-add", host=HOST)

    assert 'class="qr" viewBox="0 0 41 41" role="img" aria-label="Our fingerprint as a code"' in ola.text
    assert " style=" not in ola.text


async def test_each_step_of_the_way_is_tried(corridor: Corridor, ola: Browser) -> None:
    async def answer(delivery: Delivery) -> Answer:
        return Answer(202, (("date", format_datetime(corridor.now, usegmt=True)),))

    corridor.lone.wire.reply = answer
    await activate(corridor)
    await ola.get(HERE)

    await ola.submit("peer-test")

    assert ola.words.count("Good ") == 8
    assert "Not good" not in ola.words
    for sentence in ("WebFinger leads to its instance actor.", "The way of pictures is open", "The two clocks agree."):
        assert sentence in ola.words


async def test_a_step_that_fails_says_what_it_found(corridor: Corridor, ola: Browser) -> None:
    async def answer(delivery: Delivery) -> Answer:
        return Answer(403, (("date", "Sat, 21 Nov 2026 09:00:00 GMT"),))

    corridor.lone.wire.reply = answer
    await activate(corridor)
    finger = next(url for url in corridor.lone.wire.documents if "webfinger" in url)
    del corridor.lone.wire.documents[finger]
    await ola.get(HERE)

    await ola.submit("peer-test")

    for sentence in (
        "WebFinger does not find the node",
        "does not have this node on its list",
        "differ by 10800 seconds",
    ):
        assert sentence in ola.words


async def test_what_is_agreed_is_set_by_a_form_and_put_on_record(corridor: Corridor, ola: Browser) -> None:
    await ola.get("/peers/friend.example")

    await ola.submit(
        "peer-policy",
        people_search="1",
        host_groups=None,
        minimum_assurance="A3",
        retention_days="90",
        agreement_version="2",
    )

    peer = await find_peer(corridor, "friend.example")
    policy = peer.policy
    assert ola.steps == [303, 200]
    assert (policy.host_groups, policy.people_search, policy.support, policy.accepts_relayed) == (
        False,
        True,
        False,
        False,
    )
    assert (policy.minimum_assurance, policy.retention_days, peer.agreement_version) == ("A3", 90, 2)
    assert (await list_actions(corridor))[-2:] == ["peer.policy", "peer.agreement"]
    assert "2, put on record by Ola" in ola.words
    pairs = dict(ola.find_form("peer-policy").pairs)
    assert (pairs["retention_days"], pairs["agreement_version"]) == ("90", "2")


@pytest.mark.parametrize(
    "wrong",
    [{"retention_days": "ninety"}, {"retention_days": "0"}, {"retention_days": "²"}, {"retention_days": "9" * 30},
     {"agreement_version": "-1"}, {"minimum_assurance": "A9"}],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_agreed_is_said_and_kept(corridor: Corridor, ola: Browser, wrong: dict[str, str]) -> None:
    before = await find_peer(corridor, "friend.example")
    await ola.get("/peers/friend.example")
    fields = {"csrf": ola.csrf, "people_search": "1", "minimum_assurance": "A1", "retention_days": "7"} | wrong

    await ola.post("/peers/friend.example/policy", fields)

    assert (ola.status, len(ola.page.alerts)) == (422, 1)
    assert await find_peer(corridor, "friend.example") == before
    pairs = dict(ola.find_form("peer-policy").pairs)
    assert pairs["retention_days"] == fields["retention_days"][:20]
    assert pairs["people_search"] == "1"


async def test_there_is_no_switch_for_a_desk_that_does_not_exist(corridor: Corridor, ola: Browser) -> None:
    agreed = msgspec.structs.replace((await find_peer(corridor, "friend.example")).policy, support=True)
    await set_policy(corridor.lone.core, "friend.example", agreed, by="operator")

    await ola.get("/peers/friend.example")
    await ola.submit("peer-policy", people_search="1")

    assert "support" not in dict(ola.find_form("peer-policy").pairs)
    policy = (await find_peer(corridor, "friend.example")).policy
    assert (policy.support, policy.people_search) == (True, True)


async def test_lanes_say_why_they_wait_and_are_tried_at_once(corridor: Corridor, ola: Browser) -> None:
    async def refuse(delivery: Delivery) -> Answer:
        return Answer(500)

    corridor.lone.wire.reply = refuse
    await say(corridor.lone, corridor.ward, corridor.mia, "Good night.")
    await corridor.lone.deliver()
    waiting = [row for row in await corridor.lone.core.store.read(list_lanes) if row.head > row.cursor]
    assert "backoff" in {row.state for row in waiting}
    await ola.get("/peers/friend.example")
    assert "says that it cannot take anything now" in ola.words

    await ola.submit("lane-retry")

    again = [row for row in await corridor.lone.core.store.read(list_lanes) if row.head > row.cursor]
    assert ola.steps == [303, 200]
    assert "backoff" not in {row.state for row in again}
    assert all(row.due_at <= corridor.now for row in again)
    assert (await list_actions(corridor))[-1] == "lane.retry"


async def test_the_oldest_entry_that_waits_may_be_one_of_a_group(corridor: Corridor) -> None:
    friend = await find_peer(corridor, "friend.example")
    await corridor.lone.deliver()
    corridor.lone.clock.advance(60)
    said_at = corridor.now
    await say(corridor.lone, corridor.ward, corridor.mia, "Good night.")
    corridor.lone.clock.advance(600)

    counts = await corridor.lone.core.store.read(lambda tx: count_peer(tx, peer=friend))

    assert (counts["queued"] > 0, counts["oldest_queued_at"]) == (True, said_at)
