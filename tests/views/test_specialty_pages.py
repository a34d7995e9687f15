"""What somebody practises: on the application, on the desk, and on the profile if they wish. By pages, on both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from node.community.verification.recording import change_state
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house

NPI = "1234567893"
FILLED = {"class": "physician", "jurisdiction": "us-vt", "register": "npi", "number": NPI, "offer-video": "1"}
VERIFY = {"decision": "verify", "assurance": "A3", "method-register": "1", "method-video": "1", "reason": "card seen"}


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node with the verifier vera and the members dee and ana."""
    async with a_lone_house(databases, clock) as made:
        await made.member("vera", role="verifier")
        await made.member("dee")
        await made.member("ana")
        yield made


async def test_a_specialty_is_on_the_desk_and_on_the_profile_only_if_the_member_wishes(lone: LoneHouse) -> None:
    ana, vera, dee = [await Browser(lone).enter(handle) for handle in ("ana", "vera", "dee")]
    await ana.get("/me/verification")
    await ana.submit("apply", **(FILLED | {"specialty": "surgery"}))
    await vera.get("/node/verification/next")
    assert "Surgery" in vera.words
    await vera.submit("decide-verification", **VERIFY)
    await dee.get("/people/ana")
    assert "Surgery" not in dee.words

    await ana.get("/me/verification")
    await ana.submit("specialty-shown", specialty_shown="1")

    await dee.get("/people/ana")
    assert "Specialty Surgery" in dee.words
    await change_state(lone.core, "ana", "revoked", by="a test", reason="a letter came")
    await dee.get("/people/ana")
    assert "Surgery" not in dee.words


async def test_a_specialty_in_own_words_is_kept_and_shown_when_it_was_ticked(lone: LoneHouse) -> None:
    ana, vera = await Browser(lone).enter("ana"), await Browser(lone).enter("vera")
    await ana.get("/me/verification")
    own = {"specialty": "other", "specialty_other": "Wilderness <medicine>", "specialty_shown": "1"}
    await ana.submit("apply", **(FILLED | own | {"number": "1"}))
    assert (ana.status, "Wilderness &lt;medicine&gt;" in ana.text) == (422, True)
    await ana.submit("apply", **(FILLED | own))
    await ana.get("/people/ana")
    assert "Wilderness" not in ana.words

    await vera.get("/node/verification/next")
    await vera.submit("decide-verification", **VERIFY)

    await ana.get("/people/ana")
    assert "Wilderness <medicine>" in ana.words


async def test_t28_a_number_in_the_specialty_is_refused(lone: LoneHouse) -> None:
    ana = await Browser(lone).enter("ana")
    await ana.get("/me/verification")

    await ana.submit("apply", **FILLED, specialty="other", specialty_other=f"Surgery {NPI[:4]} {NPI[4:]}")

    assert (ana.status, "Leave the number out" in ana.page.alerts[0]) == (422, True)


async def test_what_is_not_recorded_cannot_be_shown(lone: LoneHouse) -> None:
    ana = await Browser(lone).enter("ana")
    await ana.get("/me/verification")

    await ana.post("/me/specialty", {"csrf": ana.csrf, "specialty_shown": "1"})

    assert (ana.status, "No specialty is recorded" in ana.page.alerts[0]) == (422, True)


async def test_the_list_of_specialties_is_the_operators(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock, verification={"specialties": "surgery, Ship's doctor"}) as lone:
        await lone.member("ana")
        ana = await Browser(lone).enter("ana")

        await ana.get("/me/verification", accept_language="de")

        assert re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', ana.text.partition('id="specialty"')[2])[1:3] == [
            ("surgery", "Chirurgie"),
            ("Ship&#39;s doctor", "Ship&#39;s doctor"),
        ]
