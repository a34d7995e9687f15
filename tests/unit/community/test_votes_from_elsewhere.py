"""Votes that reach the host of a group: counted once, for what there is, in time, and never taken for anything else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node.community.polls.keeping import PollKeeper
from node.community.posts.service import create_post, withdraw_post
from node.domain.polls import NewPoll
from node.domain.posts import Draft
from node.foundation.clock import format_instant
from node.store import votes
from node.store.engine import Tx
from tests.support.corridor import Corridor
from tests.support.group_life import let_in, make_group
from tests.support.requesters import CONTEXT, ForeignActor

_HOUR = 3600
_VOTES = "SELECT place, state FROM poll_votes WHERE actor_id = :actor_id ORDER BY place"


async def _ask(corridor: Corridor, **more: Any) -> str:
    """Let Mia ask; return the poll's id."""
    poll = NewPoll(**{"answers": ("Yes", "No", "Undecided"), "lasts_seconds": _HOUR} | more)
    posted = await create_post(
        corridor.lone.core,
        corridor.lone.house.tables,
        author=corridor.mia,
        group_id=corridor.ward.group_id,
        draft=Draft("Twelve-hour nights?", poll=poll),
    )
    return posted.uri


def _vote(
    corridor: Corridor, poll_uri: str, name: str, *, by: ForeignActor | None = None, number: int | str = 1, **more: Any
) -> dict[str, Any]:
    """Return a vote as a member's node sends it; `more` goes into the Note."""
    by, to = by or corridor.fay, [corridor.ward.uri]
    note = {
        "type": "Note",
        "id": f"{by.origin}/activities/{number}#vote",
        "attributedTo": by.uri,
        "to": to,
        "inReplyTo": poll_uri,
        "name": name,
        "published": format_instant(corridor.now),
    }
    uri = f"{by.origin}/activities/{number}"
    return {"@context": CONTEXT, "type": "Create", "id": uri, "actor": by.uri, "object": note | more, "to": to}


async def _rows(corridor: Corridor, sql: str, **values: Any) -> list[Any]:
    return list(await corridor.lone.core.store.read(lambda tx: tx.all(sql, **values)))


async def _number(corridor: Corridor, uri: str) -> int:
    [post] = await _rows(corridor, "SELECT post_id FROM posts WHERE uri = :uri", uri=uri)
    return int(post.post_id)


async def _votes(corridor: Corridor, name: str = "fay") -> list[int]:
    rows = await _rows(corridor, _VOTES, actor_id=corridor.known[name].actor_id)
    assert all(row.state == "counted" for row in rows)
    return [row.place for row in rows]


async def _counts(corridor: Corridor) -> list[int]:
    return [row.votes for row in await _rows(corridor, "SELECT votes FROM poll_answers ORDER BY post_id, place")]


async def _answers(corridor: Corridor) -> list[tuple[str, str]]:
    """Return (type, code) of what the host told others about their votes, in order."""
    rows = await _rows(corridor, "SELECT document FROM stream_entries WHERE stream = 'control' ORDER BY position")
    told = [msgspec.json.decode(row.document) for row in rows]
    return [
        (each["type"], each.get("summary", "").partition(":")[0])
        for each in told
        if isinstance(each["object"], str) and "/activities/" in each["object"]
    ]


async def test_a_vote_counts_and_its_node_is_told(corridor: Corridor) -> None:
    poll = await _ask(corridor)

    answer = await corridor.send(corridor.fay, _vote(corridor, poll, "No"))

    assert answer.status == 202
    assert (await _votes(corridor), await _counts(corridor)) == ([1], [0, 1, 0])
    assert await _answers(corridor) == [("Accept", "")]


