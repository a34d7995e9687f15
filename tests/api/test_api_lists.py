"""Lists: one for each group that the member is in, to be read and not to be changed."""

from __future__ import annotations

from node.community.reading.following import set_levels
from tests.support.practice import Practice

LISTS = "/api/v1/lists"


async def test_the_list_of_a_group_is_read_by_its_members(practice: Practice) -> None:
    own = f"{LISTS}/g{practice.ward.group_id}"

    found = await practice.ben.get(own)
    accounts = await practice.ben.get(f"{own}/accounts")

    assert found.json == {
        "id": f"g{practice.ward.group_id}", "title": "Ward", "replies_policy": "none", "exclusive": False,
    }  # fmt: skip
    assert [(each["acct"], each["group"]) for each in accounts.json] == [("ward", True)]
    for path in (own, f"{own}/accounts", f"{LISTS}/g1", f"{LISTS}/1"):
        assert (await practice.cy.get(path)).status == 404, path


async def test_a_group_that_somebody_keeps_out_of_home_has_an_exclusive_list(practice: Practice) -> None:
    await set_levels(practice.lone.core, viewer=practice.ben.member, levels={practice.ward.group_id: "quiet"})

    (found,) = (await practice.ben.get(LISTS)).json

    assert found["exclusive"] is True
    assert (await practice.ben.get(f"{LISTS}/{found['id']}")).json["exclusive"] is True
    of_group = f"/api/v1/accounts/{practice.ward.group_id}/lists"
    assert (await practice.ben.get(of_group)).json == [found]
    assert (await practice.ana.get(LISTS)).json[0]["exclusive"] is False


async def test_whoever_wants_to_change_lists_is_told_why_not(practice: Practice) -> None:
    own = f"{LISTS}/g{practice.ward.group_id}"
    tries = [("POST", LISTS), ("PUT", own), ("DELETE", own), ("POST", f"{own}/accounts"), ("DELETE", f"{own}/accounts")]

    for method, path in tries:
        refused = await practice.ben.send(method, path)
        assert (refused.status, "has a list" in refused.json["error"]) == (422, True), (method, path)
        assert (await practice.cy.send(method, path)).status == (422 if path == LISTS else 404)
    assert len((await practice.ben.get(LISTS)).json) == 1
