"""One's own profile in an app, reports, announcements, and what there is nothing of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from node.community.groups.pages import read_requests_page
from node.community.operating.announcing import announce, end
from tests.support.phone import as_multipart
from tests.support.practice import Practice

ACCOUNTS = "/api/v1/accounts"
OWN = f"{ACCOUNTS}/update_credentials"
ANNOUNCEMENTS = "/api/v1/announcements"


async def test_what_one_says_of_oneself_is_kept_and_shown_safely(practice: Practice) -> None:
    body, kind = as_multipart({"note": "Nights & days\n<b>mostly</b>", "display_name": "Ana", "locked": "true"})

    changed = await practice.ana.send("PATCH", OWN, body=body, content_type=kind)
    shown = (await practice.ben.get(f"{ACCOUNTS}/{practice.ana.member.actor_id}")).json

    assert (changed.status, changed.json["source"]["note"]) == (200, "Nights & days\n<b>mostly</b>")
    assert shown["note"] == changed.json["note"] == "<p>Nights &amp; days<br>&lt;b&gt;mostly&lt;/b&gt;</p>"
    assert "source" not in shown


async def test_a_name_and_a_picture_are_not_changed_in_an_app(practice: Practice) -> None:
    for fields in ({"display_name": "Professor Ana"}, {"fields_attributes[0][name]": "Site"}):
        body, kind = as_multipart(fields)
        refused = await practice.ana.send("PATCH", OWN, body=body, content_type=kind)
        assert (refused.status, bool(refused.json["error"])) == (422, True), fields
    picture = b'--e\r\nContent-Disposition: form-data; name="avatar"; filename="a.png"\r\n\r\nx\r\n--e--\r\n'
    refused = await practice.ana.send("PATCH", OWN, body=picture, content_type="multipart/form-data; boundary=e")

    assert refused.status == 422
    assert (await practice.ana.get(f"{ACCOUNTS}/verify_credentials")).json["display_name"] == "Ana"


async def test_preferences_say_that_posts_are_for_members(practice: Practice) -> None:
    assert (await practice.ben.get("/api/v1/preferences")).json["posting:default:visibility"] == "private"


async def test_a_report_goes_to_the_groups_staff(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Room 4")
    form = {
        "account_id": said["account"]["id"], "status_ids": [said["id"]], "rule_ids": ["1", "3"], "category": "violation",
        "comment": "One could tell who it is.", "forward": "true",
    }  # fmt: skip

    sent = await practice.ben.post("/api/v1/reports", form)
    page = await read_requests_page(practice.lone.core, viewer=practice.ana.member, group_id=practice.ward.group_id)

    assert (sent.status, sent.json["status_ids"], sent.json["rule_ids"]) == (200, [said["id"]], ["1", "3"])
    assert (sent.json["target_account"]["acct"], sent.json["action_taken"]) == ("ana", False)
    (report,) = page.reports
    assert (report.by, report.rule, report.post.uri if report.post else "") == ("Ben", "patient", said["uri"])
    assert report.note.startswith("One could tell who it is.")


async def test_a_report_that_nobody_would_read_is_refused_with_a_sentence(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Hello")
    message = await practice.say(practice.ana, "@ben psst", visibility="direct")
    ana, cy = str(practice.ana.member.actor_id), str(practice.cy.member.actor_id)
    tries: list[tuple[dict[str, Any], int]] = [
        ({"account_id": ana, "comment": "x"}, 422),
        ({"account_id": cy, "comment": "x", "status_ids": [said["id"]]}, 422),
        ({"account_id": ana, "status_ids": [said["id"]]}, 422),
        ({"account_id": ana, "comment": "x", "status_ids": [message["id"]]}, 422),
        ({"account_id": ana, "comment": "x", "status_ids": [said["id"]], "category": "x"}, 422),
        ({"account_id": "4242", "comment": "x", "status_ids": [said["id"]]}, 404),
    ]

    for form, status in tries:
        assert (await practice.ben.post("/api/v1/reports", form)).status == status, form
    by_outsider = {"account_id": ana, "comment": "x", "status_ids": [said["id"]]}
    assert (await practice.cy.post("/api/v1/reports", by_outsider)).status == 422
    page = await read_requests_page(practice.lone.core, viewer=practice.ana.member, group_id=practice.ward.group_id)
    assert page.reports == []


async def test_what_is_said_of_one_groups_post_never_goes_to_the_staff_of_another(practice: Practice) -> None:
    rota = await practice.group("rota", practice.ben)
    said = [await practice.say(practice.ana, text) for text in ("@ward Room 4", "@rota Nights")]
    form = {"account_id": said[0]["account"]["id"], "status_ids": [each["id"] for each in said], "rule_ids": ["1"]}

    sent = await practice.ben.post("/api/v1/reports", form)

    assert (sent.status, "different groups" in sent.json["error"]) == (422, True)
    for group in (practice.ward, rota):
        page = await read_requests_page(practice.lone.core, viewer=practice.ana.member, group_id=group.group_id)
        assert page.reports == []


async def test_an_announcement_is_read_and_put_away_by_each_for_themselves(practice: Practice) -> None:
    core = practice.lone.core
    made = await announce(core, "New rota & forms", by="a test")
    await announce(core, "Later", by="a test", from_at=core.clock.now() + timedelta(days=1))

    (shown,) = (await practice.ben.get(ANNOUNCEMENTS)).json
    away = await practice.ben.post(f"{ANNOUNCEMENTS}/{shown['id']}/dismiss")

    assert (shown["content"], shown["read"]) == ("<p>New rota &amp; forms</p>", False)
    assert (away.status, away.json) == (200, {})
    assert (await practice.ben.get(ANNOUNCEMENTS)).json[0]["read"] is True
    assert (await practice.cy.get(ANNOUNCEMENTS)).json[0]["read"] is False
    assert (await practice.ben.post(f"{ANNOUNCEMENTS}/77/dismiss")).status == 404
    await end(core, made.announcement_id, by="a test")
    assert (await practice.ben.get(ANNOUNCEMENTS)).json == []


async def test_the_rules_of_reports_are_those_of_the_instance(practice: Practice) -> None:
    rules = (await practice.nobody.get("/api/v1/instance/rules")).json

    assert [rule["id"] for rule in rules] == ["1", "2", "3"]
    assert (await practice.nobody.get("/api/v2/instance")).json["rules"] == rules
    assert "updated_at" in (await practice.nobody.get("/api/v1/instance/extended_description")).json


async def test_what_there_is_nothing_of_answers_with_nothing(practice: Practice) -> None:
    paths = (
        "trends", "trends/tags", "trends/statuses", "trends/links", "followed_tags", "suggestions", "directory",
        "endorsements", "featured_tags", "domain_blocks", "scheduled_statuses", "custom_emojis", "instance/peers",
        f"accounts/{practice.ana.member.actor_id}/featured_tags", "instance/activity",
    )  # fmt: skip

    for path in (*(f"/api/v1/{path}" for path in paths), "/api/v2/suggestions"):
        reply = await practice.ben.get(path)
        assert (reply.status, reply.json) == (200, []), path
        assert (await practice.nobody.get(path)).status == 401, path
