"""Filters: what a member does not want to meet unprepared, made in an app, told with each status."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.support.practice import Practice

FILTERS = "/api/v2/filters"


async def _make(practice: Practice, **more: Any) -> Any:
    form = {"title": "Exams", "context": ["home", "thread"], **more}
    reply = await practice.ben.post(FILTERS, form)
    assert reply.status == 200, reply.body
    return reply.json


async def _caught(practice: Practice, status: Any) -> Any:
    return (await practice.ben.get(f"/api/v1/statuses/{status['id']}")).json["filtered"]


async def test_a_filter_is_made_with_its_keywords_by_form_and_by_json(practice: Practice) -> None:
    by_form = await _make(practice, **{"keywords_attributes[][keyword]": "exam", "filter_action": "hide"})
    body = {
        "title": "Politics", "context": ["public"], "expires_in": 3600,
        "keywords_attributes": [{"keyword": "vote", "whole_word": True}, {"keyword": "ballot"}],
    }  # fmt: skip
    by_json = await practice.ben.send("POST", FILTERS, body=msgspec.json.encode(body), content_type="application/json")

    assert (by_form["title"], by_form["context"], by_form["filter_action"]) == ("Exams", ["home", "thread"], "hide")
    assert [(each["keyword"], each["whole_word"]) for each in by_form["keywords"]] == [("exam", False)]
    assert [(each["keyword"], each["whole_word"]) for each in by_json.json["keywords"]] == [
        ("vote", True), ("ballot", False),
    ]  # fmt: skip
    assert by_json.json["expires_at"].endswith("Z")
    assert [each["id"] for each in (await practice.ben.get(FILTERS)).json] == [by_form["id"], by_json.json["id"]]
    assert (await practice.ben.get(f"{FILTERS}/{by_form['id']}")).json == by_form


async def test_a_status_tells_its_reader_which_filter_catches_it(practice: Practice) -> None:
    made = await _make(
        practice, **{"keywords_attributes[0][keyword]": "exam", "keywords_attributes[0][whole_word]": "1"}
    )
    caught = await practice.say(practice.ana, "@ward The Exam is near")
    spared = await practice.say(practice.ana, "@ward No examination")
    own = await practice.say(practice.ben, "@ward My exam")

    (result,) = await _caught(practice, caught)

    assert (result["filter"]["id"], result["keyword_matches"], result["status_matches"]) == (made["id"], ["exam"], [])
    assert await _caught(practice, spared) == []
    assert await _caught(practice, own) == []
    assert (await practice.ana.get(f"/api/v1/statuses/{caught['id']}")).json["filtered"] == []
    home = (await practice.ben.get("/api/v1/timelines/home")).json
    assert [len(each["reblog"]["filtered"]) for each in home] == [0, 0, 1]
    practice.lone.clock.advance(10)
    await practice.ben.put(f"{FILTERS}/{made['id']}", {"expires_in": "5"})
    practice.lone.clock.advance(6)
    assert await _caught(practice, caught) == []


async def test_a_filter_is_changed_in_part_and_ended(practice: Practice) -> None:
    made = await _make(practice, **{"keywords_attributes[][keyword]": ["exam", "test"]})
    first, second = (each["id"] for each in made["keywords"])
    changes = {
        "title": "Tests", "keywords_attributes[0][id]": first, "keywords_attributes[0][_destroy]": "true",
        "keywords_attributes[1][id]": second, "keywords_attributes[1][whole_word]": "true",
        "keywords_attributes[2][keyword]": "quiz",
    }  # fmt: skip

    changed = (await practice.ben.put(f"{FILTERS}/{made['id']}", changes)).json

    assert (changed["title"], changed["context"]) == ("Tests", ["home", "thread"])
    assert [(each["keyword"], each["whole_word"]) for each in changed["keywords"]] == [("test", True), ("quiz", False)]
    assert changed["keywords"][0]["id"] == second
    assert (await practice.ben.delete(f"{FILTERS}/{made['id']}")).status == 200
    assert (await practice.ben.get(FILTERS)).json == []


async def test_keywords_are_added_changed_and_taken_out_one_by_one(practice: Practice) -> None:
    made = await _make(practice)
    keywords = f"{FILTERS}/{made['id']}/keywords"

    added = (await practice.ben.post(keywords, {"keyword": "exam", "whole_word": "true"})).json
    one = f"{FILTERS}/keywords/{added['id']}"
    changed = (await practice.ben.put(one, {"keyword": "test"})).json

    assert (added["keyword"], added["whole_word"]) == ("exam", True)
    assert (changed["keyword"], changed["whole_word"], changed["id"]) == ("test", True, added["id"])
    assert (await practice.ben.get(one)).json == changed
    assert (await practice.ben.get(keywords)).json == [changed]
    assert (await practice.ben.delete(one)).status == 200
    assert (await practice.ben.get(one)).status == 404
    assert (await practice.ben.get(keywords)).json == []


async def test_a_filter_names_single_posts_that_its_owner_may_read(practice: Practice) -> None:
    made = await _make(practice)
    night = await practice.group("night", practice.cy)
    said = await practice.say(practice.ana, "@ward Long story")
    unseen = await practice.say(practice.ana, "@night Secret")
    marks = f"{FILTERS}/{made['id']}/statuses"

    added = (await practice.ben.post(marks, {"status_id": said["id"]})).json
    refused = await practice.ben.post(marks, {"status_id": unseen["id"]})
    (result,) = await _caught(practice, said)

    assert night.group_id
    assert (added["status_id"], refused.status) == (said["id"], 404)
    assert (result["keyword_matches"], result["status_matches"]) == ([], [said["id"]])
    assert (await practice.ben.get(marks)).json == [added]
    assert (await practice.ben.get(f"{FILTERS}/statuses/{added['id']}")).json == added
    assert (await practice.ben.get(f"{FILTERS}/{made['id']}")).json["statuses"] == [added]
    assert (await practice.ben.delete(f"{FILTERS}/statuses/{added['id']}")).status == 200
    assert await _caught(practice, said) == []


async def test_t26_anothers_filter_is_absent(practice: Practice) -> None:
    made = await _make(practice, **{"keywords_attributes[][keyword]": "exam"})
    said = await practice.say(practice.ana, "@ward Hello")
    mark = (await practice.ben.post(f"{FILTERS}/{made['id']}/statuses", {"status_id": said["id"]})).json
    keyword = made["keywords"][0]["id"]

    for path in (
        f"{FILTERS}/{made['id']}", f"{FILTERS}/keywords/{keyword}", f"{FILTERS}/statuses/{mark['id']}",
    ):  # fmt: skip
        for method in ("GET", "DELETE", "PUT"):
            assert (await practice.ana.send(method, path)).status == 404, (method, path)
    for rest in ("keywords", "statuses"):
        form = {"keyword": "x", "status_id": said["id"]}
        assert (await practice.ana.get(f"{FILTERS}/{made['id']}/{rest}")).status == 404
        assert (await practice.ana.post(f"{FILTERS}/{made['id']}/{rest}", form)).status == 404
    assert (await practice.ana.get(FILTERS)).json == []
    assert len((await practice.ben.get(f"{FILTERS}/{made['id']}")).json["keywords"]) == 1


async def test_what_is_no_filter_is_refused_with_a_sentence(practice: Practice) -> None:
    for form in (
        {"context": ["home"]}, {"title": " ", "context": ["home"]}, {"title": "x"}, {"title": "x", "context": ["x"]},
        {"title": "x", "context": ["home"], "filter_action": "burn"},
        {"title": "x", "context": ["home"], "expires_in": "-1"},
        {"title": "x", "context": ["home"], "keywords_attributes[][keyword]": " "},
    ):  # fmt: skip
        refused = await practice.ben.post(FILTERS, form)
        assert (refused.status, bool(refused.json["error"])) == (422, True), form
    assert (await practice.ben.get(FILTERS)).json == []
