"""Pages of belonging on one node: find, start, join, leave, report, people; and what others get."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from node.community.verification.recording import verify_member
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import make_group, put_out, say
from tests.support.ward import Ward, a_ward, csrf_of, fay_asks, get_seen


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    async with a_ward(databases, clock) as made:
        yield made


async def test_a_member_asks_to_join_waits_and_takes_the_request_back(scene: Ward) -> None:
    otto = await scene.at("otto")
    await otto.get("/groups/ward")

    await otto.submit("join", reason="Night shifts.")

    assert (otto.path, otto.steps) == ("/groups/ward/join", [303, 200])
    assert await scene.place("otto") == ("requested", "member")
    assert "You asked" in otto.words

    await otto.submit("take-back")

    assert otto.path == "/groups"
    assert await scene.place("otto") == ("left", "member")


async def test_a_request_without_a_reason_is_asked_for_one(scene: Ward) -> None:
    otto = await scene.at("otto")
    await otto.get("/groups/ward/join")

    await otto.submit("join", reason="  ")

    assert otto.status == 422
    assert otto.page.alerts == ["Please say in a sentence why you would like to join."]
    assert await scene.place("otto") == ("", "")


async def test_an_open_group_lets_in_at_once_and_an_invite_only_one_shows_no_form(scene: Ward) -> None:
    await make_group(scene.lone, "open", scene.people["ana"], policy="open")
    await make_group(scene.lone, "closed", scene.people["ana"], policy="invite")
    otto = await scene.at("otto")

    await otto.get("/groups/open/join")
    await otto.submit("join")

    assert (otto.status, otto.path) == (200, "/groups/open")

    await otto.get("/groups/closed/join")

    assert "by invitation only" in otto.words
    assert [form.id for form in otto.page.forms] == []

    await otto.post("/groups/closed/join", {"csrf": await csrf_of(otto), "reason": "Please."})

    assert otto.status == 422
    assert otto.page.alerts


async def test_who_leaves_keeps_their_posts_there_or_takes_them_back(scene: Ward) -> None:
    kept = await say(scene.lone, scene.ward, scene.people["moe"], "I stay.")
    gone = [await say(scene.lone, scene.ward, scene.people["mia"], text) for text in ("One.", "Two.")]
    moe, mia = await scene.at("moe"), await scene.at("mia")

    await moe.get("/groups/ward/leave")
    await moe.submit("leave", posts="keep")
    await mia.get("/groups/ward/leave")
    assert "2 posts of yours stand here" in mia.words
    await mia.submit("leave", posts="withdraw")

    assert (await scene.place("moe"), await scene.place("mia")) == (("left", "moderator"), ("left", "member"))
    read = scene.lone.core.store.read
    posts = [await read(get_seen, scene.people["ana"].actor_id, number) for number in (kept, *gone)]
    assert [post.state for post in posts] == ["live", "withdrawn", "withdrawn"]
    await mia.get("/groups/ward/leave")
    assert mia.status == 404


async def test_the_last_owner_stays_and_loses_nothing(scene: Ward) -> None:
    post_id = await say(scene.lone, scene.ward, scene.people["ana"], "Mine.")
    ana = await scene.at("ana")
    await ana.get("/groups/ward/leave")

    assert "leave" not in ana.page.ids

    await ana.post("/groups/ward/leave", {"csrf": await csrf_of(ana), "posts": "withdraw"})

    assert (ana.status, bool(ana.page.alerts)) == (422, True)
    assert await scene.place("ana") == ("member", "owner")
    assert (await scene.lone.core.store.read(get_seen, scene.people["ana"].actor_id, post_id)).state == "live"


async def test_a_report_comes_before_the_groups_staff_and_nobody_else(scene: Ward) -> None:
    page = await scene.post_page(await say(scene.lone, scene.ward, scene.people["moe"], "The lady in bed 12."))
    mia, ana = await scene.at("mia"), await scene.at("ana")
    await mia.get(f"{page}/report")

    await mia.submit("report", rule="other", note="")

    assert (mia.status, bool(mia.page.alerts)) == (422, True)

    await mia.submit("report", rule=None, note="A bed number: so one knows her.")

    assert mia.status == 422
    assert ("note", "A bed number: so one knows her.") in mia.find_form("report").pairs

    await mia.submit("report", rule="patient")

    assert (mia.status, mia.steps) == (200, [303, 200])
    await ana.get("/groups/ward/requests")
    for said in ("It could identify a patient", "A bed number: so one knows her.", "Reported by Mia"):
        assert said in ana.words
    await mia.get("/groups/ward")
    assert "bed number" not in mia.text


async def test_a_group_is_started_and_its_owner_lands_in_it(scene: Ward) -> None:
    otto = await scene.at("otto")
    await otto.get("/groups/new")

    await otto.submit("new-group", title="Night <i>owls</i>", handle="Not a handle!", policy="invite", purpose="Talk")

    assert (otto.status, bool(otto.page.alerts)) == (422, True)
    pairs = dict(otto.find_form("new-group").pairs)
    assert (pairs["title"], pairs["policy"], pairs["purpose"]) == ("Night <i>owls</i>", "invite", "Talk")

    await otto.submit("new-group", handle="owls", hidden="1", history="since_join")

    assert (otto.status, otto.path) == (200, "/groups/owls")
    assert "Hidden" in otto.words


@pytest.mark.parametrize("handle", ["circle", "ward", "new", "find"])
async def test_a_handle_that_is_taken_is_refused_even_with_the_same_title(scene: Ward, handle: str) -> None:
    otto = await scene.at("otto")
    await otto.get("/groups/new")

    await otto.submit("new-group", title=handle.capitalize(), handle=handle, hidden="1" if handle == "circle" else None)

    assert otto.status == 422
    assert otto.page.alerts == [f"The handle {handle} is taken. Handles are never used twice."]


async def test_a_group_is_found_by_its_address_unless_it_is_hidden(scene: Ward) -> None:
    otto = await scene.at("otto")
    await otto.get("/groups/find")

    await otto.submit("find-group", address="ward@home.example")

    assert (otto.status, otto.path) == (200, "/groups/ward/join")
    answers = []
    for address in ("circle@home.example", "absent@home.example"):
        await otto.get("/groups/find")
        await otto.submit("find-group", address=address)
        assert ("address", address) in otto.find_form("find-group").pairs
        answers.append((otto.status, otto.text.replace(address, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


async def test_a_person_is_shown_with_what_is_shared_and_me_is_ones_own_card(scene: Ward) -> None:
    await say(scene.lone, scene.ward, scene.people["mia"], "Nights are long.", title="Nights")
    await verify_member(scene.lone.core, "mia", "A3", methods=("register", "video"), by="a test", reason="seen")
    moe, otto = await scene.at("moe"), await scene.at("otto")

    await moe.get("/people/mia@home.example")

    assert all(word in moe.words for word in ("Mia", "Physician, level A3, by Home", "Ward", "Nights"))

    await otto.get("/people/mia")

    assert "No group in common." in otto.words
    assert "Nights" not in otto.words

    await otto.get("/me")

    assert all(word in otto.words for word in ("Otto", "otto@home.example", "Physician"))
    assert {"/me/settings", "/write", "/groups"} <= set(otto.page.links)
    await otto.submit("sign-out")
    assert otto.path == "/sign-in"


async def test_t27_somebody_elsewhere_is_absent_for_who_shares_nothing_with_them(scene: Ward) -> None:
    await fay_asks(scene)
    ana, otto = await scene.at("ana"), await scene.at("otto")
    await ana.get("/groups/ward/requests")
    await ana.submit("admit-node", confirm="1")
    await ana.submit("decide", decision="approve")

    await ana.get("/people/fay@friend.example")
    await otto.get("/people/fay@friend.example")
    seen = otto.answer
    await otto.get("/people/absent@friend.example")

    assert (ana.status, "Fay" in ana.words) == (200, True)
    assert (seen.status, seen.body) == (404, otto.answer.body)


_INSIDE = ("requests", "members", "leave")


async def test_t17_pages_inside_a_group_are_absent_for_who_is_not_in_it(scene: Ward) -> None:
    page = await scene.post_page(await say(scene.lone, scene.ward, scene.people["mia"], "One."))
    otto, mia = await scene.at("otto"), await scene.at("mia")
    csrf = await csrf_of(otto)
    await otto.get("/groups/absent/members")
    absent = otto.answer

    for path in [*(f"/groups/{group}/{name}" for group in ("ward", "circle") for name in _INSIDE),
                 f"{page}/report", "/groups/circle/join"]:  # fmt: skip
        await otto.get(path)
        assert (otto.status, otto.answer.body) == (404, absent.body), path
    for path in ("ward/requests", "ward/admit", "ward/leave", "ward/members/role", "ward/members/remove",
                 "ward/members/invite", "circle/join", "circle/leave", page.removeprefix("/groups/") + "/report"):  # fmt: skip
        await otto.post(f"/groups/{path}", {"csrf": csrf, "person": "mia@home.example", "rule": "patient"})
        assert (otto.status, otto.answer.body) == (404, absent.body), path
    await mia.get("/groups/ward/requests")
    assert mia.status == 404
    await mia.post("/groups/ward/members/invite", {"csrf": await csrf_of(mia), "person": "otto"})
    assert mia.status == 404


async def test_who_was_put_out_is_a_stranger_again(scene: Ward) -> None:
    mia = await scene.at("mia")
    await put_out(scene.lone, scene.ward, scene.people["mia"])

    for name in _INSIDE:
        await mia.get(f"/groups/ward/{name}")
        assert mia.status == 404


async def test_t58_every_form_of_belonging_needs_its_token(scene: Ward) -> None:
    page = await scene.post_page(await say(scene.lone, scene.ward, scene.people["mia"], "One."))
    ana = await scene.at("ana")
    paths = [
        "/groups/find", "/groups/new", "/groups/ward/join", "/groups/ward/leave", "/groups/ward/requests",
        "/groups/ward/admit", "/groups/ward/members/role", "/groups/ward/members/remove",
        "/groups/ward/members/invite", f"{page}/report",
    ]  # fmt: skip

    for path in paths:
        await ana.post(path, {"reason": "x", "posts": "keep", "decision": "approve", "rule": "patient"})
        assert ana.status == 403, path


async def test_t49_what_people_write_is_words_on_every_page(scene: Ward) -> None:
    otto, ana = await scene.at("otto"), await scene.at("ana")
    await otto.get("/groups/ward/join")
    await otto.submit("join", reason="<script>alert(1)</script>{{ 7 * 7 }}")

    await ana.get("/groups/ward/requests")

    assert "<script>alert(1)</script>{{ 7 * 7 }}" in ana.words
    assert not re.search("<script", ana.text)