async def test_a_vote_costs_the_same_however_many_have_voted(
    corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = await _ask(corridor)
    monkeypatch.delattr(votes, "count_votes")  # it reads them all

    await corridor.send(corridor.fay, _vote(corridor, poll, "No"))

    assert (await _votes(corridor), await _counts(corridor)) == ([1], [0, 1, 0])
    assert [row.voters for row in await _rows(corridor, "SELECT voters FROM polls")] == [1]


async def test_a_vote_that_comes_again_counts_once(corridor: Corridor) -> None:
    poll = await _ask(corridor)

    for number in (1, 1, 2):
        await corridor.send(corridor.fay, _vote(corridor, poll, "No", number=number))

    assert (await _votes(corridor), await _counts(corridor)) == ([1], [0, 1, 0])
    assert await _answers(corridor) == [("Accept", ""), ("Accept", "")]


async def test_nobody_votes_for_two_answers_where_one_is_chosen(corridor: Corridor) -> None:
    poll = await _ask(corridor)

    for number, name in enumerate(("No", "Yes"), 1):
        await corridor.send(corridor.fay, _vote(corridor, poll, name, number=number))

    assert (await _votes(corridor), await _counts(corridor)) == ([1], [0, 1, 0])
    assert await _answers(corridor) == [("Accept", ""), ("Reject", "voted")]


async def test_several_votes_of_one_member_are_one_voter(corridor: Corridor) -> None:
    poll = await _ask(corridor, is_multiple=True)

    for number, name in enumerate(("No", "Yes"), 1):
        await corridor.send(corridor.fay, _vote(corridor, poll, name, number=number))

    assert (await _votes(corridor), await _counts(corridor)) == ([0, 1], [1, 1, 0])
    assert [row.voters for row in await _rows(corridor, "SELECT voters FROM polls")] == [1]


@pytest.mark.parametrize("name", ["Maybe", "yes", "Yes" * 60])
async def test_what_cannot_be_chosen_is_refused(corridor: Corridor, name: str) -> None:
    poll = await _ask(corridor)

    await corridor.send(corridor.fay, _vote(corridor, poll, name))

    assert (await _votes(corridor), await _answers(corridor)) == ([], [("Reject", "refused")])


async def test_a_vote_after_the_end_is_refused_and_one_that_was_cast_in_time_is_not(corridor: Corridor) -> None:
    poll, clock = await _ask(corridor), corridor.lone.clock
    in_time = _vote(corridor, poll, "Yes")
    clock.advance(_HOUR + 30)

    await corridor.send(corridor.fay, in_time)
    bea = corridor.known["finn"]
    await let_in(corridor.lone, corridor.ward, bea, corridor.lone.core.peers.by_host("friend.example"))
    await corridor.send(corridor.finn, _vote(corridor, poll, "No", by=corridor.finn, number=2))

    assert await _counts(corridor) == [1, 0, 0]
    assert (await _answers(corridor))[-1] == ("Reject", "ended")


async def test_after_the_last_count_no_vote_is_taken_whenever_it_was_cast(corridor: Corridor) -> None:
    poll, clock = await _ask(corridor), corridor.lone.clock
    keeper, in_time = PollKeeper(corridor.lone.core, corridor.lone.house.tables), _vote(corridor, poll, "Yes")
    clock.advance(_HOUR + 60)
    await keeper.round()

    await corridor.send(corridor.fay, in_time)

    assert await _counts(corridor) == [0, 0, 0]
    assert await _answers(corridor) == [("Reject", "ended")]


async def test_who_is_not_in_the_group_does_not_vote(corridor: Corridor) -> None:
    poll = await _ask(corridor)

    await corridor.send(corridor.finn, _vote(corridor, poll, "Yes", by=corridor.finn))
    await corridor.send(corridor.abe, _vote(corridor, poll, "Yes", by=corridor.abe))

    assert await _counts(corridor) == [0, 0, 0]
    assert ("Accept", "") not in await _answers(corridor)


async def test_t23_who_is_not_in_the_group_is_told_alike_of_what_is_there_and_of_what_is_not(
    corridor: Corridor,
) -> None:
    lone = corridor.lone
    poll, gone = await _ask(corridor), await _ask(corridor)
    await withdraw_post(lone.core, lone.house.tables, author=corridor.mia, post_id=await _number(corridor, gone))

    for number, uri in enumerate((poll, gone, f"{lone.core.origin}/posts/nothing"), 1):
        await corridor.send(corridor.finn, _vote(corridor, uri, "Yes", by=corridor.finn, number=number))

    rows = await _rows(corridor, "SELECT document FROM stream_entries WHERE stream = 'control' ORDER BY position")
    told = [msgspec.json.decode(row.document) for row in rows]
    assert [each["summary"] for each in told if each["type"] == "Reject"] == [
        "refused: Only members of the group write in it."
    ] * 3
    assert await _rows(corridor, "SELECT uri FROM activities WHERE state = 'waiting'") == []


async def test_nobody_votes_in_a_poll_of_another_group_through_their_own(corridor: Corridor) -> None:
    circle = await make_group(corridor.lone, "circle", corridor.mia, is_hidden=True)
    posted = await create_post(
        corridor.lone.core,
        corridor.lone.house.tables,
        author=corridor.mia,
        group_id=circle.group_id,
        draft=Draft("Between us", poll=NewPoll(("Yes", "No"), _HOUR)),
    )

    await corridor.send(corridor.fay, _vote(corridor, posted.uri, "Yes"))

    assert (await _votes(corridor), await _answers(corridor)) == ([], [("Reject", "refused")])


@pytest.mark.parametrize(
    "more",
    [
        {"to": ["https://home.example/groups/ward", "https://home.example/groups/ward/followers"]},
        {"cc": ["https://home.example/people/mia"]},
        {"cc": ["https://www.w3.org/ns/activitystreams#Public"]},
    ],
)
async def test_t18_a_vote_that_was_sent_to_others_as_well_is_not_counted(
    corridor: Corridor, more: dict[str, Any]
) -> None:
    poll = await _ask(corridor)

    await corridor.send(corridor.fay, _vote(corridor, poll, "Yes", **more))

    assert (await _votes(corridor), await _answers(corridor)) == ([], [("Reject", "refused")])


async def test_t20_a_vote_is_never_taken_for_a_post(corridor: Corridor) -> None:
    poll = await _ask(corridor)
    other = await create_post(
        corridor.lone.core,
        corridor.lone.house.tables,
        author=corridor.mia,
        group_id=corridor.ward.group_id,
        draft=Draft("No poll"),
    )
    before = await corridor.texts(), await _rows(corridor, "SELECT seq FROM log_entries")
    addressed = {"to": [corridor.ward.uri, f"{corridor.ward.uri}/followers"], "audience": corridor.ward.uri}

    for number, uri in enumerate((poll, other.uri, f"{corridor.fay.origin}/posts/nothing"), 1):
        vote = _vote(corridor, uri, "Yes", number=number, **addressed) | addressed
        await corridor.send(corridor.fay, corridor.fay.prove(vote, corridor.now))

    assert (await corridor.texts(), await _rows(corridor, "SELECT seq FROM log_entries")) == before
    assert await _votes(corridor) == []


async def test_t20_a_vote_sent_to_the_author_of_a_poll_is_no_message_to_them(corridor: Corridor) -> None:
    poll, to = await _ask(corridor), [corridor.mia.uri]

    await corridor.send(corridor.fay, _vote(corridor, poll, "Yes", to=to) | {"to": to})

    assert (await _votes(corridor), await _counts(corridor)) == ([], [0, 0, 0])
    assert [row.audience for row in await _rows(corridor, "SELECT audience FROM posts")] == ["group"]
    assert await _rows(corridor, "SELECT kind FROM notifications") == []


async def test_a_vote_whose_poll_may_come_back_after_a_restore_waits(corridor: Corridor) -> None:
    await corridor.send(corridor.fay, _vote(corridor, f"{corridor.lone.core.origin}/posts/lost", "Yes"))

    waiting = await _rows(corridor, "SELECT state, reason FROM activities")
    assert [(row.state, row.reason) for row in waiting] == [("waiting", "This poll is not here yet.")]


async def test_who_left_keeps_nothing_and_votes_no_more(corridor: Corridor) -> None:
    poll = await _ask(corridor)
    await corridor.send(corridor.fay, _vote(corridor, poll, "No"))
    leave = corridor.fay.activity("Leave", corridor.ward.uri, number="leave", to=[corridor.ward.uri])
    await corridor.send(corridor.fay, leave)

    await corridor.send(corridor.fay, _vote(corridor, poll, "Yes", number=2))

    assert (await _votes(corridor), await _counts(corridor)) == ([1], [0, 1, 0])


@pytest.mark.parametrize(
    "flaw",
    [
        {"oneOf": [{"type": "Note", "name": "Yes"}]},
        {"oneOf": [{"type": "Note", "name": "Yes"}, {"type": "Note", "name": "Yes"}]},
        {"endTime": None},
        {"endTime": "2020-01-01T00:00:00Z"},
        {"endTime": "2120-01-01T00:00:00Z"},
    ],
)
async def test_t42_a_poll_that_cannot_be_voted_on_is_not_taken(corridor: Corridor, flaw: dict[str, Any]) -> None:
    post = corridor.fay.post_in(corridor.ward.uri, "Twelve hours?")
    asked = {
        "type": "Question",
        "oneOf": [{"type": "Note", "name": name} for name in ("Yes", "No")],
        "endTime": "2026-12-01T12:00:00Z",
    }
    post["object"] |= asked | flaw

    await corridor.send(corridor.fay, corridor.fay.prove(post, corridor.now))

    assert await corridor.texts() == []
    assert await _answers(corridor) == [("Reject", "refused")]


async def test_a_host_that_never_tells_its_epoch_is_sent_a_vote_once_more_and_not_for_ever(corridor: Corridor) -> None:
    await _ask(corridor)
    core, actor_id = corridor.lone.core, corridor.mia.actor_id
    [poll] = await _rows(corridor, "SELECT post_id FROM polls")

    async def vote(tx: Tx) -> None:
        await tx.run("UPDATE groups SET epoch = 2, peer_id = (SELECT MIN(peer_id) FROM peers)")
        await votes.insert_vote(
            tx,
            post_id=poll.post_id,
            actor_id=actor_id,
            place=0,
            state="counted",
            vote_uri="v",
            activity_uri="a",
            epoch=1,
        )

    async def send_again(tx: Tx) -> None:
        for unsure in await votes.list_unsure_votes(tx):
            await votes.mark_sent_again(tx, vote=unsure, activity_uri="b", epoch=2)
        await votes.note_answer(tx, activity_uri="b", state="counted", reason=None, epoch=1)

    await core.store.write(vote)
    before = await core.store.read(votes.list_unsure_votes)
    await core.store.write(send_again)

    assert [each.vote_uri for each in before] == ["v"]
    assert await core.store.read(votes.list_unsure_votes) == []
