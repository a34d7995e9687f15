"""What services say when they refuse something, on the pages of somebody who reads German; apps are told in English."""

from __future__ import annotations

import pytest

from node.community.members.sessions import Preferences, change_preferences
from node.views.markup import Markup
from node.views.translated import translate
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.practice import a_practice
from tests.support.reading_room import Ward

_SCRIPT = "<script>alert(1)</script>"


async def german(ward: Ward, handle: str) -> Browser:
    """Return the browser of somebody who reads German."""
    member = {"ana": ward.ana, "ben": ward.ben, "cy": ward.cy}[handle]
    await change_preferences(ward.lone.core, member, Preferences("de"))
    return await ward.browser(handle)


async def test_a_post_without_text_is_refused_in_german(ward: Ward) -> None:
    ana = await german(ward, "ana")
    await ana.get("/groups/ward/write")

    await ana.submit("write", title="Nächte", text=" ", action="send")

    assert (ana.status, ana.page.alerts) == (422, ["Bitte schreiben Sie etwas: noch steht kein Text da."])


async def test_a_wrong_number_is_named_in_german(ward: Ward) -> None:
    cy = await german(ward, "cy")
    await cy.get("/me/verification")

    await cy.submit("apply", jurisdiction="DE", register="npi", number="1234567898", **{"offer-video": "1"})

    assert cy.page.alerts == [
        "Das kann keine Nummer von NPI (NPPES) sein. Richtig wäre: zehn Ziffern, wie 1234567893. Ist eine Ziffer falsch?"
    ]


async def test_too_many_wrong_passwords_are_refused_in_german(ward: Ward) -> None:
    nobody = Browser(ward.lone)
    await nobody.get("/sign-in", accept_language="de")
    fields = {"handle": "ana", "password": "wrong wrong"}
    for _ in range(11):
        await nobody.post("/sign-in", fields, accept_language="de")

    assert nobody.status == 429
    assert "Zu viele falsche Passwörter" in nobody.page.alerts[0]


async def test_what_somebody_typed_stands_in_the_sentence_as_they_typed_it(ward: Ward) -> None:
    ana = await german(ward, "ana")
    await ana.get("/groups/ward/members")

    await ana.submit("/groups/ward/members/invite", person=f"{_SCRIPT} {{0}}")

    assert ana.page.alerts == [f"{_SCRIPT} {{0}} ist keine Adresse: schreiben Sie kürzel@knoten."]
    assert _SCRIPT not in ana.text


async def test_what_has_no_page_of_its_own_is_said_in_german_too(ward: Ward) -> None:
    ana = await german(ward, "ana")

    await ana.post("/me/settings", {"csrf": "old"})

    assert (ana.status, "Dieses Formular ist zu alt." in ana.words) == (403, True)


async def test_an_app_is_told_in_english(databases: Databases, clock: FrozenClock) -> None:
    async with a_practice(databases, clock) as practice:
        await change_preferences(practice.lone.core, practice.ana.member, Preferences("de"))

        reply = await practice.ana.post("/api/v1/statuses", {"status": ""}, accept_language="de")

        assert (reply.status, "error" in reply.json) == (422, True)
        assert "Bitte" not in reply.json["error"]


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("A password has at least 8 characters.", "Ein Passwort hat mindestens 8 Zeichen."),
        ("ana is suspended.", "ana: ausgesetzt."),
        (
            "This group asks for assurance A3. The attestation is suspended.",
            "Diese Gruppe verlangt Stufe A3. Die Bescheinigung ist ausgesetzt.",
        ),
        ("Nobody has said this so far.", "Nobody has said this so far."),
        ("", ""),
        (Markup("A topic needs a title."), Markup("A topic needs a title.")),
    ],
)
def test_a_sentence_is_found_whole_or_by_its_pieces_or_stays(english: str, said: str) -> None:
    assert (translate("de", english), translate("en", english)) == (said, english)


def test_a_language_that_we_do_not_have_stays_english() -> None:
    assert translate("fr", "A topic needs a title.") == "A topic needs a title."
