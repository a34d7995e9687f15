"""Two operators confirm a node's key where the node asks for that, and one who counts twice does not (J-13, T62)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.community.members.service import suspend_member
from node.community.peering.service import add_peer, resume_peer, verify_peer
from node.foundation.errors import Forbidden
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.lone_house import add_member
from tests.support.new_node import (
    CHANGED,
    HERE,
    HOST,
    NEW,
    NOBODYS,
    find_peer,
    list_actions,
    print_of,
    show,
    show_another_key,
    words_of,
)

_RENAME = "UPDATE actors SET name = :name WHERE uri = :uri"
_DEMOTE = "UPDATE members SET role = 'member' WHERE handle = :handle"


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    """Give a node that asks for two officers, whose operators are ola and otto; new.example can be found."""
    async with a_corridor(databases, clock, peers={"officers": 2}) as made:
        for handle in ("ola", "otto"):
            await add_member(made.lone.core, handle, role="operator")
        show(made, NEW)
        yield made


@pytest.fixture
async def ola(corridor: Corridor) -> Browser:
    """Give the first operator at a browser."""
    return await Browser(corridor.lone).enter("ola")


@pytest.fixture
async def otto(corridor: Corridor) -> Browser:
    """Give the second operator at a browser."""
    return await Browser(corridor.lone).enter("otto")


async def confirm(ola: Browser) -> None:
    """Add new.example and type its words."""
    await ola.get("/peers")
    await ola.submit("peer-add", host=HOST)
    await ola.submit("peer-confirm", words=words_of(NEW))


async def activate(ola: Browser, otto: Browser) -> None:
    """Let both operators confirm new.example."""
    await confirm(ola)
    await otto.get(HERE)
    await otto.submit("peer-countersign")


async def change(corridor: Corridor, sql: str, **values: str) -> None:
    """Change something that has no page of its own here."""

    async def body(tx: Tx) -> None:
        await tx.run(sql, **values)

    await corridor.lone.core.store.write(body)


async def test_the_first_officers_word_leaves_a_node_waiting_for_the_second(corridor: Corridor, ola: Browser) -> None:
    await confirm(ola)

    peer = await find_peer(corridor)
    assert (ola.steps, peer.state, peer.is_pinned) == ([303, 200], "verified", True)
    assert "Confirmed: waiting for a second operator" in ola.words
    assert [form.id for form in ola.page.forms if form.id in ("peer-countersign", "peer-resume", "peer-confirm")] == []
    assert (await list_actions(corridor))[-2:] == ["peer.draft", "peer.verified"]


async def test_another_officer_sees_who_confirmed_and_countersigns(
    corridor: Corridor, ola: Browser, otto: Browser
) -> None:
    await confirm(ola)

    await otto.get(HERE)
    told = otto.words
    await otto.submit("peer-countersign")

    assert "Confirmed Ola" in told
    assert words_of(NEW) in told
    assert ((await find_peer(corridor)).state, otto.steps) == ("active", [303, 200])
    assert (await list_actions(corridor))[-3:] == ["peer.verified", "peer.countersigned", "peer.active"]


async def test_the_first_officers_own_press_is_refused_and_put_on_record(corridor: Corridor, ola: Browser) -> None:
    await confirm(ola)

    await ola.post(f"{HERE}/countersign", {"csrf": ola.csrf})

    assert (ola.status, len(ola.page.alerts), (await find_peer(corridor)).state) == (422, 1, "verified")
    assert "You confirmed this node's key yourself." in ola.words
    assert (await list_actions(corridor))[-1] == "peer.own_countersign"


async def test_an_officer_with_a_new_name_and_a_new_session_is_still_one(corridor: Corridor, ola: Browser) -> None:
    await confirm(ola)
    await change(corridor, _RENAME, name="Otto", uri=f"{corridor.lone.core.origin}/people/ola")
    again = await Browser(corridor.lone, agent="Another browser").enter("ola")

    await again.get(HERE)
    await again.post(f"{HERE}/countersign", {"csrf": again.csrf})
    refused = again.status
    await again.post(f"{HERE}/confirm", {"csrf": again.csrf, "words": words_of(NEW)})

    assert (refused, (await find_peer(corridor)).state) == (422, "verified")


async def test_a_second_officer_may_type_the_words_as_well(corridor: Corridor, ola: Browser, otto: Browser) -> None:
    await confirm(ola)
    await otto.get(HERE)

    await otto.post(f"{HERE}/confirm", {"csrf": otto.csrf, "words": words_of(NEW)})

    assert (await find_peer(corridor)).state == "active"


@pytest.mark.parametrize("how", ["suspended", "demoted"])
async def test_the_word_of_who_is_no_operator_any_more_counts_for_nothing(
    corridor: Corridor, ola: Browser, otto: Browser, how: str
) -> None:
    await confirm(ola)
    if how == "suspended":
        await suspend_member(corridor.lone.core, "ola", by="operator", reason="left")
    else:
        await change(corridor, _DEMOTE, handle="ola")

    await otto.get(HERE)
    assert "Confirmed Ola" not in otto.words
    await otto.submit("peer-countersign")

    assert (await find_peer(corridor)).state == "verified"


async def test_a_command_names_nobody_and_is_no_officer(corridor: Corridor, ola: Browser, otto: Browser) -> None:
    core = corridor.lone.core
    words = words_of(NEW)
    await add_peer(core, HOST, fingerprint=words, activate=True, unpinned=False, by="operator")
    await verify_peer(core, HOST, fingerprint=words, activate=True, by="operator")
    with pytest.raises(Forbidden):
        await resume_peer(core, HOST, by="operator", reason="")
    by_command = (await find_peer(corridor)).state

    states = []
    for browser in (ola, otto):
        await browser.get(HERE)
        await browser.submit("peer-countersign")
        states.append((await find_peer(corridor)).state)

    assert (by_command, states) == ("verified", ["verified", "active"])


async def test_the_last_word_of_one_officer_is_refused_by_every_way(corridor: Corridor, ola: Browser) -> None:
    await confirm(ola)

    await ola.post(f"{HERE}/resume", {"csrf": ola.csrf})

    assert (ola.status, (await find_peer(corridor)).state) == (422, "verified")


async def test_who_is_no_operator_finds_nothing_to_countersign(corridor: Corridor, ola: Browser) -> None:
    await confirm(ola)
    mia = await Browser(corridor.lone).enter("mia")
    await mia.get("/me/settings")

    await mia.post(f"{HERE}/countersign", {"csrf": mia.csrf})

    assert (mia.status, (await find_peer(corridor)).state) == (404, "verified")


async def test_wrong_words_and_a_parting_end_what_was_confirmed(
    corridor: Corridor, ola: Browser, otto: Browser
) -> None:
    await confirm(ola)
    await ola.get(f"{HERE}/part")
    await ola.submit("peer-part", confirm="1")
    await otto.get("/peers")
    await otto.submit("peer-add", host=HOST)

    await otto.submit("peer-confirm", words=words_of(NEW))
    after_parting = (await find_peer(corridor)).state
    await ola.get(HERE)
    await ola.post(f"{HERE}/confirm", {"csrf": ola.csrf, "words": NOBODYS})
    await ola.post(f"{HERE}/countersign", {"csrf": ola.csrf})

    peer = await find_peer(corridor)
    assert (after_parting, ola.status, peer.state, peer.is_locked) == ("verified", 422, "verified", True)
    await otto.get(HERE)
    await otto.submit("peer-again")
    assert (await find_peer(corridor)).state == "draft"


async def test_t62_what_was_confirmed_is_one_key_and_another_one_is_not_countersigned(
    corridor: Corridor, ola: Browser, otto: Browser
) -> None:
    await confirm(ola)
    show(corridor, CHANGED)
    await ola.submit("peer-test")
    await otto.get(HERE)

    await otto.submit("peer-countersign")

    assert (otto.status, (await find_peer(corridor)).state) == (422, "verified")


async def test_t62_a_new_key_is_taken_with_the_second_officers_word(
    corridor: Corridor, ola: Browser, otto: Browser
) -> None:
    await activate(ola, otto)
    await show_another_key(corridor)
    await ola.get(HERE)

    await ola.submit("peer-rekey", words=words_of(CHANGED))
    first = ((await find_peer(corridor)).state, (await find_peer(corridor)).fingerprint)
    await ola.post(f"{HERE}/countersign", {"csrf": ola.csrf})
    refused = ola.status
    await otto.get(HERE)
    await otto.submit("peer-countersign")

    peer = await find_peer(corridor)
    assert (first, refused) == (("paused", print_of(NEW)), 422)
    assert (peer.state, peer.fingerprint, peer.offered) == ("active", print_of(CHANGED), None)
    assert (await list_actions(corridor))[-4:] == [
        "peer.rekey_confirmed", "peer.own_countersign", "peer.countersigned", "peer.rekeyed",
    ]  # fmt: skip


async def test_t62_a_new_key_that_nobody_compared_is_not_countersigned(
    corridor: Corridor, ola: Browser, otto: Browser
) -> None:
    await activate(ola, otto)
    await show_another_key(corridor)
    await otto.get(HERE)

    await otto.post(f"{HERE}/countersign", {"csrf": otto.csrf})

    peer = await find_peer(corridor)
    assert (otto.status, peer.state, peer.fingerprint) == (422, "paused", print_of(NEW))


async def test_one_officer_pauses_and_goes_on_alone(corridor: Corridor, ola: Browser, otto: Browser) -> None:
    await activate(ola, otto)

    await ola.get(f"{HERE}/pause")
    await ola.submit("peer-pause", reason="their moderation fails")
    paused = (await find_peer(corridor)).state
    await ola.submit("peer-resume")

    assert (paused, (await find_peer(corridor)).state) == ("paused", "active")
