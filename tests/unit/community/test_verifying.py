"""The verification desk beneath its pages: two at once, registers of an operator's own, the attestation key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from node.community.members.service import NewMember, add_member
from node.community.verification.desk import Choice, decide, read_application
from node.community.verification.recording import change_state
from node.community.verification.service import NewApplication, apply, read_own, registers_of
from node.domain.actors import Member
from node.foundation.errors import ConfigError, Conflict
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house

NEW = NewApplication("physician", "US", "npi", "1234567893", ("video",), "")
VERIFY = Choice("verify", "A3", ("register", "video"), "physician", "card seen")
DECLINE = Choice("decline", reason="no", answer="The name differs.")


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node."""
    async with a_lone_house(databases, clock) as made:
        yield made


async def _applied(lone: LoneHouse) -> tuple[Member, Member, Member, int]:
    vera, vik = await lone.member("vera", role="verifier"), await lone.member("vik", role="verifier")
    mia = await lone.member("mia")
    await apply(lone.core, mia, NEW)
    own = await read_own(lone.core, mia)
    assert own.application is not None
    return vera, vik, mia, own.application.application_id


async def _decide(lone: LoneHouse, verifier: Member, number: int, choice: Choice) -> None:
    """Decide about what the page shows at this moment."""
    page = await read_application(lone.core, verifier, number)
    await decide(lone.core, verifier, number, replace(choice, seen=page.seen))


async def test_of_two_who_decide_at_once_one_is_told_that_it_was_decided(lone: LoneHouse) -> None:
    vera, vik, mia, number = await _applied(lone)

    done = await asyncio.gather(
        _decide(lone, vera, number, VERIFY), _decide(lone, vik, number, DECLINE), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in done) == ["Conflict", "NoneType"]
    own = await read_own(lone.core, mia)
    assert own.application is not None
    assert own.is_current == (own.application.state == "verified")


async def test_of_two_applications_at_once_one_is_kept(lone: LoneHouse) -> None:
    mia = await lone.member("mia")

    done = await asyncio.gather(*(apply(lone.core, mia, NEW) for _ in range(4)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in done) == ["Conflict", "Conflict", "Conflict", "NoneType"]


async def test_of_two_ends_at_once_one_stands(lone: LoneHouse) -> None:
    vera, _, mia, number = await _applied(lone)
    await _decide(lone, vera, number, VERIFY)

    done = await asyncio.gather(
        *(change_state(lone.core, "mia", state, by="vera", reason="a letter") for state in ("ended", "revoked")),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in done) == ["Conflict", "NoneType"]
    own = await read_own(lone.core, mia)
    assert own.verification is not None
    assert own.verification.state in ("ended", "revoked")


@pytest.mark.parametrize(
    ("state", "target"), [("ended", "revoked"), ("ended", "current"), ("revoked", "current"), ("revoked", "suspended")]
)
async def test_what_ended_goes_on_only_by_being_verified_anew(lone: LoneHouse, state: str, target: str) -> None:
    vera, _, _, number = await _applied(lone)
    await _decide(lone, vera, number, VERIFY)
    await change_state(lone.core, "mia", state, by="vera", reason="a letter")

    with pytest.raises(Conflict):
        await change_state(lone.core, "mia", target, by="vera", reason="again")


async def test_a_register_of_the_operators_own_is_offered_and_checked(databases: Databases, clock: FrozenClock) -> None:
    own = {"bayern": {"pattern": "999999", "look_up": "https://kammer.example/", "jurisdiction": "DE-BY"}}
    async with a_lone_house(databases, clock, registers=own) as lone:
        mia = await lone.member("mia")

        assert registers_of(lone.core.config)["bayern"].look_up == "https://kammer.example/"
        await apply(lone.core, mia, NewApplication("physician", "de-by", "bayern", "123 456", ("letter",), ""))

        found = (await read_own(lone.core, mia)).application
        assert found is not None
        assert (found.register, found.number_end, found.jurisdiction) == ("bayern", "56", "DE-BY")


async def test_a_register_that_cannot_be_used_stops_the_start(databases: Databases, clock: FrozenClock) -> None:
    with pytest.raises(ConfigError, match=r"registers\.bayern\.pattern"):
        async with a_lone_house(databases, clock, registers={"bayern": {"pattern": "(9+)+"}}):
            pass


async def test_the_attestation_key_stays_the_same_and_signs_nothing_else(
    databases: Databases, clock: FrozenClock
) -> None:
    place = await databases.new_data()
    keys = []
    async with a_lone_house(databases, clock) as lone:
        place = (lone.core.config.database, lone.core.data)
        keys.append(lone.core.keyring.attesting.document)
        own = await lone.core.keyring.own(lone.core.instance_id)
        assert keys[0].text not in [document.text for document in own.documents]
    async with a_lone_house(databases, clock, place=place) as lone:
        keys.append(lone.core.keyring.attesting.document)

    assert keys[0] == keys[1]


async def test_a_newcomer_by_invitation_is_led_to_where_they_apply(lone: LoneHouse) -> None:
    _, link = await add_member(lone.core, NewMember("nora", "Nora"), by="ola")
    _, other = await add_member(lone.core, NewMember("nils", "Nils", assurance="A3"), by="ola")
    assert link is not None
    assert other is not None
    paths = []
    for each in (link, other):
        guest = Browser(lone)
        await guest.get(each.removeprefix("https://home.example"))
        await guest.submit("invitation", password="correct-horse", again="correct-horse")
        paths.append(guest.path)

    assert paths == ["/me/verification", "/"]
