"""A group's settings on its page: the owner changes them, staff reads them, others get nothing; other nodes show what is new."""

from __future__ import annotations

import pytest

from node.community.groups.staff import set_role
from node.community.verification.recording import verify_member
from node.store.audit import list_audit
from node.store.engine import Tx
from node.views.visitor import csrf_of
from tests.support.browser_form import Browser
from tests.support.reading_room import Ward
from tests.support.village import Village

NEW = {
    "title": "Night ward",
    "purpose": "For who works at night.",
    "rules": "No names of patients.\nSources first.",
    "questions": "Where do you work?\nSince when?",
    "policy": "invite",
    "history": "since_join",
    "assurance": "A2",
}


async def count_entries(ward: Ward) -> int:
    """Return how many entries of kind `settings` stand in the group's log."""

    async def ask(tx: Tx) -> int:
        query = "SELECT COUNT(*) AS n FROM log_entries WHERE group_id = :group_id AND kind = 'settings'"
        return int(await tx.value(query, group_id=ward.group.group_id))

    return await ward.lone.core.store.read(ask)


async def give_role(ward: Ward, role: str) -> None:
    """Give Ben a role in the group."""
    core, tables = ward.lone.core, ward.lone.house.tables
    await set_role(
        core, tables, owner=ward.ana, group_id=ward.group.group_id, actor_id=ward.ben.actor_id, role=role, by="ana"
    )


async def test_the_owner_changes_everything_that_the_command_can(ward: Ward) -> None:
    ana, cy = await ward.browser("ana"), await ward.browser("cy")
    await ana.get("/groups/ward")
    assert 'href="/groups/ward/settings"' in ana.text
    await ana.get("/groups/ward/settings")

    await ana.submit("group-settings", **NEW)

    assert (ana.path, ana.steps) == ("/groups/ward/settings?saved=1", [303, 200])
    form = dict(ana.find_form("group-settings").pairs)
    assert {name: form[name].replace("\r\n", "\n").strip() for name in NEW} == NEW
    assert await count_entries(ward) == 1
    [audited] = [row for row in await ward.lone.core.store.read(list_audit) if row.action == "group.settings"]
    assert (audited.actor, audited.target) == ("ana", "ward")
    await cy.get("/groups/ward/join")
    for words in ("Night ward", "For who works at night.", "No names of patients.", "Level A2 or better"):
        assert words in cy.words


async def test_what_is_the_same_is_no_change(ward: Ward) -> None:
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/settings")
    await ana.submit("group-settings", **NEW)

    await ana.submit("group-settings")

    assert (ana.steps, await count_entries(ward)) == ([303, 200], 1)


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"policy": "nobody"}, {"history": "some"}, {"assurance": "A9"}, {"policy": ""}]
)
async def test_a_wrong_form_says_so_and_keeps_what_was_typed(ward: Ward, wrong: dict[str, str]) -> None:
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/settings")

    await ana.post("/groups/ward/settings", {"csrf": csrf_of(ana.cookie or "")} | NEW | wrong)

    assert (ana.status, len(ana.page.alerts), "No names of patients." in ana.text) == (422, 1, True)
    assert await count_entries(ward) == 0


@pytest.mark.parametrize("role", ["moderator", "facilitator"])
async def test_staff_read_and_do_not_change(ward: Ward, role: str) -> None:
    await give_role(ward, role)
    ben = await ward.browser("ben")
    await ben.get("/groups/ward/settings")
    assert ("The group's owner changes these" in ben.words, "group-settings" in ben.text) == (True, False)

    await ben.post("/groups/ward/settings", {"csrf": csrf_of(ben.cookie or "")} | NEW)

    assert (ben.status, len(ben.page.alerts)) == (422, 1)
    assert await count_entries(ward) == 0


@pytest.mark.parametrize("handle", ["ben", "cy"])
async def test_to_everybody_else_the_page_is_absent(ward: Ward, handle: str) -> None:
    who = await ward.browser(handle)
    await who.get("/groups/ward/settings")
    assert who.status == 404

    await who.post("/groups/ward/settings", {"csrf": csrf_of(who.cookie or "")} | NEW)

    assert (who.status, await count_entries(ward)) == (404, 0)
    await who.get("/groups/ward/join")
    assert "group-settings" not in who.text


async def test_an_owner_below_the_level_they_ask_for_can_take_it_back(ward: Ward) -> None:
    await verify_member(ward.lone.core, "ana", "A2", methods=("register",), by="a test", reason="")
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/settings")
    await ana.submit("group-settings", assurance="A4")
    await ana.get("/groups/ward")
    assert "Read-only for you" in ana.words

    await ana.get("/groups/ward/settings")
    await ana.submit("group-settings", assurance="A2")

    await ana.get("/groups/ward")
    assert "Read-only for you" not in ana.words


async def test_other_nodes_show_the_new_name_purpose_rules_and_questions(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await b.member("bea")
    ana, ben, bea = [await Browser(node).enter(handle) for node, handle in ((a, "ana"), (b, "ben"), (b, "bea"))]
    there = f"/groups/ward@{a.host}"
    await ben.get(there)
    assert "Night ward" not in ben.words

    await ana.get("/groups/ward/settings")
    await ana.submit("group-settings", **(NEW | {"policy": "request", "assurance": "A0", "history": "all"}))
    await village.rest()

    await ben.get(there)
    for words in ("Night ward", "For who works at night.", "No names of patients."):
        assert words in ben.words
    await bea.get(f"{there}/join")
    for words in ("Night ward", "For who works at night.", "Sources first.", "Where do you work?"):
        assert words in bea.words


async def test_staff_elsewhere_are_told_where_settings_are_made(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "role", ward, b.person("ben"), "owner")
    await village.rest()
    ben = await Browser(b).enter("ben")

    await ben.get(f"/groups/ward@{a.host}/settings")

    assert ("Society hosts this group" in ben.words, "group-settings" in ben.text) == (True, False)
    await ben.post(f"/groups/ward@{a.host}/settings", {"csrf": csrf_of(ben.cookie or "")} | NEW)
    assert (ben.status, "hosted elsewhere" in ben.page.alerts[0]) == (422, True)


async def test_the_command_changes_purpose_rules_and_questions_too(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    words = [
        "--purpose",
        "For nights.",
        "--rules",
        "Sources first.",
        "--question",
        "Where?",
        "--question",
        "Since when?",
    ]

    await a.run("group", "change", ward, *words)
    await village.rest()

    bea = await Browser(b).enter("bea")
    await bea.get(f"/groups/ward@{a.host}/join")
    for said in ("For nights.", "Sources first.", "Where?", "Since when?"):
        assert said in bea.words
