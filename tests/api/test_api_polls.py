"""Polls by app: asked with a status, looked at, voted on once, ended, told of, and nobody else's business."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node.community.polls.keeping import PollKeeper
from node.community.posts.service import edit_post
from node.domain.posts import Draft
from tests.support.phone import Phone
from tests.support.practice import Practice

_ASKED = {"poll[options]": ["Yes", "No", "Undecided"], "poll[expires_in]": "3600"}


async def _ask(practice: Practice, phone: Phone | None = None, **more: Any) -> dict[str, Any]:
    status = await practice.say(phone or practice.ana, "@ward Twelve hours?", **(_ASKED | more))
    poll: dict[str, Any] = status["poll"]
    return poll


async def test_a_status_asks_and_everybody_in_the_group_sees_the_poll(practice: Practice) -> None:
    poll = await _ask(practice, **{"poll[multiple]": "true"})

    [shared] = (await practice.ben.get("/api/v1/timelines/home")).json
    alone = await practice.ben.get(f"/api/v1/polls/{poll['id']}")

    assert poll == shared["reblog"]["poll"] == alone.json
    assert shared["poll"] is None
    assert poll == {
        "id": shared["reblog"]["id"],
        "expires_at": "2026-11-21T13:00:00.000Z",
        "expired": False,
        "multiple": True,
        "votes_count": 0,
        "voters_count": 0,
        "options": [{"title": title, "votes_count": 0} for title in ("Yes", "No", "Undecided")],
        "voted": False,
        "own_votes": [],
        "emojis": [],
    }


async def test_a_poll_comes_as_json_too(practice: Practice) -> None:
    body = {
        "status": "@ward Twelve hours?",
        "poll": {"options": ["Yes", "No"], "expires_in": 300, "multiple": False, "hide_totals": True},
    }

    asked = await practice.ana.send(
        "POST", "/api/v1/statuses", body=msgspec.json.encode(body), content_type="application/json"
    )
    voted = await practice.ben.send(
        "POST",
        f"/api/v1/polls/{asked.json['poll']['id']}/votes",
        body=b'{"choices": [1]}',
        content_type="application/json",
    )

    assert [option["title"] for option in asked.json["poll"]["options"]] == ["Yes", "No"]
    assert voted.json["own_votes"] == [1]
    assert [option["votes_count"] for option in voted.json["options"]] == [None, None]
    assert voted.json["votes_count"] == 1


@pytest.mark.parametrize(
    "poll",
    [
        {"poll[options]": ["Yes"], "poll[expires_in]": "3600"},
        {"poll[options]": ["Yes", "No"]},
        {"poll[options]": ["Yes", "No"], "poll[expires_in]": "soon"},
        {"poll[options]": ["Yes", "No"], "poll[expires_in]": "10"},
        {"poll[options]": ["Yes", "x" * 101], "poll[expires_in]": "3600"},
        {"poll[options]": ["Yes", "No"], "poll[expires_in]": "3600", "visibility": "direct"},
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_sentence(practice: Practice, poll: dict[str, Any]) -> None:
    refused = await practice.ana.post("/api/v1/statuses", {"status": "@ward @ben Twelve hours?", **poll})

    assert refused.status == 422
    assert refused.json["error"].endswith(".")
    assert (await practice.ana.get("/api/v1/timelines/home")).json == []


async def test_a_vote_is_given_once_and_changes_no_more(practice: Practice) -> None:
    poll = await _ask(practice)
    path = f"/api/v1/polls/{poll['id']}/votes"

    voted = await practice.ben.post(path, {"choices": ["1"]})
    again = await practice.ben.post(path, {"choices": ["0"]})

    assert (voted.status, voted.json["voted"], voted.json["own_votes"]) == (200, True, [1])
    assert (again.status, again.json) == (422, {"error": "You have voted in this poll before."})
    at_ana = (await practice.ana.get(f"/api/v1/polls/{poll['id']}")).json
    assert [option["votes_count"] for option in at_ana["options"]] == [0, 1, 0]
    assert (at_ana["voted"], at_ana["own_votes"]) == (False, [])


@pytest.mark.parametrize("choices", [[], ["3"], ["-1"], ["one"], ["0", "1"], ["9" * 30]])
async def test_a_choice_that_does_not_fit_is_refused(practice: Practice, choices: list[str]) -> None:
    poll = await _ask(practice)

    refused = await practice.ben.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": choices})

    assert refused.status == 422
    assert (await practice.ben.get(f"/api/v1/polls/{poll['id']}")).json["voted"] is False


async def test_a_poll_ends_and_who_asked_and_voted_is_told(practice: Practice) -> None:
    keeper = PollKeeper(practice.lone.core, practice.lone.house.tables)
    poll = await _ask(practice)
    await practice.ben.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": ["1"]})

    practice.lone.clock.advance(3600)
    late = await practice.ana.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": ["0"]})
    expired = (await practice.ben.get(f"/api/v1/polls/{poll['id']}")).json["expired"]
    practice.lone.clock.advance(60)
    await keeper.round()
    await keeper.round()

    assert (late.status, expired) == (422, True)
    for phone in (practice.ana, practice.ben):
        [told] = (await phone.get("/api/v1/notifications?types[]=poll")).json
        assert (told["type"], told["status"]["poll"]["id"]) == ("poll", poll["id"])


async def test_the_result_is_told_anew_when_the_earlier_text_is_forgotten(practice: Practice) -> None:
    core, tables = practice.lone.core, practice.lone.house.tables
    keeper, poll = PollKeeper(core, tables), await _ask(practice)
    await practice.ben.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": ["1"]})
    practice.lone.clock.advance(3660)
    await keeper.round()

    await edit_post(
        core,
        tables,
        author=practice.ana.member,
        post_id=int(poll["id"]) >> 1,
        draft=Draft("Twelve hours, then?"),
        forget_earlier=True,
    )
    await keeper.round()
    await keeper.round()

    rows = await core.store.read(
        lambda tx: tx.all("SELECT seq, kind, document FROM log_entries ORDER BY seq DESC LIMIT 2")
    )
    assert [row.kind for row in rows] == ["count", "update"]
    assert '"totalItems":1' in rows[0].document and '"closed"' in rows[0].document
    assert len((await practice.ben.get("/api/v1/notifications?types[]=poll")).json) == 1


async def test_another_text_keeps_the_poll_and_another_poll_is_refused(practice: Practice) -> None:
    status = await practice.say(practice.ana, "@ward Twelve hours?", **_ASKED)
    path = f"/api/v1/statuses/{status['id']}"
    await practice.ben.post(f"/api/v1/polls/{status['poll']['id']}/votes", {"choices": ["1"]})

    edited = await practice.ana.put(path, {"status": "@ward Ten hours?", **_ASKED})
    other = await practice.ana.put(path, {"status": "@ward Ten hours?", "poll[options]": ["Yes", "No"]})
    plain = await practice.say(practice.ana, "@ward No poll")
    added = await practice.ana.put(f"/api/v1/statuses/{plain['id']}", {"status": "@ward Now?", **_ASKED})

    assert edited.json["poll"]["votes_count"] == 1
    assert (other.status, added.status) == (422, 422)


@pytest.mark.parametrize("kind", ["outside", "removed"])
async def test_t26_a_poll_is_absent_for_who_may_not_read_it(practice: Practice, kind: str) -> None:
    poll = await _ask(practice)
    phone = practice.cy if kind == "outside" else practice.ben
    if kind == "removed":
        await practice.ben.post(f"/api/v1/accounts/{practice.ward.group_id}/unfollow")

    seen = await phone.get(f"/api/v1/polls/{poll['id']}")
    voted = await phone.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": ["0"]})
    absent = await phone.get("/api/v1/polls/4242424242")

    assert (seen.status, voted.status) == (404, 404)
    assert seen.body == voted.body == absent.body


async def test_a_status_that_asks_nothing_and_one_taken_back_are_no_polls(practice: Practice) -> None:
    plain = await practice.say(practice.ana, "@ward No poll")
    poll = await _ask(practice)
    await practice.ana.delete(f"/api/v1/statuses/{poll['id']}")

    for number in (plain["id"], poll["id"], "x"):
        assert (await practice.ana.get(f"/api/v1/polls/{number}")).status == 404


async def test_reading_does_not_vote(practice: Practice) -> None:
    poll = await _ask(practice)
    reader = await practice.phone(practice.ben.member, "read")

    refused = await reader.post(f"/api/v1/polls/{poll['id']}/votes", {"choices": ["0"]})

    assert refused.status == 403
    assert (await reader.get(f"/api/v1/polls/{poll['id']}")).json["voted"] is False
