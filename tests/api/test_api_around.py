"""Around a status: its source, what it said before, who shared it; and that nothing is shared further."""

from __future__ import annotations

from tests.support.practice import Practice

STATUSES = "/api/v1/statuses"


async def test_its_author_gets_what_they_wrote_and_nobody_else(practice: Practice) -> None:
    said = await practice.say(practice.ben, "@ward *Hello*", spoiler_text="Greeting")

    source = await practice.ben.get(f"{STATUSES}/{said['id']}/source")

    assert source.json == {"id": said["id"], "text": "@ward *Hello*", "spoiler_text": "Greeting"}
    for phone in (practice.ana, practice.cy):
        assert (await phone.get(f"{STATUSES}/{said['id']}/source")).status == 404
    assert (await practice.ben.get(f"{STATUSES}/{int(said['id']) + 1}/source")).status == 404


async def test_the_history_tells_what_was_said_before_and_ends_with_what_is_said_now(practice: Practice) -> None:
    said = await practice.say(practice.ben, "@ward First")
    practice.lone.clock.advance(60)
    await practice.ben.put(f"{STATUSES}/{said['id']}", {"status": "@ward Second", "spoiler_text": "Care"})

    history = (await practice.ana.get(f"{STATUSES}/{said['id']}/history")).json

    assert ["First" in history[0]["content"], "Second" in history[1]["content"]] == [True, True]
    assert [(each["spoiler_text"], each["sensitive"]) for each in history] == [("", False), ("Care", True)]
    assert [each["account"]["acct"] for each in history] == ["ben", "ben"]
    assert history[0]["created_at"] < history[1]["created_at"]
    assert (await practice.cy.get(f"{STATUSES}/{said['id']}/history")).status == 404


async def test_t20_nothing_is_shared_further_and_nobody_has(practice: Practice) -> None:
    said = await practice.say(practice.ben, "@ward Hello")

    refused = await practice.ana.post(f"{STATUSES}/{said['id']}/reblog")
    undone = await practice.ana.post(f"{STATUSES}/{said['id']}/unreblog")

    assert (refused.status, "stays in it" in refused.json["error"]) == (422, True)
    assert (undone.status, undone.json["reblogged"], undone.json["id"]) == (200, False, said["id"])
    assert (await practice.ana.get(f"{STATUSES}/{said['id']}/reblogged_by")).json == []
    assert (await practice.ana.get(f"{STATUSES}/{said['id']}")).json["reblogs_count"] == 0
    for verb in ("reblog", "unreblog", "pin", "unpin"):
        assert (await practice.cy.post(f"{STATUSES}/{said['id']}/{verb}")).status == 404, verb
