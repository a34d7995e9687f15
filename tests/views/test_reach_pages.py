"""Where a post is: its author is told in one line, the group's staff where a node lacks something, nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.community.posts.model import Posted
from node.community.reading.reach import LEFT_BEHIND_AFTER, read_reach
from node.domain.actors import Member
from node.domain.peers import Peer
from node.federation.message import Answer
from node.foundation.errors import NotFound, Unreachable
from tests.support.group_life import let_in
from tests.support.lone_house import Delivery
from tests.support.reading_room import Ward, page_of
from tests.support.requesters import a_foreign_actor, know_actor, know_peer

_SILENT = "silent.example"


async def a_member_at(ward: Ward, host: str, handle: str = "fay") -> Peer:
    """Let somebody of another node into the ward."""
    peer = await know_peer(ward.lone.core, host, software="rounds")
    await let_in(ward.lone, ward.group, await know_actor(ward.lone.core, a_foreign_actor(host, handle)), peer)
    return peer


async def _all_but_one(delivery: Delivery) -> Answer:
    if delivery.url.startswith(f"https://{_SILENT}/"):
        raise Unreachable(internal="timeout: nothing came")
    return Answer(202)


async def two_nodes_and_a_silent_one(ward: Ward) -> Posted:
    """Have Ben post in a ward that three other nodes hold, of which one cannot be reached."""
    for host in ("friend.example", "ally.example", _SILENT):
        await a_member_at(ward, host)
    await ward.lone.deliver()
    ward.lone.wire.reply = _all_but_one
    posted = await ward.say(ward.ben, "Words", title="Hers")
    await ward.lone.deliver()
    return posted


async def _words(ward: Ward, handle: str, path: str) -> str:
    browser = await ward.browser(handle)
    await browser.get(path)
    return browser.words


async def test_an_author_reads_on_how_many_nodes_a_post_is_and_which_one_lacks_it_and_why(ward: Ward) -> None:
    posted = await two_nodes_and_a_silent_one(ward)

    words = await _words(ward, "ben", page_of(posted))

    assert "On 3 of 4 nodes" in words
    assert f"Not yet: {_SILENT}, since" in words
    assert "The node could not be reached." in words


async def test_staff_read_it_of_every_post_that_a_node_lacks_and_of_no_other(ward: Ward) -> None:
    posted = await two_nodes_and_a_silent_one(ward)
    path = page_of(posted)

    before = await _words(ward, "ana", path)
    ward.lone.wire.reply = None
    ward.lone.clock.advance(3600)
    await ward.lone.deliver()
    after = await _words(ward, "ana", path)

    assert "On 3 of 4 nodes" in before
    assert "nodes" not in after.partition("Reply")[0].partition("Words")[2]


async def test_an_author_whose_post_is_everywhere_reads_that_in_one_line(ward: Ward) -> None:
    await a_member_at(ward, "friend.example")
    posted = await ward.say(ward.ben, "Words", title="Hers")
    await ward.lone.deliver()

    assert "On all 2 nodes." in await _words(ward, "ben", page_of(posted))


async def test_in_a_group_that_no_other_node_holds_there_is_nothing_to_say(ward: Ward) -> None:
    posted = await ward.say(ward.ben, "Words", title="Hers")

    words = await _words(ward, "ben", page_of(posted))

    assert "nodes" not in words.partition("Words")[2] and "On this node" not in words


async def test_another_member_is_told_nothing_and_costs_no_question(ward: Ward) -> None:
    posted = await two_nodes_and_a_silent_one(ward)
    await let_in(ward.lone, ward.group, ward.cy)
    topic = await ward.say(ward.ana, "Ana's", title="Ana's")
    cy, counts = await ward.browser("cy"), ward.lone.core.store.counts

    await cy.get(page_of(posted))
    words = cy.words
    spent = []
    for path in (page_of(posted), page_of(topic)):
        await cy.get(path)
        before = counts.statements
        await cy.get(path)
        spent.append(counts.statements - before)

    assert "Words" in words
    assert "of 4 nodes" not in words and _SILENT not in words.partition("Words")[2]
    assert spent[0] == spent[1]
    with pytest.raises(NotFound):
        await read_reach(ward.lone.core, viewer=ward.cy, post_id=posted.post_id)


async def test_who_is_in_the_group_no_more_is_told_nothing_of_their_own_post(ward: Ward) -> None:
    posted = await two_nodes_and_a_silent_one(ward)
    outside = Member(999, "x", "x", "X", "member", "physician", "A3", "active", False)

    for viewer in (ward.cy, outside):
        with pytest.raises(NotFound):
            await read_reach(ward.lone.core, viewer=viewer, post_id=posted.post_id)


async def test_a_node_that_may_not_have_what_was_before_it_came_is_not_waited_for(ward: Ward) -> None:
    posted = await ward.say(ward.ben, "Words", title="Hers")
    await ward.lone.core.store.write(_since_join, ward.group.group_id)
    await a_member_at(ward, "friend.example")

    _, reach = await read_reach(ward.lone.core, viewer=ward.ben, post_id=posted.post_id)

    assert reach is not None
    assert (reach.have, reach.nodes) == (1, 1)


async def test_the_line_is_written_in_german_too(ward: Ward) -> None:
    posted = await two_nodes_and_a_silent_one(ward)
    ben = await ward.browser("ben")

    await ben.get(page_of(posted), accept_language="de")

    assert "Auf 3 von 4 Knoten" in ben.words
    assert f"Noch nicht: {_SILENT}, seit" in ben.words


async def test_staff_see_on_the_group_which_node_has_received_nothing_for_fourteen_days(ward: Ward) -> None:
    await two_nodes_and_a_silent_one(ward)
    seen = []

    for wait in (LEFT_BEHIND_AFTER - timedelta(minutes=1), timedelta(minutes=2)):
        ward.lone.clock.advance(wait.total_seconds())
        seen.append(
            [f"{_SILENT} has not received" in await _words(ward, who, "/groups/ward") for who in ("ana", "ben")]
        )

    assert seen == [[False, False], [True, False]]
    ward.lone.wire.reply = None
    ward.lone.clock.advance(3600)
    await ward.lone.deliver()
    assert f"{_SILENT} has not received" not in await _words(ward, "ana", "/groups/ward")


async def _since_join(tx: object, group_id: int) -> None:
    await tx.run("UPDATE groups SET history = 'since_join' WHERE group_id = :group_id", group_id=group_id)  # type: ignore[attr-defined]
