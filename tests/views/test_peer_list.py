"""A list that operators share: drafts and proposals, never a peer, and never a silent drop (J-13)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.community.peering.importing import Difference, compare_list, import_list, read_list
from node.community.peering.service import pause_peer
from node.foundation.errors import Invalid
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.lone_house import HOST as OWN_HOST
from tests.support.lone_house import add_member
from tests.support.new_node import HERE, HOST, NEW, NOBODYS, activate, find_peer, list_actions, show, words_of

_WHOLE = f"host,fingerprint\n# ours\n{OWN_HOST}\nfriend.example\nally.example  # since May\n{HOST}, {words_of(NEW)}\n"


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    """Give a node with two peers, whose operator is ola; new.example can be found."""
    async with a_corridor(databases, clock) as made:
        await add_member(made.lone.core, "ola", role="operator")
        show(made, NEW)
        yield made


@pytest.fixture
async def ola(corridor: Corridor) -> Browser:
    """Give the operator at a browser."""
    return await Browser(corridor.lone).enter("ola")


async def take(corridor: Corridor, text: str) -> Difference:
    """Take a list over."""
    core = corridor.lone.core
    return await import_list(core, read_list(core, text), by="operator")


async def test_who_is_new_on_the_list_becomes_a_draft_and_nobody_is_asked(corridor: Corridor) -> None:
    found = await take(corridor, _WHOLE)

    peer = await find_peer(corridor)
    assert (found.drafts, found.unchanged) == ([HOST], ["ally.example", "friend.example"])
    assert (peer.state, peer.fingerprint, peer.is_pinned) == ("draft", None, False)
    assert corridor.lone.core.peers.active(f"https://{HOST}") is None
    assert corridor.lone.wire.requests == 0
    assert (await list_actions(corridor))[-1] == "peer.draft"


async def test_looking_at_a_list_changes_nothing(corridor: Corridor) -> None:
    core = corridor.lone.core
    before = await list_actions(corridor)

    found = await compare_list(core, read_list(core, _WHOLE))

    assert found.drafts == [HOST]
    assert core.peers.by_host(HOST) is None
    assert await list_actions(corridor) == before


async def test_who_is_taken_off_the_list_is_proposed_for_a_pause_and_goes_on_until_somebody_decides(
    corridor: Corridor, ola: Browser
) -> None:
    await take(corridor, _WHOLE)

    found = await take(corridor, f"ally.example\n{HOST}\n")
    state = (await find_peer(corridor, "friend.example")).state
    await ola.get("/peers")
    ledger = ola.words
    await ola.get("/peers/friend.example")

    assert (found.proposed, state) == (["friend.example"], "active")
    assert "a pause is proposed" in ledger
    assert "The shared list does not name this node any more" in ola.words
    assert "/peers/friend.example/pause" in ola.page.links
    assert (await list_actions(corridor))[-1] == "peer.pause_proposed"
    assert (await take(corridor, f"ally.example\n{HOST}\n")).proposed == []  # said once


@pytest.mark.parametrize("how", ["kept", "back on the list", "paused"])
async def test_a_proposal_ends_with_a_decision(corridor: Corridor, ola: Browser, how: str) -> None:
    await take(corridor, _WHOLE)
    await take(corridor, "ally.example\n")
    await ola.get("/peers/friend.example")
    if how == "kept":
        await ola.submit("peer-keep")
    elif how == "paused":
        await pause_peer(corridor.lone.core, "friend.example", by="ola", reason="the list")
    else:
        assert "friend.example" in (await take(corridor, _WHOLE)).back

    await ola.get("/peers/friend.example")

    assert "does not name this node any more" not in ola.words
    if how == "kept":
        assert (await list_actions(corridor))[-1] == "peer.kept"


async def test_a_list_ends_nothing_that_an_operator_has_begun(corridor: Corridor) -> None:
    await activate(corridor)
    before = await find_peer(corridor)

    found = await take(corridor, _WHOLE)

    assert found.drafts == []
    assert await find_peer(corridor) == before


async def test_a_key_that_differs_from_the_lists_is_said_before_anybody_confirms(
    corridor: Corridor, ola: Browser
) -> None:
    said = []
    for words in (words_of(NEW), NOBODYS):
        await take(corridor, f"{HOST} {words}\nfriend.example\n")
        await ola.get("/peers")
        await ola.submit("peer-add", host=HOST)
        await ola.get(HERE)
        said.append("gives another key" in ola.words)

    assert said == [False, True]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no node"),
        ("# nothing\n", "no node"),
        (f"{HOST}\nhttps://x.example/path\n", "line 2"),
        (f"{HOST}\n{HOST}\n", "twice"),
        (f"{HOST} acorn acorn\n", "eight words"),
        ("javascript:alert(1)\n", "line 1"),
        (f"{HOST}\n" + "a.example\n" * 5001, "at most"),
    ],
)
async def test_a_list_with_a_wrong_line_changes_nothing(corridor: Corridor, text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await take(corridor, text)

    assert corridor.lone.core.peers.by_host(HOST) is None
