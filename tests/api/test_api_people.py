"""Around an account: who is in a group, what two people share, notes, search by name."""

from __future__ import annotations

from node.community.groups.service import leave_group
from tests.support.lone_house import add_member
from tests.support.practice import Practice

ACCOUNTS = "/api/v1/accounts"


def _names(reply: object) -> set[str]:
    return {each["acct"] for each in reply.json}  # type: ignore[attr-defined]


async def test_a_groups_followers_are_its_members_told_to_members_alone(practice: Practice) -> None:
    followers = f"{ACCOUNTS}/{practice.ward.group_id}/followers"

    shown = await practice.ben.get(followers)
    first = await practice.ben.get(f"{followers}?limit=1")
    second = await practice.ben.get(first.links["next"])

    assert _names(shown) == {"ana", "ben"}
    assert _names(first) | _names(second) == {"ana", "ben"}
    assert _names(first) != _names(second)
    assert (await practice.cy.get(followers)).json == []


async def test_people_have_no_followers_and_follow_the_groups_that_the_reader_shares(practice: Practice) -> None:
    night = await practice.group("night", practice.cy)
    ana = f"{ACCOUNTS}/{practice.ana.member.actor_id}"

    assert (await practice.ben.get(f"{ana}/followers")).json == []
    assert _names(await practice.ben.get(f"{ana}/following")) == {"ward"}
    assert _names(await practice.cy.get(f"{ana}/following")) == {"night"}
    assert _names(await practice.ana.get(f"{ana}/following")) == {"ward", "night"}
    assert (await practice.ben.get(f"{ACCOUNTS}/{night.group_id}/following")).json == []
    page = await practice.ana.get(f"{ana}/following?limit=1")
    assert len(page.json) == 1
    assert len((await practice.ana.get(page.links["next"])).json) == 1


async def test_only_a_group_that_one_is_in_stands_in_a_list(practice: Practice) -> None:
    (found,) = (await practice.ben.get(f"{ACCOUNTS}/{practice.ward.group_id}/lists")).json

    assert found["id"] == f"g{practice.ward.group_id}"
    assert (await practice.cy.get(f"{ACCOUNTS}/{practice.ward.group_id}/lists")).json == []
    assert (await practice.ben.get(f"{ACCOUNTS}/{practice.ana.member.actor_id}/lists")).json == []


async def test_a_note_is_for_its_writers_eyes(practice: Practice) -> None:
    ana = practice.ana.member.actor_id

    kept = await practice.ben.post(f"{ACCOUNTS}/{ana}/note", {"comment": "Met in Oslo"})
    (again,) = (await practice.ben.get(f"{ACCOUNTS}/relationships?id[]={ana}")).json
    (of_cy,) = (await practice.cy.get(f"{ACCOUNTS}/relationships?id[]={ana}")).json
    dropped = await practice.ben.post(f"{ACCOUNTS}/{ana}/note", {"comment": ""})

    assert kept.json["note"] == again["note"] == "Met in Oslo"
    assert of_cy["note"] == dropped.json["note"] == ""
    assert "Oslo" not in (await practice.ana.get(f"{ACCOUNTS}/verify_credentials")).body.decode()


async def test_accounts_are_found_by_name_and_by_address(practice: Practice) -> None:
    await add_member(practice.lone.core, "benedict")

    by_beginning = await practice.cy.get(f"{ACCOUNTS}/search?q=bene")
    by_address = await practice.cy.get(f"{ACCOUNTS}/search?q=@ben@home.example")

    assert _names(by_beginning) == {"benedict"}
    assert _names(by_address) == {"ben"}
    assert (await practice.cy.get(f"{ACCOUNTS}/search?q=ben")).json[0]["acct"] == "ben"
    assert _names(await practice.ben.get(f"{ACCOUNTS}/search?q=ward&following=true")) == {"ward"}
    assert (await practice.cy.get(f"{ACCOUNTS}/search?q=ward&following=true")).json == []
    for nothing in ("", "%20", "*", "@", "x" * 500):
        assert (await practice.cy.get(f"{ACCOUNTS}/search?q={nothing}")).json == [], nothing


async def test_t26_a_hidden_group_is_found_by_members_alone(practice: Practice) -> None:
    attic = await practice.group("attic", is_hidden=True)

    for query in ("attic", "@attic", "attic@home.example"):
        assert _names(await practice.ana.get(f"{ACCOUNTS}/search?q={query}")) == {"attic"}
        assert (await practice.ben.get(f"{ACCOUNTS}/search?q={query}")).json == []
    for rest in ("followers", "following", "lists", "statuses", "featured_tags"):
        assert (await practice.ben.get(f"{ACCOUNTS}/{attic.group_id}/{rest}")).status == 404
    assert (await practice.ben.post(f"{ACCOUNTS}/{attic.group_id}/note", {"comment": "x"})).status == 404


async def test_nobody_is_a_familiar_follower(practice: Practice) -> None:
    found = (await practice.ben.get(f"{ACCOUNTS}/familiar_followers?id[]={practice.ward.group_id}&id[]=x")).json

    assert found == [{"id": str(practice.ward.group_id), "accounts": []}]


async def test_who_left_is_no_follower_any_more(practice: Practice) -> None:
    house = practice.lone.house
    await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)

    assert _names(await practice.ana.get(f"{ACCOUNTS}/{practice.ward.group_id}/followers")) == {"ana"}
