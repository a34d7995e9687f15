"""Requests to join, decided by staff in an app."""

from __future__ import annotations

from tests.support.practice import Practice

ACCOUNTS = "/api/v1/accounts"
REQUESTS = "/api/v1/follow_requests"


async def test_staff_sees_who_asks_for_which_group_and_why_and_lets_them_in(practice: Practice) -> None:
    clinic = await practice.group("clinic", policy="request")
    await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/follow", {"comment": "Night <shifts>"})

    (asking,) = (await practice.ana.get(REQUESTS)).json
    own = (await practice.ana.get(f"{ACCOUNTS}/verify_credentials")).json
    decided = await practice.ana.post(f"{REQUESTS}/{asking['id']}/authorize")

    assert asking["acct"] == "cy"
    assert asking["fields"][0] == {"name": "Asks to join", "value": "Clinic: Night &lt;shifts&gt;", "verified_at": None}
    assert own["source"]["follow_requests_count"] == 1
    assert (decided.status, decided.json["id"]) == (200, asking["id"])
    assert (await practice.ana.get(REQUESTS)).json == []
    (place,) = (await practice.cy.get(f"{ACCOUNTS}/relationships?id[]={clinic.group_id}")).json
    assert place["following"] is True


async def test_staff_turns_somebody_down(practice: Practice) -> None:
    clinic = await practice.group("clinic", policy="request")
    await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/follow")

    decided = await practice.ana.post(f"{REQUESTS}/{practice.cy.member.actor_id}/reject")

    assert decided.status == 200
    (place,) = (await practice.cy.get(f"{ACCOUNTS}/relationships?id[]={clinic.group_id}")).json
    assert (place["following"], place["requested"]) == (False, False)


async def test_t26_who_is_no_staff_sees_no_request_and_decides_none(practice: Practice) -> None:
    clinic = await practice.group("clinic", policy="request")
    await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/follow")

    for phone in (practice.ben, practice.cy):
        assert (await phone.get(REQUESTS)).json == []
        for verb in ("authorize", "reject"):
            for number in (practice.cy.member.actor_id, 4_242):
                assert (await phone.post(f"{REQUESTS}/{number}/{verb}")).status == 404
    (place,) = (await practice.cy.get(f"{ACCOUNTS}/relationships?id[]={clinic.group_id}")).json
    assert place["requested"] is True


async def test_who_asks_for_two_groups_is_decided_about_on_their_pages(practice: Practice) -> None:
    for handle in ("clinic", "theatre"):
        group = await practice.group(handle, policy="request")
        await practice.cy.post(f"{ACCOUNTS}/{group.group_id}/follow", {"comment": handle})

    (asking,) = (await practice.ana.get(REQUESTS)).json
    refused = await practice.ana.post(f"{REQUESTS}/{asking['id']}/authorize")

    assert [field["value"] for field in asking["fields"][:2]] == ["Clinic: clinic", "Theatre: theatre"]
    assert (refused.status, "Clinic, Theatre" in refused.json["error"]) == (422, True)
